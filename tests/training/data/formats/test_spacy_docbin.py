"""Test the readers of spaCy's DocBin and JSON files."""

import sys
from pathlib import Path

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Entity
from claimstance.training.data.documents.document import Answer
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, read_file, spacy_docbin
from helpers.paths import DATA


def read_json(name):
    return list(documents(spacy_docbin.JSON, DATA / "spacy" / name, Layout(), ReadReport()))


@pytest.fixture(scope="module")
def docbin(tmp_path_factory):
    """Write a DocBin with spaCy: a doc with every annotation and a bare one."""
    spacy = pytest.importorskip("spacy")
    from spacy.tokens import Doc, DocBin, Span, SpanGroup

    vocab = spacy.blank("xx").vocab
    words = [
        "🚲",
        "Couriers",
        "in",
        "Noren",
        "said",
        "no",
        ".",
        "قالت",
        "البلدية",
        ".",
        "Zoe\u0308",
        "left",
    ]
    doc = Doc(
        vocab,
        words=words,
        spaces=[True] * 5 + [False, True, True, False, True, True, False],
        sent_starts=[True] + [False] * 6 + [True] + [False] * 2 + [True, False],
    )
    doc.ents = [Span(doc, 3, 4, label="GPE"), Span(doc, 10, 11, label="PERSON")]
    doc.spans["sc"] = SpanGroup(
        doc, spans=[Span(doc, 1, 4, label="source"), Span(doc, 3, 4, label="GPE")]
    )
    doc.spans["cue"] = SpanGroup(doc, spans=[Span(doc, 4, 5)])
    doc.cats = {"CLAIM": 0.9, "NO_CLAIM": 0.1}
    doc.user_data.update(
        {"id": "story-1", "outlet": "Noren Post", ("._.", "annotator", None, None): "anna"}
    )
    path = tmp_path_factory.mktemp("spacy") / "news.spacy"
    DocBin(store_user_data=True, docs=[doc, Doc(vocab, words=["It", "rained"])]).to_disk(path)
    return path


def test_a_docbin(docbin):
    first, second = documents(spacy_docbin.DOCBIN, docbin, Layout(), ReadReport())
    assert first.text == "🚲 Couriers in Noren said no. قالت البلدية. Zoe\u0308 left"
    assert [(m.label, first.text[m.pieces[0][0] : m.pieces[0][1]]) for m in first.marks] == [
        ("GPE", "Noren"),
        ("PERSON", "Zoe\u0308"),
        ("source", "Couriers in Noren"),
        ("cue", "said"),
    ]
    assert first.answers == [Answer("CLAIM", True, 0.9), Answer("NO_CLAIM", False, 0.1)]
    assert [first.text[start:end] for start, end in first.sentences] == [
        "🚲 Couriers in Noren said no.",
        "قالت البلدية.",
        "Zoe\u0308 left",
    ]
    assert (first.name, first.annotator, first.fields) == (
        "story-1",
        "anna",
        {"outlet": "Noren Post"},
    )
    assert (second.name, second.annotator, second.marks, second.sentences) == (
        "news:2",
        None,
        [],
        None,
    )


def test_records_of_a_docbin(docbin):
    first, _ = read_file(docbin)
    assert (first.id, first.claim, first.annotator) == ("story-1", "claim", "anna")
    assert first.entities[0] == Entity(span=[(14, 19)], label="LOCATION")


@pytest.mark.parametrize("name", ["not-a-docbin", "empty"])
def test_a_file_that_is_no_docbin_is_refused(name):
    pytest.importorskip("spacy")
    path = DATA / "broken" / "spacy" / f"{name}.spacy"
    with pytest.raises(InputError) as error:
        list(read_file(path, "spacy"))
    assert str(error.value).startswith(f"{path}: expected a DocBin of spaCy, found")


def test_without_spacy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ConfigError) as error:
        list(documents(spacy_docbin.DOCBIN, Path("x.spacy"), Layout(), ReadReport()))
    assert (
        str(error.value)
        == "x.spacy: reading .spacy files needs spaCy: pip install 'claimstance[spacy]'"
    )


def test_json_texts():
    first, second, third = read_json("texts.jsonl")
    assert (first.name, first.fields) == ("s1", {"outlet": "Noren Post"})
    assert first.answers == [Answer("CLAIM", True, 1.0), Answer("NO_CLAIM", False, 0.0)]
    assert [first.text[m.pieces[0][0] : m.pieces[0][1]] for m in first.marks] == ["Noren"]
    assert (second.name, second.marks) == ("texts:2", [])
    assert [third.text[m.pieces[0][0] : m.pieces[0][1]] for m in third.marks] == [
        "Zoe\u0308 Lindqvist"
    ]


def test_pairs_of_spacy_2():
    first, second = read_json("train-data.json")
    assert first.text == "Mayor Zoe\u0308 Lindqvist praised the harbour plan."
    assert [m.label for m in first.marks] == ["PERSON"]
    assert (second.name, second.marks) == ("train-data:2", [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cats-above-one", "cats.CLAIM: expected a number from 0 to 1, found 3"),
        ("cats-text", "cats.CLAIM: expected a number from 0 to 1, found 'yes'"),
        (
            "entity-beyond",
            "entities[0]: expected offsets within the text (67 code points), found 30-500",
        ),
        ("entity-pair", "entities[0]: expected [start, end, label], found [30, 35]"),
        ("entity-text", "entities[0][0]: expected a whole number, found '30'"),
        ("text-number", "text: expected a string, found 5"),
    ],
)
def test_error_of_broken_json_names_place_and_value(name, message):
    path = DATA / "broken" / "spacy" / f"{name}.jsonl"
    with pytest.raises(InputError) as error:
        list(read_file(path, "spacy-json"))
    assert str(error.value).startswith(f"{path}, line 1: {message}")


def test_records_of_json():
    first, second, _ = read_file(DATA / "spacy" / "texts.jsonl")
    assert (first.claim, second.claim) == ("claim", "no_claim")
    assert first.entities == [Entity(span=[(22, 27)], label="LOCATION")]
