"""Test the reader and writer of CoNLL files."""

import logging

import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, conll, read_file
from helpers.paths import DATA


def read(path, report=None, **layout):
    return list(documents(conll.FORMAT, path, Layout(**layout), report or ReadReport()))


def entities(document):
    return [(m.label, document.text[m.pieces[0][0] : m.pieces[0][1]]) for m in document.marks]


def tagged(folder, *tags):
    """Write a sentence of the words w1, w2, … with these tags, and return the path."""
    path = folder / "x.conll"
    path.write_text("".join(f"w{i} {tag}\n" for i, tag in enumerate(tags, 1)), encoding="utf-8")
    return path


def test_documents_sentences_and_entities():
    first, second = read(DATA / "conll" / "conll2002.conll")
    assert [first.text[start:end] for start, end in first.sentences] == [
        "🚲 Couriers in Noren told Ida Holm Noren Post was late .",
        "Zoe\u0308 Lindqvist left .",
    ]
    assert entities(first) == [
        ("LOC", "Noren"),
        ("PER", "Ida Holm"),
        ("ORG", "Noren Post"),
        ("PER", "Zoe\u0308 Lindqvist"),
    ]
    assert (first.name, second.name, entities(second)) == (
        "conll2002:1",
        "conll2002:2",
        [("ORG", "البلدية")],
    )
    assert first.marks[1].where.endswith("conll2002.conll, line 8")


@pytest.mark.parametrize(
    ("tags", "scheme", "expected"),
    [
        (
            ["B-PER", "I-PER", "B-PER", "O", "B-LOC"],
            "IOB2",
            [("PER", "w1 w2"), ("PER", "w3"), ("LOC", "w5")],
        ),
        (
            ["I-PER", "I-PER", "B-PER", "O", "I-LOC"],
            "IOB1",
            [("PER", "w1 w2"), ("PER", "w3"), ("LOC", "w5")],
        ),
        (["I-PER", "I-LOC", "O"], "IOB1", [("PER", "w1"), ("LOC", "w2")]),
        (
            ["B-PER", "E-PER", "S-PER", "O", "S-LOC"],
            "IOBES",
            [("PER", "w1 w2"), ("PER", "w3"), ("LOC", "w5")],
        ),
        (["B-PER", "I-PER", "L-PER", "U-LOC"], "IOBES", [("PER", "w1 w2 w3"), ("LOC", "w4")]),
        (["O", "O"], "IOB2", []),
    ],
)
def test_scheme_is_recognised_and_reported(tmp_path, tags, scheme, expected):
    path = tagged(tmp_path, *tags)
    assert entities(read(path)[0]) == expected
    report = ReadReport()
    list(read_file(path, report=report))
    assert report.facts["tags"] == scheme


def test_iob1_of_conll_2003_with_more_columns():
    (document,) = read(DATA / "conll" / "conll2003.conll")
    assert entities(document) == [
        ("ORG", "U.N."),
        ("PER", "Ida Holm"),
        ("PER", "Zoe\u0308"),
        ("LOC", "Noren"),
    ]


def test_an_entity_does_not_run_over_the_end_of_a_sentence(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("a I-PER\n\nb I-PER\n", encoding="utf-8")
    assert entities(read(path)[0]) == [("PER", "a"), ("PER", "b")]


def test_a_lenient_reader_counts_misplaced_tags():
    report = ReadReport()
    path = DATA / "broken" / "conll" / "inside-after-other.conll"
    (document,) = read(path, report, lenient=True)
    assert entities(document) == [("ORG", "Noren"), ("PER", "Holm"), ("PER", "Ida Holm")]
    assert report.dropped == {
        "tag that cannot stand where it does, taken for the start of an entity": 1
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("one-column.conll", ", line 2: expected a token and its tag, found 'said'"),
        ("tag.conll", ", line 2: expected a tag, O or B-, I-, E-, S- with a label, found 'X'"),
        (
            "inside-after-other.conll",
            ", line 3: expected B-PER, since the file's tags are IOB2, found I-PER",
        ),
        (
            "unclosed.iobes",
            ", line 4: expected I-PER or E-PER, since the file's tags are IOBES, found O",
        ),
        (
            "ends-nothing.iobes",
            ", line 2: expected B-PER or S-PER, since the file's tags are IOBES, found E-PER",
        ),
        ("empty.conll", ": expected tokens with tags, found none"),
        ("latin1.conll", ", line 1: expected UTF-8 text"),
    ],
)
def test_error_of_broken_file_names_place_and_value(name, message):
    path = DATA / "broken" / "conll" / name
    with pytest.raises(InputError) as error:
        list(read_file(path, "conll"))
    assert str(error.value).startswith(f"{path}{message}")
    assert not str(error.value).endswith("-")


def test_records_of_a_file():
    first, second = read_file(DATA / "conll" / "conll2003.conll")
    assert first.entities[:2] == [
        Entity(span=[(0, 4)], label="ORGANIZATION"),
        Entity(span=[(11, 19)], label="PERSON"),
    ]
    assert (second.id, second.text) == ("conll2003:1", "Noren 🚲")


def test_written_entities_read_back(tmp_path, caplog):
    text = 'Mayor Zoe\u0308 Lindqvist-Holm: "الجسر in Noren🚲".'
    spans = {
        phrase: (text.index(phrase), text.index(phrase) + len(phrase))
        for phrase in ("Zoe\u0308 Lindqvist", "Noren", "الجسر")
    }
    record = Record(
        id="1",
        text=text,
        doc_id="d",
        entities=[
            Entity(span=[spans["Zoe\u0308 Lindqvist"]], label="PERSON"),
            Entity(span=[spans["الجسر"]], label="MISC"),
            Entity(span=[spans["Noren"]], label="LOCATION"),
        ],
    )
    other_record = Record(id="2", text="Noren wept.", doc_id="d", entities=[])
    conll.write([record, other_record], tmp_path / "x.conll")
    assert not caplog.records
    first, second = read_file(tmp_path / "x.conll")
    labelled_texts = [(first.text[e.span[0][0] : e.span[0][1]], e.label) for e in first.entities]
    assert labelled_texts == [
        ("Zoe\u0308 Lindqvist", "PERSON"),
        ("الجسر", "MISC"),
        ("Noren", "LOCATION"),
    ]
    assert (second.text, second.entities) == ("Noren wept .", [])
    assert (tmp_path / "x.conll").read_text(encoding="utf-8").count("-DOCSTART-") == 1


def test_writing_reports_annotations_left_out(tmp_path, caplog):
    records = [
        Record(
            id="1",
            text="Holm of Noren left early.",
            claim="claim",
            stances=[Stance(target="x", label="favor")],
            attributions=[Attribution(cue=[(14, 18)])],
            entities=[
                Entity(span=[(0, 13)], label="PERSON"),
                Entity(span=[(8, 13)], label="LOCATION"),
                Entity(span=[(0, 4), (19, 24)], label="MISC"),
            ],
        ),
        Record(id="2", text="Nobody looked here."),
    ]
    with caplog.at_level(logging.WARNING):
        conll.write(records, tmp_path / "x.conll")
    assert (tmp_path / "x.conll").read_text(encoding="utf-8") == (
        "-DOCSTART- O\n\nHolm B-PERSON\nof I-PERSON\nNoren I-PERSON\nleft O\nearly O\n. O\n\n"
    )
    reported = [message.partition("has no place for ")[2] for message in caplog.messages]
    assert sorted(reported) == [
        "attributions: 1 left out",
        "labels of claim: 1 left out",
        "records without annotated entities: 1 left out",
        "spans in pieces: 1 left out",
        "spans that overlap others: 1 left out",
        "stances: 1 left out",
    ]


def test_the_first_of_two_labels_of_one_span_is_written(tmp_path):
    words = [(index, index + 1) for index in range(0, 16, 2)]
    labels = [("PERSON", "OTHER"), ("OTHER", "PERSON")] * 4
    entities = [
        Entity(span=[word], label=label)
        for word, word_labels in zip(words, labels, strict=True)
        for label in word_labels
    ]
    conll.write([Record(id="1", text="a b c d e f g h", entities=entities)], tmp_path / "x.conll")
    (document,) = read(tmp_path / "x.conll")
    assert [mark.label for mark in document.marks] == [first for first, _ in labels]


def test_writing_the_spans_of_attributions(tmp_path):
    record = Record(
        id="1",
        text="Holm says it fell.",
        attributions=[Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 17)])],
    )
    conll.write([record], tmp_path / "x.conll", layer="attributions")
    (document,) = read(tmp_path / "x.conll")
    assert entities(document) == [("source", "Holm"), ("cue", "says"), ("content", "it fell")]


def test_a_label_with_a_space_cannot_be_written(tmp_path):
    record = Record(id="1", text="Holm left.", entities=[Entity(span=[(0, 4)], label="the mayor")])
    with pytest.raises(
        InputError, match="1: expected a label without spaces, which CoNLL cannot carry"
    ):
        conll.write([record], tmp_path / "x.conll")
