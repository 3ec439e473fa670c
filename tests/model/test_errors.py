"""Texts of messages: what comes from outside cannot act on a terminal."""

import pytest

from claimstance.model.errors import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Ünï 中文 “quoted” – 🧿", "Ünï 中文 “quoted” – 🧿"),
        ("no-break\u00a0space", "no-break\u00a0space"),
        ("a\nerror: forged", "a\\nerror: forged"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("tab\there", "tab\\there"),
        ("line\u2028paragraph\u2029next\x85", "line\\u2028paragraph\\u2029next\\x85"),
        ("fdp.\u202etxt", "fdp.\\u202etxt"),
        ("\ufeffmark", "\\ufeffmark"),
        ("\udcff.txt", "\\xff.txt"),
        ("half \ud83d", "half \\ud83d"),
        ("می\u200cخواهم 👩\u200d🌾", "می\u200cخواهم 👩\u200d🌾"),
        ("", ""),
    ],
)
def test_characters_that_a_terminal_obeys_are_escaped(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown
