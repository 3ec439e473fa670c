"""Test tagging with a model of some tasks: a note names them, and tables lack the columns of other tasks."""

import json
import shutil
from pathlib import Path

import pytest

from claimstance.model.config import ModelConfig
from helpers.program import TEXT, table, write
from helpers.tiny import exported

POSITION_COLUMNS = ["doc_id", "index", "start", "end", "text"]


@pytest.fixture
def model(tiny_encoder, workdir):
    """Return a function that makes the folder of a model of some tasks, trained on some topics."""

    def make(*tasks, topics=()):
        import hashlib

        shutil.copytree(exported(tiny_encoder, tasks), "own")
        config = ModelConfig.load(Path("own"))
        config.topics = topics
        config.save(Path("own"))
        manifest = json.loads(Path("own/manifest.json").read_bytes())
        digest = hashlib.sha256(Path("own/config.json").read_bytes()).hexdigest()
        manifest["files"]["config.json"] = digest
        Path("own/manifest.json").write_text(json.dumps(manifest))
        write("a.txt", TEXT)
        return "own"

    return make


@pytest.mark.parametrize(
    ("tasks", "columns"),
    [
        (("claim",), ["claim", "claim_probability"]),
        (("subjective",), ["subjective_probability"]),
        (("entity",), ["entities"]),
    ],
)
def test_a_table_has_the_columns_of_the_model(run, model, tasks, columns):
    own = model(*tasks)
    done = run("tag", "a.txt", "--model", own, "--out", "tagged.csv")
    assert (done.code, done.messages) == (
        0,
        [
            f"note: the model random predicts only {tasks[0]}: the rows are sentences, without the "
            "columns of other tasks"
        ],
    )
    rows = table(Path("tagged.csv").read_text(encoding="utf-8"))
    assert [name for name in rows[0] if not name.startswith("meta")] == POSITION_COLUMNS + columns
    assert len(rows) == 3


def test_parts_of_a_long_run_have_the_columns_of_the_model(run, model):
    done = run("tag", "a.txt", "--model", model("claim"), "--out", "parts", "--format", "csv")
    assert done.code == 0
    [path] = Path("parts").glob("part-*.csv")
    [row, *_] = table(path.read_text(encoding="utf-8"))
    assert [name for name in row if not name.startswith("meta")] == [
        *POSITION_COLUMNS,
        "claim",
        "claim_probability",
    ]


def test_a_model_of_stances_alone_writes_rows_of_stances(run, model):
    own = model("stance", topics=("the tax",))
    done = run("tag", "a.txt", "--model", own, "--out", "tagged.csv")
    assert done.code == 0
    tasks, topic = done.messages
    assert tasks.startswith("note: the model random predicts only stance: the rows are stances")
    assert topic.startswith(
        "note: no --target: the stance of each sentence is predicted on 'the tax', the only topic"
    )
    rows = table(Path("tagged.csv").read_text(encoding="utf-8"))
    assert [(row["sentence"], row["target"]) for row in rows] == [
        ("0", "the tax"),
        ("1", "the tax"),
        ("2", "the tax"),
    ]


def test_a_target_takes_the_place_of_the_topic(run, model):
    own = model("stance", topics=("the tax",))
    done = run("tag", "a.txt", "--model", own, "--target", "rain", "-f", "csv")
    assert {row["target"] for row in table(done.out)} == {"rain"}
    assert len(done.messages) == 1


def test_a_model_of_stances_can_write_rows_of_sentences(run, model):
    own = model("stance", topics=("the tax",))
    done = run("tag", "a.txt", "--model", own, "-f", "csv", "--rows", "sentences")
    assert [name for name in table(done.out)[0] if not name.startswith("meta")] == POSITION_COLUMNS


@pytest.mark.parametrize(("kind", "task"), [("attributions", "attribution"), ("stances", "stance")])
def test_rows_that_the_model_cannot_predict_are_refused(run, model, kind, task):
    done = run("tag", "a.txt", "--model", model("claim"), "--rows", kind, "--out", "tagged.csv")
    assert done.code == 2
    assert done.messages == [
        f"error: --rows {kind}: expected a model with the task {task}, found one that predicts only claim: "
        "use --rows sentences"
    ]
    assert not Path("tagged.csv").exists()


def test_json_output_has_no_note_on_columns(run, model):
    done = run("tag", "a.txt", "--model", model("claim"), "--out", "tagged.jsonl")
    assert (done.code, done.messages) == (0, [])
