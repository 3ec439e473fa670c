"""Kinds of errors in marking spans, on cases told by hand."""

import pytest

from claimstance.training.evaluation.span_errors import count_errors, span_errors, sum_errors


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        ([("cue", 3, 4)], [("cue", 3, 4)], {("cue", "right"): 1}),
        ([("cue", 3, 4)], [], {("cue", "missed"): 1}),
        ([], [("cue", 3, 4)], {("cue", "spurious"): 1}),
        ([("content", 3, 9)], [("content", 4, 9)], {("content", "boundary"): 1}),
        ([("source", 0, 2)], [("content", 0, 5)], {("source", "other"): 1}),
        # Next to each other is not shared.
        ([("cue", 3, 4)], [("cue", 4, 5)], {("cue", "missed"): 1, ("cue", "spurious"): 1}),
        # What shares its label comes before what shares more.
        (
            [("content", 0, 9)],
            [("content", 8, 9), ("source", 0, 8)],
            {("content", "boundary"): 1, ("source", "spurious"): 1},
        ),
        # One that is right does not account for another's error.
        (
            [("cue", 3, 4), ("content", 3, 9)],
            [("cue", 3, 4)],
            {("cue", "right"): 1, ("content", "missed"): 1},
        ),
        # A span found in two pieces is one error, at its boundary.
        ([("content", 0, 9)], [("content", 0, 4), ("content", 5, 9)], {("content", "boundary"): 1}),
        # Two that were found as one are two.
        ([("content", 0, 4), ("content", 5, 9)], [("content", 0, 9)], {("content", "boundary"): 2}),
        # What accounts for another's error is not spurious besides.
        (
            [("source", 0, 2), ("cue", 3, 4)],
            [("cue", 0, 2), ("cue", 3, 4)],
            {("source", "other"): 1, ("cue", "right"): 1},
        ),
    ],
)
def test_each_annotated_span_is_counted_once(gold, found, expected):
    errors = span_errors(gold, found)
    assert dict(errors) == expected
    assert count_errors(errors) == sum(n for (_, kind), n in expected.items() if kind != "right")


def test_errors_of_sentences_add_up():
    one, two = span_errors([("cue", 0, 1)], []), span_errors([("cue", 0, 1)], [("cue", 0, 1)])
    assert dict(sum_errors([one, two, one])) == {("cue", "missed"): 2, ("cue", "right"): 1}
