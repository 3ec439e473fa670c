"""The properties of a pair of a holder and a target."""

import pytest

from claimstance.model.pair_evidence import EVIDENCE, pair_evidence
from claimstance.model.windows import Located

TEXTS = ["Amsel spoke .", "The voters hate the long dead old harbour tax and plan ."]


def evidence(holder, target, sources=(), names=()):
    [row] = pair_evidence([(holder, target)], sources, names, TEXTS)
    return dict(zip(EVIDENCE, row, strict=True))


def span(sentence, words):
    start = TEXTS[sentence].index(words)
    return Located(sentence, start, start + len(words))


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
    row = evidence(Located(1, 0, 10), span(1, "tax"), sources=sources)
    assert row["source_holder"] == is_source
    assert row["named_target"] == 0


def test_a_holder_of_an_earlier_sentence_is_looked_up_there():
    amsel, tax = span(0, "Amsel"), span(1, "tax")
    row = evidence(amsel, tax, sources=[amsel], names=[tax])
    assert (row["source_holder"], row["named_target"]) == (1, 1)


def test_words_are_counted_up_to_a_limit():
    row = evidence(span(1, "The voters"), span(1, TEXTS[1][11:-2]))
    assert (row["holder_words"], row["target_words"]) == (2, 6)


def test_without_pairs_there_is_a_table_without_rows():
    assert pair_evidence([], [], [], TEXTS).shape == (0, len(EVIDENCE))
