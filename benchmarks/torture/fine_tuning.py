"""Check that training that is killed and resumed ends in exactly the weights of an uninterrupted run.

``configs/quickstart.yaml`` (the bundled encoder, the records of ``seeds/``) is trained for an epoch, scored and
saved six times, with early stopping. Then it is trained again and again, each run killed (SIGKILL) one to
three times at random moments, from the first import to the last export, and gone on with by ``--resume``.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from page import LostError, part, survived

from claimstance.model.onnx.manifest import sha256

ROOT = Path(__file__).parent.parent.parent
PROGRAM = (sys.executable, "-c", "from claimstance.inference.cli.main import main; main()")
SETTINGS = (
    "training.epochs=1",
    "training.evaluations_per_epoch=6",
    "training.patience=5",
    "training.threads=1",
)
RUN_SPECIFIC_FILES = {
    "training.json",
    "README.md",
    "config.yaml",
}  # times, dates and names of folders
RUNS, KILLS = 10, 3
PATIENCE = 900  # seconds that a run may take


class Training:
    """Represent the runs of one configuration on one dataset, into folders within ``room``."""

    def __init__(self, room: Path, settings: tuple[str, ...] = SETTINGS) -> None:
        self._room, self._settings = room, settings
        started = time.monotonic()
        self._expected = self._finished("undisturbed")
        self.seconds = time.monotonic() - started

    def start(self, name: str) -> "subprocess.Popen[str]":
        """Start a run, or resume it if its folder exists."""
        out = self._room / name
        command = [*PROGRAM, "train", "configs/quickstart.yaml", *self._settings]
        command += [f"data.path={self._room / 'data'}", f"output={out}"]
        if out.exists():
            command.append("--resume")
        return subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def killed(self, name: str, seconds: float) -> bool:
        """Kill a run after so many seconds; return false if it ended before, and raise ``LostError`` if it failed."""
        with self.start(name) as process:
            try:
                _, error_output = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return True
        if process.returncode:
            raise LostError(
                f"ended with {process.returncode}: {(error_output.splitlines() or [''])[-1]}"
            )
        return False

    def check(self, name: str) -> None:
        """Resume a run to its end; raise ``LostError`` if its files differ from those of the undisturbed run."""
        digests = self._finished(name)
        files = sorted({*digests, *self._expected})
        changed = [file for file in files if digests.get(file) != self._expected.get(file)]
        if changed:
            raise LostError(f"other bytes than undisturbed: {', '.join(changed)}")

    def _finished(self, name: str) -> dict[str, str]:
        """Run training to its end; return file name → sha256 of the files that all runs have in common."""
        with self.start(name) as process:
            _, error_output = process.communicate(timeout=PATIENCE)
        if process.returncode:
            raise LostError(
                f"ended with {process.returncode}: {(error_output.splitlines() or [''])[-1]}"
            )
        digests = {}
        for path in sorted((self._room / name).iterdir()):
            if path.is_file() and path.name not in RUN_SPECIFIC_FILES:
                digests[path.name] = sha256(path)
        return digests


def torture(
    training: Training, rng: random.Random, runs: int, kills: int = KILLS
) -> tuple[int, int, list[str]]:
    """Return the number of runs that ended in the same weights, the number of kills, and the losses of other runs."""
    same, struck, losses = 0, 0, []
    # Each run is killed one or more times, resumed each time, and compared once it has ended.
    for number in range(runs):
        name = f"killed-{number}"
        times = [training.seconds * rng.uniform(0.1, 0.9) for _ in range(rng.randint(1, kills))]
        try:
            struck += sum(training.killed(name, seconds) for seconds in times)
            training.check(name)
        except LostError as error:
            losses.append(str(error))
        else:
            same += 1
        print(
            f"training: {same} runs the same, killed {struck} times, {len(losses)} lost",
            *losses[-1:],
            flush=True,
        )
    return same, struck, losses


def measure(seed: int) -> dict[str, Any]:
    """Return the figures about training."""
    with tempfile.TemporaryDirectory() as folder:
        training = Training(Path(folder))
        print(f"undisturbed: {training.seconds:.0f} s", flush=True)
        same, struck, losses = torture(training, random.Random(f"{seed} training"), RUNS)
    row = survived(
        "training killed (SIGKILL) at random moments, resumed to identical weights",
        same,
        losses,
        f"seed {seed}; killed {struck} times",
    )
    about = (
        f"`configs/quickstart.yaml` with {', '.join(SETTINGS)}; an undisturbed run took "
        f"{training.seconds:.0f} s. All files of the model are compared except those that describe the run itself. "
        "`benchmarks/torture/fine_tuning.py`."
    )
    return part(about, [row])
