"""Test the building of datasets: rows, reports, the target folder and interrupted builds."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Record, Stance
from claimstance.training.data.build import build
from claimstance.training.data.building.indexing import IndexedStore
from claimstance.training.data.dataset import load_records
from helpers.data.builds import WORDS, jsonl, sentences, settings, table


def test_build_divides_rows_and_reports_them(tmp_path):
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


def test_equal_rows_give_equal_datasets(tmp_path):
    file = table(tmp_path, "mine.csv", [f"{text},claim" for text in sentences(60)])
    first, second = (build(settings({"files": [file]}), tmp_path / name) for name in "ab")
    reseeded = build(settings({"files": [file]}, split={"seed": 14}), tmp_path / "c")
    assert first.fingerprint == second.fingerprint != reseeded.fingerprint


def test_corpora_are_read_from_their_folder_and_dropped_rows_are_reported(tmp_path):
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


def test_a_build_without_sources_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected at least one corpus or file"):
        build(settings(), tmp_path / "out")


def test_facts_about_a_file_are_reported(tmp_path):
    file = table(tmp_path, "mine.csv", [f"{text},claim" for text in sentences(9)])
    report = build(settings({"files": [file]}), tmp_path / "out")
    assert report.sources[0].facts[file]["format"] == "csv"
    assert (report.sources[0].read, sum(report.sources[0].rows.values())) == (9, 9)


def test_rows_keep_the_order_of_reading(tmp_path):
    files = []
    for number, name in enumerate("abc"):
        records = [
            Record(id=f"{name}{i}", text=text, claim="claim")
            for i, text in enumerate(sentences(30, seed=number))
        ]
        files.append(jsonl(tmp_path, f"{name}.jsonl", records))
    sources = [{"files": files[:1]}, {"files": files[1:2], "split": "test"}, {"files": files[2:]}]
    report = build(settings(*sources), tmp_path / "out")
    for name in report.rows:
        ids = [r.id for r in load_records(tmp_path / "out", name)]
        # Files with a configured split come first.
        assert ids == sorted(ids, key=lambda i: ("bac".index(i[0]), int(i[1:])))


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


def test_half_a_surrogate_pair_is_reported_with_its_row():
    fields = Record(id="7", text="").model_dump() | {"text": "\ud83d"}
    record = Record.model_construct(**fields)
    store = SimpleNamespace(threshold=0.8, _with_names=False)
    with pytest.raises(
        InputError, match=r"x\.json: '7': expected Unicode text, found half of a surrogate pair"
    ):
        list(IndexedStore.batches(store, [record], "x", "x.json"))


def test_markup_is_reported_once_with_the_first_rows(tmp_path, caplog):
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
def test_a_killed_build_leaves_no_dataset_and_can_be_repeated(tmp_path, when):
    file = table(tmp_path, "mine.csv", [f"{text},claim" for text in sentences(300)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, file, str(tmp_path / "out"), when], check=False
    )
    assert killed.returncode == -9
    assert not (tmp_path / "out").exists()
    (leftover,) = (path for path in tmp_path.iterdir() if path.name != "mine.csv")
    assert leftover.name.startswith(".out.")
    report = build(settings({"files": [file]}), tmp_path / "out")
    assert sum(report.rows.values()) == 300
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "out"]
    if when == "writing":
        subprocess.run(
            [sys.executable, "-c", KILLED, file, str(tmp_path / "out"), when], check=False
        )
        # The earlier dataset is still there.
        assert len(load_records(tmp_path / "out", "train")) == report.rows["train"]


def test_teachers_are_never_ignored_silently(tmp_path):
    file = table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])
    config = settings(
        {"files": [file]},
        teachers=[{"model": "small", "corpora": ["good"], "tasks": ["claim"]}],
    )
    with pytest.raises(ValueError, match="build_configured_dataset"):
        build(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()
