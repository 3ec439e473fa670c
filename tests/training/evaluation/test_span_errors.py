"""Test the kinds of errors in predicted spans, on cases decided by hand."""

import pytest

from claimstance.training.evaluation.span_errors import count_errors, span_errors, sum_errors


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([("cue", 3, 4)], [("cue", 3, 4)], {("cue", "right"): 1}),
        ([("cue", 3, 4)], [], {("cue", "missed"): 1}),
        ([], [("cue", 3, 4)], {("cue", "spurious"): 1}),
        ([("content", 3, 9)], [("content", 4, 9)], {("content", "boundary"): 1}),
        ([("source", 0, 2)], [("content", 0, 5)], {("source", "other"): 1}),
        # Adjacent spans do not overlap.
        ([("cue", 3, 4)], [("cue", 4, 5)], {("cue", "missed"): 1, ("cue", "spurious"): 1}),
        # A span of the same label takes precedence over a longer overlap.
        (
            [("content", 0, 9)],
            [("content", 8, 9), ("source", 0, 8)],
            {("content", "boundary"): 1, ("source", "spurious"): 1},
        ),
        # A correct span does not explain another's error.
        (
            [("cue", 3, 4), ("content", 3, 9)],
            [("cue", 3, 4)],
            {("cue", "right"): 1, ("content", "missed"): 1},
        ),
        # A span predicted in two pieces is one boundary error.
        ([("content", 0, 9)], [("content", 0, 4), ("content", 5, 9)], {("content", "boundary"): 1}),
        # Two spans predicted as one are two errors.
        ([("content", 0, 4), ("content", 5, 9)], [("content", 0, 9)], {("content", "boundary"): 2}),
        # A span that explains another's error is not spurious as well.
        (
            [("source", 0, 2), ("cue", 3, 4)],
            [("cue", 0, 2), ("cue", 3, 4)],
            {("source", "other"): 1, ("cue", "right"): 1},
        ),
    ],
)
def test_each_annotated_span_is_counted_once(gold, predicted, expected):
    errors = span_errors(gold, predicted)
    assert dict(errors) == expected
    assert count_errors(errors) == sum(n for (_, kind), n in expected.items() if kind != "right")


def test_errors_of_sentences_add_up():
    first, second = span_errors([("cue", 0, 1)], []), span_errors([("cue", 0, 1)], [("cue", 0, 1)])
    assert dict(sum_errors([first, second, first])) == {("cue", "missed"): 2, ("cue", "right"): 1}
