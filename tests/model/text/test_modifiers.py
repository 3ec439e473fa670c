"""Test which names merely modify the noun after them."""

import pytest

from claimstance.model.text.modifiers import is_modifier


@pytest.mark.parametrize(
    ("text", "name", "label", "expected"),
    [
        ("The Democratic primary was close.", "Democratic", "MISC", True),
        ("The Turkish president left.", "Turkish", "MISC", True),
        ("American fishermen left.", "American", "MISC", True),
        ("A Republican who left came back.", "Republican", "MISC", False),
        ("The Republican said no.", "Republican", "MISC", False),
        ("The Americans left.", "Americans", "MISC", False),
        ("The Orvane police left.", "Orvane", "LOCATION", True),
        ("Two Orvane voters left.", "Orvane", "LOCATION", True),
        ("Orvane votes in May.", "Orvane", "LOCATION", False),
        ("Orvane is near.", "Orvane", "LOCATION", False),
        ("In Orvane, police left.", "Orvane", "LOCATION", False),
        ("An Orvane-based firm left.", "Orvane", "LOCATION", True),
        ("The Saudi-backed boats left.", "Saudi", "MISC", True),
        ("The US-Orvane border is shut.", "US", "LOCATION", False),
        ("The Senate officials left.", "Senate", "ORGANIZATION", False),
        ("The Salt campaign won.", "Salt", "PERSON", False),
        ("They like Orvane", "Orvane", "LOCATION", False),
    ],
)
def test_adjectives_and_places_modify_the_next_noun(text, name, label, expected):
    start = text.index(name)
    assert is_modifier(text, start, start + len(name), label) is expected
