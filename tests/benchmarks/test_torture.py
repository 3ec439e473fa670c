"""Run ``make torture`` at short length."""

import json
import random
import signal
import sys
import time

import fine_tuning
import fuzz
import load
import page
import pytest
import tagging
import workers

from helpers.program import awaited, soon

ARTICLES = 30
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems"),
]


@pytest.fixture(scope="module")
def setting(model, tmp_path_factory):
    room = tmp_path_factory.mktemp("torture")
    made = tagging.Setting(
        room / "corpus.jsonl", room, ("--articles-per-part", "4", "--model", model)
    )
    tagging.write_corpus(made.corpus, ARTICLES, random.Random(1), lengths=3)
    made.undisturbed("jsonl")
    return made


@pytest.mark.parametrize(("name", "times"), [("kill", 3), ("part", 1), ("stop", 1), ("disk", 1)])
def test_faults_are_survived(setting, name, times, monkeypatch):
    monkeypatch.setattr(tagging, "FORMATS", ("jsonl",))
    (fault,) = (fault for fault in tagging.FAULTS if fault.name == name)
    short = tagging.Fault(name, fault.title, fault.strike, times, times)
    assert tagging.torture(setting, short, random.Random(5)) == (times, [])


def test_every_article_is_there_once(setting):
    parts = setting.undisturbed("jsonl")
    lines = b"".join(parts[name] for name in sorted(parts) if name.startswith("part-")).splitlines()
    assert [json.loads(line)["doc_id"] for line in lines] == [
        f"a{number}" for number in range(ARTICLES)
    ]


def test_a_second_signal_leaves_nothing_half_written(setting):
    run = tagging.Run(setting, setting.room / "twice", "jsonl")
    with run.start(2) as process:
        tagging.wait_for_lock(run, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    # The first signal may arrive before or after an article is tagged.
    assert "stopped by SIGINT " in said.splitlines()[-1]
    assert said.splitlines()[-1].endswith(f": the same command continues in '{run.out}'")
    assert [
        path.name for path in run.out.iterdir() if path.name.startswith((".part", ".manifest"))
    ] == []
    run.finish(1)
    run.check(is_complete=True)


# What is lost


def test_what_is_lost_is_told(setting, monkeypatch):
    def damage(run, rng):
        run.finish(1)
        (run.out / "part-00000.jsonl").write_bytes(b"{}\n")
        return True

    monkeypatch.setattr(tagging, "FORMATS", ("jsonl",))
    lossy = tagging.Fault("damage", "damaged", damage, 1, 1)
    survived, losses = tagging.torture(setting, lossy, random.Random(5))
    assert (survived, losses) == (0, ["jsonl: other bytes than undisturbed: part-00000.jsonl"])
    row = page.survived("damaged", survived, losses, "seed 5")
    assert "| damaged | 0 survived | 1 | ≥ 1 | **no** | seed 5; jsonl: other bytes" in page.render(
        page.figures({"tagging": page.part("", [row])})
    )


def test_the_page_is_rendered_from_the_figures():
    figures = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.render(figures)
    assert page.figures(page.read())["rows"] == figures["rows"]


# Training


@pytest.fixture(scope="module")
def training(tiny_encoder, tmp_path_factory):
    return fine_tuning.Training(
        tmp_path_factory.mktemp("training"),
        (
            f"model.encoder={tiny_encoder}",
            "model.max_tokens=64",
            "training.epochs=2",
            "training.evaluations_per_epoch=4",
            "training.patience=7",
            "training.threads=1",
            "training.tokens_per_batch=256",
        ),
    )


def test_killed_training_ends_in_the_same_weights(training):
    with training.start("a") as process:
        soon(lambda: [*training._room.glob("a/checkpoints/*/trainer_state.json")], seconds=120)
        process.kill()
        process.communicate()
    training.killed("a", training.seconds * random.Random(3).uniform(0.5, 0.9))
    training.check("a")


def test_training_that_ended_elsewhere_is_told(training, monkeypatch):
    monkeypatch.setitem(training._expected, "reader.onnx", "of another run")
    with pytest.raises(page.LostError, match=r"other bytes than undisturbed: reader\.onnx$"):
        training.check("a")


# Workers


def test_killed_workers_lose_nothing(model, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="needs the extra scale")
    monkeypatch.setattr(workers, "KILLS", 2)
    tagging.write_corpus(tmp_path / "c.jsonl", 120, random.Random(2), lengths=3)
    options = ("--model", model)
    expected = workers.files(
        tmp_path / "alone", workers.tag(tmp_path / "c.jsonl", tmp_path / "alone", *options)
    )
    struck, lost = workers.killed(
        tmp_path / "c.jsonl", tmp_path / "killed", expected, 2.0, random.Random(2), *options
    )
    assert (struck > 0, lost) == (True, "")


# Damaged input


@pytest.mark.parametrize("kind", fuzz.FUZZED)
def test_damaged_input(kind):
    assert fuzz.run(kind, "test", 40) == []


def test_what_ended_the_process_once():
    """Parquet whose columns are told of in a way that pyarrow ends the process at."""
    assert fuzz.run("PDF, Word, Parquet", "p18", 11) == []


def test_what_goes_wrong_is_told_with_its_seed(monkeypatch):
    def crash(rng, _):
        if rng.random() < 0.5:
            raise KeyError("oh")

    monkeypatch.setitem(fuzz.FUZZED, "crash", (crash, 1))
    found = fuzz.run("crash", "7", 20)
    assert 0 < len(found) < 20
    assert found[0].startswith("crash, seed '7 ")
    assert "KeyError: 'oh'" in found[0]


def test_a_hang_is_told(monkeypatch):
    monkeypatch.setattr(fuzz, "SECONDS", 0.05)
    monkeypatch.setitem(fuzz.FUZZED, "hang", (lambda rng, room: time.sleep(5), 1))
    before = signal.signal(signal.SIGALRM, fuzz._late)
    try:
        assert "no answer within" in fuzz.run("hang", "7", 1)[0]
    finally:
        signal.signal(signal.SIGALRM, before)


# A server


def test_a_server_with_twice_what_it_can_do(model):
    with load.Server("--model", model) as server:
        rows = awaited(load.loaded(server, 3, 4.0, 1.0, 200), 120)
    found = {row["name"].partition(": ")[2]: row for row in rows}
    answers = found["answers that are 200, or 503 with Retry-After"]
    assert (answers["value"], answers["n"] > 5) == (100, True), answers
    assert found["let in when SIGTERM came, and answered"]["value"] == 4
    assert "exit code 0" in found["let in when SIGTERM came, and answered"]["note"]
    assert "afterwards an article got 200" in found["idle connections held meanwhile"]["note"]
