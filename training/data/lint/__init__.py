"""The checks of annotated data: a new one is a function in one of these files and an entry in one of these lists."""

from claimstance.training.data.lint import meanings, spans, texts, whole
from claimstance.training.data.lint.base import RecordCheck
from claimstance.training.data.lint.whole import DataCheck

#: Of each record by itself, and beside earlier ones.
RECORD_CHECKS = (
    RecordCheck("empty-text", "error", texts.empty),
    RecordCheck("markup", "warning", texts.markup),
    RecordCheck("lost-character", "warning", texts.replacement),
    RecordCheck("control-character", "warning", texts.control),
    RecordCheck("wrong-encoding", "warning", texts.mojibake),
    RecordCheck("long-text", "warning", texts.long),
    RecordCheck("date-form", "warning", texts.date),
    RecordCheck("repeated-id", "error", texts.same_id),
    RecordCheck("exact-repeat", "warning", texts.exact_repeat),
    RecordCheck("labelled-two-ways", "warning", texts.two_ways),
    RecordCheck("span-cuts-word", "warning", spans.cut_words),
    RecordCheck("span-whitespace", "warning", spans.outer_whitespace),
    RecordCheck("span-without-words", "warning", spans.only_punctuation),
    RecordCheck("crossing-entities", "error", spans.crossing_entities),
    RecordCheck("two-entity-labels", "error", spans.two_entity_labels),
    RecordCheck("overlapping-parts", "error", spans.overlapping_parts),
    RecordCheck("two-stance-labels", "error", meanings.two_stance_labels),
    RecordCheck("no-cue", "warning", meanings.no_cue),
    RecordCheck("content-without-claim", "warning", meanings.content_without_claim),
    RecordCheck("claim-without-content", "warning", meanings.claim_without_content),
    RecordCheck("holder-is-target", "warning", meanings.holder_is_target),
    RecordCheck("blank-target", "error", meanings.blank_target),
    RecordCheck("target-whitespace", "warning", meanings.padded_target),
)

#: Of all records together, once they are read.
DATA_CHECKS = (
    DataCheck("label-spelling", "error", whole.misspelt_case),
    DataCheck("unknown-label", "error", whole.unknown_label),
    DataCheck("near-label", "warning", whole.near_label),
    DataCheck("joined-labels", "warning", whole.joined_labels),
    DataCheck("unused-label", "warning", whole.unused_label),
    DataCheck("rare-label", "warning", whole.rare_label),
    DataCheck("one-label", "warning", whole.single_label),
    DataCheck("label-not-in-train", "warning", whole.unseen_in_train),
    DataCheck("undefined-label", "warning", whole.undefined_label),
    DataCheck("target-variants", "warning", whole.target_variants),
    DataCheck("unmentioned-target", "warning", whole.unmentioned_target),
    DataCheck("unlisted-target", "warning", whole.unlisted_target),
    DataCheck("lone-records", "warning", whole.lone_records),
    DataCheck("missing-annotator", "warning", whole.missing_annotator),
    DataCheck("odd-annotator", "warning", whole.odd_annotator),
)

__all__ = ["DATA_CHECKS", "RECORD_CHECKS"]
