import json
import random
import subprocess
import sys
from types import SimpleNamespace

import datasets
import numpy as np
import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Attribution, Entity, Record, Stance, write_jsonl
from claimstance.training.build import _check_labels as check_rows
from claimstance.training.build import build
from claimstance.training.data_config import DataConfig
from claimstance.training.dataset import load_labels, load_records, save, split_names
from claimstance.training.soft import load_soft
from claimstance.training.sources import Part, Store
from claimstance.training.splits import text_key
from claimstance.training.workers import Workers

RICH = [
    Record(id="bare", text="Rain fell."),
    Record(
        id="full", doc_id="d", start=7, text="Holm says Noren lies.", claim="claim", check_worthy="yes",
        attributions=[
            Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 15), (16, 20)], event="E1"),
            Attribution(content=[(10, 20)]),
        ],
        entities=[Entity(span=[(0, 4)], label="PERSON")],
        stances=[
            Stance(holder=[(0, 4)], target=[(10, 15)], label="against"),
            Stance(holder="Ida Holm", target="the bridge", label="favor"),
            Stance(holder=None, target="", label=None),
        ],
        annotator="anna", meta={"corpus": "mine", "nested": {"é": [1, None]}},
    ),
    Record(id="none", text="Sun shone.", claim="no_claim", attributions=[], entities=[], stances=[]),
]
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


def test_records_come_back_as_they_were(tmp_path):
    save({"train": RICH, "test": RICH[:1]}, {}, tmp_path / "d")
    assert load_records(tmp_path / "d", "train") == RICH  # null lists, empty lists, spans and names among them
    assert load_records(tmp_path / "d", "test") == RICH[:1]
    assert split_names(tmp_path / "d") == ["train", "test"]


def test_labels_are_typed_and_come_back(tmp_path):
    own = {"claim": ("con", "pro", "unclear")}
    save({"train": [Record(id="1", text="a", claim="unclear")]}, own, tmp_path / "d")
    assert load_labels(tmp_path / "d")["claim"] == own["claim"]
    assert load_labels(tmp_path / "d")["stance"] == ("against", "neutral", "favor")
    assert load_records(tmp_path / "d", "train")[0].claim == "unclear"


def test_loading_says_what_is_missing(tmp_path):
    save({"train": RICH}, {}, tmp_path / "d")
    with pytest.raises(InputError, match="unknown split 'tets'"):
        load_records(tmp_path / "d", "tets")
    with pytest.raises(InputError, match=r"expected a folder that `build` wrote, found no dataset_dict\.json"):
        load_records(tmp_path, "train")
    (tmp_path / "d" / "train" / "state.json").unlink()
    with pytest.raises(InputError, match="found a damaged one"):
        load_labels(tmp_path / "d")


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

    monkeypatch.setattr("claimstance.training.build.save_soft", fail)
    file = table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])
    with pytest.raises(InputError, match="No space left on device"):
        build(settings({"files": [file]}), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


def test_no_sources(tmp_path):
    with pytest.raises(ConfigError, match="expected at least one corpus or file"):
        build(settings(), tmp_path / "out")


def annotated(folder, name, annotator, *rows, **more):
    """A file of one annotator: of each row the id, the text and the label."""
    records = [Record(id=key, text=text, claim=label, annotator=annotator, **more) for key, text, label in rows]
    return jsonl(folder, f"{name}.jsonl", records)


def test_annotators_of_one_sentence_become_one_row(tmp_path):
    rows = [(str(i), f"Sentence {i}.", "claim" if i % 2 else "no_claim") for i in range(12)]
    turned = [(f"b{key}", text, "no_claim" if i == 3 else label) for i, (key, text, label) in enumerate(rows)]
    third = [(key, text, "claim") for key, text, _ in rows[3:5]]
    files = [annotated(tmp_path, "anna", "anna", *rows), annotated(tmp_path, "ben", "ben", *reversed(turned[:10])),
             annotated(tmp_path, "cleo", "cleo", *third)]
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
        ("anna", 12, 12), ("ben", 10, 0), ("cleo", 2, 0)]
    (agreement,) = report.agreement.values()
    assert list(report.agreement) == ["anna"]
    assert (agreement.items, agreement.single) == (10, 2)
    assert agreement.annotators == {"anna": 12, "ben": 10, "cleo": 2}
    assert report.soft == {}


def test_a_file_with_several_annotators_and_a_tie(tmp_path):
    rows = [Record(id=str(i), doc_id="d", start=10 * i, text=f"Sentence {i}.", claim="claim", annotator=name)
            for name in ("anna", "ben") for i in range(3)]
    rows[5].claim = "no_claim"
    report = build(settings({"files": [jsonl(tmp_path, "x.jsonl", rows)], "split": "train"}), tmp_path / "out")
    found = load_records(tmp_path / "out", "train")
    assert [(r.id, r.doc_id, r.claim) for r in found] == [("0", "d", "claim"), ("1", "d", "claim"), ("2", "d", None)]
    assert report.sources[0].ties == {"claim": 1}
    assert report.labels == {"train": {"claim": {"claim": 2}}}


def test_an_adjudicators_word_counts(tmp_path):
    files = [annotated(tmp_path, name, name, ("1", "One.", label), ("2", "Two.", label))
             for name, label in (("anna", "claim"), ("ben", "claim"), ("cleo", "no_claim"))]
    files.append(annotated(tmp_path, "dora", "dora", ("9", "Two.", "claim")))
    more = {"adjudicate": "adjudicator", "adjudicator": "cleo"}
    build(settings({"files": files, "split": "train"}, **more), tmp_path / "out")
    found = load_records(tmp_path / "out", "train")
    assert [(r.id, r.claim) for r in found] == [("1", "no_claim"), ("2", "no_claim")]


def test_how_annotators_divide_becomes_soft_labels_of_train_rows(tmp_path, monkeypatch):
    files = [annotated(tmp_path, name, name, ("1", "One.", one), ("2", "Two.", "claim"))
             for name, one in (("anna", "claim"), ("ben", "claim"), ("cleo", "claim"), ("dora", "no_claim"))]
    tested = [annotated(tmp_path, f"t{name}", name, ("3", "Three.", "claim")) for name in ("anna", "ben")]
    sources = [{"files": files, "split": "train"}, {"files": tested, "split": "test"}]
    report = build(settings(*sources, adjudicate="soft"), tmp_path / "out")
    soft = load_soft(tmp_path / "out")
    assert {name: {task: said.tolist() for task, said in tasks.items()} for name, tasks in soft.items()} == {
        "1": {"claim": [0.25, 0.75]}, "2": {"claim": [0.0, 1.0]}}
    assert report.soft == {"claim": 2}
    said = {"1": {"claim": np.array([0.75, 0.25], np.float32), "check_worthy": np.array([1, 0], np.float32)}}
    monkeypatch.setattr("claimstance.training.build._teach", lambda *_: said)
    taught = build(settings(*sources, adjudicate="soft"), tmp_path / "taught")
    assert load_soft(tmp_path / "taught")["1"]["claim"].tolist() == [0.5, 0.5]  # the mean
    assert taught.soft == {"check_worthy": 1, "claim": 2}
    assert taught.fingerprint != report.fingerprint
    assert taught.fingerprints == report.fingerprints


def test_what_is_not_several_annotators_stays_as_it_is(tmp_path):
    same = [("1", "One.", "claim"), ("2", "One.", "claim"), ("3", "One.", "no_claim")]
    unnamed = jsonl(tmp_path, "unnamed.jsonl", [Record(id=f"u{i}", text="One.", claim="claim") for i in range(2)])
    other = annotated(tmp_path, "ben", "ben", ("b", "One.", "no_claim"))
    asked = [Record(id=f"{name}{target}", text="Two.", annotator=name, stances=[Stance(target=target, label="favor")])
             for name, target in (("anna", "tax"), ("ben", "rain"))]  # other questions about the same text
    report = build(settings(
        {"files": [annotated(tmp_path, "anna", "anna", *same)], "split": "train"},
        {"files": [unnamed], "split": "train"},
        {"files": [other], "split": "train"},
        {"files": [jsonl(tmp_path, "asked.jsonl", asked)], "split": "train"},
    ), tmp_path / "out")
    found = load_records(tmp_path / "out", "train")
    assert [r.id for r in found] == ["1", "2", "3", "u0", "u1", "b", "annatax", "benrain"]
    assert report.agreement == {}
    assert [source.ties for source in report.sources] == [{}] * 4


def test_a_sentence_that_each_annotator_has_twice_is_two_items(tmp_path):
    rows = [("1", "One.", "claim"), ("2", "One.", "no_claim")]
    files = [annotated(tmp_path, name, name, *rows) for name in ("anna", "ben")]
    build(settings({"files": files, "split": "train"}), tmp_path / "out")
    assert [(r.id, r.claim) for r in load_records(tmp_path / "out", "train")] == [("1", "claim"), ("2", "no_claim")]


def test_files_of_one_source_annotate_the_same_documents(tmp_path):
    def rows(name, starts):
        return [Record(id=f"{name}{i}", doc_id="d", start=i, text=f"Sentence {i}.", claim="claim", annotator=name)
                for i in starts]

    files = [jsonl(tmp_path, f"{name}.jsonl", rows(name, starts))
             for name, starts in (("anna", range(4)), ("ben", range(2, 6)))]
    other = jsonl(tmp_path, "other.jsonl", rows("carl", range(2)))
    build(settings({"files": files, "split": "train"}, {"files": [other], "split": "test"}), tmp_path / "out")
    train, test = (load_records(tmp_path / "out", name) for name in ("train", "test"))
    assert [(r.id, r.doc_id) for r in train] == [
        ("anna0", "anna:d"), ("anna1", "anna:d"), ("anna2", "anna:d"), ("anna3", "anna:d"), ("ben4", "anna:d"),
        ("ben5", "anna:d")]
    assert {r.doc_id for r in test} == {"other:d"}


def test_one_id_for_two_texts_is_an_error(tmp_path):
    rows = [Record(id="1", text=text, claim="claim", annotator=name) for name, text in (("anna", "A."), ("ben", "B."))]
    with pytest.raises(InputError, match="expected the text of 1, found another"):
        build(settings({"files": [jsonl(tmp_path, "x.jsonl", rows)]}), tmp_path / "out")


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
    monkeypatch.setattr("claimstance.training.workers.INLINE", 500)
    monkeypatch.setattr("claimstance.training.workers.available", lambda: 2)
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
        list(Store.batches(SimpleNamespace(near=0.8), [Record.model_construct(
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


def test_the_dataset_is_one_of_the_library(tmp_path):
    file = table(tmp_path, "x.csv", [f"{text},claim" for text in sentences(30)])
    build(settings({"files": [file]}), tmp_path / "out")
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 24, "dev": 3, "test": 3}
    assert loaded["train"].features["claim"].int2str(loaded["train"][0]["claim"]) == "claim"
    assert len({rows._fingerprint for rows in loaded.values()}) == 3
    assert loaded["train"].filter(lambda row: "bridge" in row["text"]).num_rows > 0


KILLED = """
import os, signal, sys
import claimstance.training.build as building
from claimstance.training.data_config import DataConfig

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
