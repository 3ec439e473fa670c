"""Run a short version of ``make torture``."""

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
    folder = tmp_path_factory.mktemp("torture")
    options = ("--articles-per-part", "4", "--model", model)
    torture_setting = tagging.Setting(folder / "corpus.jsonl", folder, options)
    tagging.write_corpus(torture_setting.corpus, ARTICLES, random.Random(1), lengths=3)
    torture_setting.undisturbed("jsonl")
    return torture_setting


@pytest.mark.parametrize(("name", "times"), [("kill", 3), ("part", 1), ("stop", 1), ("disk", 1)])
def test_faults_are_survived(setting, name, times, monkeypatch):
    monkeypatch.setattr(tagging, "FORMATS", ("jsonl",))
    (fault,) = (fault for fault in tagging.FAULTS if fault.name == name)
    short = tagging.Fault(name, fault.title, fault.strike, times, times)
    assert tagging.torture(setting, short, random.Random(5)) == (times, [])


def test_every_article_is_written_once(setting):
    files = setting.undisturbed("jsonl")
    part_names = sorted(name for name in files if name.startswith("part-"))
    lines = b"".join(files[name] for name in part_names).splitlines()
    doc_ids = [json.loads(line)["doc_id"] for line in lines]
    assert doc_ids == [f"a{number}" for number in range(ARTICLES)]


def test_a_second_signal_leaves_nothing_half_written(setting):
    run = tagging.Run(setting, setting.room / "twice", "jsonl")
    with run.start(2) as process:
        tagging.wait_for_lock(run, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    # The first signal may arrive before or after an article is tagged.
    assert "stopped by SIGINT " in stderr.splitlines()[-1]
    assert stderr.splitlines()[-1].endswith(f": the same command continues in '{run.out}'")
    assert [
        path.name for path in run.out.iterdir() if path.name.startswith((".part", ".manifest"))
    ] == []
    run.finish(1)
    run.check(is_complete=True)


# Losses


def test_losses_are_reported(setting, monkeypatch):
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


def test_training_with_other_weights_is_reported(training, monkeypatch):
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
def test_damaged_input_causes_no_failure(kind):
    assert fuzz.run(kind, "test", 40) == []


def test_a_file_that_aborted_the_process_is_refused():
    """Read Parquet whose description of its columns makes pyarrow abort the process."""
    assert fuzz.run("PDF, Word, Parquet", "p18", 11) == []


def test_failures_are_reported_with_their_seed(monkeypatch):
    def crash(rng, _):
        if rng.random() < 0.5:
            raise KeyError("oh")

    monkeypatch.setitem(fuzz.FUZZED, "crash", (crash, 1))
    failures = fuzz.run("crash", "7", 20)
    assert 0 < len(failures) < 20
    assert failures[0].startswith("crash, seed '7 ")
    assert "KeyError: 'oh'" in failures[0]


def test_a_hang_is_reported(monkeypatch):
    monkeypatch.setattr(fuzz, "SECONDS", 0.05)
    monkeypatch.setitem(fuzz.FUZZED, "hang", (lambda rng, room: time.sleep(5), 1))
    previous_handler = signal.signal(signal.SIGALRM, fuzz._late)
    try:
        assert "no answer within" in fuzz.run("hang", "7", 1)[0]
    finally:
        signal.signal(signal.SIGALRM, previous_handler)


# A server


def test_a_server_under_twice_its_capacity_answers_or_asks_to_retry(model):
    with load.Server("--model", model) as server:
        rows = awaited(load.loaded(server, 3, 4.0, 1.0, 200), 120)
    by_name = {row["name"].partition(": ")[2]: row for row in rows}
    answers = by_name["responses with status 200, or 503 with Retry-After"]
    assert (answers["value"], answers["n"] > 5) == (100, True), answers
    finished = by_name["requests accepted before SIGTERM and answered"]
    assert finished["value"] == 4
    assert "exit code 0" in finished["note"]
    assert "afterwards an article got 200" in by_name["idle connections during the load"]["note"]
