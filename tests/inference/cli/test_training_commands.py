"""Test the command line from annotated rows over a trained model to tagged articles."""

import csv
import json
import os
import random
import re
import sys
from pathlib import Path

import pytest

from claimstance.model.config import ModelConfig
from claimstance.model.labels import DEFAULT_LABELS
from helpers.program import OWN_LABELS, TEXT, articles, table, write


def label_rows(count, **columns):
    """Yield rows of invented sentences in which one word reveals the label."""
    rng = random.Random(7)
    cues = {"boast": "proudly", "pledge": "surely", "menace": "grimly"}
    for number in range(count):
        label = list(cues)[number % 3]
        words = " ".join(
            rng.choices(("Amsel", "harbor", "ferries", "council", "tax", "ships"), k=5)
        )
        yield {"text": f"{words} {cues[label]} {number}.", "label": label, **columns}


def write_csv(name, rows):
    rows = list(rows)
    with Path(name).open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def train(run, encoder, *overrides):
    done = run(
        "train",
        OWN_LABELS,
        "data.path=data",
        "output=own",
        f"model.encoder={encoder}",
        "model.max_tokens=64",
        "training.epochs=1",
        "training.threads=1",
        *overrides,
    )
    assert done.code == 0
    assert done.out.endswith(
        "own: trained and exported. Next: claimstance evaluate own --data data\n"
    )
    assert "macro-F1 on dev" in done.out
    return done.messages


def check_pages_and_figures(run, evaluation):
    """Check that `evaluate` and `compare` write one file, or all on standard output, instead of a folder."""
    page = Path("scores/evaluation.html").read_text(encoding="utf-8")
    written = run("evaluate", "own", "--data", "data", "--out", "page.html")
    assert (written.code, Path("page.html").read_text(encoding="utf-8")) == (0, page)
    assert re.search(r">majority</th>.*>words</th>.*>embeddings</th>", page)
    assert "macro_f1" in written.out  # the table is printed as well
    printed = run("evaluate", "own", "--data", "data", "--format", "html")
    assert (printed.code, printed.out) == (0, page)
    assert (
        json.loads(run("evaluate", "own", "--data", "data", "--format", "json").out) == evaluation
    )
    compared = run("compare", "scores", "scores", "--out", "c.html")
    assert (compared.code, compared.messages) == (0, [])
    comparison = Path("c.html").read_text(encoding="utf-8")
    assert "alone is right 0 times" in comparison.replace("</b>", "")
    assert run("compare", "scores", "scores", "--format", "html").out == comparison
    assert json.loads(run("compare", "scores", "scores", "--format", "json").out)["tests"] == 1
    refused = run("evaluate", "own", "--data", "data", "--format", "html", "--out", "x.json")
    assert (refused.code, refused.messages) == (
        2,
        [
            "error: --out: expected a name ending in .html, or a folder, for --format html, found 'x.json'"
        ],
    )
    assert not Path("x.json").exists()


@pytest.mark.slow
def test_own_labels_are_trained_from_a_table_and_tagged(run, tiny_encoder):
    write_csv("labelled.csv", label_rows(200))
    built = run("build", "labelled.csv", "--out", "data")
    assert built.code == 0
    assert built.messages == [
        "warning: labels of claim are those of the data: boast, menace, pledge (not no_claim, claim)"
    ]
    assert "boast" in built.out
    assert json.loads(Path("data/report.json").read_bytes())["rows"] == {
        "train": 160,
        "dev": 20,
        "test": 20,
    }
    # After one epoch on random weights, a baseline of words separates these labels better.
    [message] = train(run, tiny_encoder)
    assert message.startswith(
        "warning: dev, labelled/claim: the model is not better than a logistic regression on words: "
    )
    scored = run("evaluate", "own", "--data", "data", "--out", "scores")
    assert (scored.code, len(scored.messages)) == (0, 1)
    assert scored.messages[0].startswith("warning: test, labelled/claim: the model is not better")
    assert "macro_f1" in scored.out
    assert re.search(r"majority .* words .* embeddings", scored.out)
    evaluation = json.loads(Path("scores/evaluation.json").read_bytes())
    assert list(evaluation["baselines"]) == ["majority", "words", "embeddings"]
    words = evaluation["baselines"]["words"]["labelled/claim"]
    assert words["macro_f1"]["value"] > evaluation["results"]["labelled/claim"]["macro_f1"]["value"]
    assert list(evaluation["results"]) == ["labelled/claim"]
    assert evaluation["model"]["name"] == "own-labels"
    assert sorted(os.listdir("scores")) == [  # noqa: PTH208
        "cases.jsonl",
        "evaluation.html",
        "evaluation.json",
        "outcomes.jsonl",
    ]
    compared = run("compare", "scores", "scores", "--metric", "accuracy", "--out", "c.json")
    assert (compared.code, compared.messages) == (0, [])
    assert re.search(r"labelled .* claim .* accuracy .* \+0\.0 .* 1\.0000", compared.out)
    (row,) = json.loads(Path("c.json").read_bytes())["rows"]
    assert (row["a"], row["p"]) == (evaluation["results"]["labelled/claim"]["accuracy"]["value"], 1)
    check_pages_and_figures(run, evaluation)
    wrong = run("compare", "scores", "scores", "--metric", "acuracy")
    assert (wrong.code, wrong.out) == (2, "")
    assert "unknown metric 'acuracy'. Did you mean 'accuracy'?" in wrong.messages[0]
    write("a.txt", TEXT)
    tagged = run("tag", "a.txt", "--model", "own", "--format", "csv")
    assert {row["claim"] for row in table(tagged.out)} <= {"boast", "menace", "pledge"}
    (article,) = articles(run("tag", "a.txt", "--model", "own").out)
    for sentence in article["sentences"]:
        assert list(sentence["claim"]["probabilities"]) == ["boast", "menace", "pledge"]
        for name in ("check_worthy", "attributions", "entities"):
            assert sentence[name] is None
        assert sentence["stances"] == []
    repeated = run("train", OWN_LABELS, "data.path=data", "output=own")
    assert (repeated.code, repeated.messages) == (
        2,
        ["error: output: expected a new folder, found a trained model in own"],
    )


@pytest.mark.slow
def test_training_on_one_topic_records_it(run, tiny_encoder):
    write_csv("labelled.csv", label_rows(60, target="Harbor tax"))
    assert run("build", "labelled.csv", "--out", "data").code == 0
    messages = train(run, tiny_encoder)
    assert (
        "warning: every stance in train is toward 'Harbor tax': the model has seen no other target, and its "
        "stances toward others mean nothing"
    ) in messages
    config = ModelConfig.load(Path("own"))
    assert config.topics == ("Harbor tax",)
    card = Path("own/README.md").read_text(encoding="utf-8")
    assert "Every stance in training was toward *Harbor tax*" in card
    assert "| majority | words | embeddings |" in card
    report = json.loads(Path("own/training.json").read_bytes())
    assert report["started_from"] is None  # the bundled model has another encoder
    assert set(report["train_labels"]["stance"]) == {"boast", "menace", "pledge"}
    write("a.txt", TEXT)
    tagged = run("tag", "a.txt", "--model", "own", "--format", "csv")
    assert [row["target"] for row in table(tagged.out)] == ["Harbor tax"] * 3


def split_rows(**labels):
    """Yield rows with a column that names their split, and with the labels of that split."""
    for split, names in labels.items():
        for number in range(12):
            label = names[number % len(names)]
            yield {"text": f"{split} {label} says it {number}.", "label": label, "split": split}


def test_training_needs_two_labels(run, tiny_encoder):
    write_csv("one.csv", split_rows(train=["favor"], dev=["favor"], test=["favor", "against"]))
    assert run("build", "one.csv", "--target", "tax", "--out", "data").code == 0
    done = run(
        "train", OWN_LABELS, "data.path=data", "output=own", f"model.encoder={tiny_encoder}",
        "model.max_tokens=64",
    )  # fmt: skip
    assert (done.code, done.out) == (1, "")
    assert done.messages[-1] == (
        "error: stance: one label only in train: nothing to learn; expected two or more, found 'favor' 12 times "
        "(or other model.tasks)"
    )
    assert not Path("own/manifest.json").exists()


@pytest.mark.slow
def test_warnings_name_labels_missing_from_train(run, tiny_encoder):
    two, three = ["favor", "against"], ["favor", "against", "neutral"]
    write_csv("labelled.csv", split_rows(train=two, dev=two, test=three))
    assert run("build", "labelled.csv", "--target", "tax", "--out", "data").code == 0
    warning = (
        "stance: test has the label 'neutral' (4 times), train has none: no model can learn it"
    )
    assert f"warning: data: {warning}" in train(run, tiny_encoder)
    assert f"warning: data: {warning}" in run("evaluate", "own", "--data", "data").messages
    on_dev = run("evaluate", "own", "--data", "data", "--split", "dev").messages
    assert [line for line in on_dev if "neutral" in line] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "options"), [({"target": "tax"}, []), ({}, ["--target", "tax"])]
)
def test_targets_come_from_a_column_or_an_option(run, tiny_encoder, monkeypatch, columns, options):
    write_csv("labelled.csv", label_rows(60, **columns))
    assert run("build", "labelled.csv", *options, "--out", "data").code == 0
    with monkeypatch.context() as terminal:
        terminal.setattr(sys.stderr, "isatty", lambda: True)
        # A terminal shows progress, which is not part of the results.
        assert any("loss" in line for line in train(run, tiny_encoder))
    assert ModelConfig.load(Path("own")).tasks == ("stance",)
    write("a.txt", TEXT)
    stances = table(
        run("tag", "a.txt", "--model", "own", "-t", "tax", "-f", "csv", "--rows", "stances").out
    )
    assert [row["target"] for row in stances] == ["tax"] * 3
    assert {row["label"] for row in stances} <= {"boast", "menace", "pledge"}


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_training_logs_its_progress(make_config, splits, tmp_path, caplog):
    from claimstance.training.fine_tuning.train import train as fine_tune

    caplog.set_level("INFO", "claimstance")
    # Small batches make enough steps for an estimate of the whole time.
    settings = {"epochs": 1, "tokens_per_batch": 96, "evaluations_per_epoch": 0}
    config = make_config(tmp_path / "model", **settings)
    fine_tune(config, {"train": splits["train"]}, DEFAULT_LABELS)
    steps = json.loads((config.output / "training.json").read_bytes())["steps"]
    progress = [message for message in caplog.messages if message.startswith("step ")]
    assert re.fullmatch(rf"step {steps} of {steps}, loss \d+\.\d{{3}}, 0 min left", progress[-1])
    assert len(progress) > 5
    for message in progress:
        assert re.fullmatch(rf"step \d+ of {steps}, loss \d+\.\d{{3}}, \d min left", message)
    estimates = [message for message in caplog.messages if "on this machine" in message]
    assert re.fullmatch(r"about \d+ min on this machine", *estimates)
