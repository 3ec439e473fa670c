"""Measure the speed of tagging and training, beside the machine's limit and code written without this project.

    python benchmarks/speed.py [--rounds 5] [--only cold] [--long] [--corpora CORPORA] [--write]

Contenders (``contenders.py``) live in processes of their own and take turns, A B A B; a figure is the median over the
rounds of the ratio within each, its interval the least and the greatest. What compares this project with itself or with
the processor's limit is in processor time, on which other processes have little influence; everything else is by the
clock, so nothing else should run meanwhile. How many cores other processes kept busy is told for each part. ``--long``
also tags 10,000 and 100,000 short articles. Articles are put together from the seeds (``articles.py``); with the folder
of the public corpora, the whole run is timed on PolNeAR's dev articles as well. ``--write`` writes ``speed.json`` and
``speed.md`` beside this file (of ``--model base``: in ``base/``), and the table that README quotes.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import articles as made
import psutil
from contenders import THREADS
from figures_head import FOLDERS
from speed_page import Row, load_figures, machine, page, quote, row

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
DEMO = HERE.parent / "seeds" / "demo.txt"
PROGRAM = (sys.executable, "-c", "from claimstance.inference.cli.main import main; main()")
NAMES = made.NAMES[:10]
LONG = (10_000, 100_000)


class Contender:
    """A process of ``contenders.py``, warm and waiting."""

    def __init__(self, name: str, file: Path, *targets: str) -> None:
        command = [sys.executable, str(HERE / "contenders.py"), name, str(file), *targets]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        self._hear("ready")

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def go(self) -> dict[str, float]:
        """One run: its ``seconds``, and what else the contender tells."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._hear('{"'))
        return found

    def _hear(self, start: str) -> str:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(start):
                return line
        raise SystemExit(f"{self._process.args}: ended with {self._process.wait()}")


def alternate(rounds: int, **contenders: Contender) -> dict[str, list[dict[str, float]]]:
    """The runs of each contender, in turns, after one round that does not count."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            found = contender.go()
            if number:
                runs[name].append(found)
    return runs


def ratios(
    over: Sequence[dict[str, float]], under: Sequence[dict[str, float]], time: str = "seconds"
) -> list[float]:
    """Return time over time, round by round: ``seconds`` by the clock, or ``processor`` time."""
    return [one[time] / other[time] for one, other in zip(over, under, strict=True)]


class Others:
    """Count the cores that other processes keep busy, from now on.

    Processes that this one started count as its own once they have ended.
    """

    def __init__(self) -> None:
        self._began = self._spent()

    def cores(self) -> float:
        """Return how many cores other processes kept busy, on average."""
        clock, busy, own = (
            now - then for now, then in zip(self._spent(), self._began, strict=True)
        )
        return max(busy - own, 0.0) / clock

    @staticmethod
    def _spent() -> tuple[float, float, float]:
        """Return seconds: by the clock, of all processors at work, of this process and those it waited for."""
        times = psutil.cpu_times()._asdict()
        busy = sum(
            times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal")
        )
        usages = [
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        return time.monotonic(), busy, sum(usage.ru_utime + usage.ru_stime for usage in usages)


def whole(rounds: int, folder: Path, corpora: Path | None) -> list[Row]:
    """Return a whole run beside the limit: a bare pass of the encoder's matrices at the float32 peak.

    Twice as many rounds as elsewhere: this is the only figure that a processor's peak takes part in,
    and the peak changes with the processor's clock.
    """
    from speed_checks import operations

    inputs = {"made articles": made.write(folder / "whole.jsonl", made.articles(120))}
    if corpora:
        inputs["PolNeAR dev"] = made.write(folder / "polnear.jsonl", made.polnear(corpora))
    rows = []
    for name, file in inputs.items():
        work, tokens, sentences = operations(file)
        with Contender("claimstance", file) as ours, Contender("limit", file) as limit:
            runs = alternate(2 * rounds, ours=ours, limit=limit)
        times = [run["seconds"] for run in runs["ours"]]
        peak = [run["gflops"] for run in runs["limit"]]
        limits = [work / (flops * 1e9) for flops in peak]  # seconds of one core
        processor = [
            run["processor"] / least for run, least in zip(runs["ours"], limits, strict=True)
        ]
        clock = [seconds * THREADS / least for seconds, least in zip(times, limits, strict=True)]
        rows += [
            row(
                f"whole run ÷ limit, {name}",
                processor,
                "×",
                must=1.3,
                aim=0.8,
                n=sentences,
                note=f"in processor time; {tokens:,} tokens, {work / 1e12:.2f} TFLOP of the encoder's matrices",
            ),
            row(
                f"whole run ÷ limit by the clock, {name}",
                clock,
                "×",
                n=sentences,
                note="cores that wait, or that other processes use, count as well",
            ),
            row(
                f"sentences a second, {name}",
                [sentences / seconds for seconds in times],
                "/s",
                better="higher",
                n=sentences,
            ),
            row(
                f"useful work, {name}",
                [work / seconds / 1e9 for seconds in times],
                "GFLOP/s",
                better="higher",
            ),
            row(
                f"float32 matrix product, {name}",
                peak,
                "GFLOP/s",
                better="higher",
                note="of one core, all of them at work; for a second of processor time",
            ),
            row(f"peak memory, {name}", [max(run["peak"] for run in runs["ours"])], "MB"),
        ]
    return rows


def beside(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """The same articles through transformers' pipelines, their sentences through the field's sentence classifiers."""
    few = made.write(folder / "few.jsonl", made.articles(8))
    more = made.write(folder / "more.jsonl", made.articles(40))
    with ExitStack() as held:
        ours, plain, best = (
            held.enter_context(Contender(name, few))
            for name in ("claimstance", "pipelines", "pipelines, best")
        )
        first = alternate(rounds, ours=ours, plain=plain, best=best)
    with ExitStack() as held:
        ours, encoder, setfit = (
            held.enter_context(Contender(name, more))
            for name in ("claimstance", "sentence-transformers", "setfit")
        )
        second = alternate(rounds, ours=ours, encoder=encoder, setfit=setfit)
    asked = f"{first['plain'][0]['sentences']:.0f} sentences, {first['plain'][0]['pairs']:.0f} of them with a target"
    alone = "these do the three tasks of whole sentences alone"
    return [
        row(
            "transformers' pipelines, defaults ÷ whole run",
            ratios(first["plain"], first["ours"]),
            "×",
            must=12,
            aim=25,
            better="higher",
            note=f"one a task, one stance pass a target; {asked}",
        ),
        row(
            "transformers' pipelines, batches of 32, sorted ÷ whole run",
            ratios(first["best"], first["ours"]),
            "×",
            must=4,
            aim=8,
            better="higher",
            note="two threads, scaled-dot-product attention",
        ),
        row(
            "SetFit ÷ whole run",
            ratios(second["setfit"], second["ours"]),
            "×",
            must=1.5,
            aim=3,
            better="higher",
            note=alone,
        ),
        row(
            "sentence-transformers, logistic regressions ÷ whole run",
            ratios(second["encoder"], second["ours"]),
            "×",
            must=1.5,
            aim=3,
            better="higher",
            note=alone,
        ),
    ]


def targets(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Ten names asked about, beside one."""
    file = made.write(folder / "targets.jsonl", made.articles(40, sentences=40))
    with (
        Contender("claimstance", file, *NAMES[:1]) as one,
        Contender("claimstance", file, *NAMES) as ten,
    ):
        runs = alternate(rounds, one=one, ten=ten)
    return [
        row(
            "ten targets ÷ one",
            ratios(runs["ten"], runs["one"], "processor"),
            "×",
            must=1.15,
            aim=1.05,
            note="in processor time; names that the articles mention; a topic that they do not is another pass "
            "a sentence",
        )
    ]


def copies(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Articles of which half are copies, beside as many without."""
    plain = made.write(folder / "plain.jsonl", made.articles(120))
    half = made.write(folder / "copies.jsonl", made.syndicated(120))
    with Contender("claimstance", plain) as without, Contender("claimstance", half) as with_copies:
        runs = alternate(rounds, without=without, with_copies=with_copies)
    over = ratios(runs["with_copies"], runs["without"], "processor")
    return [
        row(
            "half of the articles copies ÷ none",
            over,
            "×",
            must=0.65,
            aim=0.55,
            note="in processor time; half of the copies with another headline, as a field of its own",
        )
    ]


def cold(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """One article from the command line, start to end, and the same through transformers."""
    models = folder / "models"
    subprocess.run(
        [sys.executable, str(HERE / "contenders.py"), "save", str(models)], check=True, cwd=HERE
    )
    ours = (*PROGRAM, "tag", str(DEMO), "--out", str(folder / "cold.jsonl"))
    theirs = (sys.executable, str(HERE / "contenders.py"), "cold", str(DEMO), str(models))
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for number in range(rounds + 1):
        for name, command in (("ours", ours), ("theirs", theirs)):
            run = _process(command)
            if number:
                found[name].append(run)
    ratio = [one[0] / other[0] for one, other in zip(found["theirs"], found["ours"], strict=True)]
    return [
        row(
            "one article from a cold start",
            [seconds for seconds, _ in found["ours"]],
            "s",
            must=1.5,
            aim=0.8,
        ),
        row(
            "one article from a cold start, peak memory",
            [memory for _, memory in found["ours"]],
            "MB",
            must=350,
            aim=220,
        ),
        row(
            "the same through transformers ÷ it",
            ratio,
            "×",
            must=4,
            better="higher",
            note=f"{statistics.median(memory for _, memory in found['theirs']):.0f} MB; targets given to it",
        ),
    ]


def _process(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a process."""
    began = time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=HERE
    )
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command}: ended with {child.returncode}")
    return seconds, usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def long(_: int, folder: Path, __: Path | None) -> list[Row]:
    """Ten times as many articles: what one takes, and the memory."""
    found = []
    for count in LONG:
        file = made.write(folder / f"long-{count}.jsonl", made.articles(count, sentences=3))
        found.append(
            (*_process((*PROGRAM, "tag", str(file), "--out", str(folder / "long.jsonl"))), count)
        )
        print(
            f"  {count:,} articles: {found[-1][0]:.0f} s, {found[-1][1]:.0f} MB",
            file=sys.stderr,
            flush=True,
        )
    (short, less, few), (time_of_all, more, many) = found
    return [
        row(
            f"an article of {many:,} ÷ one of {few:,}",
            [time_of_all / many / (short / few)],
            "×",
            must=1.1,
            note=f"three sentences each; {many / time_of_all:,.0f} articles a second; one run each",
        ),
        row(
            f"memory of {many:,} articles beyond that of {few:,}",
            [more - less],
            "MB",
            must=50,
            note=f"{less:.0f} and {more:.0f} MB",
        ),
    ]


def training(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Training on the same sentences: all tasks here, one label there."""
    with Contender("training", DEMO) as ours, Contender("run_classification", DEMO) as theirs:
        runs = alternate(rounds, ours=ours, theirs=theirs)
    speed = {
        name: [run["tokens"] / run["seconds"] for run in found] for name, found in runs.items()
    }
    return [
        row(
            "training ÷ run_classification",
            [a / b for a, b in zip(*speed.values(), strict=True)],
            "×",
            must=3,
            aim=5,
            better="higher",
            note="real tokens a second; theirs: batches of 8 padded to 128, float32; ours: bfloat16 "
            "where the processor has it, every task at once",
        ),
        row("training", speed["ours"], "tokens/s", better="higher"),
    ]


def agreement(_: int, folder: Path, corpora: Path | None) -> list[Row]:
    """Return rows of what must not change for speed: labels and results."""
    from speed_checks import agreement

    return agreement(folder, corpora)


def base(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Return the larger model beside its limit, the small model, and the pipelines with the small encoder."""
    from speed_checks import operations

    # The limit is measured with the numbers of articles that the small model is, and the pipelines with theirs.
    more = made.write(folder / "more.jsonl", made.articles(40))
    few = made.write(folder / "few.jsonl", made.articles(8))
    demo = str(folder / "cold.jsonl")
    cold_runs = [
        _process((*PROGRAM, "tag", str(DEMO), "--model", "base", "--out", demo))
        for _ in range(rounds + 1)
    ][1:]
    work, _, sentences = operations(more, "base")
    with (
        Contender("claimstance, base", more) as large,
        Contender("claimstance", more) as small,
        Contender("limit", more) as limit,
    ):
        runs = alternate(rounds, large=large, small=small, limit=limit)
    with Contender("claimstance, base", few) as large, Contender("pipelines, best", few) as best:
        beside_runs = alternate(rounds, large=large, best=best)
    limits = [work / (run["gflops"] * 1e9) for run in runs["limit"]]  # seconds of one core
    over_limit = [
        run["processor"] / least for run, least in zip(runs["large"], limits, strict=True)
    ]
    return [
        row(
            "base: whole run ÷ limit",
            over_limit,
            "×",
            must=1.3,
            aim=0.8,
            n=sentences,
            note="in processor time; the limit of its own encoder",
        ),
        row(
            "base ÷ small, whole run",
            ratios(runs["large"], runs["small"], "processor"),
            "×",
            n=sentences,
            note="in processor time",
        ),
        row(
            "base: transformers' pipelines with the small encoder ÷ whole run",
            ratios(beside_runs["best"], beside_runs["large"]),
            "×",
            must=1,
            better="higher",
            note="batches of 32, sorted",
        ),
        row(
            "base: sentences a second",
            [sentences / run["seconds"] for run in runs["large"]],
            "/s",
            better="higher",
            n=sentences,
        ),
        row("base: peak memory", [max(run["peak"] for run in runs["large"])], "MB"),
        row("base: one article from a cold start", [seconds for seconds, _ in cold_runs], "s"),
        row(
            "base: one article from a cold start, peak memory",
            [memory for _, memory in cold_runs],
            "MB",
        ),
    ]


# Cold starts first: the most memory of a process is counted from what its parent had, which imports torch for others.
PARTS: dict[str, Callable[[int, Path, Path | None], list[Row]]] = {
    "cold": cold,
    "long": long,
    "targets": targets,
    "copies": copies,
    "beside": beside,
    "training": training,
    "whole": whole,
    "agreement": agreement,
}


#: Parts of ``--model base``, whose figures have files of their own.
BASE_PARTS = {"base": base}


def main() -> None:
    """Measure, tell, and write if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="that count, after one that does not")
    parser.add_argument("--only", choices=PARTS, nargs="+")
    parser.add_argument(
        "--model", choices=FOLDERS, default="small", help="base: that model beside the small one"
    )
    parser.add_argument("--long", action="store_true", help="also 10,000 and 100,000 articles")
    parser.add_argument("--corpora", type=Path, help="folder of the public corpora")
    parser.add_argument("--write", action="store_true", help="write speed.json and speed.md")
    asked = parser.parse_args()
    wanted = asked.only or [name for name in PARTS if name != "long" or asked.long]
    parts = PARTS
    if asked.model == "base":
        wanted, parts = list(BASE_PARTS), BASE_PARTS
    rows: list[Row] = []
    for name in wanted:
        others = Others()
        with tempfile.TemporaryDirectory() as folder:
            found = parts[name](asked.rounds, Path(folder), asked.corpora)
        found.append(row(f"other processes during “{name}”", [others.cores()], "cores"))
        print("\n".join(str(one) for one in found), file=sys.stderr, flush=True)
        rows += found
    figures: dict[str, Any] = {**machine(asked.model), "rounds": asked.rounds, "rows": rows}
    if asked.write:
        folder = FOLDERS[asked.model]
        folder.mkdir(exist_ok=True)
        (folder / "speed.json").write_text(
            json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        (folder / "speed.md").write_text(page(figures), encoding="utf-8")
        text = README.read_text(encoding="utf-8")
        README.write_text(quote(load_figures(), text), encoding="utf-8")
    print(page(figures))


if __name__ == "__main__":
    main()
