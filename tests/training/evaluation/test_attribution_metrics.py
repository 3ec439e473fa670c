"""Test the flattening of nested attributions, and scores of attributions computed by hand."""

import numpy as np
import pytest

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.record import Attribution, Record
from claimstance.training.evaluation.attribution_metrics import (
    attribution_scores,
    count_attributions,
)
from claimstance.training.evaluation.flat_spans import FlatSpan, attribution_sizes, flatten
from claimstance.training.evaluation.metrics import bootstrap

#        0         10        20        30
TEXT = "Lee said Moss believed the dam failed."


def attribution(text=TEXT, event=None, **words_by_role):
    """Return an attribution whose spans are these words of the text; ``|`` separates pieces of a span."""
    spans = {}
    for role, words in words_by_role.items():
        starts = [(text.index(piece), piece) for piece in words.split("|")]
        spans[role] = [(start, start + len(piece)) for start, piece in starts]
    return Attribution(**spans, event=event)


def record(*attributions, text=TEXT, number=0):
    return Record(
        id=f"d:{number}", doc_id="d", start=number * 100, text=text, attributions=list(attributions)
    )


OUTER = attribution(source="Lee", cue="said", content="Moss believed the dam failed")
INNER = attribution(source="Moss", cue="believed", content="the dam failed")


def flat(*attributions, text=TEXT):
    sentence = record(*attributions, text=text)
    return [
        (span.role, text[span.start : span.end], span.event)
        for span in flatten(sentence, attribution_sizes([sentence]))
    ]


@pytest.mark.parametrize("order", [(OUTER, INNER), (INNER, OUTER)])
def test_the_innermost_attribution_wins(order):
    inner, outer = (f"d:0#{order.index(item)}" for item in (INNER, OUTER))
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
    self_nested = attribution(
        source="Moss", cue="believed", content="Lee said Moss believed the dam"
    )
    assert [span[:2] for span in flat(self_nested)] == [
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
    # In the second sentence the long quote is the shorter of the two, but over both sentences it is the outer one.
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


def scored(gold, predicted):
    """Return the scores of predicted attributions against gold ones, for the sentences of one document."""
    if isinstance(gold, Record):
        gold, predicted = [gold], [predicted]
    pairs = [
        (sentence, Prediction(attributions=[(a, 1.0) for a in attributions]))
        for sentence, attributions in zip(gold, predicted, strict=True)
    ]
    return attribution_scores(count_attributions(pairs))


def test_exact_predictions_score_one():
    scores = scored(record(OUTER, INNER), [INNER, OUTER])
    assert set(scores.values()) == {1.0}
    assert len(scores) == 21


def test_overlap_and_exact_scores_equal_those_by_hand():
    # Gold content: the dam failed. Predicted: believed the dam, and one more cue.
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


def test_punctuation_marks_are_tokens_but_spaces_are_not():
    text = "“Go,” she said."
    gold = record(Attribution(cue=[(10, 14)], content=[(0, 5)]), text=text)  # tokens: “ Go , ”
    scores = scored(gold, [Attribution(cue=[(9, 14)], content=[(1, 4)])])
    assert scores["cue.exact.f1"] == 1
    assert (scores["content.overlap.precision"], scores["content.overlap.recall"]) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("predicted", "linked"),
    [
        (attribution(source="Lee", cue="said", content="dam"), 1.0),  # a shared token suffices
        (attribution(source="Lee", cue="said"), 0.0),  # a role of the gold attribution is missing
        (attribution(cue="said", content="the dam failed"), 0.0),
        (attribution(source="Moss", cue="said", content="the dam failed"), 0.0),
        (attribution(source="Lee", cue="believed", content="the dam failed"), 0.0),
    ],
)
def test_a_linked_attribution_has_all_its_roles(predicted, linked):
    gold = record(attribution(source="Lee", cue="said", content="the dam failed"))
    assert scored(gold, [predicted])["linked.f1"] == linked


def test_a_linked_attribution_has_no_other_roles():
    gold = record(attribution(cue="said", content="the dam failed"))
    extra_source = attribution(source="Lee", cue="said", content="the dam failed")
    assert scored(gold, [extra_source])["linked.f1"] == 0
    assert scored(gold, [attribution(cue="said", content="the dam failed")])["linked.f1"] == 1


def test_each_gold_attribution_counts_once():
    gold = record(attribution(source="Lee", cue="said", content="the dam failed"))
    predicted = [
        attribution(source="Lee", cue="said", content=words) for words in ("the dam", "failed")
    ]
    scores = scored(gold, predicted)
    assert (scores["linked.precision"], scores["linked.recall"]) == (0.5, 1.0)


def test_spans_in_several_sentences_are_one_attribution():
    second = "He meant it."
    gold = [
        record(attribution(source="Lee", cue="said", content="failed", event="q")),
        record(Attribution(content=[(0, 11)], event="q"), text=second, number=1),
    ]
    complete = [
        [attribution(source="Lee", cue="said", content="failed", event="0.0")],
        [Attribution(content=[(3, 8)], event="0.0")],
    ]
    assert scored(gold, complete)["linked.f1"] == 1
    # A content that overlaps in the second sentence alone suffices.
    content_in_second_sentence = [
        [attribution(source="Lee", cue="said", event="0.0")],
        [Attribution(content=[(3, 8)], event="0.0")],
    ]
    assert scored(gold, content_in_second_sentence)["linked.f1"] == 1
    unlinked = [[attribution(source="Lee", cue="said")], [Attribution(content=[(3, 8)])]]
    assert scored(gold, unlinked)["linked.f1"] == 0


def test_no_predictions_score_zero():
    assert set(scored(record(OUTER), []).values()) == {0.0}


def test_intervals_come_from_documents():
    correct = (record(OUTER), Prediction(attributions=[(OUTER, 1.0)]))
    wrong = (record(OUTER), Prediction(attributions=[]))
    counts = np.array(
        [count_attributions(document) for document in ([correct], [correct, correct], [wrong])]
    )
    figure = bootstrap(counts, attribution_scores, 4)["source.exact.recall"]
    assert (figure.value, figure.n) == (0.75, 4)
    assert figure.low < 0.75 < figure.high
