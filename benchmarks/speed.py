"""Measure the speed of tagging and training, beside the machine's limit and code written without this project.

    python benchmarks/speed.py [--rounds 5] [--only cold] [--long] [--corpora CORPORA] [--write]

Contenders (``contenders.py``) live in processes of their own and take turns, A B A B; a figure is the median over the
rounds of the ratio within each, its interval the least and the greatest. Comparisons of this project with itself or
with the processor's limit are in processor time, on which other processes have little influence; everything else is by
the clock, so nothing else should run meanwhile. Each part reports how many cores other processes kept busy. ``--long``
also tags 10,000 and 100,000 short articles. Articles are put together from the seeds (``articles.py``); with the folder
of the public corpora, the whole run is timed on PolNeAR's dev articles as well. ``--write`` writes ``speed.json`` and
``speed.md`` beside this file (of ``--model base``: in ``base/``), and the table that README quotes.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
from articles import NAMES, make_articles, make_syndicated, polnear_articles, write_articles
from contenders import THREADS
from figure_files import FOLDERS
from readme_table import write_readme
from speed_page import Row, file_head, make_row, page
from speed_processes import DEMO, measure_cold_start, measure_long_runs, run_process, tag_command

HERE = Path(__file__).parent
TARGETS = NAMES[:10]
#: A function of the number of rounds, a scratch folder, and the folder of the public corpora.
Measurement = Callable[[int, Path, Path | None], list[Row]]


class Contender:
    """Run a contender of ``contenders.py`` in a process of its own, which is warm when it is ready."""

    def __init__(self, name: str, file: Path, *targets: str) -> None:
        command = [sys.executable, str(HERE / "contenders.py"), name, str(file), *targets]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        self._read_line("ready")

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def go(self) -> dict[str, float]:
        """Make the contender run once; return ``seconds`` and its other measurements."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        measurements: dict[str, float] = json.loads(self._read_line('{"'))
        return measurements

    def _read_line(self, start: str) -> str:
        """Return the next line of output with this start; skip others, which libraries print."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(start):
                return line
        raise SystemExit(f"{self._process.args}: ended with {self._process.wait()}")


def alternate(rounds: int, **contenders: Contender) -> dict[str, list[dict[str, float]]]:
    """Return the runs of each contender, which take turns, after one round that does not count."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            run = contender.go()
            if number > 0:
                runs[name].append(run)
    return runs


def ratios(
    numerators: Sequence[dict[str, float]],
    denominators: Sequence[dict[str, float]],
    key: str = "seconds",
) -> list[float]:
    """Return time over time, round by round: ``seconds`` by the clock, or ``processor`` time."""
    rounds = zip(numerators, denominators, strict=True)
    return [numerator[key] / denominator[key] for numerator, denominator in rounds]


def limit_seconds(operations: float, limit_runs: Sequence[dict[str, float]]) -> list[float]:
    """Return the seconds that one core needs for the operations at its peak, round by round."""
    return [operations / (run["gflops"] * 1e9) for run in limit_runs]


class OtherProcesses:
    """Count the cores that other processes keep busy, from now on.

    Processes that this one started count as its own once they have ended.
    """

    def __init__(self) -> None:
        self._start = self._spent()

    def busy_cores(self) -> float:
        """Return how many cores other processes kept busy, on average."""
        clock, busy, own = (
            now - start for now, start in zip(self._spent(), self._start, strict=True)
        )
        return max(busy - own, 0.0) / clock

    @staticmethod
    def _spent() -> tuple[float, float, float]:
        """Return seconds: by the clock, of all busy processors, of this process and those it waited for."""
        times = psutil.cpu_times()._asdict()
        busy = 0.0
        for kind in ("user", "nice", "system", "irq", "softirq", "steal"):
            busy += times.get(kind, 0.0)
        own = 0.0
        for processes in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(processes)
            own += usage.ru_utime + usage.ru_stime
        return time.monotonic(), busy, own


def measure_whole_run(rounds: int, folder: Path, corpora: Path | None) -> list[Row]:
    """Compare a whole run with its limit: one bare pass of the encoder's matrices at the float32 peak.

    It has twice as many rounds as other parts: no other figure depends on the processor's peak, which
    changes with the processor's clock.
    """
    from speed_checks import operations

    inputs = {"made articles": write_articles(folder / "whole.jsonl", make_articles(120))}
    if corpora:
        inputs["PolNeAR dev"] = write_articles(folder / "polnear.jsonl", polnear_articles(corpora))
    rows = []
    for name, file in inputs.items():
        work, tokens, sentences = operations(file)
        with Contender("claimstance", file) as ours, Contender("limit", file) as limit:
            runs = alternate(2 * rounds, ours=ours, limit=limit)
        seconds = [run["seconds"] for run in runs["ours"]]
        peak_gflops = [run["gflops"] for run in runs["limit"]]
        limits = limit_seconds(work, runs["limit"])
        processor_ratios, clock_ratios = [], []
        for run, least_seconds in zip(runs["ours"], limits, strict=True):
            processor_ratios.append(run["processor"] / least_seconds)
            clock_ratios.append(run["seconds"] * THREADS / least_seconds)
        rows += [
            make_row(
                f"whole run ÷ limit, {name}",
                processor_ratios,
                "×",
                must=1.3,
                aim=0.8,
                n=sentences,
                note=f"in processor time; {tokens:,} tokens, {work / 1e12:.2f} TFLOP of the encoder's matrices",
            ),
            make_row(
                f"whole run ÷ limit by the clock, {name}",
                clock_ratios,
                "×",
                n=sentences,
                note="cores that wait, or that other processes use, count as well",
            ),
            make_row(
                f"sentences a second, {name}",
                [sentences / duration for duration in seconds],
                "/s",
                better="higher",
                n=sentences,
            ),
            make_row(
                f"useful work, {name}",
                [work / duration / 1e9 for duration in seconds],
                "GFLOP/s",
                better="higher",
            ),
            make_row(
                f"float32 matrix product, {name}",
                peak_gflops,
                "GFLOP/s",
                better="higher",
                note="of one core, all of them at work; for a second of processor time",
            ),
            make_row(f"peak memory, {name}", [max(run["peak"] for run in runs["ours"])], "MB"),
        ]
    return rows


def compare_libraries(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Compare a whole run with transformers' pipelines, and with sentence classifiers on the same sentences."""
    few = write_articles(folder / "few.jsonl", make_articles(8))
    many = write_articles(folder / "more.jsonl", make_articles(40))
    with ExitStack() as stack:
        pipeline_runs = alternate(
            rounds,
            ours=stack.enter_context(Contender("claimstance", few)),
            plain=stack.enter_context(Contender("pipelines", few)),
            best=stack.enter_context(Contender("pipelines, best", few)),
        )
    with ExitStack() as stack:
        classifier_runs = alternate(
            rounds,
            ours=stack.enter_context(Contender("claimstance", many)),
            encoder=stack.enter_context(Contender("sentence-transformers", many)),
            setfit=stack.enter_context(Contender("setfit", many)),
        )
    questions = pipeline_runs["plain"][0]
    question_note = (
        f"{questions['sentences']:.0f} sentences, {questions['pairs']:.0f} of them with a target"
    )
    task_note = "these do the three tasks of whole sentences alone"
    return [
        make_row(
            "transformers' pipelines, defaults ÷ whole run",
            ratios(pipeline_runs["plain"], pipeline_runs["ours"]),
            "×",
            must=12,
            aim=25,
            better="higher",
            note=f"one a task, one stance pass a target; {question_note}",
        ),
        make_row(
            "transformers' pipelines, batches of 32, sorted ÷ whole run",
            ratios(pipeline_runs["best"], pipeline_runs["ours"]),
            "×",
            must=4,
            aim=8,
            better="higher",
            note="two threads, scaled-dot-product attention",
        ),
        make_row(
            "SetFit ÷ whole run",
            ratios(classifier_runs["setfit"], classifier_runs["ours"]),
            "×",
            must=1.5,
            aim=3,
            better="higher",
            note=task_note,
        ),
        make_row(
            "sentence-transformers, logistic regressions ÷ whole run",
            ratios(classifier_runs["encoder"], classifier_runs["ours"]),
            "×",
            must=1.5,
            aim=3,
            better="higher",
            note=task_note,
        ),
    ]


def measure_targets(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Compare a run with ten given targets with one with a single target."""
    file = write_articles(folder / "targets.jsonl", make_articles(40, sentences=40))
    with (
        Contender("claimstance", file, *TARGETS[:1]) as single,
        Contender("claimstance", file, *TARGETS) as ten,
    ):
        runs = alternate(rounds, single=single, ten=ten)
    return [
        make_row(
            "ten targets ÷ one",
            ratios(runs["ten"], runs["single"], "processor"),
            "×",
            must=1.15,
            aim=1.05,
            note="in processor time; names that the articles mention; a topic that they do not is another pass "
            "a sentence",
        )
    ]


def measure_copies(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Compare a run over articles of which half are copies with one over as many different articles."""
    distinct_file = write_articles(folder / "plain.jsonl", make_articles(120))
    copied_file = write_articles(folder / "copies.jsonl", make_syndicated(120))
    with (
        Contender("claimstance", distinct_file) as distinct,
        Contender("claimstance", copied_file) as copied,
    ):
        runs = alternate(rounds, distinct=distinct, copied=copied)
    return [
        make_row(
            "half of the articles copies ÷ none",
            ratios(runs["copied"], runs["distinct"], "processor"),
            "×",
            must=0.65,
            aim=0.55,
            note="in processor time; half of the copies with another headline, as a field of its own",
        )
    ]


def measure_training(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Compare training on the same sentences: of all tasks here, of one label there."""
    with Contender("training", DEMO) as ours, Contender("run_classification", DEMO) as theirs:
        runs = alternate(rounds, ours=ours, theirs=theirs)
    our_speed = [run["tokens"] / run["seconds"] for run in runs["ours"]]
    their_speed = [run["tokens"] / run["seconds"] for run in runs["theirs"]]
    return [
        make_row(
            "training ÷ run_classification",
            [
                our_rate / their_rate
                for our_rate, their_rate in zip(our_speed, their_speed, strict=True)
            ],
            "×",
            must=3,
            aim=5,
            better="higher",
            note="real tokens a second; theirs: batches of 8 padded to 128, float32; ours: bfloat16 "
            "where the processor has it, every task at once",
        ),
        make_row("training", our_speed, "tokens/s", better="higher"),
    ]


def measure_agreement(_: int, folder: Path, corpora: Path | None) -> list[Row]:
    """Return rows of the labels and results that must not change for speed."""
    from speed_checks import agreement

    return agreement(folder, corpora)


def measure_base(rounds: int, folder: Path, _: Path | None) -> list[Row]:
    """Compare the larger model with its limit, the small model, and the pipelines with the small encoder."""
    from speed_checks import operations

    many = write_articles(folder / "more.jsonl", make_articles(40))
    few = write_articles(folder / "few.jsonl", make_articles(8))
    command = tag_command(DEMO, "base", folder)
    cold_runs = [run_process(command) for _ in range(rounds + 1)]
    cold_runs = cold_runs[1:]  # the first round does not count
    work, _, sentences = operations(many, "base")
    with (
        Contender("claimstance, base", many) as large,
        Contender("claimstance", many) as small,
        Contender("limit", many) as limit,
    ):
        runs = alternate(rounds, large=large, small=small, limit=limit)
    with Contender("claimstance, base", few) as large, Contender("pipelines, best", few) as best:
        pipeline_runs = alternate(rounds, large=large, best=best)
    limits = limit_seconds(work, runs["limit"])
    limit_ratios = [
        run["processor"] / seconds for run, seconds in zip(runs["large"], limits, strict=True)
    ]
    return [
        make_row(
            "base: whole run ÷ limit",
            limit_ratios,
            "×",
            must=1.3,
            aim=0.8,
            n=sentences,
            note="in processor time; the limit of its own encoder",
        ),
        make_row(
            "base ÷ small, whole run",
            ratios(runs["large"], runs["small"], "processor"),
            "×",
            n=sentences,
            note="in processor time",
        ),
        make_row(
            "base: transformers' pipelines with the small encoder ÷ whole run",
            ratios(pipeline_runs["best"], pipeline_runs["large"]),
            "×",
            must=1,
            better="higher",
            note="batches of 32, sorted",
        ),
        make_row(
            "base: sentences a second",
            [sentences / run["seconds"] for run in runs["large"]],
            "/s",
            better="higher",
            n=sentences,
        ),
        make_row("base: peak memory", [max(run["peak"] for run in runs["large"])], "MB"),
        make_row("base: one article from a cold start", [seconds for seconds, _ in cold_runs], "s"),
        make_row(
            "base: one article from a cold start, peak memory",
            [memory for _, memory in cold_runs],
            "MB",
        ),
    ]


#: Part → its measurement. Cold starts come first: the peak memory of a process includes that of its parent at the
#: start, which later imports torch for other parts.
PARTS: dict[str, Measurement] = {
    "cold": measure_cold_start,
    "long": measure_long_runs,
    "targets": measure_targets,
    "copies": measure_copies,
    "beside": compare_libraries,
    "training": measure_training,
    "whole": measure_whole_run,
    "agreement": measure_agreement,
}
#: Parts of ``--model base``, whose figures have files of their own.
BASE_PARTS: dict[str, Measurement] = {"base": measure_base}


def main() -> None:
    """Measure the chosen parts, print the figures, and write them if asked to."""
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
    options = parser.parse_args()
    if options.model == "base":
        parts, names = BASE_PARTS, list(BASE_PARTS)
    else:
        parts = PARTS
        names = options.only or [name for name in PARTS if name != "long" or options.long]
    rows: list[Row] = []
    for name in names:
        others = OtherProcesses()
        with tempfile.TemporaryDirectory() as scratch:
            part_rows = parts[name](options.rounds, Path(scratch), options.corpora)
        part_rows.append(
            make_row(f"other processes during “{name}”", [others.busy_cores()], "cores")
        )
        for row in part_rows:
            print(row, file=sys.stderr, flush=True)
        rows += part_rows
    figures: dict[str, Any] = {**file_head(options.model), "rounds": options.rounds, "rows": rows}
    if options.write:
        folder = FOLDERS[options.model]
        folder.mkdir(exist_ok=True)
        (folder / "speed.json").write_text(
            json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        (folder / "speed.md").write_text(page(figures), encoding="utf-8")
        write_readme()
    print(page(figures))


if __name__ == "__main__":
    main()
