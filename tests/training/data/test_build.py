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
from claimstance.training.data.building.sources import Part, Store
from claimstance.training.data.building.workers import Workers
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_labels, load_records, split_names

WORDS = ("bridge", "harbor", "mayor", "vote", "tax", "school", "river", "budget", "union", "plan", "storm", "wage")


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
        assert report.labels[name]["claim"]["no_claim"] == count / 4 == sum(r.claim == "no_claim" for r in records)
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report.model_dump(mode="json")
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
    records = [Record(id=str(i), doc_id=f"d{i // 6}", text=text, claim="claim") for i, text in enumerate(texts)]
    records += [Record(id=f"twin{i}", text=texts[i * 10].upper() + " !", claim="claim") for i in range(9)]
    build(settings({"files": [jsonl(tmp_path, "x.jsonl", records)]}), tmp_path / "out")
    splits = {name: load_records(tmp_path / "out", name) for name in ("train", "dev", "test")}
    places = {}
    for name, rows in splits.items():
        for record in rows:
            for key in (record.doc_id, text_key(record.text)):
                if key is not None:
                    assert places.setdefault(key, name) == name


def test_given_splits_are_kept_and_ids_made_unique(tmp_path):
    first = jsonl(tmp_path, "first.jsonl", [Record(id="1", doc_id="d", text="One.", claim="claim"),
                                            Record(id="2", text="Two.", claim="claim")])
    second = jsonl(tmp_path, "second.jsonl", [Record(id="1", doc_id="d", text="Three.", claim="no_claim")])
    build(settings({"files": [first], "split": "train"}, {"files": [second], "split": "test"}), tmp_path / "out")
    train, test = (load_records(tmp_path / "out", name) for name in ("train", "test"))
    assert [(r.id, r.doc_id, r.meta) for r in train] == [
        ("first:1", "first:d", {"corpus": "first"}), ("2", None, {"corpus": "first"})
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
    file = table(tmp_path, "mine.csv", [f"{text},{'pro' if i % 2 else 'con'}" for i, text in enumerate(sentences(20))])
    build(settings({"files": [file]}), tmp_path / "out")
    assert load_labels(tmp_path / "out")["claim"] == ("con", "pro")
    assert "labels of claim are those found: con, pro" in caplog.text
    build(settings({"files": [file]}, labels={"claim": ["pro", "con"]}), tmp_path / "set")
    assert load_labels(tmp_path / "set")["claim"] == ("pro", "con")
    with pytest.raises(InputError, match=r"mine.csv, line 2: claim: unknown label 'con'"):
        build(settings({"files": [file]}, labels={"claim": ["pro", "contra"]}), tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_lenient_drops_are_reported_once(tmp_path):
    file = table(tmp_path, "mine.csv", [*(f"{text},claim" for text in sentences(20)), ",claim", ",claim"])
    report = build(settings({"files": [file], "lenient": True}), tmp_path / "out")
    assert report.sources[0].dropped == {"expected a text": 2}


def test_target_folder_is_never_lost(tmp_path):
    good = settings({"files": [table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])]})
    bad = settings({"files": [table(tmp_path, "bad.csv", [",claim"])]})
    out = tmp_path / "deep" / "out"
    first = build(good, out)
    with pytest.raises(InputError, match="expected a new folder, found one that is there already"):
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
    rows = [{"id": i, "text": f"Sentence {i}.", "mood": "calm", "annotator": 2, "annotation_id": i} for i in range(3)]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    source = {"files": [str(tmp_path / "x.json")], "split": "train"}
    build(DataConfig.model_validate({"path": "x", "sources": [source]}), tmp_path / "out")
    assert "no row has a label" in caplog.text
    caplog.clear()
    build(DataConfig.model_validate({"path": "x", "sources": [source | {"roles": {"mood": "claim"}}]}), tmp_path / "o2")
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
    files = [jsonl(tmp_path, f"{name}.jsonl", [Record(id=f"{name}{i}", text=t, claim="claim")
                                              for i, t in enumerate(sentences(30, seed=number))])
             for number, name in enumerate("abc")]
    sources = [{"files": files[:1]}, {"files": files[1:2], "split": "test"}, {"files": files[2:]}]
    report = build(settings(*sources), tmp_path / "out")
    for name in report.rows:
        ids = [r.id for r in load_records(tmp_path / "out", name)]
        assert ids == sorted(ids, key=lambda i: ("bac".index(i[0]), int(i[1:])))  # what has a split comes first


def test_any_number_of_processes_builds_the_same(tmp_path, monkeypatch):
    records = [Record(id=str(i), doc_id=f"d{i // 7}", text=text, claim="claim", annotator=f"a{i % 2}", stances=[
        Stance(target=WORDS[i % 12], label="favor", probabilities={"favor": 0.75, "against": 0.25})])
        for i, text in enumerate(sentences(2500))]
    config = settings({"files": [jsonl(tmp_path, "x.jsonl", records)]})
    alone = build(config, tmp_path / "alone")
    monkeypatch.setattr("claimstance.training.data.building.workers.INLINE", 500)
    monkeypatch.setattr("claimstance.training.data.building.workers.available", lambda: 2)
    seen = []
    assert build(config, tmp_path / "together", seen.append) == alone
    assert sum(seen) == 2500
    assert alone.soft == {"stance": alone.rows["train"]}
    for name in alone.rows:
        assert load_records(tmp_path / "alone", name) == load_records(tmp_path / "together", name)


def test_labels_of_a_corpus_are_checked_against_the_configured_ones(tmp_path):
    folder = tmp_path / "corpora/dse/dataset"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text("[Holm] met [Noren].\tHolm\tNoren\t0\n[Holm] met [Noren].\tHolm\tNoren\t3\n")
    source = {"corpus": "dse", "splits": {"train": "train"}}
    config = settings(source, corpora=tmp_path / "corpora", labels={"stance": ["neutral", "pro"]})
    with pytest.raises(InputError, match=r"^train: dse:train:2: stances\[0\]\.label: unknown label 'against'"):
        build(config, tmp_path / "out")


def test_labels_are_checked_in_probabilities_too(tmp_path):
    rows = [Record(id=str(i), text=f"Text {i}.", stances=[Stance(target="t", probabilities={"favour": 1.0})])
            for i in range(3)]
    source = {"files": [jsonl(tmp_path, "x.jsonl", rows)], "split": "train"}
    build(settings(source, labels={"stance": ["a", "favour"]}), tmp_path / "good")
    with Workers(1) as workers:
        store = Store(tmp_path / "spool", workers, None)
        store.add(store.batches(rows, part := Part("x", "x.json", None, 0, 0, count=3)))
        with pytest.raises(InputError, match=r"^x\.json: 0: stances\[0\]\.probabilities: unknown label 'favour'"):
            check_rows(store, [part], DEFAULT_LABELS)
        store.spool.close()


def test_half_a_character_is_told_with_its_row():
    part = Part("x", "x.json", None, 0, 0)
    with pytest.raises(InputError, match=r"x\.json: '7': expected Unicode text, found half of a surrogate pair"):
        list(Store.batches(SimpleNamespace(near=0.8, _with_names=False), [Record.model_construct(
            **Record(id="7", text="").model_dump() | {"text": "\ud83d"})], part))


def test_a_codebook_is_checked_and_kept(tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text("labels:\n  claim: {claim: Somebody says so., no_claim: Nobody does.}\n"
                    "targets: {the bridge: It.}\n")
    rows = [Record(id=str(i), text=t, claim="claim", stances=[Stance(target="the brigde", label="favor")])
            for i, t in enumerate(sentences(9))]
    config = settings({"files": [jsonl(tmp_path, "x.jsonl", rows)]}, codebook=book)
    report = build(config, tmp_path / "out")
    assert report.codebook["labels"]["claim"]["claim"]["definition"] == "Somebody says so."
    assert any("labels.claim.no_claim" in warning for warning in report.codebook_warnings)
    assert any("the brigde" in warning for warning in report.codebook_warnings)
    book.write_text("labels:\n  claim: {pro: For it., con: Against it.}\n")
    with pytest.raises(InputError, match=r"labels\.claim: unknown label 'claim'"):
        build(config, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


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
    killed = subprocess.run([sys.executable, "-c", KILLED, file, str(tmp_path / "out"), when], check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "out").exists()
    (left,) = (path for path in tmp_path.iterdir() if path.name != "mine.csv")
    assert left.name.startswith(".out.")
    report = build(settings({"files": [file]}), tmp_path / "out")
    assert sum(report.rows.values()) == 300
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "out"]
    if when == "writing":
        subprocess.run([sys.executable, "-c", KILLED, file, str(tmp_path / "out"), when], check=False)
        assert len(load_records(tmp_path / "out", "train")) == report.rows["train"]  # what was there is there


def test_teachers_are_never_passed_over_silently(tmp_path):
    file = table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])
    config = settings(
        {"files": [file]},
        teachers=[{"model": "bundled", "corpora": ["good"], "tasks": ["claim"]}],
    )
    with pytest.raises(ValueError, match="build_and_teach"):
        build(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()
