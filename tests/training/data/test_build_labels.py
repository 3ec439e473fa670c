"""Test the label sets of a built dataset, and warnings about its labels."""

import json

import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Stance
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_labels
from helpers.data.builds import SHORT, jsonl, sentences, settings, table


def test_labels_of_the_data_are_sorted_and_configured_labels_are_checked(tmp_path, caplog):
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


def test_rows_without_any_label_are_reported(tmp_path, caplog):
    rows = [
        {"id": i, "text": f"Sentence {i}.", "mood": "calm", "annotator": 2, "annotation_id": i}
        for i in range(3)
    ]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    source = {"files": [str(tmp_path / "x.json")], "split": "train"}
    build(DataConfig.model_validate({"path": "x", "sources": [source]}), tmp_path / "out")
    assert "no labels found" in caplog.text
    caplog.clear()
    build(
        DataConfig.model_validate(
            {"path": "x", "sources": [source | {"roles": {"mood": "claim"}}]}
        ),
        tmp_path / "o2",
    )
    assert "no labels found" not in caplog.text


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


def test_configured_labels_may_occur_in_probabilities_only(tmp_path):
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


def test_labels_are_checked_in_the_probabilities_of_a_corpus(tmp_path):
    workers = [f"worker_{number}" for number in range(8)]
    cells = {
        **{"sent_id": "2_t0", "sentence": "Our winters are mild.", "guid": "2_t0"},
        **dict.fromkeys(workers, "agrees"),
        **{"disagree": "", "neutral": "", "agree": "", "in_held_out_test": "True"},
    }
    file = tmp_path / "gwsd/GWSD.tsv"
    file.parent.mkdir()
    file.write_text("\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n")
    source = {"corpus": "gwsd", "splits": {"test": "test"}}
    # The label of the stance is in the set, but a label of its probabilities is not.
    labels = {"stance": ["against", "favor"]}
    message = r"^test: gwsd:2_t0: stances\[0\]\.probabilities: unknown label 'neutral'"
    with pytest.raises(InputError, match=message):
        build(settings(source, corpora=tmp_path, labels=labels), tmp_path / "bad")


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


def test_a_single_label_is_reported(tmp_path, caplog):
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


def test_a_label_that_train_lacks_is_reported(tmp_path, caplog):
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


def test_spellings_of_one_label_are_reported_with_the_option_that_unites_them(tmp_path, caplog):
    labels = ["alarmed"] * 6 + ["ALARMED"] * 3 + [" calm"] * 5 + ["Alarmed"]
    file = table(
        tmp_path,
        "mine.csv",
        [f"{text},{label}" for text, label in zip(sentences(15), labels, strict=True)],
    )
    build(settings({"files": [file]}), tmp_path / "out")
    assert (
        "claim: labels 'alarmed' (6 times) and 'ALARMED' (3 times) and 'Alarmed' (1 time) differ in case or blanks "
        "alone; --value ALARMED=alarmed --value Alarmed=alarmed merges them"
    ) in caplog.text
    caplog.clear()
    values = {"ALARMED": "alarmed", "Alarmed": "alarmed"}
    build(settings({"files": [file], "values": values}), tmp_path / "united")
    assert "differ in case" not in caplog.text
    assert load_labels(tmp_path / "united")["claim"] == ("alarmed", "calm")


def test_blank_labels_are_reported_once_with_the_first_rows(tmp_path, caplog):
    rows = [f"{text},{'claim' if i % 2 else '  '}" for i, text in enumerate(sentences(40))]
    file = table(tmp_path, "mine.csv", rows)
    build(settings({"files": [file]}), tmp_path / "out")
    message = "found none in 20 rows (line 2, line 4, line 6, line 8, line 10, …), which count as not annotated"
    assert caplog.text.count(message) == caplog.text.count("expected a label") == 1
    report = build(settings({"files": [file], "values": {"": "no_claim"}}), tmp_path / "named")
    assert report.labels["train"]["claim"] == {"claim": 16, "no_claim": 16}
