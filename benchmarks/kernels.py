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
        print(json.dumps(predict(options.model)))
        return
    if reason := obstacle():
        print(f"skipped: {reason}")
        return
    command = [sys.executable, __file__, options.model, ANSWERS]
    native = run(command)
    emulated = run([EMULATOR, "-cpu", options.cpu, *command])
    print(summary(options.model, options.cpu, compare(native, emulated)))


def obstacle() -> str | None:
    """Return why the comparison cannot be made on this machine, or ``None``."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return f"expected an x86-64 processor, found {platform.machine()}"
    if shutil.which(EMULATOR) is None:
        return f"expected {EMULATOR} (Debian: apt-get install qemu-user), found none"
    return None


def predict(model: str) -> list[dict[str, Any]]:
    """Return the model's predictions for each sentence, as ``predicted`` has them."""
    from claimstance.inference import Tagger
    from claimstance.model.record import read_jsonl

    tagger = Tagger.from_pretrained(model, threads=1)
    return [row["predicted"] for row in tagger.predict(read_jsonl(ROWS))]


def run(command: Sequence[str]) -> list[Answer]:
    """Run this program with ``--answers``; return the answers that it prints."""
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise SystemExit(
            f"error: {' '.join(command)} ended with {process.returncode}:\n{process.stderr}"
        )
    answers: list[Answer] = []
    for predicted in json.loads(process.stdout):
        answers += answers_of(predicted)
    return answers


def answers_of(predicted: Mapping[str, Any]) -> Iterator[Answer]:
    """Yield the answers about a sentence, and about each holder and target that the record names."""
    for task in ("claim", "subjective"):
        if task in predicted:
            yield Answer(predicted[task]["label"], predicted[task]["probabilities"])
    if "check_worthy" in predicted:
        # It has no label, since sentences are ranked by it.
        probabilities = predicted["check_worthy"]["probabilities"]
        yield Answer(max(probabilities, key=probabilities.__getitem__), probabilities)
    for stance in predicted.get("stances", ()):
        yield Answer(stance["label"], stance["probabilities"])


def compare(first: Sequence[Answer], second: Sequence[Answer]) -> Difference:
    """Compare answers to the same questions, in the same order."""
    n_equal = 0
    differences = []
    for first_answer, second_answer in zip(first, second, strict=True):
        n_equal += first_answer.label == second_answer.label
        greatest = 0.0
        for label, probability in first_answer.probabilities.items():
            greatest = max(greatest, abs(probability - second_answer.probabilities[label]))
        differences.append(greatest)
    mean = sum(differences) / len(differences)
    return Difference(len(differences), n_equal, max(differences), mean)


def summary(model: str, cpu: str, difference: Difference) -> str:
    """Return the comparison as a sentence."""
    share = 100 * difference.equal / difference.answers
    return (
        f"{model}, this processor and {cpu}: {difference.equal:,} of {difference.answers:,} "
        f"labels equal ({share:.2f} %); probabilities differ by {difference.greatest:.4f} at most, "
        f"{difference.mean:.5f} on average"
    )


if __name__ == "__main__":
    main()
