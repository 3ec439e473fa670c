"""Test records: messages about invalid ones lead to the mistake, and valid ones are written unchanged."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimstance.model.errors import InputError
from claimstance.model.record import (
    Attribution,
    Entity,
    Record,
    Stance,
    parse_record,
    read_jsonl,
    read_lines,
    write_jsonl,
)

GOOD = {"id": "a:1", "text": "Ada said no.", "claim": "claim"}


@pytest.fixture
def refused(tmp_path):
    """Return a function that returns the message with which a file is refused, without the name of the file."""

    def encode(line):
        if isinstance(line, bytes):
            return line
        return (line if isinstance(line, str) else json.dumps(line)).encode()

    def read(*lines, labels=None):
        path = tmp_path / "rows.jsonl"
        rows = [encode(line) for line in lines]
        path.write_bytes(b"\n".join(rows))
        with pytest.raises(InputError) as error:
            list(read_jsonl(path, labels))
        assert str(error.value).startswith(str(path))
        return str(error.value).removeprefix(str(path))

    return read


def stance(**values):
    """Return a record with two stances; the second has other values."""
    return {
        **GOOD,
        "stances": [
            {"target": "Ada", "label": "favor"},
            {"target": "Ada", "label": "favor", **values},
        ],
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {**GOOD, "attributions": [{"cue": [[4, 13]]}]},
            "attributions[0].cue: expected 0 <= start < end <= 12 (the text's length), found [4, 13]",
        ),
        (
            {**GOOD, "attributions": [{}, {"source": [[0, 3], [5, 5]]}]},
            "attributions[1].source: expected 0 <= start < "
            "end <= 12 (the text's length), found [5, 5]",
        ),
        (
            {**GOOD, "entities": [{"span": [], "label": "PERSON"}]},
            "entities[0].span: expected at least one [start, end], found an empty list",
        ),
        (stance(holder=[[-1, 3]]), "stances[1].holder: expected 0 <= start < end <= 12"),
        (stance(target=[[0, 99]]), "stances[1].target: expected 0 <= start < end <= 12"),
        (
            {**GOOD, "attributions": [{"cue": [[4]]}]},
            "attributions[0].cue[0][1]: expected a value, found none",
        ),
        (
            {**GOOD, "attributions": [{"cue": [[4, 8.0]]}]},
            "attributions[0].cue[0][1]: expected an integer, found",
        ),
        (
            {**GOOD, "attributions": [{"cue": [4, 8]}]},
            "attributions[0].cue[0]: expected an array, found 4",
        ),
        (
            {**GOOD, "claim": "clam"},
            "claim: unknown label 'clam'. Did you mean 'claim'? Available: claim, no_claim",
        ),
        ({**GOOD, "check_worthy": "y"}, "check_worthy: unknown label 'y'. Available: no, yes"),
        (stance(label="favour"), "stances[1].label: unknown label 'favour'. Did you mean 'favor'?"),
        (
            {**GOOD, "entities": [{"span": [[0, 3]], "label": "PERS"}]},
            "entities[0].label: unknown label 'PERS'",
        ),
        ({**GOOD, "clam": "claim"}, "clam: unknown key 'clam'. Did you mean 'claim'?"),
        (
            stance(lable="favor"),
            "stances[1].lable: unknown key 'lable'. Did you mean 'label'? Available: holder, label, "
            "probabilities, target",
        ),
        (
            {**GOOD, "attributions": [{"cues": None}]},
            "attributions[0].cues: unknown key 'cues'. Did you mean 'cue'?",
        ),
        ({"id": "a"}, "text: expected a value, found none"),
        ({"text": "a"}, "id: expected a value, found none"),
        ({**GOOD, "id": True}, "id: expected a string, found True"),
        ({**GOOD, "text": None}, "text: expected a string, found None"),
        ({**GOOD, "start": -1}, "start: expected a number greater than or equal to 0, found -1"),
        ({**GOOD, "stances": "none"}, "stances: expected an array, found 'none'"),
        ({**GOOD, "claim": ["claim" * 30]}, "claim: expected a string, found ['claimclaim"),
        ("[1, 2]", "expected a JSON object, found [1, 2]"),
        ("null", "expected a JSON object, found None"),
        (
            "{'id': 1}",
            "expected a JSON object, found text that is not JSON (Expecting property name",
        ),
        (
            '{"id": "a"',
            "expected a JSON object, found text that is not JSON (Expecting ',' delimiter",
        ),
        (
            "[" * 100_000,
            "expected a JSON object, found text that is not JSON (maximum recursion depth",
        ),
        (
            '{"id": "a", "text": "\\ud83d"}',
            "expected values that JSON has, found 'utf-8' codec can't encode character '\\ud83d'",
        ),
        (
            {**GOOD, "meta": json.loads("[" * 300 + "]" * 300)},
            "expected JSON, found recursion limit exceeded",
        ),
        ({**GOOD, "id": "a:2"}, "id: expected a new id, found 'a:2', already used in line 3"),
        (b'{"id": "b", "text": "\0"}', "expected UTF-8 text, found a binary file (a NUL byte)"),
        (
            '{"id": "b", "text": "é"}'.encode("latin-1"),
            "expected UTF-8 text, found invalid continuation byte (byte 22 of the line)",
        ),
    ],
)
def test_invalid_records_are_named_with_their_line(refused, row, message):
    error_message = refused({**GOOD, "id": "a:0"}, "", {**GOOD, "id": "a:2"}, row)
    assert error_message.startswith(f", line 4: {message}")
    assert len(error_message) < 250


def test_a_file_without_records_is_refused(refused):
    assert refused() == ": expected at least one record, found an empty file"
    assert refused("", "  ") == ": expected at least one record, found an empty file"


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl: No such file or directory"):
        list(read_jsonl(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="Is a directory"):
        list(read_jsonl(tmp_path))


def test_custom_label_sets_replace_the_default_ones(tmp_path, refused):
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({**GOOD, "claim": "news"}), encoding="utf-8")
    assert [r.claim for r in read_jsonl(path, {"claim": ("news", "view")})] == ["news"]
    assert "unknown label 'claim'. Available: news, view" in refused(
        GOOD, labels={"claim": ("news", "view")}
    )
    assert "stances[0].label: unknown label" in refused(
        {**GOOD, "claim": "news", "stances": [{"target": "Ada", "label": "pro"}]},
        labels={"claim": ("news", "view")},
    )


def test_output_of_other_programs_is_read(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": 7, "doc_id": 3, "text": "a\\u2028b", "meta": null, "predicted": {"claim": {}}}\r\n'
        b"\r\n" + '{"id": "8", "text": "zwei\u2028Zeilen\x85"}\n'.encode()
    )
    counted = []
    first, second = read_jsonl(path, progress=counted.append)
    assert (first.id, first.doc_id, first.meta, first.claim) == ("7", "3", {}, None)
    assert second.text == "zwei\u2028Zeilen\x85"
    assert counted == [1, 1]


def test_only_line_feeds_end_lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufeffa\r\nb\x0bc\x1d\u2029d\n\ufeffe\r\r\n\nlast".encode())
    assert list(read_lines(path)) == ["a", "b\x0bc\x1d\u2029d", "\ufeffe\r", "", "last"]


def test_values_from_python_that_json_lacks_are_refused():
    with pytest.raises(
        InputError, match="record 0: expected values that JSON has, found Object of type set"
    ):
        parse_record({**GOOD, "meta": {"tags": {"a"}}}, "record 0")
    assert parse_record({**GOOD, "attributions": [{"cue": [(4, 8)]}]}, "record 0").attributions == [
        Attribution(cue=[(4, 8)])
    ]


text = st.text(st.characters(codec="utf-8"), min_size=4, max_size=20)
names = st.none() | st.text(st.characters(codec="utf-8"), max_size=5)
pieces = st.sampled_from([(0, 1), (0, 2), (1, 2)]), st.sampled_from([(2, 3), (2, 4), (3, 4)])
spans = st.tuples(*pieces).map(list) | st.one_of(*pieces).map(lambda piece: [piece])


def few(strategy):
    """Return a strategy for at most two values."""
    return st.lists(strategy, max_size=2)


records = st.builds(
    Record,
    id=text,
    doc_id=names,
    start=st.none() | st.integers(0, 9),
    text=text,
    annotator=names,
    claim=st.sampled_from([None, "claim"]),
    check_worthy=st.sampled_from([None, "yes", "no"]),
    attributions=st.none()
    | few(st.builds(Attribution, source=st.none() | spans, cue=spans, event=names)),
    entities=st.none() | few(st.builds(Entity, span=spans, label=st.just("MISC"))),
    stances=st.none()
    | few(
        st.builds(
            Stance,
            holder=spans | names,
            target=spans | text,
            label=st.sampled_from([None, "favor"]),
        )
    ),
    meta=st.dictionaries(
        text,
        names | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.lists(names),
        max_size=2,
    ),
)


@given(records)
def test_records_are_restored_unchanged(record):
    line = record.to_json()
    assert "\n" not in line
    assert parse_record(json.loads(line), "here") == record


def test_every_key_of_the_contract_is_written(tmp_path):
    record = Record(
        id="a", text="Ada said no.", attributions=[Attribution(cue=[(4, 8)])], meta={"n": 1.5}
    )
    with_event = record.model_copy(
        update={"id": "b", "attributions": [Attribution(cue=[(4, 8)], event="e")]}
    )
    file = io.StringIO()
    assert write_jsonl([record, with_event], file) == 2
    rows = [json.loads(line) for line in file.getvalue().splitlines()]
    assert rows[0] == {
        "id": "a",
        "doc_id": None,
        "start": None,
        "text": "Ada said no.",
        "claim": None,
        "check_worthy": None,
        "attributions": [{"source": None, "cue": [[4, 8]], "content": None}],
        "entities": None,
        "stances": None,
        "annotator": None,
        "meta": {"n": 1.5},
    }
    assert rows[1]["attributions"][0]["event"] == "e"
    path = tmp_path / "written.jsonl"
    path.write_text(file.getvalue(), encoding="utf-8")
    assert list(read_jsonl(path)) == [record, with_event]


def test_the_spans_of_a_record_have_paths():
    record = Record(
        id="a",
        text="Ada said no.",
        attributions=[Attribution(cue=[(4, 8)], content=[(9, 11)])],
        entities=[Entity(span=[(0, 3)], label="PERSON")],
        stances=[Stance(holder="Ada", target=[(9, 11)]), Stance(holder=[(0, 3)], target="no")],
    )
    assert dict(record.spans()) == {
        "attributions[0].cue": [(4, 8)],
        "attributions[0].content": [(9, 11)],
        "entities[0].span": [(0, 3)],
        "stances[0].target": [(9, 11)],
        "stances[1].holder": [(0, 3)],
    }


def test_numbers_that_json_lacks_become_null():
    record = parse_record(
        {
            **GOOD,
            "meta": {"outlet": float("nan"), "all": [1.5, float("-inf"), {"n": float("inf")}]},
        },
        "r",
    )
    assert record.meta == {"outlet": None, "all": [1.5, None, {"n": None}]}
    assert "NaN" not in record.to_json()
    assert parse_record(json.loads(record.to_json()), "again") == record


@pytest.mark.parametrize(
    ("span", "overlapping"),
    [
        ([[0, 4], [0, 8]], "[0, 4] and [0, 8]"),
        ([[9, 13], [0, 10]], "[0, 10] and [9, 13]"),
        ([[0, 4], [0, 4]], "[0, 4] and [0, 4]"),
        ([[0, 2], [3, 9], [8, 12]], "[3, 9] and [8, 12]"),
        ([[0, 12], [2, 3]], "[0, 12] and [2, 3]"),
    ],
)
@pytest.mark.parametrize("field", ["source", "entity", "holder", "target"])
def test_pieces_of_a_span_do_not_overlap(span, overlapping, field):
    data = {"id": "1", "text": "Holm praised the bridge."}
    if field == "source":
        data["attributions"] = [{"source": span}]
    elif field == "entity":
        data["entities"] = [{"span": span, "label": "PERSON"}]
    else:
        data["stances"] = [{"target": "tax", **{field: span}, "label": "favor"}]
    with pytest.raises(
        InputError, match=r"r\.jsonl, line 1: .*expected pieces that do not overlap"
    ) as error:
        parse_record(data, "r.jsonl, line 1")
    assert overlapping in str(error.value)


@pytest.mark.parametrize("span", [[[0, 4], [4, 8]], [[5, 8], [0, 4]], [[0, 24]]])
def test_pieces_may_touch_and_be_in_any_order(span):
    record = parse_record(
        {"id": "1", "text": "Holm praised the bridge.", "attributions": [{"cue": span}]}, "x"
    )
    assert record.attributions[0].cue == [tuple(piece) for piece in span]
