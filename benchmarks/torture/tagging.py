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
        text = _shuffled(rng.sample(texts, lengths), rng)
        lines.append(json.dumps({"id": f"a{number}", "text": text, "outlet": f"o{number % 7}"}))
    for line in UNREADABLE:
        lines.insert(rng.randrange(1, len(lines)), line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _shuffled(texts: Sequence[str], rng: random.Random) -> str:
    paragraphs = [line for text in texts for line in text.splitlines() if line.strip()]
    return "\n\n".join(rng.sample(paragraphs, len(paragraphs)))


@dataclass
class Setting:
    """A corpus, the options to tag it with, and the result of an undisturbed run.

    Attributes:
        corpus: the file.
        room: a folder for the folders of runs.
        options: of the command, beside input, format, threads and ``--out``.
        expected: format → name → bytes, of undisturbed runs.
        seconds: that the last of these took.
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
    """A run into a folder, which may take several starts of the program."""

    setting: Setting
    out: Path
    form: str

    def start(self, threads: int, **options: Any) -> "subprocess.Popen[str]":
        """Start, or go on."""
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
            *self.setting.options,
        ]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options
        )

    def finish(self, threads: int) -> None:
        """Go on to the end, which tells of the unreadable lines, all of them, once."""
        _, said = (process := self.start(threads)).communicate(timeout=PATIENCE)
        last = said.splitlines()[-1] if said else ""
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
        """The names of the parts that are there."""
        return [path.name for path in self.out.glob("part-*")]

    def check(self, whole: bool) -> None:
        """Raise ``LostError`` if a part is not what it is undisturbed; of a ``whole`` run, if anything is not."""
        expected = self.setting.undisturbed(self.form)
        found = {
            name: data
            for name, data in (self.files() if self.out.is_dir() else {}).items()
            if whole or name.startswith("part-")
        }
        wrong = sorted(
            name
            for name in {*found, *(expected if whole else ())}
            if found.get(name) != expected.get(name)
        )
        if wrong:
            raise LostError(f"{self.form}: other bytes than undisturbed: {', '.join(wrong)}")


#: Starts the program, has it ended; says whether it did end by that, and not before by itself.
Strike = Callable[[Run, random.Random], bool]


def kill(run: Run, rng: random.Random) -> bool:
    """SIGKILL at a random moment."""
    with _started(run, rng) as process:
        return (
            _ended_by(process, signal.SIGKILL, rng.uniform(0, run.setting.seconds / 3))
            == -signal.SIGKILL
        )


def kill_at_part(run: Run, rng: random.Random) -> bool:
    """SIGKILL as soon as a part appears under its name, which is before the manifest tells of it, or just after."""
    before, wanted = len(run.parts()), rng.randint(1, 4)
    with _started(run, rng) as process:
        while process.poll() is None and len(run.parts()) < before + wanted:
            time.sleep(0.0005)
        return _ended_by(process, signal.SIGKILL, 0) == -signal.SIGKILL


def terminate(run: Run, rng: random.Random) -> bool:
    """SIGTERM or SIGINT, which leave the part that is being written whole."""
    number = rng.choice(sorted(SIGNALLED))
    with _started(run, rng) as process:
        _until_begun(run, process)
        code = _ended_by(process, number, rng.uniform(0, run.setting.seconds / 6))
        if code not in (1, SIGNALLED[number]):
            raise LostError(f"{signal.Signals(number).name}: exit code {code}")
        left = [
            path.name for path in run.out.iterdir() if path.name.startswith((".part", ".manifest"))
        ]
        if left:
            raise LostError(f"{signal.Signals(number).name}: left {', '.join(left)}")
        return code != 1


def fill_disk(run: Run, rng: random.Random) -> bool:
    """No file may grow beyond a random size below that of the largest part, as on a disk that is full."""
    import resource

    largest = max(
        len(data)
        for name, data in run.setting.undisturbed(run.form).items()
        if name != "manifest.json"
    )
    most = rng.randrange(largest // 2, largest)
    with _started(
        run, rng, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    ) as process:
        _, said = process.communicate(timeout=PATIENCE)
        last = said.splitlines()[-1] if said else ""
        if process.returncode != 1 or "Traceback" in said or not last.startswith("error: "):
            raise LostError(f"full disk: ended with {process.returncode}: {last}")
        return "cannot be written" in last


@contextmanager
def _started(run: Run, rng: random.Random, **options: Any) -> "Iterator[subprocess.Popen[str]]":
    with run.start(rng.choice((1, 2)), **options) as process:
        try:
            yield process
        finally:
            process.kill()


def _ended_by(process: "subprocess.Popen[str]", number: int, seconds: float) -> int:
    """Its exit code, after a signal in so many seconds, if it has not ended before."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
    return process.returncode


def _until_begun(run: Run, process: "subprocess.Popen[str]") -> None:
    """Wait until it holds the folder; it listens for signals before."""
    lock = run.out / ".lock"
    while process.poll() is None and not (
        lock.exists() and lock.read_text().startswith(f"{process.pid} ")
    ):
        time.sleep(0.005)


@dataclass(frozen=True)
class Fault:
    """An event that ends a run, with the number of trials, and the most in one run."""

    name: str
    title: str
    strike: Strike
    times: int
    each: int


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
        "tagging told to stop (SIGTERM, SIGINT), resumed to identical bytes",
        terminate,
        5,
        5,
    ),
    Fault(
        "disk", "tagging on a full disk (RLIMIT_FSIZE), resumed to identical bytes", fill_disk, 6, 2
    ),
)


def torture(setting: Setting, fault: Fault, rng: random.Random) -> tuple[int, list[str]]:
    """Count the faults survived, and list the losses of the others."""
    survived, losses, number = 0, [], 0
    while survived + len(losses) < fault.times:
        form = FORMATS[number % len(FORMATS)]
        setting.undisturbed(form)
        run, struck = Run(setting, setting.room / f"{fault.name}-{number}", form), 0
        number += 1
        try:
            wanted = min(fault.each, fault.times - survived - len(losses))
            while struck < wanted and fault.strike(run, rng):
                struck += 1
                run.check(whole=False)
            run.finish(rng.choice((1, 2)))
            run.check(whole=True)
        except LostError as error:
            losses += [str(error)] * max(struck, 1)
        else:
            survived += struck
        print(f"{fault.name}: {survived} survived, {len(losses)} lost", *losses[-1:], flush=True)
    return survived, losses


def measure(seed: int, articles: int = 300) -> dict[str, Any]:
    """The part of the figures that is about tagging. Each fault has its own moments, whichever others are tried."""
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder) / "corpus.jsonl", Path(folder))
        write_corpus(setting.corpus, articles, random.Random(seed))
        setting.undisturbed("jsonl")
        print(f"undisturbed: {setting.seconds:.0f} s", flush=True)
        rows = [
            survived(
                fault.title,
                *torture(setting, fault, random.Random(f"{seed} {fault.name}")),
                f"seed {seed}",
            )
            for fault in FAULTS
        ]
        about = (
            f"{articles} articles, 10 a part, {', '.join(setting.expected)}, 1 and 2 threads; undisturbed a run "
            f"took {setting.seconds:.0f} s. `benchmarks/torture/tagging.py`."
        )
    return part(about, rows)
