"""Test the reader of Prodigy exports."""

import json
import shutil

import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Attribution, Stance
from claimstance.training.data.documents.document import Answer, Relation
from claimstance.training.data.documents.format import documents
from claimstance.training.data.formats import Layout, ReadReport, prodigy, read_file
from helpers.paths import DATA

COURIERS = "🚲 Bicycle couriers in Noren said on Monday the new toll was unfair."


def read(name, **layout):
    return list(documents(prodigy.FORMAT, DATA / "prodigy" / name, Layout(**layout), ReadReport()))


def test_label_is_accepted_rejected_or_ignored():
    report = ReadReport()
    docs = list(
        documents(prodigy.FORMAT, DATA / "prodigy" / "textcat-binary.jsonl", Layout(), report)
    )
    assert report.dropped == {"answer 'ignore'": 1}
    assert [(d.annotator, list(d.answers)) for d in docs] == [
        ("anna", [Answer("CLAIM", True)]),
        ("jo-ellen", [Answer("CLAIM", True)]),
        ("anna", [Answer("CLAIM", False), Answer("CHECK_WORTHY", True)]),
        ("anna", [Answer("CLAIM", True)]),
    ]
    assert docs[0].name == docs[1].name != docs[2].name
    assert docs[0].fields["outlet"] == "Noren Post"


def test_pattern_matches_beside_a_label_are_not_marks():
    assert read("textcat-binary.jsonl")[0].marks == []


def test_a_choice_is_an_answer():
    docs = read("choice.jsonl")
    assert [(d.annotator, d.answers[0], d.fields["target"]) for d in docs] == [
        ("anna", Answer("label", "favor"), "the harbour plan"),
        ("bo", Answer("label", "neutral"), "the harbour plan"),
        ("anna", Answer("label", "against"), "the toll"),
    ]


def test_several_choices_are_several_answers(tmp_path):
    line = (
        '{"text": "It fell.", "options": [{"id": "claim"}, {"id": 2}, {"id": "yes"}], "accept": ["claim", 2], '
        '"answer": "accept"}\n'
    )
    (tmp_path / "x.jsonl").write_text(line, encoding="utf-8")
    (document,) = documents(prodigy.FORMAT, tmp_path / "x.jsonl", Layout(), ReadReport())
    assert document.answers == [Answer("label", "claim"), Answer("label", "2")]
    assert document.annotator is None


def test_spans_count_code_points():
    docs = read("spans.jsonl")
    covered = [[(m.label, d.text[m.pieces[0][0] : m.pieces[0][1]]) for m in d.marks] for d in docs]
    assert covered == [
        [
            ("SOURCE", "Bicycle couriers in Noren"),
            ("CUE", "said"),
            ("CONTENT", "the new toll was unfair"),
        ],
        [("PERSON", "Zoe\u0308 Lindqvist")],
        [("SOURCE", "البلدية"), ("CUE", "قالت"), ("CONTENT", "الجسر آمن")],
        [],
    ]
    assert {d.unit for d in docs} == {"code points"}
    assert {d.annotator for d in docs} == {
        None
    }  # sessions without a name are named after their time


def test_relations_link_marks():
    (document,) = read("relations.jsonl")
    names = {mark.label: mark.name for mark in document.marks}
    assert document.relations == [
        Relation(names["CUE"], names["SOURCE"], "SAID_BY"),
        Relation(names["CUE"], names["CONTENT"], "SAYS"),
    ]
    assert [mark.surface for mark in document.marks][1] == "said"


@pytest.mark.parametrize(
    ("sessions", "annotators"),
    [
        (["ds-anna"], ["anna"]),
        (["my-set-anna-m", "my-set-bo-m"], ["anna-m", "bo-m"]),
        (["my-set-anna", "my-set-2026-01-05_10-31-02"], ["anna", "2026-01-05_10-31-02"]),
        (["2026-01-05_10-31-02"], [None]),
        (["solo"], ["solo"]),
    ],
)
def test_annotators_without_the_name_of_the_dataset(tmp_path, sessions, annotators):
    lines = [
        f'{{"text": "It fell.", "label": "CLAIM", "answer": "accept", "_session_id": "{s}"}}\n'
        for s in sessions
    ]
    (tmp_path / "x.jsonl").write_text("".join(lines), encoding="utf-8")
    assert [
        d.annotator for d in documents(prodigy.FORMAT, tmp_path / "x.jsonl", Layout(), ReadReport())
    ] == annotators


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("answer", "line 2: answer: expected accept, reject or ignore, found 'maybe'"),
        ("cut-off", "line 2: expected JSON"),
        ("empty-span", "line 1: spans[0]: expected 0 <= start < end, found 33 and 33"),
        ("no-label", "line 1: spans[0].label: expected a string, found nothing"),
        ("no-text", "line 1: text: expected a string, found nothing"),
        ("other-text", "line 2: text: expected the text of the line with the same _input_hash"),
        (
            "rejected-spans",
            "line 1: answer: expected accept or ignore where no label is asked about, found 'reject'",
        ),
        ("spans-object", "line 1: spans: expected a list, found {'start': 1"),
        ("start-text", "line 1: spans[0].start: expected a whole number, found '29'"),
        ("two-answers", "line 2: answer: expected one answer of an annotator to 'CLAIM'"),
        (
            "unknown-option",
            "line 1: accept[0]: expected one of favor, against, neutral, found 'pro'",
        ),
        (
            "unmarked-relation",
            "line 1: relations[1].child_span: expected the bounds of one of the spans",
        ),
    ],
)
def test_error_of_broken_export_names_place_and_value(name, message):
    path = DATA / "broken" / "prodigy" / f"{name}.jsonl"
    with pytest.raises(InputError) as error:
        list(read_file(path, "prodigy"))
    assert str(error.value).startswith(f"{path}, ")
    assert message in str(error.value)


def test_a_lenient_reader_counts_texts_left_out(tmp_path):
    path = tmp_path / "both.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for name in ("prodigy/spans", "broken/prodigy/cut-off", "broken/prodigy/unknown-option"):
            file.write((DATA / f"{name}.jsonl").read_text(encoding="utf-8"))
    report = ReadReport()
    docs = list(documents(prodigy.FORMAT, path, Layout(lenient=True), report))
    # A text is left out as a whole: one of spans.jsonl also has the unknown option.
    assert len(docs) == 3
    assert sum(report.dropped.values()) == 2


def test_records_of_spans_and_choices(tmp_path):
    path = shutil.copy(DATA / "prodigy" / "relations.jsonl", tmp_path)
    (record,) = read_file(path)
    assert record.text == COURIERS
    assert record.attributions == [
        Attribution(source=[(2, 27)], cue=[(28, 32)], content=[(43, 66)])
    ]
    assert record.annotator == "anna"
    first, second, _ = read_file(DATA / "prodigy" / "choice.jsonl")
    assert first.id == second.id
    assert (first.annotator, first.stances) == (
        "anna",
        [Stance(target="the harbour plan", label="favor")],
    )


SPOKEN = "Ida Holm said the ferry sank in May."


def spans(*marks, time=None, session="ds-anna", **fields):
    labelled_spans = [{"start": s, "end": e, "label": label} for s, e, label in marks]
    line = {"text": SPOKEN, "spans": labelled_spans, "answer": "accept", "_input_hash": 1, **fields}
    if session is not None:
        line["_session_id"] = session
    if time is not None:
        line["_timestamp"] = time
    return line


def parsed(tmp_path, *lines, **layout):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    report = ReadReport()
    return list(documents(prodigy.FORMAT, path, Layout(**layout), report)), report


def labelled_offsets(document):
    return {(mark.label, *mark.pieces[0]) for mark in document.marks}


FIRST = ((0, 3, "source"), (9, 13, "cue"), (14, 35, "content"))
SECOND = ((0, 8, "source"), (9, 13, "cue"), (14, 28, "content"))
EARLIER = "earlier answer of an annotator who answered the question again"


@pytest.mark.parametrize("session", ["ds-anna", None])
@pytest.mark.parametrize(
    "lines",
    [
        ((FIRST, 1), (SECOND, 2)),
        ((SECOND, 1764000002.5), (FIRST, 1764000001)),
        ((FIRST, 1), (((0, 8, "source"),), 2), (SECOND, 3)),
    ],
)
def test_the_later_of_two_answers_counts(tmp_path, lines, session):
    (document,), report = parsed(
        tmp_path, *(spans(*marks, time=time, session=session) for marks, time in lines)
    )
    assert labelled_offsets(document) == {(label, start, end) for start, end, label in SECOND}
    assert report.dropped == {EARLIER: len(lines) - 1}


def test_the_same_task_answered_again_need_not_mark_the_same_words(tmp_path):
    lines = [
        spans((0, 8, "source"), time=1, _task_hash=7),
        spans((9, 13, "cue"), time=2, _task_hash=7),
    ]
    (document,), _ = parsed(tmp_path, *lines)
    assert labelled_offsets(document) == {("cue", 9, 13)}


def test_answers_to_different_questions_are_combined(tmp_path):
    lines = [
        spans((0, 8, "source"), time=1, _task_hash=1),
        spans((9, 13, "cue"), (14, 28, "content"), time=2, _task_hash=2),
        spans((29, 35, "source"), time=3, _task_hash=3),
    ]
    (document,), report = parsed(tmp_path, *lines)
    assert len(document.marks) == 4
    assert not report.dropped


def test_answers_of_two_annotators_stay_apart(tmp_path):
    lines = [spans(*FIRST, time=1), spans(*SECOND, time=2, session="ds-ben")]
    docs, report = parsed(tmp_path, *lines)
    assert [len(document.marks) for document in docs] == [3, 3]
    assert not report.dropped


@pytest.mark.parametrize("times", [(None, None), (5, 5), (1, None), ("a", "b")])
def test_two_answers_without_times_that_differ_are_refused(tmp_path, times):
    lines = [spans(*marks, time=time) for marks, time in zip((FIRST, SECOND), times, strict=True)]
    with pytest.raises(
        InputError, match=r"line 2: spans: expected a later _timestamp .* 'source' .*line 1"
    ):
        parsed(tmp_path, *lines)
    docs, report = parsed(tmp_path, *lines, lenient=True)
    assert (docs, sum(report.dropped.values())) == ([], 1)


def test_the_same_marks_twice_without_times_are_no_contradiction(tmp_path):
    (document,), _ = parsed(tmp_path, spans(*FIRST), spans(*FIRST, (29, 32, "holder")))
    assert len(document.marks) == 4


@pytest.mark.parametrize(("first", "second"), [("accept", "reject"), ("reject", "accept")])
def test_the_later_answer_to_a_label_counts(tmp_path, first, second):
    lines = [
        {
            "text": "It fell.",
            "label": "claim",
            "answer": answer,
            "_timestamp": time,
            "_input_hash": 1,
        }
        for time, answer in enumerate((first, second))
    ]
    (document,), _ = parsed(tmp_path, *lines)
    assert document.answers == [Answer("claim", second == "accept")]


def test_the_later_choice_counts(tmp_path):
    options = [{"id": "favor"}, {"id": "against"}]
    lines = [
        {
            "text": "Up.",
            "options": options,
            "accept": [name],
            "answer": "accept",
            "_timestamp": time,
        }
        for time, name in ((9, "against"), (4, "favor"))
    ]
    (document,), report = parsed(tmp_path, *lines)
    assert document.answers == [Answer("label", "against")]
    assert report.dropped == {EARLIER: 1}


def test_spans_far_beyond_the_text_are_rejected_quickly(tmp_path):
    docs, _ = parsed(
        tmp_path, spans((0, 10**15, "source"), time=1), spans((0, 8, "source"), time=2)
    )
    assert labelled_offsets(docs[0]) == {("source", 0, 8)}
