"""Test the reader of brat folders."""

import os
import shutil
from pathlib import Path

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.corpora.standoff import read_events
from claimstance.training.data.documents.document import Relation
from claimstance.training.data.documents.format import documents
from claimstance.training.data.documents.offsets import CODE_POINTS
from claimstance.training.data.documents.spans import normalise
from claimstance.training.data.formats import Layout, ReadReport, read_file
from claimstance.training.data.formats.brat import reader as brat
from helpers.offset_units import find_unit
from helpers.paths import DATA

FILES = DATA / "brat"
BROKEN = DATA / "broken" / "brat"
ROOT = os.environ.get("CLAIMSTANCE_CORPORA")


def read(path, report=None, **layout):
    return list(
        documents(
            brat.FORMAT, path, Layout(**layout), report if report is not None else ReadReport()
        )
    )


@pytest.fixture(scope="module")
def harbour():
    return read(FILES / "news" / "harbour.ann")[0]


def covered(document, mark):
    return [document.text[start:end] for start, end in mark.pieces]


def marks(document):
    return {mark.name: mark for mark in document.marks}


def test_every_mark_covers_what_its_line_quotes(harbour):
    assert {
        name: (mark.label, covered(harbour, mark)) for name, mark in marks(harbour).items()
    } == {
        "T1": ("Source", ["Ilse Tamm"]),
        "T2": ("Cue", ["says"]),
        "T3": ("Content", ["Harbour stays shut 🚢"]),
        "T5": ("Content", ["The ferries", "will not run before May"]),
        "T6": ("Source", ["the chief of the port"]),
        "T7": ("Cue", ["told reporters"]),
        "T9": ("Content", ["We\nlost a season"]),
        "T10": ("Person", ["one owner"]),
        "T11": ("Say", ["said"]),
        "T12": ("Law", ["the Tariff Act"]),
        "E3.Source.T10": ("Source", ["one owner"]),
    }
    assert marks(harbour)["T9"].surface == "We\nlost a season"
    assert marks(harbour)["T5"].surface == "The ferries will not run before May"
    assert find_unit([harbour], "harbour.ann")[0] == CODE_POINTS


def test_an_event_has_its_arguments_and_its_trigger_unless_an_argument_covers_it(harbour):
    assert harbour.events == {
        "E1": ["T3", "T2", "T1"],
        "E2": ["T5", "T7", "T6"],
        "E3": ["T11", "E3.Source.T10", "T9"],
    }


def test_attributes_notes_and_normalisations_belong_to_the_span(harbour):
    assert {
        name: dict(mark.attributes) for name, mark in marks(harbour).items() if mark.attributes
    } == {
        "T7": {"Negated": "Negated"},  # an attribute of E2, whose cue covers its trigger
        "T9": {"check_worthy": "yes"},  # the name of a task without a value means yes
        "T11": {"Speculation": "Speculation"},
        "T12": {
            "Stance": "against",
            "Reference": "Register:TA-31",
            "AnnotatorNotes": "the one of last year",
        },
    }


def test_relations_and_equivalences(harbour):
    assert list(harbour.relations) == [
        Relation("T9", "T12", "About"),
        Relation("T1", "T6", "Alias"),
    ]


def test_folder_is_read_recursively_and_unannotated_texts_are_counted():
    report = ReadReport()
    docs = read(FILES / "news", report)
    assert [(d.name, d.annotator, len(d.marks)) for d in docs] == [
        ("crlf-rtl", None, 2),
        ("harbour", None, 11),
        ("quiet", None, 0),
    ]
    assert report.dropped == {"text that nobody has annotated (no .ann beside it)": 1}


def test_pieces_are_quoted_in_the_order_in_which_they_were_marked(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"The dam will hold, he said.\n")
    (tmp_path / "a.ann").write_bytes(b"T1\tContent 22 26;4 7\tsaid dam\n")
    mark = read(tmp_path)[0].marks[0]
    assert (mark.pieces, mark.surface) == ([(4, 7), (22, 26)], "dam said")


def test_crlf_and_right_to_left_text_keep_every_character():
    document = read(FILES / "news" / "crlf-rtl.ann")[0]
    assert document.text.count("\r\n") == 2
    assert [covered(document, mark) for mark in document.marks] == [["אילסה טאם"], ["אמרה"]]
    assert [mark.surface for mark in document.marks] == ["אילסה טאם", "אמרה"]


def test_folders_with_the_same_text_are_annotators():
    assert [(d.name, d.annotator, d.marks[0].surface) for d in read(FILES / "people")] == [
        ("dam", "anna", "promises"),
        ("anna/rain", "anna", "It rained"),
        ("dam", "ben", "Farrel promises"),
    ]


def test_folders_with_other_texts_are_not_annotators(tmp_path):
    shutil.copytree(FILES / "people", tmp_path / "parts")
    (tmp_path / "parts" / "ben" / "dam.txt").write_bytes(
        b"The dam will fall, Mo Farrel promises.\n"
    )
    assert [(d.name, d.annotator) for d in read(tmp_path / "parts")] == [
        ("anna/dam", None),
        ("anna/rain", None),
        ("ben/dam", None),
    ]


@pytest.mark.parametrize("path", [FILES / "named", FILES / "named" / "dam.txt"])
def test_suffix_of_the_text_name_is_the_annotator(path):
    assert [(d.name, d.annotator) for d in read(path)] == [("dam", "anna"), ("dam", "ben_k")]


def test_records_of_a_folder():
    records = list(read_file(FILES / "news", layout=Layout(roles={"Say": "cue"})))
    first = next(record for record in records if record.doc_id == "harbour")
    assert first.text == "Harbour stays shut 🚢, says Ilse Tamm"
    attribution = first.attributions[0]
    assert (attribution.content, attribution.cue, attribution.source) == (
        [(0, 20)],
        [(22, 26)],
        [(27, 36)],
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "spaces",
            "spaces.ann, line 1: expected 'NAME<TAB>…', such as 'T1<TAB>Source 0 5<TAB>…', found 'T1 Source 0 5",
        ),
        (
            "offsets",
            "offsets.ann, line 1: expected 'LABEL START END[;START END …]', found 'Source 0 x'",
        ),
        ("backwards", "backwards.ann, line 1: expected START < END, found 4 and 0"),
        ("twice", "twice.ann, line 2: expected a new name, found 'T1', already used in line 1"),
        ("event", "event.ann, line 2: expected the name of a T-line or an E-line, found 'T9'"),
        (
            "trigger",
            "trigger.ann, line 1: expected 'TYPE:TRIGGER [ROLE:NAME …]', found 'Attribution'",
        ),
        (
            "relation",
            "relation.ann, line 2: expected 'TYPE Arg1:NAME Arg2:NAME', found 'About Arg1:T1'",
        ),
        (
            "attribute",
            "attribute.ann, line 2: expected the name of a T-line or an E-line, found 'T7'",
        ),
        (
            "kind",
            "kind.ann, line 2: expected a line that starts with T, E, R, A, M, N, * or #, found 'X1'",
        ),
        ("alone", "alone.ann: expected its text alone.txt beside it, found no such file"),
        ("latin", "latin.txt: expected UTF-8 text, found invalid continuation byte at byte 4"),
    ],
)
def test_error_of_broken_file_names_place_and_value(name, message):
    with pytest.raises(InputError) as error:
        list(read_file(BROKEN / f"{name}.ann"))
    assert message in str(error.value)


def test_a_span_that_does_not_cover_what_it_quotes_is_refused():
    with pytest.raises(InputError, match=r"quote\.ann, line 1: expected 'rain' at 0-4"):
        list(read_file(BROKEN / "quote.ann"))


def test_missing_annotations_of_a_folder_or_a_text_are_errors(tmp_path):
    (tmp_path / "a.txt").write_text("It rained.", encoding="utf-8")
    with pytest.raises(InputError, match=r"expected \.ann files with their \.txt, found none"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"a\.txt: expected a\.ann beside it, found no such file"):
        list(read_file(tmp_path / "a.txt", "brat"))


def test_a_lenient_reader_leaves_out_only_the_faulty_pair(tmp_path):
    shutil.copytree(FILES / "people", tmp_path / "x")
    (tmp_path / "x" / "ben" / "dam.ann").write_bytes(b"T1\tCue 0\tThe\n")
    report = ReadReport()
    docs = list(documents(brat.FORMAT, tmp_path / "x", Layout(lenient=True), report))
    assert [d.annotator for d in docs] == ["anna", "anna"]
    assert dict(report.dropped) == {"line 1: expected 'LABEL START END[;START END …]'": 1}


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
def test_public_polnear_reads_as_with_the_polnear_reader(tmp_path):
    split_folder = Path(ROOT) / "polnear" / "data" / "dev"
    for file in [
        *(split_folder / "text").glob("*.txt"),
        *(split_folder / "attributions").glob("*.ann"),
    ]:
        (tmp_path / file.name).symlink_to(file)
    docs = read(tmp_path)
    assert len(docs) == len(list((split_folder / "attributions").glob("*.ann"))) > 80
    assert find_unit(docs, split_folder)[0] == CODE_POINTS  # every span covers what its line quotes
    for document in docs:
        by_name = marks(document)
        for event in read_events(Path(document.where), document.text):
            roles = {}
            for mark in map(by_name.get, document.events[event.name]):
                roles.setdefault(mark.label.lower(), []).extend(mark.pieces)
            spans = {role: normalise(pieces, document.text) for role, pieces in roles.items()}
            expected = dict(event.roles)
            assert {
                role: span for role, span in spans.items() if span and role in expected
            } == expected


def write_pair(folder, text, spans, count):
    """Write a text and T-lines for words of it, with the offsets that ``count`` gives."""
    lines = []
    for number, (label, words) in enumerate(spans, 1):
        start = text.index(words)
        quote = " ".join(words.splitlines())
        lines.append(
            f"T{number}\t{label} {count(text, start)} {count(text, start + len(words))}\t{quote}\n"
        )
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_bytes(text.encode())
    (folder / "a.ann").write_bytes("".join(lines).encode())
    return folder


def utf16(text, offset):
    return len(text[:offset].encode("utf-16-le")) // 2


def without_cr(text, offset):
    return offset - text.count("\r\n", 0, offset)


SPOKEN = [("Source", "Ida Holm"), ("Cue", "said"), ("Content", "the ferry")]


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("Rain.\r\nIda Holm said the ferry sank.", without_cr, "code points after CRLF became LF"),
        (
            "🚢 Rain.\r\n\r\nIda Holm said\r\nthe ferry sank.\r\n",
            without_cr,
            "code points after CRLF",
        ),
        ("🚢🚢 Rain. Ida Holm said the ferry sank.", utf16, "UTF-16 code units"),
        ("Rain.\r\nIda Holm said the ferry 🚢 sank.", lambda _, offset: offset, "code points"),
        ("🚢 Ida Holm said the ferry sank.", lambda _, offset: offset, "code points"),
    ],
)
def test_offsets_in_other_units_or_with_other_line_ends_are_converted(tmp_path, text, count, unit):
    report = ReadReport()
    path = write_pair(tmp_path / "x", text, SPOKEN, count)
    records = list(read_file(path, report=report))
    assert report.facts["offsets"].startswith(unit)
    (record,) = [record for record in records if record.attributions]
    (attribution,) = record.attributions
    pieces = {role: getattr(attribution, role) for role in ("source", "cue", "content")}
    covered = {role: record.text[span[0][0] : span[-1][1]] for role, span in pieces.items()}
    assert covered == {"source": "Ida Holm", "cue": "said", "content": "the ferry"}


def test_a_quote_over_a_line_end_that_became_two_characters(tmp_path):
    spans = [*SPOKEN[:2], ("Content", "the ferry\r\nsank")]
    path = write_pair(
        tmp_path / "x", "Rain.\r\nIda Holm said the ferry\r\nsank.", spans, without_cr
    )
    (document,) = read(path)
    assert find_unit([document], path)[0] == "code points after CRLF became LF"


def test_offsets_that_no_unit_explains_are_refused(tmp_path):
    path = write_pair(
        tmp_path / "x",
        "Rain.\r\nIda Holm said the ferry sank.",
        SPOKEN,
        lambda _, offset: offset + 1,
    )
    with pytest.raises(
        InputError, match=r"a\.ann, line 1: expected 'Ida Holm' .*nor does any other unit explain"
    ):
        list(read_file(path))
