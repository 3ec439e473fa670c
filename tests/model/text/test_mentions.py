"""Test the search for mentions of names in texts."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimstance.model.text.mentions import find_mentions
from claimstance.model.text.name_patterns import compile_name
from claimstance.model.text.person_names import bare_name, honorific_of, person_name


def mentions(name, text):
    """Return the mentions of a name in a text."""
    return [text[start:end] for start, end in find_mentions(name, text)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Bashar al-Assad", "the Assad regime", ["Assad"]),
        ("Bashar al-Assad", "Mr. al-Assad met Bashar Assad’s aide.", ["al-Assad", "Bashar Assad"]),
        ("Bill de Blasio", "De Blasio left.", ["De Blasio"]),
        (
            "Ann B. Lee",
            "Ann Lee spoke; Lee's aide and Ann Bo Lee did not.",
            ["Ann Lee", "Lee", "Ann Bo Lee"],
        ),
        ("President Ann Lee", "ANN LEE WINS: LEE SPEAKS", ["ANN LEE", "LEE"]),
        ("Ann Lee", "Sen. Lee and Ms. Lee met Bob Lee.", ["Lee", "Lee"]),
        (
            "Ann Lee",
            "But Lee was anti-Lee, in a Lee-backed, Ross-Lee, Lee-Ross row.",
            ["Lee", "Lee", "Lee"],
        ),
        ("Ann Lee", "Leeward sleep, lee side", []),
        ("Theresa May", "It may rain in May. May is warm. Mrs. May left.", ["May"]),
        ("Mohammed bin Salman", "King Salman met bin Salman.", ["bin Salman"]),
        ("Xi Jinping", "Mr. Xi left; Xi Jinping came.", ["Xi", "Xi Jinping"]),
        ("Sean O'Hara", "O’Hara won.", ["O’Hara"]),
        ("Martin Roe Jr.", "Roe lost.", ["Roe"]),
    ],
)
def test_a_person_is_mentioned_by_forms_of_the_name(name, text, expected):
    assert mentions(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("the White House", "The House met; the White House’s aide", ["White House"]),
        (
            "United States",
            "The U.S. and US troops; tell us. UNITED STATES",
            ["U.S.", "US", "UNITED STATES"],
        ),
        ("Department of Justice", "DOJ and D.O.J.; Justice", ["DOJ", "D.O.J."]),
        ("National Riders Association (NRDA)", "NRA, NRDA", ["NRA", "NRDA"]),
        ("Islamic State", "IS THAT SO?", []),
        ("NATO", "Nato and NATO, nato", ["Nato", "NATO"]),
        ("WHO", "Who is at the WHO?", ["WHO"]),
        ("Apple", "An apple by Apple's shop", ["Apple"]),
        ("Russia", "Russian Russia, anti-Russia", ["Russia", "Russia"]),
        ("U.S.", "the U.S. army", ["U.S."]),
    ],
)
def test_other_names_are_mentioned_in_full_or_by_acronym(name, text, expected):
    assert mentions(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("military aid", "Military aid, military\naid, MILITARY AID; aid; military aide", 3),
        ("Legalization of drugs", "the legalization of drugs", 1),
        ("immigration", "Immigration, anti-immigration", 2),
    ],
)
def test_a_topic_is_mentioned_as_a_whole_phrase_in_any_case(name, text, expected):
    assert len(find_mentions(name, text)) == expected


@pytest.mark.parametrize(
    "name", ["", " ", "…", "()", "’s", "the", "Mr.", "President", "(", "a)b", "\\", "[x"]
)
def test_unusual_names_raise_no_error(name):
    assert find_mentions(name, "Nothing to see.") == []


@given(
    st.text(alphabet="AbLe .-'’()é&Mr\n", max_size=20),
    st.text(alphabet="AbLe .-'’()é&Mr\n", max_size=60),
)
def test_mentions_are_ordered_spans(name, text):
    previous = 0
    for start, end in find_mentions(name, text):
        assert previous <= start < end <= len(text)
        previous = end


def test_a_name_is_compiled_once():
    compile_name.cache_clear()
    for _ in range(3):
        find_mentions("Ann Lee", "Ann Lee said that Lee would go.")
    assert compile_name.cache_info().misses == 1


def test_names_are_divided_into_their_parts():
    assert bare_name("former Defense Secretary Ash Carter's") == "Ash Carter"
    assert honorific_of("Vice President Ann Lee") == "Vice President"
    assert honorific_of("President of the Senate") == ""
    person = person_name("Ursula von der Leyen")
    assert (person.first, person.particles, person.surname) == ("Ursula", "von der ", "Leyen")
    assert person_name("White House") is None
    assert person_name("Mr. Lee") is None


def test_mentions_need_no_torch():
    modules = "claimstance.model.text.mentions, claimstance.model.text.sentences"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_that_ends_with_an_apostrophe_raises_no_error():
    assert find_mentions("Ada ’", "Ada and I.") == [(0, 3)]
