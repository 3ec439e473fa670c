import json
import random
import subprocess
import sys
from types import SimpleNamespace

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, Stance, text_key, write_jsonl
from claimstance.training.data.build import _check_labels as check_rows
from claimstance.training.data.build import build
from claimstance.training.data.building.sources import IndexedStore, InputPart
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_labels, load_records, split_names

WORDS = (
    "bridge",
    "harbor",
    "mayor",
    "vote",
    "tax",
    "school",
    "river",
    "budget",
    "union",
    "plan",
    "storm",
    "wage",
)


def sentences(count, seed=0):
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=9)) + f" {i}." for i in range(count)]


def table(folder, name, rows, header="text,label"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def jsonl(folder, name, records):
    with (folder / name).open("w", encoding="utf-8") as file:
        write_jsonl(records, file)
    return str(folder / name)


def settings(*sources, **more):
    return DataConfig(path="unused", sources=list(sources), **more)


def test_build_divides_and_reports(tmp_path):
    rows = [f"{text},{'claim' if i % 4 else 'no_claim'}" for i, text in enumerate(sentences(200))]
    file = table(tmp_path, "mine.csv", rows)
    seen = []
    report = build(settings({"files": [file]}), tmp_path / "out", seen.append)
    assert seen == [200]
    assert report.rows == {"train": 160, "dev": 20, "test": 20}
    for name, count in report.rows.items():
        records = load_records(tmp_path / "out", name)
        assert len(records) == count
        assert (
            report.labels[name]["claim"]["no_claim"]
            == count / 4
            == sum(r.claim == "no_claim" for r in records)
        )
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report.model_dump(
        mode="json"
    )
    assert report.sources[0].rows == report.rows
    assert report.label_sets["claim"] == ["no_claim", "claim"]
    assert all(overlap.exact == 0 for overlap in report.overlaps)


def test_same_rows_same_dataset(tmp_path):
    file = table(tmp_path, "mine.csv", [f"{text},claim" for text in sentences(60)])
    one, again = (build(settings({"files": [file]}), tmp_path / name) for name in "ab")
    other = build(settings({"files": [file]}, split={"seed": 14}), tmp_path / "c")
    assert one.fingerprint == again.fingerprint != other.fingerprint


def test_documents_and_equal_texts_stay_whole(tmp_path):
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
    places = {}
    for name, rows in splits.items():
        for record in rows:
            for key in (record.doc_id, text_key(record.text)):
                if key is not None:
                    assert places.setdefault(key, name) == name


def test_given_splits_are_kept_and_ids_made_unique(tmp_path):
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


def test_corpora_are_read_below_their_folder_with_what_they_dropped(tmp_path):
    folder = tmp_path / "corpora/dse/dataset"
    folder.mkdir(parents=True)
    row = "[Holm] met [Noren].\tHolm\tNoren\t3\n"
    (folder / "train.txt").write_text(row + row)
    (folder / "valid.txt").write_text(row.replace("met", "blamed"))
    source = {"corpus": "dse", "splits": {"train": "train", "valid": "dev"}}
    report = build(settings(source, corpora=tmp_path / "corpora"), tmp_path / "out")
    assert report.rows == {"train": 1, "dev": 1}
    assert report.sources[0].dropped == {"repeats an earlier row": 1}
    assert report.sources[0].url.endswith("directed_sentiment_analysis")
    assert report.labels["train"] == {"stance": {"against": 1, "neutral": 1}}


def test_own_labels_are_found_sorted_and_configured_ones_checked(tmp_path, caplog):
    file = table(
        tmp_path,
        "mine.csv",
        [f"{text},{'pro' if i % 2 else 'con'}" for i, text in enumerate(sentences(20))],
    )
    build(settings({"files": [file]}), tmp_path / "out")
    assert load_labels(tmp_path / "out")["claim"] == ("con", "pro")
    assert "labels of claim are those of the data: con, pro" in caplog.text
    build(settings({"files": [file]}, labels={"claim": ["pro", "con"]}), tmp_path / "set")
    assert load_labels(tmp_path / "set")["claim"] == ("pro", "con")
    with pytest.raises(InputError, match=r"mine.csv, line 2: claim: unknown label 'con'"):
        build(settings({"files": [file]}, labels={"claim": ["pro", "contra"]}), tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_lenient_drops_are_reported_once(tmp_path):
    file = table(
        tmp_path, "mine.csv", [*(f"{text},claim" for text in sentences(20)), ",claim", ",claim"]
    )
    report = build(settings({"files": [file], "lenient": True}), tmp_path / "out")
    assert report.sources[0].dropped == {"expected a text": 2}


def test_target_folder_is_never_lost(tmp_path):
    good = settings(
        {"files": [table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])]}
    )
    bad = settings({"files": [table(tmp_path, "bad.csv", [",claim"])]})
    out = tmp_path / "deep" / "out"
    first = build(good, out)
    with pytest.raises(InputError, match="found one that exists already; --overwrite replaces it"):
        build(good, out)
    with pytest.raises(InputError, match="expected a text"):
        build(bad, out, overwrite=True)
    assert len(load_records(out, "train")) == first.rows["train"]
    assert build(good, out, overwrite=True) == first
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with pytest.raises(InputError, match="expected a folder that `build` wrote"):
        build(good, tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "one.jpg").exists()


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    def fail(soft, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("claimstance.training.data.build.save_soft", fail)
    file = table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])
    with pytest.raises(InputError, match="No space left on device"):
        build(settings({"files": [file]}), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


def test_rows_without_any_label_are_told_of(tmp_path, caplog):
    rows = [
        {"id": i, "text": f"Sentence {i}.", "mood": "calm", "annotator": 2, "annotation_id": i}
        for i in range(3)
    ]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    source = {"files": [str(tmp_path / "x.json")], "split": "train"}
    build(DataConfig.model_validate({"path": "x", "sources": [source]}), tmp_path / "out")
    assert "no row has a label" in caplog.text
    caplog.clear()
    build(
        DataConfig.model_validate(
            {"path": "x", "sources": [source | {"roles": {"mood": "claim"}}]}
        ),
        tmp_path / "o2",
    )
    assert "no row has a label" not in caplog.text


def test_no_sources(tmp_path):
    with pytest.raises(ConfigError, match="expected at least one corpus or file"):
        build(settings(), tmp_path / "out")


def test_what_a_file_says_of_itself_is_reported(tmp_path):
    file = table(tmp_path, "mine.csv", [f"{text},claim" for text in sentences(9)])
    report = build(settings({"files": [file]}), tmp_path / "out")
    assert report.sources[0].facts[file]["format"] == "csv"
    assert (report.sources[0].read, sum(report.sources[0].rows.values())) == (9, 9)


def test_rows_keep_the_order_of_reading(tmp_path):
    files = [
        jsonl(
            tmp_path,
            f"{name}.jsonl",
            [
                Record(id=f"{name}{i}", text=t, claim="claim")
                for i, t in enumerate(sentences(30, seed=number))
            ],
        )
        for number, name in enumerate("abc")
    ]
    sources = [{"files": files[:1]}, {"files": files[1:2], "split": "test"}, {"files": files[2:]}]
    report = build(settings(*sources), tmp_path / "out")
    for name in report.rows:
        ids = [r.id for r in load_records(tmp_path / "out", name)]
        assert ids == sorted(
            ids, key=lambda i: ("bac".index(i[0]), int(i[1:]))
        )  # what has a split comes first


def test_any_number_of_processes_builds_the_same(tmp_path, monkeypatch):
    records = [
        Record(
            id=str(i),
            doc_id=f"d{i // 7}",
            text=text,
            claim="claim",
            annotator=f"a{i % 2}",
            stances=[
                Stance(
                    target=WORDS[i % 12],
                    label="favor",
                    probabilities={"favor": 0.75, "against": 0.25},
                )
            ],
        )
        for i, text in enumerate(sentences(2500))
    ]
    config = settings({"files": [jsonl(tmp_path, "x.jsonl", records)]})
    alone = build(config, tmp_path / "alone")
    monkeypatch.setattr("claimstance.training.data.building.workers.INLINE_ROWS", 500)
    monkeypatch.setattr(
        "claimstance.training.data.building.workers.available_processors", lambda: 2
    )
    seen = []
    assert build(config, tmp_path / "together", seen.append) == alone
    assert sum(seen) == 2500
    assert alone.soft == {"stance": alone.rows["train"]}
    for name in alone.rows:
        assert load_records(tmp_path / "alone", name) == load_records(tmp_path / "together", name)


def test_labels_of_a_corpus_are_checked_against_the_configured_ones(tmp_path):
    folder = tmp_path / "corpora/dse/dataset"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text(
        "[Holm] met [Noren].\tHolm\tNoren\t0\n[Holm] met [Noren].\tHolm\tNoren\t3\n"
    )
    source = {"corpus": "dse", "splits": {"train": "train"}}
    config = settings(source, corpora=tmp_path / "corpora", labels={"stance": ["neutral", "pro"]})
    with pytest.raises(
        InputError, match=r"^train: dse:train:2: stances\[0\]\.label: unknown label 'against'"
    ):
        build(config, tmp_path / "out")


def test_labels_are_checked_in_probabilities_too(tmp_path):
    rows = [
        Record(
            id=str(i),
            text=f"Text {i}.",
            stances=[Stance(target="t", probabilities={"favour": 1.0})],
        )
        for i in range(3)
    ]
    source = {"files": [jsonl(tmp_path, "x.jsonl", rows)], "split": "train"}
    build(settings(source, labels={"stance": ["a", "favour"]}), tmp_path / "good")
    with Workers(1) as workers:
        store = IndexedStore(tmp_path / "rows", workers, None)
        store.add(store.batches(rows, part := InputPart("x", "x.json", None, 0, 0, count=3)))
        with pytest.raises(
            InputError, match=r"^x\.json: 0: stances\[0\]\.probabilities: unknown label 'favour'"
        ):
            check_rows(store, [part], DEFAULT_LABELS)
        store.row_store.close()


def test_half_a_character_is_told_with_its_row():
    part = InputPart("x", "x.json", None, 0, 0)
    with pytest.raises(
        InputError, match=r"x\.json: '7': expected Unicode text, found half of a surrogate pair"
    ):
        list(
            IndexedStore.batches(
                SimpleNamespace(threshold=0.8, _with_names=False),
                [
                    Record.model_construct(
                        **Record(id="7", text="").model_dump() | {"text": "\ud83d"}
                    )
                ],
                part,
            )
        )


def test_a_codebook_is_checked_and_kept(tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(
        "labels:\n  claim: {claim: Somebody says so., no_claim: Nobody does.}\n"
        "targets: {the bridge: It.}\n"
    )
    rows = [
        Record(
            id=str(i), text=t, claim="claim", stances=[Stance(target="the brigde", label="favor")]
        )
        for i, t in enumerate(sentences(9))
    ]
    config = settings({"files": [jsonl(tmp_path, "x.jsonl", rows)]}, codebook=book)
    report = build(config, tmp_path / "out")
    assert report.codebook["labels"]["claim"]["claim"]["definition"] == "Somebody says so."
    assert any("labels.claim.no_claim" in warning for warning in report.codebook_warnings)
    assert any("the brigde" in warning for warning in report.codebook_warnings)
    book.write_text("labels:\n  claim: {pro: For it., con: Against it.}\n")
    with pytest.raises(InputError, match=r"labels\.claim: unknown label 'claim'"):
        build(config, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


SHORT = {
    "a table": (
        "x.csv",
        "doc_id,text,label\n" + "".join(f"h{i},Rain again {i},claim\n" for i in range(6)),
    ),
    "records": (
        "x.jsonl",
        "".join(
            f'{{"id": "h{i}:0", "doc_id": "h{i}", "start": 0, "text": "Dam {i} opens", "claim": "claim"}}\n'
            for i in range(6)
        ),
    ),
    "spans": (
        "x.jsonl",
        "".join(
            f'{{"text": "Hale {i} won", "spans": [{{"start": 0, "end": 4, "label": "source"}}], "answer": "accept"}}\n'
            for i in range(6)
        ),
    ),
    "tokens": ("x.conll", "".join(f"-DOCSTART- O\n\nHale{i} B-PER\nwon O\n\n" for i in range(6))),
}


@pytest.mark.parametrize(("name", "content"), SHORT.values(), ids=SHORT)
@pytest.mark.parametrize("by", ["document", "date"])
def test_documents_of_short_texts_alone(tmp_path, name, content, by):
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
def test_a_column_says_which_split_a_row_is_in(tmp_path, names):
    of_rows = [names[i % 3] for i in range(30)]
    report = build(settings({"files": [split_table(tmp_path, of_rows)]}), tmp_path / "out")
    assert report.rows == {"train": 10, "dev": 10, "test": 10}
    assert report.division is None
    for place, split in enumerate(("train", "dev", "test")):
        held = load_records(tmp_path / "out", split)
        assert [record.id for record in held] == [
            f"t:{number}" for number in range(place + 1, 31, 3)
        ]
        assert {record.meta["split"] for record in held} == {split}


def test_a_column_under_another_name_says_it(tmp_path):
    file = split_table(tmp_path, ["train", "dev", "test"] * 4, "text,label,part")
    assert build(settings({"files": [file]}), tmp_path / "a").division is not None
    source = {"files": [file], "columns": {"split": "part"}}
    assert build(settings(source), tmp_path / "b").rows == {"train": 4, "dev": 4, "test": 4}


def test_a_column_of_records_and_of_exports_says_it(tmp_path):
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
def test_a_split_that_is_none_stops_the_build(tmp_path, names, message):
    with pytest.raises(InputError, match=message):
        build(settings({"files": [split_table(tmp_path, names)]}), tmp_path / "out")


def test_a_split_that_is_none_stops_the_build_of_records(tmp_path):
    records = [
        Record(id=str(i), text=text, meta={"split": name})
        for i, (text, name) in enumerate(zip(sentences(2), ("train", "gold"), strict=True))
    ]
    with pytest.raises(
        InputError, match=r"r\.jsonl, record '1': split: expected a split .* found 'gold'"
    ):
        build(settings({"files": [jsonl(tmp_path, "r.jsonl", records)]}), tmp_path / "out")


def test_a_column_that_is_ignored_or_empty_divides_nothing(tmp_path):
    file = split_table(tmp_path, ["a", "b", "c"] * 4)
    report = build(settings({"files": [file], "roles": {"split": "ignore"}}), tmp_path / "a")
    assert report.division is not None
    assert (
        build(settings({"files": [split_table(tmp_path, [""] * 12)]}), tmp_path / "b").division
        is not None
    )


def test_the_configured_split_goes_before_the_column_with_a_warning(tmp_path, caplog):
    file = split_table(tmp_path, ["train", "test", "test"])
    assert build(settings({"files": [file], "split": "train"}), tmp_path / "out").rows == {
        "train": 3
    }
    assert "found another split in 2 rows (line 3, line 4); it is not used" in caplog.text


def test_folds_without_rows_to_divide_are_told(tmp_path, caplog):
    file = split_table(tmp_path, ["train", "dev", "test"])
    build(settings({"files": [file]}, split={"folds": 3}), tmp_path / "out")
    assert "data.split.folds: folds are not used" in caplog.text


def test_one_label_is_told(tmp_path, caplog):
    file = table(
        tmp_path, "mine.csv", [f"{text},favor,tax" for text in sentences(20)], "text,label,target"
    )
    build(settings({"files": [file]}), tmp_path / "out")
    assert (
        "stance: one label only in train: nothing to learn; expected two or more, found 'favor' 16 times"
        in caplog.text
    )


def test_entities_of_one_kind_can_be_learnt(tmp_path, caplog):
    (tmp_path / "x.conll").write_text(SHORT["tokens"][1], encoding="utf-8")
    build(settings({"files": [str(tmp_path / "x.conll")]}), tmp_path / "out")
    assert "one label only" not in caplog.text


def test_a_label_that_train_lacks_is_told(tmp_path, caplog):
    texts = sentences(8)
    train = table(
        tmp_path,
        "a.csv",
        [f"{text},{'pro' if i % 2 else 'con'}" for i, text in enumerate(texts[:4])],
    )
    test = table(tmp_path, "b.csv", [f"{texts[4]},unsure", f"{texts[5]},pro", f"{texts[6]},unsure"])
    sources = {"files": [train], "split": "train"}, {"files": [test], "split": "test"}
    build(settings(*sources), tmp_path / "out")
    assert (
        "claim: test has the label 'unsure' (2 times), train has none: no model can learn it"
        in caplog.text
    )
    assert "'pro'" not in caplog.text


def test_spellings_of_one_label_are_told_with_the_option_that_unites_them(tmp_path, caplog):
    labels = ["alarmed"] * 6 + ["ALARMED"] * 3 + [" calm"] * 5 + ["Alarmed"]
    file = table(
        tmp_path,
        "mine.csv",
        [f"{text},{label}" for text, label in zip(sentences(15), labels, strict=True)],
    )
    build(settings({"files": [file]}), tmp_path / "out")
    assert (
        "claim: labels 'alarmed' (6 times) and 'ALARMED' (3 times) and 'Alarmed' (1 time) differ in case or blanks "
        "alone; --value ALARMED=alarmed --value Alarmed=alarmed makes them one"
    ) in caplog.text
    caplog.clear()
    values = {"ALARMED": "alarmed", "Alarmed": "alarmed"}
    build(settings({"files": [file], "values": values}), tmp_path / "united")
    assert "differ in case" not in caplog.text
    assert load_labels(tmp_path / "united")["claim"] == ("alarmed", "calm")


def test_blank_labels_are_told_once_with_the_first_rows(tmp_path, caplog):
    rows = [f"{text},{'claim' if i % 2 else '  '}" for i, text in enumerate(sentences(40))]
    file = table(tmp_path, "mine.csv", rows)
    build(settings({"files": [file]}), tmp_path / "out")
    message = "found none in 20 rows (line 2, line 4, line 6, line 8, line 10, …), which count as not annotated"
    assert caplog.text.count(message) == caplog.text.count("expected a label") == 1
    report = build(settings({"files": [file], "values": {"": "no_claim"}}), tmp_path / "named")
    assert report.labels["train"]["claim"] == {"claim": 16, "no_claim": 16}


def test_markup_is_told_once_with_the_first_rows(tmp_path, caplog):
    texts = [f"<p>{text}</p>" if i < 9 else text for i, text in enumerate(sentences(20))]
    build(
        settings({"files": [table(tmp_path, "mine.csv", [f"{text},claim" for text in texts])]}),
        tmp_path / "out",
    )
    assert (
        caplog.text.count("found HTML in 9 rows (line 2, line 3, line 4, line 5, line 6, …)") == 1
    )
    caplog.clear()
    records = [
        Record(id=f"r{i}", text=f"Tea &amp; rain {text}", claim="claim")
        for i, text in enumerate(sentences(3))
    ]
    build(settings({"files": [jsonl(tmp_path, "r.jsonl", records)]}), tmp_path / "records")
    assert "found HTML in 3 rows (record 'r0', record 'r1', record 'r2')" in caplog.text


KILLED = """
import os, signal, sys
import claimstance.training.data.build as building
from claimstance.training.data.config import DataConfig

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[3] == "writing":
    building.save_soft = kill
config = DataConfig(path="x", sources=[{"files": [sys.argv[1]]}])
building.build(config, sys.argv[2], kill if sys.argv[3] == "reading" else None, overwrite=True)
"""


@pytest.mark.parametrize("when", ["reading", "writing"])
def test_a_killed_build_leaves_nothing_that_looks_whole_and_can_be_run_again(tmp_path, when):
    file = table(tmp_path, "mine.csv", [f"{text},claim" for text in sentences(300)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, file, str(tmp_path / "out"), when], check=False
    )
    assert killed.returncode == -9
    assert not (tmp_path / "out").exists()
    (left,) = (path for path in tmp_path.iterdir() if path.name != "mine.csv")
    assert left.name.startswith(".out.")
    report = build(settings({"files": [file]}), tmp_path / "out")
    assert sum(report.rows.values()) == 300
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "out"]
    if when == "writing":
        subprocess.run(
            [sys.executable, "-c", KILLED, file, str(tmp_path / "out"), when], check=False
        )
        assert (
            len(load_records(tmp_path / "out", "train")) == report.rows["train"]
        )  # what was there is there


def test_teachers_are_never_passed_over_silently(tmp_path):
    file = table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])
    config = settings(
        {"files": [file]},
        teachers=[{"model": "bundled", "corpora": ["good"], "tasks": ["claim"]}],
    )
    with pytest.raises(ValueError, match="build_and_teach"):
        build(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()
