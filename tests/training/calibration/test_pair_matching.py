"""Test the one-to-one matching of stances that a model finds with those that are annotated."""

from claimstance.model.text.offsets import overlap
from claimstance.training.calibration.pair_matching import match


def matched(partners):
    """Return the number of predictions that have a partner."""
    return sum(partner is not None for partner in partners)


def test_the_largest_matching_is_found():
    gold = [(0, 4), (2, 9)]
    # The first prediction fits both annotations and must leave to the second the only one that it fits.
    assert match(gold, [(3, 5), (0, 1)], overlap) == [1, 0]
    assert match(gold, [(3, 5), (6, 7)], overlap) == [0, 1]
    assert match(gold, [(6, 7), (7, 8), (3, 5)], overlap) == [1, None, 0]


def test_each_threshold_has_the_largest_matching_of_its_answers():
    gold = [(0, 3), (2, 6), (5, 9)]
    predictions = [(2, 3), (5, 6), (0, 9), (0, 1)]
    partners = match(gold, predictions, overlap)
    for count in range(1, len(predictions) + 1):
        alone = match(gold, predictions[:count], overlap)
        assert matched(partners[:count]) == matched(alone) == min(count, 3)


def test_a_chain_of_a_thousand_spans_is_matched():
    # The last prediction fits the first annotation alone, so that each other prediction has to leave its own.
    count = 2000
    gold = [(2 * number, 2 * number + 2) for number in range(count)]
    chain = [(2 * number + 1, 2 * number + 3) for number in range(count - 1)]
    partners = match(gold, [*chain, (0, 1)], overlap)
    assert partners == [*range(1, count), 0]
