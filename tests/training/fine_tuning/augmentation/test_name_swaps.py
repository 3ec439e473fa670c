"""Test that names of a document are replaced by other names of their kind."""

import random

import pytest

from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.fine_tuning.augmentation.name_swaps import (
    DocumentSwapper,
    NameSwapper,
    replace_spans,
)


def span(text, words):
    start = text.index(words)
    return [(start, start + len(words))]


def sentence(text, people=(), organizations=(), number=0, **fields):
    entities = [Entity(span=span(text, name), label="PERSON") for name in people]
    entities += [Entity(span=span(text, name), label="ORGANIZATION") for name in organizations]
    return Record(id=f"d:{number}", doc_id="d", text=text, entities=entities, **fields)


POOL = [
    sentence("Ada Moss met Ben Hale .", ["Ada Moss", "Ben Hale"]),
    sentence("Acme sued Globex .", [], ["Acme", "Globex"]),
]


@pytest.fixture
def swapper():
    return NameSwapper(POOL)


def words_of(record, span_or_name):
    if isinstance(span_or_name, str):
        return span_or_name
    return record.text[span_or_name[0][0] : span_or_name[-1][1]]


def test_a_person_keeps_one_new_name_through_the_document(swapper):
    document = [
        sentence("Jane Orr spoke .", ["Jane Orr"]),
        sentence("Orr left .", ["Orr"], number=1),
        sentence("Jane waved .", ["Jane"], number=2),
    ]
    full, surname, first = (
        record.text.rsplit(" ", 2)[0] for record in swapper.swap(document, random.Random(3))
    )
    assert full.split()[-1] in ("Moss", "Hale")
    assert full == f"{first} {surname}"


def test_spans_follow_the_words_that_they_mark(swapper):
    text = "Jane Orr said Acme lied about Jane Orr ."
    record = sentence(
        text,
        ["Jane Orr"],
        ["Acme"],
        attributions=[
            Attribution(
                source=span(text, "Jane Orr"),
                cue=span(text, "said"),
                content=span(text, "Acme lied about Jane Orr"),
            )
        ],
        stances=[Stance(holder=span(text, "Jane Orr"), target=span(text, "Acme"), label="against")],
    )
    for seed in range(5):
        (swapped,) = swapper.swap([record], random.Random(seed))
        attribution, stance = swapped.attributions[0], swapped.stances[0]
        assert words_of(swapped, attribution.cue) == "said"
        assert words_of(swapped, attribution.content).endswith("Jane Orr")  # no entity here
        assert words_of(swapped, stance.holder) == words_of(swapped, attribution.source)
        assert words_of(swapped, stance.target) in ("Acme", "Globex")
        assert words_of(swapped, swapped.entities[1].span) == words_of(swapped, stance.target)


def test_parties_are_exchanged_in_every_form_or_not_at_all(swapper):
    record = sentence("Republicans and the Democratic senator , a Democrat , met .")
    texts = {swapper.swap([record], random.Random(seed))[0].text for seed in range(20)}
    assert texts == {
        record.text,
        "Democrats and the Republican senator , a Republican , met .",
    }


def test_a_holder_given_by_name_gets_the_new_name(swapper):
    document = [
        sentence("Jane Orr spoke .", ["Jane Orr"]),
        sentence(
            "Taxes are theft .",
            number=1,
            stances=[Stance(holder="Orr", target=[(0, 5)], label="against")],
        ),
    ]
    first, second = swapper.swap(document, random.Random(1))
    assert second.stances[0].holder == first.text.split()[1]


def test_a_document_has_one_set_of_names_in_any_order_of_its_sentences():
    records = []
    for number in range(4):
        for doc_id in ("a", "b"):
            record = sentence("Jane Orr spoke .", ["Jane Orr"], number=number)
            update = {"id": f"{doc_id}:{number}", "doc_id": doc_id}
            records.append(record.model_copy(update=update))
    names = [
        f"{first} {last}" for first in ("Ada", "Ben", "Cy") for last in ("Moss", "Hale", "Lee")
    ]
    pool = [sentence(f"{name} spoke .", [name]) for name in names]
    swapper = DocumentSwapper([*records, *pool], 1.0, 13)
    for epoch in range(3):
        texts = {}
        for record in swapper.records_of_epoch(epoch):
            if record.id[:2] in ("a:", "b:"):
                texts.setdefault(record.doc_id, set()).add(record.text)
        assert [len(document_texts) for document_texts in texts.values()] == [1, 1]


def test_a_document_is_unchanged_where_no_names_are_known():
    record = sentence("Jane Orr spoke .", ["Jane Orr"])
    assert NameSwapper([]).swap([record], random.Random(0)) == [record]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("Orr", "Benedict"),  # exactly the replaced words
        ("Jane Orr", "Jane Benedict"),
        ("r spoke", "Benedict spoke"),  # begins inside them
        ("Jane O", "Jane Benedict"),  # ends inside them
        ("spoke", "spoke"),
    ],
)
def test_a_span_that_cuts_a_replaced_one_takes_all_of_it(marked, expected):
    text = "Jane Orr spoke ."
    record = sentence(text, stances=[Stance(target=span(text, marked), label="favor")])
    replaced = replace_spans(record, [(5, 8, "Benedict")])
    assert words_of(replaced, replaced.stances[0].target) == expected


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(0, 2)], [(0, 2)]),
        ([(3, 6)], [(3, 8)]),
        ([(4, 5)], [(3, 8)]),
        ([(0, 5)], [(0, 8)]),
        ([(5, 9)], [(3, 11)]),
        ([(6, 9)], [(8, 11)]),
        ([(3, 4), (5, 6)], [(3, 8)]),
        ([(6, 7), (0, 1)], [(0, 1), (8, 9)]),
    ],
)
def test_pieces_of_spans_follow_a_longer_name(pieces, expected):
    # Three letters from 3 to 6 became five.
    record = Record(id="1", text="abcdefghij", stances=[Stance(target=pieces, label="favor")])
    replaced = replace_spans(record, [(3, 6, "VWXYZ")])
    assert replaced.text == "abcVWXYZghij"
    assert replaced.stances[0].target == expected
