"""Check that text from outside cannot control a terminal when a message quotes it."""

import pytest

from claimstance.model.errors import printable


@pytest.mark.parametrize(
    ("text", "escaped"),
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
def test_control_characters_are_escaped(text, escaped):
    assert printable(text) == escaped
    assert printable(escaped) == escaped
