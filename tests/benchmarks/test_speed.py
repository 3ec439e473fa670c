"""Check that the measurement of speed (benchmarks/speed.py) hardly depends on other load of the machine."""

import json
import sys
import time

import pytest

from helpers.paths import ROOT


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


@pytest.fixture
def speed(benchmarks):
    import speed

    return speed


class Scripted:
    """Stand in for a contender with known runs; other load prolongs the time by the clock, not by the processor."""

    def __init__(self, name, file, *targets):
        self.name, self.rounds = name, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def go(self):
        self.rounds += 1
        slowdown = 1 + self.rounds % 3
        if self.name == "limit":
            return {"seconds": 1.0 * slowdown, "processor": 2.0, "gflops": 100.0, "peak": 1.0}
        return {"seconds": 3.0 * slowdown, "processor": 5.0, "peak": 200.0}


@pytest.fixture
def scripted(speed, monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "Contender", Scripted)
    monkeypatch.setattr(speed, "THREADS", 2)
    return tmp_path


def by_name(rows):
    return {row["name"]: row for row in rows}


def test_a_whole_run_is_measured_in_processor_time(speed, scripted):
    from speed_checks import operations

    rows = by_name(speed.measure_whole_run(2, scripted, None))
    work = operations(scripted / "whole.jsonl")[0]
    ratio = rows["whole run ÷ limit, made articles"]
    expected = pytest.approx(5 * 100e9 / work, rel=1e-3)
    assert ratio["value"] == ratio["low"] == ratio["high"] == expected
    assert "in processor time" in ratio["note"]
    assert ratio["must"] == 1.3
    clock = rows["whole run ÷ limit by the clock, made articles"]
    assert clock["low"] == pytest.approx(3 * 2 * 100e9 / work, rel=1e-3)
    assert clock["high"] == pytest.approx(3 * clock["low"], rel=1e-3)
    assert clock["must"] is None
    assert (
        rows["useful work, made articles"]["n"] == 4
    )  # twice as many rounds as other measurements have


@pytest.mark.parametrize(
    ("measurement", "name"),
    [("targets", "ten targets ÷ one"), ("copies", "half of the articles copies ÷ none")],
)
def test_comparisons_of_the_program_with_itself_use_processor_time(
    speed, scripted, measurement, name
):
    row = by_name(speed.PARTS[measurement](3, scripted, None))[name]
    assert (row["low"], row["high"], row["n"]) == (1.0, 1.0, 3)
    assert row["note"].startswith("in processor time")


class Machine:
    """Replace the times of processors and processes that ``psutil`` and ``resource`` report."""

    def __init__(self, speed, monkeypatch):
        self.clock = self.busy = self.own = self.children = 0.0
        monkeypatch.setattr(speed.time, "monotonic", lambda: self.clock)
        monkeypatch.setattr(speed.psutil, "cpu_times", self._times)
        monkeypatch.setattr(speed.resource, "getrusage", self._usage)

    def _times(self):
        kinds = {"user": self.busy * 0.75, "system": self.busy * 0.25, "idle": 1e6, "iowait": 1e3}
        return type("Times", (), {"_asdict": lambda _: kinds})()

    def _usage(self, target):
        seconds = self.children if target == -1 else self.own
        return type("Usage", (), {"ru_utime": seconds / 2, "ru_stime": seconds / 2})()


@pytest.mark.parametrize(
    ("busy", "own", "children", "cores"),
    [(20.0, 4.0, 16.0, 0.0), (20.0, 4.0, 6.0, 1.0), (20.0, 0.0, 0.0, 2.0), (9.99, 0.0, 10.0, 0.0)],
)
def test_other_processes_are_counted_but_not_this_one_and_its_children(
    speed, monkeypatch, busy, own, children, cores
):
    machine = Machine(speed, monkeypatch)
    other_processes = speed.OtherProcesses()
    machine.clock, machine.busy, machine.own, machine.children = 10.0, busy, own, children
    assert other_processes.busy_cores() == pytest.approx(cores)


def test_the_load_of_this_machine_is_measured(speed):
    other_processes = speed.OtherProcesses()
    time.sleep(0.05)
    assert 0 <= other_processes.busy_cores() <= 1024


def test_each_part_reports_the_load_of_other_processes(speed, monkeypatch, capsys):
    row = {
        "name": "a part",
        "value": 1.0,
        "low": 1.0,
        "high": 1.0,
        "n": 1,
        "unit": "×",
        "better": "lower",
        "must": 2.0,
        "aim": None,
        "note": "",
    }
    monkeypatch.setitem(speed.PARTS, "cold", lambda rounds, folder, corpora: [dict(row)])
    monkeypatch.setattr(sys, "argv", ["speed.py", "--only", "cold"])
    speed.main()
    assert "| other processes during “cold” | " in capsys.readouterr().out


@pytest.mark.slow
def test_the_limit_is_measured(benchmarks, monkeypatch, tmp_path):
    import contenders

    for name, value in {"SIZE": 64, "PRODUCTS": 3, "THREADS": 2}.items():
        monkeypatch.setattr(contenders, name, value)
    measurements = contenders.limit(tmp_path)()
    assert measurements["gflops"] > 0
    assert measurements["processor"] > 0


@pytest.mark.slow
def test_a_whole_run_reports_processor_time(benchmarks, tmp_path):
    import contenders

    file = tmp_path / "articles.jsonl"
    file.write_text(
        json.dumps({"text": "He said that ships waited. Nobody answered."}) + "\n", encoding="utf-8"
    )
    measurements = contenders.claimstance(file)()
    assert measurements["processor"] > 0
    assert measurements["seconds"] > 0
