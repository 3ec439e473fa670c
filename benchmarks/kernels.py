"""Compare the answers of the same model with two integer kernels: this processor's, and one without 8-bit products.

    python benchmarks/kernels.py [MODEL] [--cpu Haswell]

onnxruntime chooses a kernel by what the processor can do. The program reads the sentences of
``seeds/records.jsonl`` twice, on this processor and on one that qemu emulates (Haswell has AVX2, but
neither VNNI nor AVX-512), and compares their labels and probabilities. It needs x86-64 and
``qemu-x86_64`` (Debian: ``apt-get install qemu-user``), and takes minutes.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROWS = Path(__file__).parent.parent / "seeds" / "records.jsonl"
EMULATOR = "qemu-x86_64"
ANSWERS = "--answers"  # the call that this program makes of itself, once on each processor


class Answer(NamedTuple):
    """Represent one label that was given, with the probabilities of all."""

    label: str
    probabilities: Mapping[str, float]


class Difference(NamedTuple):
    """Represent how far two lists of answers to the same questions differ."""

    answers: int
    equal: int  # labels
    greatest: float  # difference of a probability
    mean: float  # of the greatest difference within each answer


def main() -> None:
    """Read the sentences with both kernels and print how far the answers differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "model", nargs="?", default="small", help="a model folder; the bundled model if not given"
    )
    parser.add_argument(
        "--cpu", default="Haswell", help="the processor to emulate, as qemu calls it"
    )
    parser.add_argument(ANSWERS, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answers:
        print(json.dumps(answers(options.model)))
        return
    if reason := obstacle():
        print(f"skipped: {reason}")
        return
    call = [sys.executable, __file__, options.model, ANSWERS]
    native = read(call)
    emulated = read([EMULATOR, "-cpu", options.cpu, *call])
    print(told(options.model, options.cpu, compare(native, emulated)))


def obstacle() -> str | None:
    """Return why the comparison cannot be made on this machine, or ``None``."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return f"expected an x86-64 processor, found {platform.machine()}"
    if shutil.which(EMULATOR) is None:
        return f"expected {EMULATOR} (Debian: apt-get install qemu-user), found none"
    return None


def answers(model: str) -> list[dict[str, Any]]:
    """Return what the model predicts for each sentence, as ``predicted`` has it."""
    from claimstance.inference import Tagger
    from claimstance.model.record import read_jsonl

    tagger = Tagger.from_pretrained(model, threads=1)
    return [row["predicted"] for row in tagger.predict(read_jsonl(ROWS))]


def read(command: Sequence[str]) -> list[Answer]:
    """Return the answers that a call with ``--answers`` prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return [answer for predicted in json.loads(done.stdout) for answer in answers_of(predicted)]


def answers_of(predicted: Mapping[str, Any]) -> Iterator[Answer]:
    """Yield the answers about a sentence, and about each holder and target that the record names."""
    for task in ("claim", "subjective"):
        if task in predicted:
            yield Answer(predicted[task]["label"], predicted[task]["probabilities"])
    if "check_worthy" in predicted:  # sentences are ranked by it: it has no label of its own
        probabilities = predicted["check_worthy"]["probabilities"]
        yield Answer(max(probabilities, key=probabilities.__getitem__), probabilities)
    for stance in predicted.get("stances", ()):
        yield Answer(stance["label"], stance["probabilities"])


def compare(first: Sequence[Answer], second: Sequence[Answer]) -> Difference:
    """Compare answers to the same questions, in the same order."""
    equal, differences = 0, []
    for one, other in zip(first, second, strict=True):
        equal += one.label == other.label
        differences.append(
            max(
                abs(probability - other.probabilities[name])
                for name, probability in one.probabilities.items()
            )
        )
    return Difference(
        len(differences), equal, max(differences), sum(differences) / len(differences)
    )


def told(model: str, cpu: str, difference: Difference) -> str:
    """Return the comparison as a sentence."""
    share = 100 * difference.equal / difference.answers
    return (
        f"{model}, this processor and {cpu}: {difference.equal:,} of {difference.answers:,} "
        f"labels equal ({share:.2f} %); probabilities differ by {difference.greatest:.4f} at most, "
        f"{difference.mean:.5f} on average"
    )


if __name__ == "__main__":
    main()
