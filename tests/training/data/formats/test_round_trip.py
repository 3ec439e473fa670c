"""Test that records written as files of a tool read back unchanged, except for the losses that the writers report."""

import json
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from claimstance.model.errors import InputError
from claimstance.model.labels import CHECK_WORTHY, CLAIM, ENTITY, STANCE
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.data.formats import FORMATS, ReadReport, read_file

PATHS = {"brat": "folder", "labelstudio": "file.json"}
WRITERS = pytest.mark.parametrize("format", PATHS)

#: Emoji (of one and of several code points), combining marks, right-to-left text, line ends, look-alikes of JSON.
CHARACTERS = [
    *"abcn .,;:\"'\\#*_",
    "🚢",
    "👩‍🔬",
    "e\u0301",
    "שלום",
    "مرحبا",
    "\r\n",
    "\n",
    "\t",
    "ß",
    "\u2028",
    "\ufeff",
    "\x85",
]
TEXTS = (
    st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=12)
    .map("".join)
    .map(lambda text: f"{text}x")
)


@st.composite
def spans(draw, length):
    bounds = draw(st.lists(st.integers(0, length), min_size=2, max_size=6, unique=True).map(sorted))
    return list(zip(bounds[::2], bounds[1::2], strict=False))


@st.composite
def attributions(draw, length):
    roles = draw(st.sets(st.sampled_from(["source", "cue", "content"]), min_size=2))
    return Attribution(**{role: draw(spans(length)) for role in sorted(roles)})


@st.composite
def stances(draw, length):
    holder, target = draw(st.none() | spans(length)), draw(spans(length))
    return Stance(holder=holder, target=target, label=draw(st.sampled_from(STANCE)))


@st.composite
def documents(draw):
    """Draw records of up to three documents of one file; a task is labelled in all of them or in none."""
    labelled = draw(st.sets(st.sampled_from(["claim", "check_worthy"])))
    records = []
    names = st.lists(st.sampled_from(["a", "b-1", "ünïcode"]), min_size=1, max_size=3, unique=True)
    for name in draw(names):
        texts = draw(st.lists(TEXTS, min_size=1, max_size=3))
        gaps = [draw(st.integers(0, 3)) for _ in texts]
        for annotator in draw(st.sampled_from([[None], ["anna"], ["anna", "7"]])):
            start = 0
            for index, (text, gap) in enumerate(zip(texts, gaps, strict=True)):
                start += gap
                entity = st.builds(
                    Entity, span=spans(len(text)), label=st.sampled_from([*ENTITY, "EVENT"])
                )
                records.append(
                    Record(
                        id=f"{name}:{index}",
                        doc_id=name,
                        start=start,
                        text=text,
                        annotator=annotator,
                        claim=draw(st.sampled_from(CLAIM)) if "claim" in labelled else None,
                        check_worthy=draw(st.sampled_from(CHECK_WORTHY))
                        if "check_worthy" in labelled
                        else None,
                        attributions=draw(st.lists(attributions(len(text)), max_size=2)),
                        entities=draw(st.lists(entity, max_size=2)),
                        stances=draw(st.lists(stances(len(text)), max_size=2)),
                    )
                )
                start += len(text)
    return records


def normal(records):
    """Return the records as both formats restore them: sorted, and with None for what a file has none of."""
    has_attributions = any(record.attributions for record in records)
    has_entities = any(record.entities for record in records)
    has_contents = any(a.content for record in records for a in record.attributions or ())
    has_claims = any(record.claim is not None for record in records)
    restored = []
    for record in sorted(records, key=lambda r: (r.doc_id, r.annotator or "", r.start)):
        change = {
            "attributions": sorted(record.attributions or (), key=repr)
            if has_attributions
            else None,
            "entities": sorted(record.entities or (), key=attrgetter("span", "label"))
            if has_entities
            else None,
            "stances": sorted(record.stances or (), key=repr) or None,
        }
        if has_contents and not has_claims:
            change["claim"] = (
                "claim" if any(a.content for a in record.attributions or ()) else "no_claim"
            )
        restored.append(record.model_copy(update=change))
    return restored


@WRITERS
@settings(max_examples=25, deadline=None)
@given(records=documents())
def test_written_records_read_back(format, records, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / PATHS[format]
    FORMATS[format].write(records, path)
    report = ReadReport()
    assert normal(list(read_file(path, report=report))) == normal(records)
    assert report.facts["format"] == format
    assert not report.dropped


@settings(max_examples=50, deadline=None)
@given(records=documents())
def test_json_lines_read_back_unchanged(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("written") / "x.jsonl"
    for record in records:  # reading allows only default labels, since no others are configured
        record.entities = [entity for entity in record.entities or () if entity.label in ENTITY]
    FORMATS["jsonl"].write(records, path)
    assert list(read_file(path)) == records


@settings(max_examples=50, deadline=None)
@given(records=documents())
def test_conll_keeps_flat_entities(records, tmp_path_factory):
    """Compare entities without spaces, since the reader joins words by one space; a second round is exact."""
    records = [record for record in records if any(not mark.isspace() for mark in record.text)]
    for record in records:
        record.entities = [
            e for e in record.entities or () if len(e.span) == 1 and surface(record, e)
        ][:1]
    # A file without entities does not say that anybody annotated them.
    assume(any(record.entities for record in records))
    folder = tmp_path_factory.mktemp("written")
    FORMATS["conll"].write(records, folder / "x.conll")
    first_round = list(read_file(folder / "x.conll"))
    assert [flat_entities(record) for record in first_round] == [
        flat_entities(record) for record in records
    ]
    (folder / "again").mkdir()
    # Ids contain the name of the file.
    FORMATS["conll"].write(first_round, folder / "again" / "x.conll")
    assert list(read_file(folder / "again" / "x.conll")) == first_round


def surface(record, entity):
    ((start, end),) = entity.span
    return "".join(record.text[start:end].split())


def flat_entities(record):
    """Return the characters of a record without spaces, and its entities."""
    return "".join(record.text.split()), [
        (surface(record, e), e.label) for e in record.entities or ()
    ]


@WRITERS
def test_an_attribution_over_several_sentences_stays_one_event(format, tmp_path):
    first = Attribution(source=[(0, 4)], cue=[(5, 10)], content=[(11, 23)], event="x")
    records = [
        Record(id="d:0", doc_id="d", start=0, text="Holm said: it was late.", attributions=[first]),
        Record(
            id="d:1",
            doc_id="d",
            start=24,
            text="Nobody slept.",
            attributions=[Attribution(content=[(0, 12)], event="x")],
        ),
    ]
    FORMATS[format].write(records, tmp_path / PATHS[format])
    read_records = list(read_file(tmp_path / PATHS[format]))
    assert [record.attributions[0].content for record in read_records] == [[(11, 23)], [(0, 12)]]
    assert read_records[0].attributions[0].cue == [(5, 10)]
    assert (
        read_records[0].attributions[0].event == read_records[1].attributions[0].event is not None
    )


def test_single_sentences_keep_ids_labels_and_named_targets_in_label_studio(tmp_path):
    records = [
        Record(
            id="s/1",
            text="The bridge is a gift.",
            claim="claim",
            meta={"outlet": "Post"},
            annotator="anna",
            stances=[Stance(holder="Ilse Tamm", target="the new bridge", label="favor")],
        ),
        Record(id="s/2", text="It rained.", claim="no_claim", annotator="anna"),
    ]
    FORMATS["labelstudio"].write(records, tmp_path / "x.json")
    assert list(read_file(tmp_path / "x.json")) == records


def test_stances_toward_names_are_notes_in_brat_and_reported(tmp_path, caplog):
    record = Record(
        id="d:0",
        doc_id="d",
        start=0,
        text="Holm hates it.",
        claim="claim",
        stances=[Stance(holder=[(0, 4)], target="the bridge", label="against")],
    )
    FORMATS["brat"].write([record], tmp_path / "x")
    assert "1 stance of or toward a name: written as notes" in caplog.text
    assert "stance against of Holm toward the bridge" in (tmp_path / "x" / "d.ann").read_text(
        encoding="utf-8"
    )
    assert next(read_file(tmp_path / "x")).stances is None


def test_stances_with_names_are_text_areas_in_label_studio(tmp_path):
    at, names = [(0, 4)], ("the bridge", "the “new” bridge, too")
    record = Record(
        id="d:0",
        doc_id="d",
        start=0,
        text="Holm hates it.",
        claim="claim",
        stances=[
            Stance(holder=holder, target=target, label=label)
            for holder in (at, "Ida Holm", None)
            for target in ([(11, 13)], *names)
            for label in ("against", "favor")
        ],
    )
    FORMATS["labelstudio"].write([record], tmp_path / "x.json")
    read_record = next(read_file(tmp_path / "x.json"))
    assert sorted(read_record.stances, key=repr) == sorted(record.stances, key=repr)


def test_gaps_between_sentences_become_spaces_and_line_ends(tmp_path):
    records = [
        Record(id=f"d:{start}", doc_id="d", start=start, text=text)
        for start, text in ((2, "One."), (7, "Two."), (15, "Three."))
    ]
    FORMATS["brat"].write(records, tmp_path / "x")
    assert (tmp_path / "x" / "d.txt").read_bytes() == b"\n\nOne. Two.\n  \nThree."


def test_line_breaks_are_quoted_as_in_label_studio(tmp_path):
    record = Record(
        id="d:0",
        doc_id="d",
        start=0,
        text="It\r\nrained.",
        entities=[Entity(span=[(0, 6)], label="MISC")],
    )
    FORMATS["labelstudio"].write([record], tmp_path / "x.json")
    tasks = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert tasks[0]["annotations"][0]["result"][1]["value"] == {
        "start": 0,
        "end": 6,
        "text": "It\\n\\nra",
        "labels": ["MISC"],
    }


@WRITERS
@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            {"start": 0, "text": "It snows."},
            "d:1: expected what other records of the document 'd' say stands at 3, found",
        ),
        (
            {"start": 0, "text": "It rains."},
            "d:1: expected one record of a sentence by one annotator, found two",
        ),
    ],
)
def test_contradicting_records_are_refused(format, second, message, tmp_path):
    records = [
        Record(id="d:0", doc_id="d", start=0, text="It rains."),
        Record(id="d:1", doc_id="d", **second),
    ]
    with pytest.raises(InputError, match=message):
        FORMATS[format].write(records, tmp_path / PATHS[format])


def test_file_names_are_safe_and_unique(tmp_path):
    path = tmp_path / "x"
    FORMATS["brat"].write([Record(id="1", doc_id="../up: a/b", text="It rains.")], path)
    assert sorted(file.name for file in path.iterdir()) == ["_up_a_b.ann", "_up_a_b.txt"]
    twins = [
        Record(id="1", doc_id="a b", text="It rains."),
        Record(id="2", doc_id="a_b", text="It rains."),
    ]
    with pytest.raises(InputError, match="whose names differ in a folder, found it twice"):
        FORMATS["brat"].write(twins, path)
    ending = [
        Record(id="1", doc_id="a_anna", text="It rains."),
        Record(id="2", doc_id="a", text="It rains.", annotator="anna"),
    ]
    with pytest.raises(
        InputError, match=r"a_anna\.ann: expected documents and annotators whose names differ"
    ):
        FORMATS["brat"].write(ending, path)
    going_on = [
        Record(id="1", doc_id="a_b", text="It rains."),
        Record(id="2", doc_id="a", text="It rains.", annotator="b_anna"),
    ]
    with pytest.raises(
        InputError, match=r"a_b_anna\.ann: expected it to belong to a\.txt, found a document"
    ):
        FORMATS["brat"].write(going_on, path)


@WRITERS
def test_an_unwritable_path_is_an_error(format, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"Not a directory|File exists"):
        FORMATS[format].write(
            [Record(id="1", text="It rains.")], Path(tmp_path / "file" / PATHS[format])
        )
