"""Nested attributions made flat, and scores of attributions on cases computed by hand."""

import numpy as np
import pytest

from claimstance.model.prediction import Prediction
from claimstance.model.record import Attribution, Record
from claimstance.training.evaluation.attribution_metrics import (
    attribution_scores,
    count_attributions,
)
from claimstance.training.evaluation.flat_spans import FlatSpan, attribution_sizes, flatten
from claimstance.training.evaluation.metrics import bootstrap

#        0         10        20        30
TEXT = "Lee said Moss believed the dam failed."


def attribution(text=TEXT, event=None, **parts):
    """An attribution whose parts are given as words of the text; several pieces are parted by ``|``."""
    spans = {
        role: [(text.index(piece), text.index(piece) + len(piece)) for piece in words.split("|")]
        for role, words in parts.items()
    }
    return Attribution(**spans, event=event)


def record(*attributions, text=TEXT, number=0):
    return Record(
        id=f"d:{number}", doc_id="d", start=number * 100, text=text, attributions=list(attributions)
    )


OUTER = attribution(source="Lee", cue="said", content="Moss believed the dam failed")
INNER = attribution(source="Moss", cue="believed", content="the dam failed")


def flat(*attributions, text=TEXT):
    one = record(*attributions, text=text)
    return [
        (span.role, text[span.start : span.end], span.event)
        for span in flatten(one, attribution_sizes([one]))
    ]


@pytest.mark.parametrize("order", [(OUTER, INNER), (INNER, OUTER)])
def test_the_innermost_attribution_wins(order):
    inner, outer = (f"d:0#{order.index(which)}" for which in (INNER, OUTER))
    assert flat(*order) == [
        ("source", "Lee", outer),
        ("cue", "said", outer),
        ("source", "Moss", inner),
        ("cue", "believed", inner),
        ("content", "the dam failed", inner),
    ]


def test_the_outer_content_stays_around_the_inner_attribution():
    inner = attribution(source="Moss", cue="believed", content="the dam")
    assert [span[:2] for span in flat(OUTER, inner)][-2:] == [
        ("content", "the dam"),
        ("content", "failed"),
    ]


def test_source_and_cue_inside_their_own_content_win():
    whole = attribution(source="Moss", cue="believed", content="Lee said Moss believed the dam")
    assert [span[:2] for span in flat(whole)] == [
        ("content", "Lee said"),
        ("source", "Moss"),
        ("cue", "believed"),
        ("content", "the dam"),
    ]


def test_pieces_stay_apart_and_lose_space_at_their_ends():
    text = "“Go,” she said, “now.”"
    pieces = Attribution(content=[(0, 6), (16, 22)], cue=[(10, 14)])
    assert [span[:2] for span in flat(pieces, text=text)] == [
        ("content", "“Go,”"),
        ("cue", "said"),
        ("content", "“now.”"),
    ]
    blank = Attribution(content=[(5, 6)])
    assert flat(blank, text=text) == []


def test_size_counts_all_sentences_of_an_attribution():
    # In the second sentence the long quote is the shorter of the two, but as a whole it is the outer one.
    first = record(
        attribution(source="Lee", cue="said", content="Moss believed the dam failed", event="quote")
    )
    second = record(
        Attribution(content=[(0, 9)], event="quote"),
        Attribution(content=[(3, 14)]),
        text="He did so too.",
        number=1,
    )
    sizes = attribution_sizes([first, second])
    assert sizes == {"quote": 3 + 4 + 28 + 9, "d:1#1": 11}
    assert flatten(second, sizes) == [
        FlatSpan("content", "quote", 0, 2),
        FlatSpan("content", "d:1#1", 3, 14),
    ]


def scored(gold, found):
    """The scores of predicted attributions against gold ones, over one document of a sentence or more."""
    if isinstance(gold, Record):
        gold, found = [gold], [found]
    pairs = [
        (one, Prediction(attributions=[(a, 1.0) for a in each]))
        for one, each in zip(gold, found, strict=True)
    ]
    return attribution_scores(count_attributions(pairs))


def test_what_is_found_exactly_scores_one():
    scores = scored(record(OUTER, INNER), [INNER, OUTER])
    assert set(scores.values()) == {1.0}
    assert len(scores) == 21


def test_overlap_and_exact_by_hand():
    # Gold content: the dam failed. Found: believed the dam, and one more cue.
    gold = record(attribution(source="Lee", cue="said", content="the dam failed"))
    scores = scored(
        gold,
        [
            attribution(source="Lee", cue="said", content="believed the dam"),
            attribution(cue="Moss"),
        ],
    )
    assert (scores["source.overlap.f1"], scores["source.exact.f1"]) == (1.0, 1.0)
    assert (scores["cue.overlap.precision"], scores["cue.overlap.recall"]) == (0.5, 1.0)
    assert scores["cue.exact.f1"] == pytest.approx(2 / 3)
    assert scores["content.overlap.precision"] == pytest.approx(2 / 3)
    assert scores["content.overlap.recall"] == pytest.approx(2 / 3)
    assert scores["content.exact.f1"] == 0
    assert (scores["linked.precision"], scores["linked.recall"]) == (0.5, 1.0)


def test_quotes_and_stops_are_tokens_spaces_are_not():
    text = "“Go,” she said."
    gold = record(Attribution(cue=[(10, 14)], content=[(0, 5)]), text=text)  # tokens: “ Go , ”
    scores = scored(gold, [Attribution(cue=[(9, 14)], content=[(1, 4)])])
    assert scores["cue.exact.f1"] == 1
    assert (scores["content.overlap.precision"], scores["content.overlap.recall"]) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("found", "linked"),
    [
        (attribution(source="Lee", cue="said", content="dam"), 1.0),  # a shared token suffices
        (attribution(source="Lee", cue="said"), 0.0),  # a part that gold has must be there
        (attribution(cue="said", content="the dam failed"), 0.0),
        (attribution(source="Moss", cue="said", content="the dam failed"), 0.0),
        (attribution(source="Lee", cue="believed", content="the dam failed"), 0.0),
    ],
)
def test_a_linked_attribution_has_all_its_parts(found, linked):
    gold = record(attribution(source="Lee", cue="said", content="the dam failed"))
    assert scored(gold, [found])["linked.f1"] == linked


def test_a_part_that_gold_lacks_must_be_lacking():
    gold = record(attribution(cue="said", content="the dam failed"))
    assert (
        scored(gold, [attribution(source="Lee", cue="said", content="the dam failed")])["linked.f1"]
        == 0
    )
    assert scored(gold, [attribution(cue="said", content="the dam failed")])["linked.f1"] == 1


def test_each_gold_attribution_counts_once():
    gold = record(attribution(source="Lee", cue="said", content="the dam failed"))
    twice = [
        attribution(source="Lee", cue="said", content=words) for words in ("the dam", "failed")
    ]
    scores = scored(gold, twice)
    assert (scores["linked.precision"], scores["linked.recall"]) == (0.5, 1.0)


def test_parts_in_several_sentences_are_one_attribution():
    second = "He meant it."
    gold = [
        record(attribution(source="Lee", cue="said", content="failed", event="q")),
        record(Attribution(content=[(0, 11)], event="q"), text=second, number=1),
    ]
    whole = [
        [attribution(source="Lee", cue="said", content="failed", event="0.0")],
        [Attribution(content=[(3, 8)], event="0.0")],
    ]
    assert scored(gold, whole)["linked.f1"] == 1
    # Its content may even be met in the second sentence alone.
    later = [
        [attribution(source="Lee", cue="said", event="0.0")],
        [Attribution(content=[(3, 8)], event="0.0")],
    ]
    assert scored(gold, later)["linked.f1"] == 1
    apart = [[attribution(source="Lee", cue="said")], [Attribution(content=[(3, 8)])]]
    assert scored(gold, apart)["linked.f1"] == 0


def test_nothing_found_scores_zero():
    assert set(scored(record(OUTER), []).values()) == {0.0}


def test_intervals_come_from_documents():
    right = (record(OUTER), Prediction(attributions=[(OUTER, 1.0)]))
    wrong = (record(OUTER), Prediction(attributions=[]))
    counts = np.array(
        [count_attributions(document) for document in ([right], [right, right], [wrong])]
    )
    figure = bootstrap(counts, attribution_scores, 4)["source.exact.recall"]
    assert (figure.value, figure.n) == (0.75, 4)
    assert figure.low < 0.75 < figure.high
