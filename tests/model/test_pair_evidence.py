"""Test the properties of a pair of a holder and a target."""

import numpy as np
import pytest

from claimstance.model.decoding.attributions import DecodedAttribution
from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.decoding.tags import log_odds_against
from claimstance.model.pair_evidence import EVIDENCE, Pair, pair_evidence
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.windows import Piece, SentenceSpan, Window

TEXTS = ["Amsel spoke .", "The voters hate the long dead old harbour tax and plan ."]


def document(sources=(), names=()):
    """Return the predictions for ``TEXTS``, which have these sources and these names."""
    attributions = [DecodedAttribution((source,), (), (), 0.9) for source in sources]
    entities = [DecodedEntity(name, "PERSON", 0.9) for name in names]
    return DocumentPredictions(TEXTS, [], attributions=attributions, entities=entities)


def pair(holder, target):
    """Return a pair of two spans, whose names are their words."""
    words = [TEXTS[it.sentence][it.start : it.end] for it in (holder, target)]
    return Pair(holder, target, *words)


def logits_of(log_odds):
    """Return logits, (P, 2), of no stance (the first column) and of a stance, with these log-odds of the latter."""
    return np.column_stack([np.zeros(len(log_odds)), log_odds])


def evidence(holder, target, sources=(), names=()):
    """Return the properties of one pair by name."""
    [row] = pair_evidence(document(sources, names), [pair(holder, target)], np.zeros((1, 2)), 0)
    return dict(zip(EVIDENCE, row, strict=True))


def span(sentence, words):
    """Return the span of words in a sentence."""
    start = TEXTS[sentence].index(words)
    return SentenceSpan(sentence, start, start + len(words))


@pytest.mark.parametrize(
    ("sources", "is_source"),
    [
        ([span(1, "The voters")], 1),
        ([span(1, "voters hate")], 1),
        ([span(1, "hate")], 0),
        ([span(0, "Amsel")], 0),  # the same characters of another sentence
        ([], 0),
    ],
)
def test_a_holder_is_a_source_if_it_overlaps_one(sources, is_source):
    row = evidence(SentenceSpan(1, 0, 10), span(1, "tax"), sources=sources)
    assert row["source_holder"] == is_source
    assert row["named_target"] == 0


def test_a_holder_of_an_earlier_sentence_is_looked_up_there():
    amsel, tax = span(0, "Amsel"), span(1, "tax")
    row = evidence(amsel, tax, sources=[amsel], names=[tax])
    assert (row["source_holder"], row["named_target"]) == (1, 1)


def test_words_are_counted_up_to_six():
    row = evidence(span(1, "The voters"), span(1, TEXTS[1][11:-2]))
    assert (row["holder_words"], row["target_words"]) == (2, 6)


def test_no_pairs_give_a_table_without_rows():
    assert pair_evidence(document(), [], np.zeros((0, 2)), 0).shape == (0, len(EVIDENCE))


def column(name, pairs, log_odds):
    """Return one property of each pair."""
    table = pair_evidence(document(), [pair(*spans) for spans in pairs], logits_of(log_odds), 0)
    return table[:, EVIDENCE.index(name)].tolist()


def test_log_odds_compare_stances_with_the_neutral_label():
    probabilities = np.array([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1]])
    assert log_odds_against(np.log(probabilities), 2) == pytest.approx(np.log([3 / 7, 9]))
    # A constant added to the logits changes nothing.
    assert log_odds_against(np.log(probabilities) + 5, 0) == pytest.approx(np.log([9, 1]))


def test_likelier_pairs_are_counted_within_a_sentence():
    voters, amsel = span(1, "The voters"), span(0, "Amsel")
    pairs = [(voters, span(1, "tax")), (voters, span(1, "plan")), (voters, span(1, "harbour"))]
    counts = column("likelier_pairs", [*pairs, (amsel, span(0, "spoke"))], [1.0, 2.0, 1.0, 0.0])
    assert counts == pytest.approx(np.log([2, 1, 2, 1]))  # equal pairs are not likelier


def test_a_holder_of_an_earlier_sentence_competes_in_the_sentence_of_the_target():
    pairs = [(span(0, "Amsel"), span(1, "tax")), (span(1, "The voters"), span(1, "tax"))]
    assert column("likelier_pairs", pairs, [0.0, 1.0]) == pytest.approx(np.log([2, 1]))
    assert column("rival_holder", pairs, [0.0, 1.0]) == [1.0, 0.0]


def test_a_rival_is_another_holder_of_the_same_target():
    voters, dead = span(1, "The voters"), span(1, "dead")
    tax, plan = span(1, "tax"), span(1, "plan")
    nested = span(1, "voters")  # of the same words as a holder, so no rival
    pairs = [(voters, tax), (nested, tax), (dead, tax), (voters, plan)]
    # The likeliest of several rivals counts; pairs without a rival or with an unlikely one have the least value.
    assert column("rival_holder", pairs, [3.0, 2.0, -9.0, 1.0]) == [-6.0, -6.0, 3.0, -6.0]


def test_the_logits_of_the_tag_heads_count_for_the_tokens_of_a_span():
    # Two windows: "Amsel spoke .", and "The voters hate" of the other sentence.
    first = Window(
        [0] * 5, [0] * 5, [(0, 0), (0, 5), (6, 11), (12, 13), (0, 0)], [None] * 5, [Piece(0, 1, 4)]
    )
    second = Window(
        [0] * 5, [0] * 5, [(0, 0), (0, 3), (4, 10), (11, 15), (0, 0)], [None] * 5, [Piece(1, 1, 4)]
    )
    hidden = np.zeros((1, 5, 2))
    predictions = document()
    predictions.windows = [(first, hidden), (second, hidden)]
    predictions.opinion_log_odds = {
        "opinion_holder": [np.array([9.0, 4, 0, 0, 9]), np.array([9.0, 1, 3, -5, 9])],
        "opinion_target": [np.array([9.0, -2, -2, -2, 9]), np.array([9.0, 0, 0, 6, 9])],
    }
    pairs = [
        (span(1, "The voters"), span(1, "hate")),
        (span(0, "Amsel"), span(1, "voters hate")),
        (span(0, "Amsel"), span(1, "plan")),  # no window shows the target
    ]
    table = pair_evidence(predictions, [pair(*spans) for spans in pairs], np.zeros((3, 2)), 0)
    assert table[:, EVIDENCE.index("tagged_holder")].tolist() == [2.0, 4.0, 4.0]
    assert table[:, EVIDENCE.index("tagged_target")].tolist() == [6.0, 3.0, 0.0]


def test_a_holder_of_an_earlier_sentence_is_marked():
    pairs = [(span(0, "Amsel"), span(1, "tax")), (span(1, "The voters"), span(1, "tax"))]
    assert column("earlier_holder", pairs, [0.0, 0.0]) == [1, 0]


def agreement(name, sides):
    """Return a property of four pairs of Amsel or Birke with the tax, by the logits (4, 2) of against and favor."""
    texts = [
        "Amsel hates the tax .",
        "Mr. Amsel loves the tax .",
        "Birke hates the tax .",
        "Amsel naps .",
    ]
    holders = ["Amsel", "Mr. Amsel", "Birke", "Amsel"]
    pairs = []
    for sentence, (text, holder) in enumerate(zip(texts, holders, strict=True)):
        target = "tax" if "tax" in text else "naps"
        spans = [
            SentenceSpan(sentence, text.index(w), text.index(w) + len(w)) for w in (holder, target)
        ]
        pairs.append(Pair(*spans, holder, target))
    logits = np.column_stack([np.full(4, -20.0), sides])
    table = pair_evidence(DocumentPredictions(texts, []), pairs, logits, 0)
    return table[:, EVIDENCE.index(name)]


AGAINST, FAVOR = (9.0, -9.0), (-9.0, 9.0)


def test_pairs_with_the_same_names_in_other_sentences_agree_or_disagree():
    sides = np.array([AGAINST, FAVOR, FAVOR, AGAINST])
    assert agreement("pair_agreement", sides) == pytest.approx([-1, -1, 0, 0], abs=1e-6)
    sides = np.array([AGAINST, AGAINST, FAVOR, AGAINST])
    assert agreement("pair_agreement", sides) == pytest.approx([1, 1, 0, 0], abs=1e-6)


def test_the_same_target_counts_whoever_the_holder_is():
    sides = np.array([AGAINST, AGAINST, FAVOR, AGAINST])
    assert agreement("target_agreement", sides) == pytest.approx([0, 0, -2, 0], abs=1e-6)


def test_pairs_of_the_same_sentence_do_not_agree():
    voters = span(1, "The voters")
    pairs = [(voters, span(1, "tax")), (voters, span(1, "tax"))]
    assert column("pair_agreement", pairs, [3.0, 3.0]) == [0, 0]


def test_pairs_without_a_stance_elsewhere_count_little():
    sides = np.array([AGAINST, (-30.0, -40.0), FAVOR, AGAINST])
    assert agreement("pair_agreement", sides)[0] == pytest.approx(0, abs=1e-3)


def test_pronouns_that_are_not_resolved_do_not_agree():
    texts = ["He hates the tax .", "He hates the tax ."]
    pairs = []
    for sentence in range(2):
        holder, target = SentenceSpan(sentence, 0, 2), SentenceSpan(sentence, 13, 16)
        pairs.append(Pair(holder, target, "He", "tax"))
    logits = np.column_stack([np.full(2, -20.0), np.array([AGAINST, AGAINST])])
    table = pair_evidence(DocumentPredictions(texts, []), pairs, logits, 0)
    assert table[:, EVIDENCE.index("pair_agreement")].tolist() == [0, 0]
    assert table[:, EVIDENCE.index("target_agreement")] == pytest.approx([1, 1])
