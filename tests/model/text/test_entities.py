"""Names that came apart: what belongs together, and what stands beside a name and is none of it."""

import pytest

from claimstance.model.text.entities import FoundEntity, whole_names
from claimstance.model.windows import Located

LABELS = {"P": "PERSON", "O": "ORGANIZATION", "L": "LOCATION", "M": "MISC"}


def found(text, *names, sentence=0):
    """Entities as marked: ``"P Runa Salt"`` is a person, from where the last one ended."""
    end = 0
    for number, name in enumerate(names):
        start = text.index(name[2:], end)
        end = start + len(name) - 2
        yield FoundEntity(Located(sentence, start, end), LABELS[name[0]], 0.9 - number / 10)


def whole(text, *names):
    return [
        f"{one.label[0]} {text[one.place.start : one.place.end]}"
        for one in whole_names(list(found(text, *names)), [text])
    ]


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        (
            "He left the Stellmarck Foundation in May.",
            ["P Stellmarck", "O Foundation"],
            ["O Stellmarck Foundation"],
        ),
        (
            "It was in the Bergen Street Journal.",
            ["L Bergen", "O Street", "O Journal"],
            ["O Bergen Street Journal"],
        ),
        (
            "The United Arab Emirates agreed.",
            ["M United Arab", "L Emirates"],
            ["L United Arab Emirates"],
        ),
        ("It was Kellyn Conmar who wrote.", ["P Kellyn", "P Conmar"], ["P Kellyn Conmar"]),
        (
            "The Republican Runa Salt said no.",
            ["M Republican", "P Runa Salt"],
            ["M Republican", "P Runa Salt"],
        ),
        ("Iowa Democrats said no.", ["L Iowa", "M Democrats"], ["L Iowa", "M Democrats"]),
        ("In Iowa, Orvane is known.", ["L Iowa", "O Orvane"], ["L Iowa", "O Orvane"]),
        ("It is all-Orvane Tower here.", ["O all-", "O Orvane"], ["O Orvane Tower"]),
    ],
)
def test_names_that_touch(text, marked, expected):
    assert whole(text, *marked) == expected


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("The Islamic State was near.", ["M Islamic"], ["M Islamic State"]),
        ("He owns the Podmer Group, they say.", ["O Podmer"], ["O Podmer Group"]),
        (
            "The Ormer Global Health Initiative’s head left the city.",
            ["O Ormer"],
            ["O Ormer Global Health Initiative"],
        ),
        ("It was Orvane’s Tower that fell.", ["O Orvane"], ["O Orvane"]),
        ("The Russian President Salt came late.", ["M Russian", "P Salt"], ["M Russian", "P Salt"]),
        ("The Karsholm Gov. Salt came late.", ["L Karsholm", "P Salt"], ["L Karsholm", "P Salt"]),
        (
            "Once Runa Salt Tower was high.",
            ["P Runa Salt"],
            ["P Runa Salt"],
        ),  # of persons, the model finds the ends
        (
            "Orvane Says No To Karsholm in May",
            ["O Orvane", "L Karsholm"],
            ["O Orvane", "L Karsholm"],
        ),  # a heading
        ("It said the Orvane NBC poll was wrong.", ["O Orvane"], ["O Orvane"]),
        (
            "Near Orvane Bridge Karsholm begins, as they say.",
            ["O Orvane", "L Karsholm"],
            ["O Orvane Bridge", "L Karsholm"],
        ),
        ("It was said in Karsholm Tuesday that he left.", ["L Karsholm"], ["L Karsholm"]),
        ("He paid 3 Orvane crowns.", ["O Orvane"], ["O Orvane"]),
    ],
)
def test_a_name_goes_on_through_capitals(text, marked, expected):
    assert whole(text, *marked) == expected


def test_what_has_no_capital_is_no_name():
    assert whole("the state of Orvane is small", "L state of", "L Orvane") == ["L Orvane"]


def test_sentences_are_apart_and_the_least_sure_part_counts():
    texts = ["It was in Bergen", "Street Journal staff wrote of it."]
    marked = [*found(texts[0], "L Bergen"), *found(texts[1], "O Street", "O Journal", sentence=1)]
    first, second = whole_names(marked, texts)
    assert (first.place, second.place) == (Located(0, 10, 16), Located(1, 0, 14))
    assert second.probability == pytest.approx(0.8)
    assert list(whole_names([], [])) == []
