"""Test the repair of entities: the words that belong to a name, and people who are known by their surnames."""

import pytest

from claimstance.model.text.entities import DecodedEntity, whole_names, with_known_people
from claimstance.model.windows import SentenceSpan

LABELS = {"P": "PERSON", "O": "ORGANIZATION", "L": "LOCATION", "M": "MISC"}


def entities_of(text, *names, sentence=0):
    """Yield entities by label and name, in the order of the text: ``"P Runa Salt"`` is a person."""
    end = 0
    for number, name in enumerate(names):
        start = text.index(name[2:], end)
        end = start + len(name) - 2
        yield DecodedEntity(SentenceSpan(sentence, start, end), LABELS[name[0]], 0.9 - number / 10)


def repaired(text, *names):
    """Return the repaired entities of a sentence by label and name."""
    return [
        f"{entity.label[0]} {text[entity.span.start : entity.span.end]}"
        for entity in whole_names(list(entities_of(text, *names)), [text])
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
def test_adjacent_names_are_joined(text, marked, expected):
    assert repaired(text, *marked) == expected


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
        ),  # the model finds the ends of names of persons
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
def test_capitalised_words_after_a_name_belong_to_it(text, marked, expected):
    assert repaired(text, *marked) == expected


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("It was the Affordable Cod Act of 1951.", ["O Cod Act of"], ["O Affordable Cod Act"]),
        (
            "He works at the Centre for Global Cod.",
            ["O for Global Cod"],
            ["O Centre for Global Cod"],
        ),
        ("They fish in the Deep South.", ["L South"], ["L Deep South"]),
        ("It is Salt’s Orvane now.", ["L Orvane"], ["L Orvane"]),
        ("A Karsholm-based Orvane boat sank.", ["L Orvane"], ["L Orvane"]),
        ("Standard Orvane boats sank.", ["L Orvane"], ["L Orvane"]),  # begins the sentence
        ("It rained. Standard Orvane boats sank.", ["L Orvane"], ["L Orvane"]),
        ("The President Orvane ship sank.", ["O Orvane"], ["O Orvane"]),  # a title
        ("Meanwhile the Cod Act Falls In Orvane Again", ["O Act"], ["O Act"]),  # a heading
    ],
)
def test_capitalised_words_before_a_name_belong_to_it(text, marked, expected):
    assert repaired(text, *marked) == expected


@pytest.mark.parametrize(
    ("text", "marked", "expected"),
    [
        ("The EB-5 visa is gone.", ["O EB-"], ["O EB-5"]),
        ("The EB-5 visa is gone.", ["O EB"], ["O EB-5"]),
        ("It sold to G-III in May.", ["O G"], ["O G-III"]),
        ("It sold to G-III in May.", ["O G-", "O III"], ["O G-III"]),
        ("The Saudi-backed boats left.", ["M Saudi-"], ["M Saudi"]),
        ("They met Bashar al-Salt here.", ["P Bashar al", "P Salt"], ["P Bashar al-Salt"]),
        (
            "The Trans-Cod Partnership fell.",
            ["O Trans", "O Cod Partnership"],
            ["O Trans-Cod Partnership"],
        ),
        ("The Salt-Draycott plan fell.", ["P Salt", "P Draycott"], ["P Salt", "P Draycott"]),
        ("He said that the U.S. left.", ["L U"], ["L U.S."]),
        ("He said that the U.S. left.", ["L U", "L S"], ["L U.S."]),
        ("He saw O’Malley there.", ["P O"], ["P O’Malley"]),
        ("He saw O'Malley there.", ["P Malley"], ["P O'Malley"]),
        ("The Orvane’s boats left.", ["O Orvane"], ["O Orvane"]),
        ("It was the Council of fishermen.", ["O Council of"], ["O Council"]),
        (
            "The Trans-Cod Partnership fell.",
            ["O Trans-", "O Cod Partnership"],
            ["O Trans-Cod Partnership"],
        ),
        (
            "The Cod and Coast Institute shut.",
            ["O Cod and", "O Coast Institute"],
            ["O Cod and Coast Institute"],
        ),
        ("It sued Podmer & Salt in May.", ["O Podmer &", "O Salt"], ["O Podmer & Salt"]),
    ],
)
def test_a_name_is_extended_to_whole_words(text, marked, expected):
    assert repaired(text, *marked) == expected


def people(*sentences):
    """Return sentence, label and name of each entity; sentences are (text, names marked in it)."""
    texts = [text for text, *_ in sentences]
    marked = []
    for number, (text, *names) in enumerate(sentences):
        marked += entities_of(text, *names, sentence=number)
    entities = []
    for entity in with_known_people(marked, texts):
        span = entity.span
        name = texts[span.sentence][span.start : span.end]
        entities.append((span.sentence, entity.label[0], name))
    return entities


FULL = ("They asked Runa Salt about cod.", "P Runa Salt")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Salt left.", ["Salt"]),
        ("Then Salt left, and Salt’s boat sank.", ["Salt", "Salt"]),
        ("“Salt left,” they said.", ["Salt"]),
        ("SALT LEAVES", ["SALT"]),
        ("Runa B. Salt left.", ["Runa B. Salt"]),
        ("The minister, Ms. Salt, left.", ["Salt"]),
        ("The Salt Tower is high, they say.", []),
        ("Mella Salt left.", []),  # somebody else
        ("The Salt-backed plan and the anti-Salt vote fell.", []),
        ("They eat salt.", []),
    ],
)
def test_a_surname_alone_is_the_person_named_in_full_elsewhere(text, names):
    entities = people(FULL, (text,))
    assert entities == [(0, "P", "Runa Salt"), *[(1, "P", name) for name in names]]


def test_an_ordinary_word_at_the_start_of_a_sentence_is_not_a_surname():
    entities = people(FULL, ("Salt is white.",), ("They eat salt.",), ("Then Salt left.",))
    assert entities == [(0, "P", "Runa Salt"), (3, "P", "Salt")]


def test_a_person_replaces_another_label_unless_that_is_more_frequent():
    assert people(FULL, ("Then Salt left.", "L Salt"))[1:] == [(1, "P", "Salt")]
    quay = ("They came to Runa Salt.", "L Runa Salt")
    assert people(FULL, quay)[1:] == [
        (1, "L", "Runa Salt")
    ]  # the full name needs no other evidence
    town = [(f"They came to Salt in {year}.", "L Salt") for year in (1951, 1952)]
    assert [label for _, label, _ in people(FULL, *town)] == ["P", "L", "L"]


def test_a_surname_alone_has_the_probability_of_the_full_name():
    texts = [FULL[0], "Salt left."]
    full_name, surname = with_known_people(list(entities_of(*FULL)), texts)
    assert (surname.span, surname.label) == (SentenceSpan(1, 0, 4), "PERSON")
    assert surname.probability == full_name.probability


def test_a_surname_without_a_full_name_adds_no_person():
    assert people(("Salt left.", "P Salt"), ("Then Salt came.",)) == [(0, "P", "Salt")]


def test_an_entity_without_a_capital_is_dropped():
    assert repaired("the state of Orvane is small", "L state of", "L Orvane") == ["L Orvane"]


def test_names_are_joined_within_a_sentence_with_the_least_probability():
    texts = ["It was in Bergen", "Street Journal staff wrote of it."]
    marked = [
        *entities_of(texts[0], "L Bergen"),
        *entities_of(texts[1], "O Street", "O Journal", sentence=1),
    ]
    first, second = whole_names(marked, texts)
    assert (first.span, second.span) == (SentenceSpan(0, 10, 16), SentenceSpan(1, 0, 14))
    assert second.probability == pytest.approx(0.8)
    assert list(whole_names([], [])) == []
