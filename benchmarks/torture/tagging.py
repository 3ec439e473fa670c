"""Check that tagging into a folder survives every end: a kill, a signal to stop, a full disk.

A corpus is made from the seed articles, with a few lines that cannot be read, and tagged into a folder without any
disturbance. Then it is tagged again and again, each start of the program ended by one of ``FAULTS``, until nothing is
left to do. After each fault every part that is there has to be, byte for byte, that of the undisturbed run, and at the
end the whole folder, the manifest too. Formats change from run to run, threads from start to start. A further fault is
a line in ``FAULTS``, with a function that starts the program and sees to its end.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from page import LostError, part, survived

SEEDS = Path(__file__).parent.parent.parent / "seeds" / "articles"
PROGRAM = (sys.executable, "-c", "from claimstance.inference.cli.main import main; main()")
FORMATS = ("jsonl", "csv", "parquet")
UNREADABLE = ("no JSON", '{"text": 5}', '{"title": "no text"}')
PATIENCE = 900  # seconds that an undisturbed run may take
SIGNALLED = {signal.SIGTERM: 143, signal.SIGINT: 130}


def write_corpus(path: Path, articles: int, rng: random.Random, lengths: int = 2) -> None:
    """Write articles, each made of paragraphs of so many seed articles, and unreadable lines between them."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(SEEDS.glob("*.txt"))]
    lines = []
    for number in range(articles):
        paragraphs: list[str] = []
        for seed_text in rng.sample(texts, lengths):
            paragraphs += [line for line in seed_text.splitlines() if line.strip()]
        text = "\n\n".join(rng.sample(paragraphs, len(paragraphs)))
        lines.append(json.dumps({"id": f"a{number}", "text": text, "outlet": f"o{number % 7}"}))
    for line in UNREADABLE:
        lines.insert(rng.randrange(1, len(lines)), line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass
class Setting:
    """Represent a corpus, the options to tag it with, and the results of undisturbed runs.

    Attributes:
        corpus: the file.
        room: a folder for the folders of runs.
        options: those of the command, without input, format, threads and ``--out``.
        expected: format → name → bytes, of undisturbed runs.
        seconds: the time of the last of these.
    """

    corpus: Path
    room: Path
    options: Sequence[str] = ("--articles-per-part", "10")
    expected: dict[str, dict[str, bytes]] = field(default_factory=dict)
    seconds: float = 0.0

    def undisturbed(self, form: str) -> dict[str, bytes]:
        """Return the result of an undisturbed run with one thread."""
        if form not in self.expected:
            run = Run(self, self.room / f"undisturbed-{form}", form)
            started = time.monotonic()
            run.finish(1)
            self.seconds = time.monotonic() - started
            self.expected[form] = run.files()
        return self.expected[form]


@dataclass(frozen=True)
class Run:
    """Represent a run into a folder, which may take several starts of the program."""

    setting: Setting
    out: Path
    form: str

    def start(self, threads: int, **options: Any) -> "subprocess.Popen[str]":
        """Start the program, which resumes the run if there is one."""
        command = [
            *PROGRAM,
            "tag",
            str(self.setting.corpus),
            "--out",
            str(self.out),
            "--format",
            self.form,
            "--threads",
            str(threads),
            "--model",
            "small",
            *self.setting.options,
        ]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options
        )

    def finish(self, threads: int) -> None:
        """Run to the end; raise ``LostError`` unless all unreadable lines are counted, each once."""
        process = self.start(threads)
        _, error_output = process.communicate(timeout=PATIENCE)
        last = error_output.splitlines()[-1] if error_output else ""
        if process.returncode != 1 or f"error: not read: {len(UNREADABLE)} of " not in last:
            raise LostError(f"ended with {process.returncode}: {last}")

    def files(self) -> dict[str, bytes]:
        """Return the files of the folder, without hidden ones."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.out.iterdir())
            if not path.name.startswith(".")
        }

    def parts(self) -> list[str]:
        """Return the names of the parts that exist."""
        return [path.name for path in self.out.glob("part-*")]

    def check(self, is_complete: bool) -> None:
        """Raise ``LostError`` if a part differs from that of an undisturbed run.

        Args:
            is_complete: whether the run has ended, so that all files must exist, the manifest included.
        """
        expected = self.setting.undisturbed(self.form)
        actual = self.files() if self.out.is_dir() else {}
        if not is_complete:
            actual = {name: data for name, data in actual.items() if name.startswith("part-")}
        names = {*actual, *expected} if is_complete else set(actual)
        changed = sorted(name for name in names if actual.get(name) != expected.get(name))
        if changed:
            raise LostError(f"{self.form}: other bytes than undisturbed: {', '.join(changed)}")


#: Starts a run and ends it by a fault; returns false if the run ended by itself before.
Strike = Callable[[Run, random.Random], bool]


def kill(run: Run, rng: random.Random) -> bool:
    """Send SIGKILL at a random moment."""
    with _started(run, rng) as process:
        seconds = rng.uniform(0, run.setting.seconds / 3)
        return _ended_by(process, signal.SIGKILL, seconds) == -signal.SIGKILL


def kill_at_part(run: Run, rng: random.Random) -> bool:
    """Send SIGKILL as soon as a part has its name, just before or after the manifest records it."""
    target_count = len(run.parts()) + rng.randint(1, 4)
    with _started(run, rng) as process:
        while process.poll() is None and len(run.parts()) < target_count:
            time.sleep(0.0005)
        return _ended_by(process, signal.SIGKILL, 0) == -signal.SIGKILL


def terminate(run: Run, rng: random.Random) -> bool:
    """Send SIGTERM or SIGINT, after which the current part must be completed."""
    number = rng.choice(sorted(SIGNALLED))
    with _started(run, rng) as process:
        wait_for_lock(run, process)
        code = _ended_by(process, number, rng.uniform(0, run.setting.seconds / 6))
        if code not in (1, SIGNALLED[number]):
            raise LostError(f"{signal.Signals(number).name}: exit code {code}")
        names = [path.name for path in run.out.iterdir()]
        temporary = [name for name in names if name.startswith((".part", ".manifest"))]
        if temporary:
            raise LostError(f"{signal.Signals(number).name}: left {', '.join(temporary)}")
        return code != 1


def fill_disk(run: Run, rng: random.Random) -> bool:
    """Limit files to a random size below that of the largest part, as on a full disk."""
    import resource

    largest = 0
    for name, data in run.setting.undisturbed(run.form).items():
        if name != "manifest.json":
            largest = max(largest, len(data))
    limit = rng.randrange(largest // 2, largest)

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with _started(run, rng, preexec_fn=limit_files) as process:
        _, error_output = process.communicate(timeout=PATIENCE)
        last = error_output.splitlines()[-1] if error_output else ""
        if process.returncode != 1 or "Traceback" in error_output or not last.startswith("error: "):
            raise LostError(f"full disk: ended with {process.returncode}: {last}")
        return "cannot be written" in last


@contextmanager
def _started(run: Run, rng: random.Random, **options: Any) -> "Iterator[subprocess.Popen[str]]":
    """Start a run with one or two threads; kill it at the end, whatever happens."""
    with run.start(rng.choice((1, 2)), **options) as process:
        try:
            yield process
        finally:
            process.kill()


def _ended_by(process: "subprocess.Popen[str]", number: int, seconds: float) -> int:
    """Send a signal after so many seconds unless the process has ended before; return its exit code."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
    return process.returncode


def wait_for_lock(run: Run, process: "subprocess.Popen[str]") -> None:
    """Wait until a run has locked its folder, which it does after it has set up its handlers of signals."""
    lock = run.out / ".lock"
    while process.poll() is None:
        if lock.exists() and lock.read_text().startswith(f"{process.pid} "):
            return
        time.sleep(0.005)


@dataclass(frozen=True)
class Fault:
    """Represent an event that ends a run, with the number of trials, and the most in one run."""

    name: str
    title: str
    strike: Strike
    times: int
    max_per_run: int


FAULTS = (
    Fault(
        "kill",
        "tagging killed (SIGKILL) at random moments, resumed to identical bytes",
        kill,
        25,
        5,
    ),
    Fault(
        "part", "tagging killed as a part appears, resumed to identical bytes", kill_at_part, 10, 5
    ),
    Fault(
        "stop",
        "tagging stopped by signals (SIGTERM, SIGINT), resumed to identical bytes",
        terminate,
        5,
        5,
    ),
    Fault(
        "disk", "tagging on a full disk (RLIMIT_FSIZE), resumed to identical bytes", fill_disk, 6, 2
    ),
)


def torture(setting: Setting, fault: Fault, rng: random.Random) -> tuple[int, list[str]]:
    """Return the number of faults survived, and the losses of the others."""
    survived, losses, number = 0, [], 0
    while survived + len(losses) < fault.times:
        form = FORMATS[number % len(FORMATS)]
        setting.undisturbed(form)
        run, struck = Run(setting, setting.room / f"{fault.name}-{number}", form), 0
        number += 1
        try:
            limit = min(fault.max_per_run, fault.times - survived - len(losses))
            while struck < limit and fault.strike(run, rng):
                struck += 1
                run.check(is_complete=False)
            run.finish(rng.choice((1, 2)))
            run.check(is_complete=True)
        except LostError as error:
            losses += [str(error)] * max(struck, 1)
        else:
            survived += struck
        print(f"{fault.name}: {survived} survived, {len(losses)} lost", *losses[-1:], flush=True)
    return survived, losses


def measure(seed: int, articles: int = 300) -> dict[str, Any]:
    """Return the figures about tagging."""
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder) / "corpus.jsonl", Path(folder))
        write_corpus(setting.corpus, articles, random.Random(seed))
        setting.undisturbed("jsonl")
        print(f"undisturbed: {setting.seconds:.0f} s", flush=True)
        rows = []
        for fault in FAULTS:
            # A generator for each fault: its moments do not depend on the other faults.
            rng = random.Random(f"{seed} {fault.name}")
            count, losses = torture(setting, fault, rng)
            rows.append(survived(fault.title, count, losses, f"seed {seed}"))
        about = (
            f"{articles} articles, 10 a part, {', '.join(setting.expected)}, 1 and 2 threads; an undisturbed run "
            f"took {setting.seconds:.0f} s. `benchmarks/torture/tagging.py`."
        )
    return part(about, rows)
