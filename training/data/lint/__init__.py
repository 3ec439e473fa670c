"""The checks of annotated data.

A new check is a function in one of these modules and an entry in one of these lists.
"""

from claimstance.training.data.lint import annotations, data_checks, spans, texts
from claimstance.training.data.lint.base import RecordCheck
from claimstance.training.data.lint.data_checks import DataCheck

#: Checks of single records, alone and against earlier records.
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
    RecordCheck("two-stance-labels", "error", annotations.two_stance_labels),
    RecordCheck("no-cue", "warning", annotations.no_cue),
    RecordCheck("content-without-claim", "warning", annotations.content_without_claim),
    RecordCheck("claim-without-content", "warning", annotations.claim_without_content),
    RecordCheck("holder-is-target", "warning", annotations.holder_is_target),
    RecordCheck("blank-target", "error", annotations.blank_target),
    RecordCheck("target-whitespace", "warning", annotations.padded_target),
)

#: Checks of all records together, once they are read.
DATA_CHECKS = (
    DataCheck("label-spelling", "error", data_checks.misspelt_case),
    DataCheck("unknown-label", "error", data_checks.unknown_label),
    DataCheck("near-label", "warning", data_checks.near_label),
    DataCheck("joined-labels", "warning", data_checks.joined_labels),
    DataCheck("unused-label", "warning", data_checks.unused_label),
    DataCheck("rare-label", "warning", data_checks.rare_label),
    DataCheck("one-label", "warning", data_checks.single_label),
    DataCheck("label-not-in-train", "warning", data_checks.unseen_in_train),
    DataCheck("undefined-label", "warning", data_checks.undefined_label),
    DataCheck("target-variants", "warning", data_checks.target_variants),
    DataCheck("unmentioned-target", "warning", data_checks.unmentioned_target),
    DataCheck("unlisted-target", "warning", data_checks.unlisted_target),
    DataCheck("lone-records", "warning", data_checks.lone_records),
    DataCheck("missing-annotator", "warning", data_checks.missing_annotator),
    DataCheck("odd-annotator", "warning", data_checks.odd_annotator),
)

__all__ = ["DATA_CHECKS", "RECORD_CHECKS"]
