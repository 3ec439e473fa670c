"""Test which names of one text are merged as names of one person or thing, and which stay apart."""

import pytest

from claimstance.model.coreference.aliases import group_aliases


@pytest.mark.parametrize(
    ("names", "fullest"),
    [
        (["Trump", "Mr. Trump", "Donald J. Trump"], "Donald J. Trump"),
        (["Donald Trump", "President Donald Trump", "Trump"], "Donald Trump"),
        (["Kerry's", "Secretary of State Kerry", "John Kerry"], "John Kerry"),
        (["Assad", "al-Assad", "Mr. Assad", "President Bashar al-Assad"], None),
        (["Hillary Clinton", "Hillary Rodham Clinton", "Mrs. Clinton"], "Hillary Rodham Clinton"),
        (["Xi", "President Xi", "Xi Jinping"], "Xi Jinping"),
        (["José Martí", "Jose Marti", "Marti"], "José Martí"),
        (["Obama", "Mr. Obama", "President Obama"], "Obama"),
        (["the Senate", "U.S. Senate", "Senate"], "U.S. Senate"),
        (["The New York Times", "New York Times"], "New York Times"),
        (["the White House", "White House", "White  House"], "White House"),
        (["gun control", "Gun Control", "the gun control"], "gun control"),
        (["UN", "the U.N.", "United Nations"], "United Nations"),
        (["NATO", "North Atlantic Treaty Organization"], "North Atlantic Treaty Organization"),
        (["US", "the U.S.", "United States"], "United States"),
        (["ISIL", "Isil"], "ISIL"),
    ],
)
def test_names_of_one_person_or_thing_are_merged(names, fullest):
    for ordered in (names, names[::-1]):
        assert set(group_aliases(ordered)) == set(names)
        assert len(set(group_aliases(ordered).values())) == 1
    assert group_aliases(names)[names[0]] == (fullest or names[-1])


@pytest.mark.parametrize(
    "names",
    [
        ["Clinton", "Bill Clinton", "Hillary Clinton"],
        ["Mr. Clinton", "Mrs. Clinton", "Clinton"],
        ["Mr. Clinton", "Mrs. Clinton", "Hillary Clinton"],
        ["Donald Trump", "Donald Trump Jr.", "Trump"],
        ["George Bush", "George W. Bush", "George H.W. Bush", "Bush"],
        ["State Department", "Justice Department", "Department"],
        ["House Republicans", "Senate Republicans", "Republicans"],
        ["the Senate", "U.S. Senate", "Texas Senate"],
        ["White House", "House", "Mr. White"],
        ["Trump Tower", "Trump Organization", "Trump"],
        ["an aide to Orr", "Orr", "a spokesman for Orr"],
        ["a US official", "the US official"],
        ["US", "us", "they", "it", "IT"],
        ["UN", "United Nations", "Urban Nomads"],
        ["Syrian government", "government", "Russian government"],
        ["", "the", " x"],
    ],
)
def test_names_that_may_differ_stay_apart(names):
    assert group_aliases(names) == {name: name for name in names}


def test_only_the_short_form_is_ambiguous():
    names = ["Clinton", "Bill Clinton", "Hillary Clinton", "Secretary Hillary Clinton"]
    assert group_aliases(names) == {
        "Clinton": "Clinton",
        "Bill Clinton": "Bill Clinton",
        "Hillary Clinton": "Hillary Clinton",
        "Secretary Hillary Clinton": "Hillary Clinton",
    }


def test_many_namesakes_are_not_compared_in_pairs():
    names = [f"Ann{'abcdefghij'[n % 10] * (n // 10)} Smith" for n in range(20000)]
    assert group_aliases([*names, "Smith"])["Smith"] == "Smith"


def test_no_names_give_no_aliases():
    assert group_aliases([]) == {}
