"""Test the layout of lines, and which of their ends are ends of speech."""

import pytest

from claimstance.model.text.layout import layout_of
from claimstance.model.text.sentences import split_sentences


def layout(text):
    """Return the layout of a text."""
    return layout_of(text, split_sentences(text))


def test_each_sentence_has_the_number_of_its_line():
    assert layout("Cod gone. Boats idle.\nSalt left.\r\n\r\nIt rained.").lines == (0, 0, 1, 5)
    assert layout("Cod gone\u2028Boats idle").lines == (0, 1)
    assert layout("").lines == ()


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("Salt warns cod is gone\nBoats stay in port\nDraycott resigns", {1, 2}),
        ("Salt said cod is gone. Boats will stay in port.", set()),
        ("Salt said: “Cod is gone.\n“Boats will stay in port.”\nIt rained.", {2}),
        ('Salt said: "Cod is gone.\n"Boats will stay in port.\n"Nets too."\nIt rained.', {3}),
        ("Salt said: “Cod is gone.\nBoats will stay in port.”\nIt rained.", {2}),
        ("Salt: ‘Cod is gone’\nBoats stay in port, says Draycott", {1}),
        ("Salt: ‘The fishermen’s cod is gone\nand won’t return’\nIt rained.", {1}),
        ("“Is it gone?”\n\n“It is gone.”\n\nIt rained.", {2}),
        ("It rained.\n“Cod is gone,” Salt said.", {1}),
    ],
)
def test_speech_outside_quotation_marks_ends_with_its_line(text, ends):
    assert layout(text).speech_breaks == ends


def test_sentences_within_quotation_marks_are_quoted():
    text = "It rained.\nSalt said: “Cod is gone.\nIt was in 1951.\nBoats idle.”\nIt’s late."
    assert layout(text).quotations.keys() == {1, 2, 3}


def test_a_colon_introduces_later_lines():
    text_layout = layout("Salt listed three things. These are:\nNets\nBoats")
    assert [text_layout.introduces(index) for index in range(4)] == [True, True, False, False]


def test_quotations_begin_at_their_first_mark():
    text = "Vance: “No. Never.” Orr left.\n– “Why?”\nReyes on the dam: ‘It holds’"
    assert layout(text).quotations == {0: 7, 1: 0, 3: 0, 4: 18}
