"""Runs of a real process that are killed, told to stop, short of room: what ``make torture`` does, at short length."""

import json
import random
import signal
import sys
import time

import pytest
from program import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import torture

ARTICLES = 30
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")]


@pytest.fixture(scope="module")
def setting(model, tmp_path_factory):
    room = tmp_path_factory.mktemp("torture")
    made = torture.Setting(room / "corpus.jsonl", room, ("--articles-per-part", "4", "--model", model))
    torture.write_corpus(made.corpus, ARTICLES, random.Random(1), lengths=3)
    made.undisturbed("jsonl")
    return made


@pytest.mark.parametrize(("name", "times"), [("kill", 3), ("part", 1), ("stop", 1), ("disk", 1)])
def test_faults_are_survived(setting, name, times, monkeypatch):
    monkeypatch.setattr(torture, "FORMATS", ("jsonl",))
    fault, = (one for one in torture.FAULTS if one.name == name)
    short = torture.Fault(name, fault.title, fault.strike, times, times)
    assert torture.torture(setting, short, random.Random(5)) == (times, [])


def test_every_article_is_there_once(setting):
    parts = setting.undisturbed("jsonl")
    lines = b"".join(parts[name] for name in sorted(parts) if name.startswith("part-")).splitlines()
    assert [json.loads(line)["doc_id"] for line in lines] == [f"a{number}" for number in range(ARTICLES)]


def test_a_second_signal_leaves_nothing_half_written(setting):
    run = torture.Run(setting, setting.room / "twice", "jsonl")
    with run.start(2) as process:
        torture._until_begun(run, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.splitlines()[-1].endswith(f"by SIGINT: the same command goes on in '{run.out}'")
    assert [path.name for path in run.out.iterdir() if path.name.startswith((".part", ".manifest"))] == []
    run.finish(1)
    run.check(whole=True)


def test_what_is_lost_is_told(setting, monkeypatch):
    def damage(run, rng):
        run.finish(1)
        (run.out / "part-00000.jsonl").write_bytes(b"{}\n")
        return True

    monkeypatch.setattr(torture, "FORMATS", ("jsonl",))
    lossy = torture.Fault("damage", "damaged", damage, 1, 1)
    survived, losses = torture.torture(setting, lossy, random.Random(5))
    assert (survived, losses) == (0, ["jsonl: other bytes than undisturbed: part-00000.jsonl"])
    figures = {"date": "2026-01-01", "machine": "m", "model_sha256": "0", "about": "", "rows": [
        torture.row(lossy, survived, losses, 5)]}
    assert "| damaged | 0 | 1 | 1 | seed 5, --only damage; jsonl: other bytes" in torture.render(figures)


def test_the_page_is_rendered_from_the_figures():
    figures = json.loads((ROOT / "benchmarks/torture.json").read_text(encoding="utf-8"))
    assert (ROOT / "benchmarks/torture.md").read_text(encoding="utf-8") == torture.render(figures)
    assert [one["must"] for one in figures["rows"]] == [one["n"] for one in figures["rows"]]
