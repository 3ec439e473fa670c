import json
import random
from collections import Counter

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Attribution, Entity, Record, Stance, write_jsonl
from claimstance.training.build import build
from claimstance.training.config import DataConfig
from claimstance.training.dataset import load_labels, load_records, save, split_names
from claimstance.training.groups import unite
from claimstance.training.report import overlaps
from claimstance.training.splits import divide, text_key

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


def test_divide_is_stratified_and_fills_every_split():
    rows = [Record(id=str(i), doc_id=f"d{i // 5}", text=f"t{i}", claim="claim" if i % 50 < 5 else "no_claim")
            for i in range(500)]
    chosen = divide(rows, {"train": 0.8, "dev": 0.1, "test": 0.1}, 3)
    rare = Counter(split for row, split in zip(rows, chosen, strict=True) if row.claim == "claim")
    assert Counter(chosen) == {"train": 400, "dev": 50, "test": 50}
    assert rare == {"train": 40, "dev": 5, "test": 5}
    few = [Record(id=str(i), doc_id=f"d{i // 30}", text=f"t{i}") for i in range(90)]
    assert Counter(divide(few, {"train": 0.8, "dev": 0.1, "test": 0.1}, 3)) == {"train": 30, "dev": 30, "test": 30}
    assert set(divide(few, {"train": 0.5, "dev": 0.5, "test": 0.0}, 3)) == {"train", "dev"}
    with pytest.raises(InputError, match="expected at least 3 documents"):
        divide(few[:60], {"train": 0.8, "dev": 0.1, "test": 0.1}, 3)


def test_unite_joins_through_others():
    assert unite([("a", 1), ("b", 2), ("c", 1), ("c", 2), ("d", "a")]) == [0, 0, 0, 0, 4]


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
    def fail(splits, labels, folder):
        folder.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("claimstance.training.build.save", fail)
    file = table(tmp_path, "good.csv", [f"{text},claim" for text in sentences(9)])
    with pytest.raises(InputError, match="No space left on device"):
        build(settings({"files": [file]}), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


def test_no_sources(tmp_path):
    with pytest.raises(ConfigError, match="expected at least one corpus or file"):
        build(settings(), tmp_path / "out")


def test_overlaps_between_splits():
    train = [Record(id="a", text="The mayor of the town said the new bridge is safe for all of us to cross today."),
             Record(id="b", text="Rain."), Record(id="c", text="An unrelated sentence about the price of bread.")]
    test = [Record(id="x", text="The mayor of the town said the new bridge is safe for all of us to cross, now."),
            Record(id="y", text="RAIN!"), Record(id="z", text="rain"), Record(id="w", text="The court met today.")]
    (found,) = overlaps({"train": train, "test": test})
    assert (found.first, found.second, found.exact, found.near) == ("train", "test", 2, 1)
    # 16 shingles in each, of which 15 are in both: 15 / 17
    assert found.examples == [("x", "a", 0.882)]
