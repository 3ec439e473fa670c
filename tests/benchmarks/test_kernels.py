"""Test the comparison of two integer kernels (benchmarks/kernels.py)."""

import json
import platform
import sys

import pytest

from helpers.paths import ROOT


@pytest.fixture
def kernels(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import kernels

    return kernels


def predicted(claim, yes, *stances):
    """Return the predictions for a sentence; ``stances`` are probabilities of against."""

    def label(first, second, probability):
        return {
            "label": second if probability >= 0.5 else first,
            "probabilities": {first: 1 - probability, second: probability},
        }

    worthy = label("no", "yes", yes)
    return {
        "claim": label("no_claim", "claim", claim),
        "check_worthy": {"probability": yes, "probabilities": worthy["probabilities"]},
        "stances": [label("neutral", "against", probability) for probability in stances],
    }


def compared(kernels, first, second):
    """Return the difference between two predictions."""
    return kernels.compare(list(kernels.answers_of(first)), list(kernels.answers_of(second)))


def test_the_same_answers_do_not_differ(kernels):
    difference = compared(kernels, predicted(0.9, 0.2, 0.7, 0.1), predicted(0.9, 0.2, 0.7, 0.1))
    assert difference == (4, 4, 0.0, 0.0)


def test_a_label_that_changes_is_counted(kernels):
    difference = compared(kernels, predicted(0.9, 0.2, 0.51), predicted(0.9, 0.2, 0.47))
    assert (difference.answers, difference.equal) == (3, 2)
    assert difference.greatest == pytest.approx(0.04)
    assert difference.mean == pytest.approx(0.04 / 3)


def test_check_worthiness_counts_as_its_likelier_label(kernels):
    assert compared(kernels, predicted(0.9, 0.49), predicted(0.9, 0.51)).equal == 1


def test_answers_to_other_questions_are_refused(kernels):
    with pytest.raises(ValueError, match="shorter"):
        compared(kernels, predicted(0.9, 0.2, 0.7), predicted(0.9, 0.2))


def test_the_result_is_one_sentence(kernels):
    sentence = kernels.summary("bundled", "Haswell", kernels.Difference(200, 199, 0.0123, 0.00049))
    assert sentence == (
        "bundled, this processor and Haswell: 199 of 200 labels equal (99.50 %); "
        "probabilities differ by 0.0123 at most, 0.00049 on average"
    )


def test_without_the_emulator_the_comparison_is_skipped(kernels, monkeypatch, capsys):
    monkeypatch.setattr(kernels.shutil, "which", lambda name: None)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(sys, "argv", ["kernels.py"])
    kernels.main()
    assert capsys.readouterr().out == (
        "skipped: expected qemu-x86_64 (Debian: apt-get install qemu-user), found none\n"
    )


def test_other_processors_are_not_compared(kernels, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert kernels.obstacle() == "expected an x86-64 processor, found aarch64"


def test_a_process_prints_the_predictions_of_the_model(kernels, model, monkeypatch, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        json.dumps(
            {"id": "1", "text": "He said that ships waited.", "stances": [{"target": "ships"}]}
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(kernels, "ROWS", rows)
    answers = [list(kernels.answers_of(prediction)) for prediction in kernels.predict(model)]
    assert len(answers) == 1
    assert len(answers[0]) == 4  # three tasks of the sentence, and one stance
    assert all(sum(answer.probabilities.values()) == pytest.approx(1) for answer in answers[0])
