"""Test the exchange of names in an article: all mentions change alike, and every span stays on its words."""

import random
import re

import pytest

from claimstance.model.record import Attribution, Entity, Record, Stance
from helpers.paths import BENCHMARKS


@pytest.fixture
def swaps(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import name_swaps

    return name_swaps


@pytest.fixture
def replacement(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import name_replacement

    return name_replacement


def span(text, words, start=0):
    """Return the span of words in a text."""
    position = text.index(words, start)
    return [(position, position + len(words))]


def words_of(record, value):
    """Return the words of a span, or a name or ``None`` as it is."""
    if value is None or isinstance(value, str):
        return value
    return " … ".join(record.text[start:end] for start, end in value)


def sentence(text, *entities, doc_id="a", number=0, start=None, stances=(), attributions=None):
    """Return a record; entities are (words, label), and stances (holder, target), where @ marks a mere name."""

    def span_or_name(words):
        return words[1:] if words.startswith("@") else span(text, words)

    return Record(
        id=f"{doc_id}:{number}",
        doc_id=doc_id,
        start=start,
        text=text,
        entities=[Entity(span=span(text, words), label=label) for words, label in entities],
        stances=[
            Stance(holder=span_or_name(holder), target=span_or_name(target), label="against")
            for holder, target in stances
        ],
        attributions=attributions,
    )


def other_article():
    """Return the pool: two women, two men, two organizations with an article, one without, and two places."""
    texts = (
        ("Mrs. Nora Brandt met Mrs. Ruth Keller.", "Nora Brandt", "Ruth Keller"),
        ("Mr. Karl Ostrow met Mr. Emil Vance.", "Karl Ostrow", "Emil Vance"),
    )
    records = [
        sentence(text, *((name, "PERSON") for name in names), doc_id="b", number=number)
        for number, (text, *names) in enumerate(texts)
    ]
    text = "The Kettner Alliance and the Dunmore Fund left Halvex in Lund and Bergen."
    labels = {"Kettner Alliance": "ORGANIZATION", "Dunmore Fund": "ORGANIZATION"}
    labels |= {"Halvex": "ORGANIZATION", "Lund": "LOCATION", "Bergen": "LOCATION"}
    return [*records, sentence(text, *labels.items(), doc_id="b", number=2)]


def swap(swaps, *records):
    """Return records with other names from the pool."""
    return swaps.swap_articles([*records, *other_article()])[: len(records)]


def test_spans_stay_on_their_words(swaps):
    text = "Ms. Ida Holm, of Oslo, said the Port Union hates Orr."
    attribution = Attribution(
        source=span(text, "Ms. Ida Holm"),
        cue=span(text, "said"),
        content=[*span(text, "the Port Union"), *span(text, "hates Orr")],
    )
    record = sentence(
        text,
        ("Ida Holm", "PERSON"),
        ("Oslo", "LOCATION"),
        ("Port Union", "ORGANIZATION"),
        ("Orr", "PERSON"),
        stances=[("Port Union", "Orr"), ("Ida Holm", "hates Orr")],
        attributions=[attribution],
    )
    (swapped,) = swap(swaps, record)
    Record.model_validate(swapped.model_dump())
    match = re.fullmatch(
        r"Ms\. (\w+ \w+), of (\w+), said the (\w+ \w+) hates (\w+)\.", swapped.text
    )
    person, city, group, surname = match.groups()
    assert person in ("Nora Brandt", "Ruth Keller")
    assert city in ("Lund", "Bergen")
    assert group in ("Kettner Alliance", "Dunmore Fund")
    assert surname in ("Ostrow", "Vance", "Brandt", "Keller")
    assert [words_of(swapped, entity.span) for entity in swapped.entities] == [
        person,
        city,
        group,
        surname,
    ]
    pairs = [(words_of(swapped, s.holder), words_of(swapped, s.target)) for s in swapped.stances]
    assert pairs == [(group, surname), (person, f"hates {surname}")]
    swapped_attribution = swapped.attributions[0]
    assert words_of(swapped, swapped_attribution.source) == f"Ms. {person}"
    assert words_of(swapped, swapped_attribution.cue) == "said"
    assert words_of(swapped, swapped_attribution.content) == f"the {group} … hates {surname}"
    assert [s.label for s in swapped.stances] == ["against", "against"]


def test_a_name_changes_alike_in_all_sentences(swaps):
    first = sentence("Ida Holm spoke.", ("Ida Holm", "PERSON"), start=0)
    second = sentence("Holm’s anti-Holm critics, HOLM said: Ida.", number=1, start=16)
    first_swapped, second_swapped = swap(swaps, first, second)
    name, surname = first_swapped.text.removesuffix(" spoke.").split()
    assert (
        second_swapped.text
        == f"{surname}’s anti-{surname} critics, {surname.upper()} said: {name}."
    )
    assert second_swapped.start == 16 + len(first_swapped.text) - len(first.text)


def test_a_couple_shares_the_new_surname(swaps):
    record = sentence(
        "Ida Holm and Per Holm came. Holm spoke.", ("Ida Holm", "PERSON"), ("Per Holm", "PERSON")
    )
    (swapped,) = swap(swaps, record)
    wife, husband, surname = re.findall(r"[A-Z]\w+ [A-Z]\w+|(?<=\. )\w+", swapped.text)
    assert wife.split()[1] == husband.split()[1] == surname
    assert wife.split()[0] != husband.split()[0]


def test_forms_of_a_name_become_one_name(swaps):
    record = sentence(
        "Ida B. Holm or Ida Holm, also al-Holm?", ("Ida B. Holm", "PERSON"), ("Ida Holm", "PERSON")
    )
    (swapped,) = swap(swaps, record)
    name = swapped.text.split(" or ")[0]
    assert swapped.text.startswith(f"{name} or {name}, also al-{name.split()[1]}")


def test_a_known_gender_is_kept(swaps):
    for title, names in (
        ("Mrs.", {"Nora Brandt", "Ruth Keller"}),
        ("Mr.", {"Karl Ostrow", "Emil Vance"}),
    ):
        record = sentence(f"{title} Alex Holm spoke.", ("Alex Holm", "PERSON"))
        (swapped,) = swap(swaps, record)
        assert swapped.text.removeprefix(f"{title} ").removesuffix(" spoke.") in names


def test_names_without_an_entity_are_replaced_too(swaps):
    record = sentence(
        "She agreed.",
        stances=[("@Ida Holm", "@the Holm plan"), ("@her critics", "@gun control")],
    )
    full = sentence("Ida Holm spoke.", ("Ida Holm", "PERSON"), number=1)
    swapped, full_swapped = swap(swaps, record, full)
    name = full_swapped.text.removesuffix(" spoke.")
    assert [(stance.holder, stance.target) for stance in swapped.stances] == [
        (name, f"the {name.split()[1]} plan"),
        ("her critics", "gun control"),
    ]


def test_a_span_that_ends_within_a_name_is_extended_to_all_of_it(swaps):
    record = sentence(
        "The Holm Foundation won.", ("Holm Foundation", "ORGANIZATION"), stances=[("Holm", "won")]
    )
    (swapped,) = swap(swaps, record)
    stance = swapped.stances[0]
    assert words_of(swapped, stance.holder) in ("Kettner Alliance", "Dunmore Fund")
    assert words_of(swapped, stance.target) == "won"


def test_an_acronym_changes_with_its_name(swaps):
    record = sentence(
        "The Port Safety Union (PSU) left. PSU is gone.",
        ("Port Safety Union", "ORGANIZATION"),
        ("PSU", "ORGANIZATION"),
    )
    (swapped,) = swap(swaps, record)
    name = re.search(r"The (\w+ \w+) \(", swapped.text)[1]
    assert swapped.text == f"The {name} ({name}) left. {name} is gone."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Republican senator met a Democrat.", "A Democratic senator met a Republican."),
        ("The Republican said so.", "The Democrat said so."),
        ("House Republicans and Democrats.", "House Democrats and Republicans."),
        ("The Democratic Party left.", "The Republican Party left."),
        ("the GOP, a GOP aide", "the Democratic Party, a Democratic aide"),
        ("democratic values, republican Rome", "democratic values, republican Rome"),
    ],
)
def test_parties_are_exchanged(swaps, text, expected):
    assert swap(swaps, sentence(text))[0].text == expected


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("Germans and Muslims met.", [("Germans", "MISC"), ("Muslims", "MISC")]),
        ("He came.", []),
        ("", []),
    ],
)
def test_a_text_without_names_to_replace_is_kept(swaps, text, entities):
    assert swap(swaps, sentence(text, *entities))[0].text == text


def test_a_word_equal_to_a_first_name_is_kept(swaps):
    record = sentence("Will Holm spoke. Will he will?", ("Will Holm", "PERSON"))
    (swapped,) = swap(swaps, record)
    assert swapped.text.endswith(" spoke. Will he will?")
    assert "Holm" not in swapped.text


def test_names_of_the_article_are_not_drawn_and_others_only_once(swaps):
    record = sentence(
        "Nora Brandt, Max Lee and Jan Roe met in Lund.",
        ("Nora Brandt", "PERSON"),
        ("Max Lee", "PERSON"),
        ("Jan Roe", "PERSON"),
        ("Lund", "LOCATION"),
    )
    (swapped,) = swap(swaps, record)
    names = re.findall(r"[A-Z]\w+ [A-Z]\w+", swapped.text)
    assert sorted(names) == ["Emil Vance", "Karl Ostrow", "Ruth Keller"]
    assert swapped.text.endswith("in Bergen.")


def test_names_are_kept_when_the_pool_is_empty(swaps):
    record = sentence("Ida Holm met.", ("Ida Holm", "PERSON"))
    assert swaps.swap_articles([record]) == [record]


def test_names_of_several_articles_are_drawn_first(swaps):
    once, twice = ("Oslo", "LOCATION"), ("Lund", "LOCATION")
    articles = [
        [sentence("In Oslo and Lund.", once, twice, doc_id="b")],
        [sentence("In Lund.", twice, doc_id="c")],
    ]
    pool = swaps.make_pool([swaps.collect_names(article) for article in articles])
    own = swaps.collect_names([sentence("In Bergen.", ("Bergen", "LOCATION"))])
    for seed in range(5):
        assert swaps.draw_replacements(own, pool, random.Random(seed)) == {"Bergen": "Lund"}


def test_drawn_names_depend_on_the_seed_alone(swaps):
    record = sentence("Ida Holm spoke.", ("Ida Holm", "PERSON"))
    records = [record, *other_article()]
    assert swaps.swap_articles(records) == swaps.swap_articles(records)
    texts = {swaps.swap_articles(records, seed)[0].text for seed in range(10)}
    assert len(texts) > 1
