"""Test building datasets from the records of several annotators."""

import json
import os

import numpy as np
import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Stance
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_records
from claimstance.training.data.soft_labels import load_soft
from helpers.data.builds import jsonl, settings

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")


def annotated(folder, name, annotator, *rows, **fields):
    """Write a file of one annotator from rows of id, text and label, and return its path."""
    records = [
        Record(id=key, text=text, claim=label, annotator=annotator, **fields)
        for key, text, label in rows
    ]
    return jsonl(folder, f"{name}.jsonl", records)


def test_annotators_of_one_sentence_become_one_row(tmp_path):
    rows = [(str(i), f"Sentence {i}.", "claim" if i % 2 else "no_claim") for i in range(12)]
    turned = [
        (f"b{key}", text, "no_claim" if i == 3 else label)
        for i, (key, text, label) in enumerate(rows)
    ]
    third = [(key, text, "claim") for key, text, _ in rows[3:5]]
    files = [
        annotated(tmp_path, "anna", "anna", *rows),
        annotated(tmp_path, "ben", "ben", *reversed(turned[:10])),
        annotated(tmp_path, "cleo", "cleo", *third),
    ]
    report = build(settings({"files": files}), tmp_path / "out")
    records = [r for name in report.rows for r in load_records(tmp_path / "out", name)]
    assert sorted(int(r.id) for r in records) == list(range(12))
    labels = {r.id: r.claim for r in records}
    assert labels["3"] == "claim"  # two of three
    assert labels["4"] == "no_claim"  # anna and ben against cleo
    assert sum(label == "claim" for label in labels.values()) == 6
    assert {r.annotator for r in records if int(r.id) < 10} == {None}
    assert {r.annotator for r in records if int(r.id) >= 10} == {"anna"}
    assert [(source.name, source.read, sum(source.rows.values())) for source in report.sources] == [
        ("anna", 12, 12),
        ("ben", 10, 0),
        ("cleo", 2, 0),
    ]
    (agreement,) = report.agreement.values()
    assert list(report.agreement) == ["anna"]
    assert (agreement.items, agreement.single) == (10, 2)
    assert agreement.annotators == {"anna": 12, "ben": 10, "cleo": 2}
    assert report.soft == {}


def test_a_file_with_several_annotators_and_a_tie(tmp_path):
    rows = [
        Record(
            id=str(i),
            doc_id="d",
            start=10 * i,
            text=f"Sentence {i}.",
            claim="claim",
            annotator=name,
        )
        for name in ("anna", "ben")
        for i in range(3)
    ]
    rows[5].claim = "no_claim"
    report = build(
        settings({"files": [jsonl(tmp_path, "x.jsonl", rows)], "split": "train"}), tmp_path / "out"
    )
    records = load_records(tmp_path / "out", "train")
    assert [(r.id, r.doc_id, r.claim) for r in records] == [
        ("0", "d", "claim"),
        ("1", "d", "claim"),
        ("2", "d", None),
    ]
    assert report.sources[0].ties == {"claim": 1}
    assert report.labels == {"train": {"claim": {"claim": 2}}}


def test_the_adjudicator_decides(tmp_path):
    files = [
        annotated(tmp_path, name, name, ("1", "One.", label), ("2", "Two.", label))
        for name, label in (("anna", "claim"), ("ben", "claim"), ("cleo", "no_claim"))
    ]
    files.append(annotated(tmp_path, "dora", "dora", ("9", "Two.", "claim")))
    options = {"adjudicate": "adjudicator", "adjudicator": "cleo"}
    build(settings({"files": files, "split": "train"}, **options), tmp_path / "out")
    records = load_records(tmp_path / "out", "train")
    assert [(r.id, r.claim) for r in records] == [("1", "no_claim"), ("2", "no_claim")]


def test_votes_of_annotators_become_soft_labels_of_train_rows(tmp_path):
    files = [
        annotated(tmp_path, name, name, ("1", "One.", label), ("2", "Two.", "claim"))
        for name, label in (
            ("anna", "claim"),
            ("ben", "claim"),
            ("cleo", "claim"),
            ("dora", "no_claim"),
        )
    ]
    test_files = [
        annotated(tmp_path, f"t{name}", name, ("3", "Three.", "claim")) for name in ("anna", "ben")
    ]
    sources = [{"files": files, "split": "train"}, {"files": test_files, "split": "test"}]
    report = build(settings(*sources, adjudicate="soft"), tmp_path / "out")
    soft = load_soft(tmp_path / "out")
    shares = {
        name: {task: row.tolist() for task, row in tasks.items()} for name, tasks in soft.items()
    }
    assert shares == {"1": {"claim": [0.25, 0.75]}, "2": {"claim": [0.0, 1.0]}}
    assert report.soft == {"claim": 2}
    teacher_labels = {
        "1": {
            "claim": np.array([0.75, 0.25], np.float32),
            "check_worthy": np.array([1, 0], np.float32),
        }
    }
    report_with_teacher = build(
        settings(*sources, adjudicate="soft"),
        tmp_path / "labelled",
        soft_labeller=lambda *_: teacher_labels,
    )
    assert load_soft(tmp_path / "labelled")["1"]["claim"].tolist() == [0.5, 0.5]  # the mean
    assert report_with_teacher.soft == {"check_worthy": 1, "claim": 2}
    assert report_with_teacher.fingerprint != report.fingerprint
    assert report_with_teacher.fingerprints == report.fingerprints


def test_unrelated_records_are_not_merged(tmp_path):
    same = [("1", "One.", "claim"), ("2", "One.", "claim"), ("3", "One.", "no_claim")]
    unnamed = jsonl(
        tmp_path,
        "unnamed.jsonl",
        [Record(id=f"u{i}", text="One.", claim="claim") for i in range(2)],
    )
    ben_file = annotated(tmp_path, "ben", "ben", ("b", "One.", "no_claim"))
    # These records ask other questions about the same text.
    stance_records = [
        Record(
            id=f"{name}{target}",
            text="Two.",
            annotator=name,
            stances=[Stance(target=target, label="favor")],
        )
        for name, target in (("anna", "tax"), ("ben", "rain"))
    ]
    report = build(
        settings(
            {"files": [annotated(tmp_path, "anna", "anna", *same)], "split": "train"},
            {"files": [unnamed], "split": "train"},
            {"files": [ben_file], "split": "train"},
            {"files": [jsonl(tmp_path, "asked.jsonl", stance_records)], "split": "train"},
        ),
        tmp_path / "out",
    )
    records = load_records(tmp_path / "out", "train")
    assert [r.id for r in records] == ["1", "2", "3", "u0", "u1", "b", "annatax", "benrain"]
    assert report.agreement == {}
    assert [source.ties for source in report.sources] == [{}] * 4


def test_a_sentence_that_each_annotator_has_twice_is_two_items(tmp_path):
    rows = [("1", "One.", "claim"), ("2", "One.", "no_claim")]
    files = [annotated(tmp_path, name, name, *rows) for name in ("anna", "ben")]
    build(settings({"files": files, "split": "train"}), tmp_path / "out")
    assert [(r.id, r.claim) for r in load_records(tmp_path / "out", "train")] == [
        ("1", "claim"),
        ("2", "no_claim"),
    ]


def test_files_of_one_source_annotate_the_same_documents(tmp_path):
    def rows(name, starts):
        return [
            Record(
                id=f"{name}{i}",
                doc_id="d",
                start=i,
                text=f"Sentence {i}.",
                claim="claim",
                annotator=name,
            )
            for i in starts
        ]

    files = [
        jsonl(tmp_path, f"{name}.jsonl", rows(name, starts))
        for name, starts in (("anna", range(4)), ("ben", range(2, 6)))
    ]
    other_file = jsonl(tmp_path, "other.jsonl", rows("carl", range(2)))
    build(
        settings({"files": files, "split": "train"}, {"files": [other_file], "split": "test"}),
        tmp_path / "out",
    )
    train, test = (load_records(tmp_path / "out", name) for name in ("train", "test"))
    assert [(r.id, r.doc_id) for r in train] == [
        ("anna0", "anna:d"),
        ("anna1", "anna:d"),
        ("anna2", "anna:d"),
        ("anna3", "anna:d"),
        ("ben4", "anna:d"),
        ("ben5", "anna:d"),
    ]
    assert {r.doc_id for r in test} == {"other:d"}


def test_one_id_for_two_texts_is_an_error(tmp_path):
    rows = [
        Record(id="1", text=text, claim="claim", annotator=name)
        for name, text in (("anna", "A."), ("ben", "B."))
    ]
    with pytest.raises(InputError, match="expected the text of 1, found another"):
        build(settings({"files": [jsonl(tmp_path, "x.jsonl", rows)]}), tmp_path / "out")


def test_annotators_of_a_label_studio_export(tmp_path):
    def result(label):
        return [
            {
                "from_name": "claim",
                "to_name": "text",
                "type": "choices",
                "value": {"choices": [label]},
            }
        ]

    tasks = [
        {
            "id": i,
            "data": {"text": f"Sentence number {i}."},
            "annotations": [
                {
                    "id": 10 * i + j,
                    "completed_by": {"email": f"{name}@x.org"},
                    "was_cancelled": False,
                    "result": result("claim" if i + j != 3 else "no_claim"),
                }
                for j, name in enumerate(("anna", "ben", "cleo"))
            ],
        }
        for i in range(4)
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    report = build(
        settings({"files": [str(tmp_path / "export.json")], "split": "train"}), tmp_path / "out"
    )
    assert [r.claim for r in load_records(tmp_path / "out", "train")] == ["claim"] * 4
    assert (report.sources[0].read, report.rows) == (12, {"train": 4})
    assert report.agreement["export"].annotators == {
        f"{name}@x.org": 4 for name in ("anna", "ben", "cleo")
    }


def doccano(folder, name, *labels):
    """Write an export of doccano, which does not name its annotator, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"id": i, "text": f"Sentence number {i}.", "label": [label], "Comments": []}
        for i, label in enumerate(labels)
    ]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / f"{name}.jsonl")


@pytest.mark.parametrize("way", ["files", "folder", "sources"])
def test_annotators_with_a_file_each(tmp_path, way):
    files = [
        doccano(tmp_path / "export", "anna", "claim", "claim", "no_claim"),
        doccano(tmp_path / "export", "ben", "claim", "no_claim", "no_claim"),
    ]
    sources = {
        "files": [{"files": files, "annotator": "{file}"}],
        "folder": [{"files": [str(tmp_path / "export")], "annotator": "{file}"}],
        "sources": [
            {"files": [file], "annotator": name}
            for file, name in zip(files, ("anna", "ben"), strict=True)
        ],
    }[way]
    report = build(settings(*(source | {"split": "train"} for source in sources)), tmp_path / "out")
    records = load_records(tmp_path / "out", "train")
    assert [r.claim for r in records] == ["claim", None, "no_claim"]
    assert records[1].meta["annotators"] == {
        "anna": {"claim": "claim"},
        "ben": {"claim": "no_claim"},
    }
    (agreement,) = report.agreement.values()
    assert agreement.annotators == {"anna": 3, "ben": 3}
    # The corpus and the agreement have one name, by which scores of people are shown beside those of a model.
    assert {r.meta["corpus"] for r in records} == set(report.agreement) == {"anna"}
    assert agreement.labels["claim"].pairs[0].kappa == pytest.approx(0.4)


def test_annotators_of_two_splits_are_not_merged(tmp_path):
    sources = [
        {"files": [doccano(tmp_path, name, "claim")], "annotator": name, "split": split}
        for name, split in (("anna", "train"), ("ben", "test"))
    ]
    report = build(settings(*sources), tmp_path / "out")
    assert (report.rows, report.agreement, report.overlaps[0].exact) == (
        {"train": 1, "test": 1},
        {},
        1,
    )


@pytest.mark.skipif(
    not ROOT, reason="CLAIMSTANCE_CORPORA is not set: the folder of the public corpora"
)
def test_agreement_in_public_corpora_is_reported(tmp_path):
    sources = [
        {
            "corpus": "polnear",
            "options": {"annotator": "all"},
            "splits": {"train": "train", "tune": "train", "dev": "test"},
        },
        {"corpus": "gwsd", "splits": {"test": "test", "train": "train"}},
    ]
    report = build(DataConfig(path=tmp_path, corpora=ROOT, sources=sources), tmp_path / "out")
    polnear = report.agreement["polnear"]
    # Five or six people annotated each of these documents of train and dev.
    assert (len(polnear.annotators), polnear.documents) == (
        6,
        18,
    )
    # The README of PolNeAR states this value for tokens.
    assert polnear.spans["attribution"].alpha.value == pytest.approx(0.754, abs=0.03)
    # One row for each sentence, however many people annotated it.
    assert report.rows["test"] == 3338 + 200
    assert report.agreement["gwsd"].labels["stance"].alpha.value == pytest.approx(0.37, abs=0.03)


def test_rows_of_a_single_annotator_belong_to_the_same_corpus(tmp_path):
    files = [
        doccano(tmp_path, "anna", "claim", "claim"),
        doccano(tmp_path, "ben", "claim", "claim", "no_claim"),
    ]
    build(settings({"files": files, "annotator": "{file}", "split": "train"}), tmp_path / "out")
    records = load_records(tmp_path / "out", "train")
    assert [(r.annotator, r.meta["corpus"]) for r in records] == [
        (None, "anna"),
        (None, "anna"),
        ("ben", "anna"),
    ]
