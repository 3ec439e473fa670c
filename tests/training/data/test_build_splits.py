"""Test the splits of a built dataset: configured, named by the rows, and assigned."""

import json

import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Record, text_key
from claimstance.training.data.build import build
from claimstance.training.data.dataset import load_records, split_names
from helpers.data.builds import SHORT, jsonl, sentences, settings, table


def test_documents_and_equal_texts_stay_in_one_split(tmp_path):
    texts = sentences(90)
    records = [
        Record(id=str(i), doc_id=f"d{i // 6}", text=text, claim="claim")
        for i, text in enumerate(texts)
    ]
    records += [
        Record(id=f"twin{i}", text=texts[i * 10].upper() + " !", claim="claim") for i in range(9)
    ]
    build(settings({"files": [jsonl(tmp_path, "x.jsonl", records)]}), tmp_path / "out")
    splits = {name: load_records(tmp_path / "out", name) for name in ("train", "dev", "test")}
    split_of = {}
    for name, rows in splits.items():
        for record in rows:
            for key in (record.doc_id, text_key(record.text)):
                if key is not None:
                    assert split_of.setdefault(key, name) == name


def test_configured_splits_are_kept_and_ids_made_unique(tmp_path):
    first = jsonl(
        tmp_path,
        "first.jsonl",
        [
            Record(id="1", doc_id="d", text="One.", claim="claim"),
            Record(id="2", text="Two.", claim="claim"),
        ],
    )
    second = jsonl(
        tmp_path, "second.jsonl", [Record(id="1", doc_id="d", text="Three.", claim="no_claim")]
    )
    build(
        settings({"files": [first], "split": "train"}, {"files": [second], "split": "test"}),
        tmp_path / "out",
    )
    train, test = (load_records(tmp_path / "out", name) for name in ("train", "test"))
    assert [(r.id, r.doc_id, r.meta) for r in train] == [
        ("first:1", "first:d", {"corpus": "first"}),
        ("2", None, {"corpus": "first"}),
    ]
    assert [(r.id, r.doc_id) for r in test] == [("second:1", "second:d")]
    assert split_names(tmp_path / "out") == ["train", "test"]
    with pytest.raises(InputError, match=r"is a file or a split listed twice\?"):
        build(settings({"files": [first, first], "split": "train"}), tmp_path / "again")


@pytest.mark.parametrize(("name", "content"), SHORT.values(), ids=SHORT)
@pytest.mark.parametrize("by", ["document", "date"])
def test_documents_with_short_texts_only_are_divided(tmp_path, name, content, by):
    if by == "date":
        if name != "x.csv":
            pytest.skip("dates stand in tables here")
        rows = content.splitlines()
        content = "\n".join(
            [rows[0] + ",date", *(f"{row},2031-05-0{i}" for i, row in enumerate(rows[1:], 1))]
        )
    (tmp_path / name).write_text(content, encoding="utf-8")
    report = build(settings({"files": [str(tmp_path / name)]}, split={"by": by}), tmp_path / "out")
    assert sum(report.rows.values()) == 6
    assert set(report.rows) == {"train", "dev", "test"}


def split_table(tmp_path, names, header="text,label,split"):
    rows = [
        f"{text},{'claim' if i % 2 else 'no_claim'},{name}"
        for i, (text, name) in enumerate(zip(sentences(len(names)), names, strict=True))
    ]
    return table(tmp_path, "t.csv", rows, header)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "dev", "test"),
        ("Train", "validation", "TEST"),
        ("training", "val", "test"),
        ("train", "valid", "test"),
    ],
)
def test_a_column_assigns_rows_to_splits(tmp_path, names):
    row_splits = [names[i % 3] for i in range(30)]
    report = build(settings({"files": [split_table(tmp_path, row_splits)]}), tmp_path / "out")
    assert report.rows == {"train": 10, "dev": 10, "test": 10}
    assert report.division is None
    for index, split in enumerate(("train", "dev", "test")):
        records = load_records(tmp_path / "out", split)
        assert [record.id for record in records] == [
            f"t:{number}" for number in range(index + 1, 31, 3)
        ]
        assert {record.meta["split"] for record in records} == {split}


def test_the_split_column_may_have_another_name(tmp_path):
    file = split_table(tmp_path, ["train", "dev", "test"] * 4, "text,label,part")
    assert build(settings({"files": [file]}), tmp_path / "a").division is not None
    source = {"files": [file], "columns": {"split": "part"}}
    assert build(settings(source), tmp_path / "b").rows == {"train": 4, "dev": 4, "test": 4}


def test_a_split_field_of_records_or_exports_assigns_them(tmp_path):
    records = [
        Record(id=str(i), text=text, claim="claim", meta={"split": ("train", "val", "test")[i % 3]})
        for i, text in enumerate(sentences(12))
    ]
    assert build(
        settings({"files": [jsonl(tmp_path, "r.jsonl", records)]}), tmp_path / "a"
    ).rows == {"train": 4, "dev": 4, "test": 4}
    lines = [
        {
            "text": text,
            "label": "claim",
            "answer": "accept",
            "meta": {"split": ("train", "dev")[i % 2]},
        }
        for i, text in enumerate(sentences(12))
    ]
    (tmp_path / "p.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
    )
    assert build(settings({"files": [str(tmp_path / "p.jsonl")]}), tmp_path / "b").rows == {
        "train": 6,
        "dev": 6,
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["train", "dev", "fold 3"],
            r"t\.csv, line 4: expected a split \(train, dev, validation or test\), found 'fold 3'",
        ),
        (
            ["train", "", "test"],
            "line 3: expected a split in every row or in none, found one in line 2 and none here",
        ),
        (
            ["", "", "test"],
            "line 4: expected a split in every row or in none, found none in line 2 and 'test' here",
        ),
    ],
)
def test_an_unknown_split_in_a_table_stops_the_build(tmp_path, names, message):
    with pytest.raises(InputError, match=message):
        build(settings({"files": [split_table(tmp_path, names)]}), tmp_path / "out")


def test_an_unknown_split_in_a_record_stops_the_build(tmp_path):
    records = [
        Record(id=str(i), text=text, meta={"split": name})
        for i, (text, name) in enumerate(zip(sentences(2), ("train", "gold"), strict=True))
    ]
    with pytest.raises(InputError, match=r"r\.jsonl, record '1': expected a split .* found 'gold'"):
        build(settings({"files": [jsonl(tmp_path, "r.jsonl", records)]}), tmp_path / "out")


def test_an_ignored_or_empty_split_column_has_no_effect(tmp_path):
    file = split_table(tmp_path, ["a", "b", "c"] * 4)
    report = build(settings({"files": [file], "roles": {"split": "ignore"}}), tmp_path / "a")
    assert report.division is not None
    assert (
        build(settings({"files": [split_table(tmp_path, [""] * 12)]}), tmp_path / "b").division
        is not None
    )


def test_a_configured_split_overrides_the_column_with_a_warning(tmp_path, caplog):
    file = split_table(tmp_path, ["train", "test", "test"])
    assert build(settings({"files": [file], "split": "train"}), tmp_path / "out").rows == {
        "train": 3
    }
    assert "found another split in 2 rows (line 3, line 4); it is not used" in caplog.text


def test_a_configured_split_allows_other_names_in_the_column(tmp_path):
    file = split_table(tmp_path, ["fold 1", "", "fold 3"])
    source = {"files": [file], "split": "train"}
    assert build(settings(source), tmp_path / "out").rows == {"train": 3}


def test_folds_without_rows_to_divide_are_reported(tmp_path, caplog):
    file = split_table(tmp_path, ["train", "dev", "test"])
    build(settings({"files": [file]}, split={"folds": 3}), tmp_path / "out")
    assert "data.split.folds: folds are not used" in caplog.text
