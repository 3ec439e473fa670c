"""Test the comparison of two evaluations: its test on known cases, and evaluations that cannot be compared."""

import json

import numpy as np
import pytest

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.evaluation.counts import OUTCOMES_FILE, read_outcomes, write_outcomes
from claimstance.training.evaluation.scoring import PRIMARY_METRICS, score_pairs
from claimstance.training.evaluation.significance import MIN_DOCUMENTS, compare

TASKS = ("claim", "stance", "attribution", "entity")
CONFIG = ModelConfig(
    {}, tasks=TASKS, labels={"claim": ("no_claim", "claim"), "stance": ("against", "favor")}
)
ABOUT = {
    "model": {"name": "m", "sha256": "0"},
    "data": {"path": "d", "split": "dev", "rows": 3, "fingerprint": "f"},
}


def claims(correct, documents=None, corpus="a"):
    """Return sentences, every other one a claim, and predictions that are right where ``correct`` is true."""
    pairs = []
    for i, is_correct in enumerate(correct):
        gold = i % 2 == 0
        probability = 0.9 if gold == bool(is_correct) else 0.2
        record = Record(
            id=str(i),
            doc_id=documents and documents[i],
            text="a private sentence",
            meta={"corpus": corpus},
            claim="claim" if gold else "no_claim",
        )
        pairs.append(
            (record, Prediction(claim={"no_claim": 1 - probability, "claim": probability}))
        )
    return pairs


@pytest.fixture
def stored(tmp_path):
    """Return a function that writes an evaluation of such pairs and returns its folder."""

    def store(name, pairs, data=None, config=CONFIG):
        folder = tmp_path / name
        folder.mkdir()
        with (folder / OUTCOMES_FILE).open("w", encoding="utf-8") as file:
            write_outcomes(
                score_pairs(config, pairs)[1],
                {**ABOUT, "data": {**ABOUT["data"], **(data or {})}},
                file,
            )
        return folder

    return store


def everything():
    """Return records with labels of every task, and the predictions of a model."""
    attribution = Attribution(source=[(0, 3)], cue=[(4, 8)], content=[(9, 12)])
    pairs = []
    for i in range(12):
        record = Record(
            id=str(i),
            doc_id=str(i // 2),
            text="Ada said yes.",
            claim="claim",
            attributions=[attribution],
            entities=[Entity(span=[(0, 3)], label="PERSON")],
            stances=[Stance(target="x", label="favor")],
            meta={"corpus": "a"},
        )
        attributions = [(attribution, 1.0)] if i % 3 else []
        pairs.append(
            (
                record,
                Prediction(
                    claim={"no_claim": 0.1 * (i % 10), "claim": 1 - 0.1 * (i % 10)},
                    attributions=attributions,
                    entities=[],
                    stances=[{"against": 0.3, "favor": 0.7}],
                    kinds=["stance"],
                ),
            )
        )
    return pairs


def test_stored_counts_give_the_primary_figures(stored):
    results, _ = score_pairs(CONFIG, everything())
    about, outcomes = read_outcomes(stored("a", everything()))
    assert about["data"] == ABOUT["data"]
    assert set(outcomes) == set(results) == {f"a/{task}" for task in TASKS}
    for name, outcome in outcomes.items():
        figures = outcome.figures()
        for metric in PRIMARY_METRICS[name.rpartition("/")[2]]:
            assert figures[metric] == results[name][metric]


def test_the_stored_counts_reveal_neither_texts_nor_document_names(stored):
    folder = stored("a", claims([1] * 12, [f"secret-{i}" for i in range(12)]))
    stored_counts = (folder / OUTCOMES_FILE).read_text(encoding="utf-8")
    assert "secret" not in stored_counts
    assert "private" not in stored_counts


def test_a_run_does_not_differ_from_itself(stored):
    run = stored("a", claims([1, 0] * 20))
    (row,) = compare(run, run, resamples=200)["rows"]
    assert (row["difference"], row["low"], row["high"], row["p"], row["significant"]) == (
        0,
        0,
        0,
        1,
        False,
    )


def test_the_order_of_documents_does_not_matter(stored):
    pairs = claims(np.random.default_rng(3).random(60) < 0.7)
    first, second = stored("a", pairs), stored("b", pairs[::-1])
    (row,) = compare(first, second, resamples=200)["rows"]
    assert (row["low"], row["high"]) == (0, 0)


def test_a_positive_difference_means_that_b_is_better(stored):
    result = compare(
        stored("a", claims([0, 1] * 50)), stored("b", claims([1] * 100)), resamples=500
    )
    (row,) = result["rows"]
    assert row["b"] == 1
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert 0 < row["low"] < row["difference"] < row["high"]
    assert row["p"] == pytest.approx(1 / 501)
    assert row["significant"]
    assert row["documents"] == 100
    better, worse = stored("c", claims([1] * 100)), stored("d", claims([0, 1] * 50))
    (reverse_row,) = compare(better, worse, resamples=500)["rows"]
    assert reverse_row["difference"] == pytest.approx(-row["difference"])
    assert (reverse_row["low"], reverse_row["high"]) == (
        pytest.approx(-row["high"]),
        pytest.approx(-row["low"]),
    )


def test_the_p_value_is_near_that_of_the_sign_test(stored):
    # The runs differ in 14 of 200 sentences, 10 of them in b's favour: the exact p is 0.18.
    all_correct = np.ones(200, dtype=int)
    a, b = all_correct.copy(), all_correct.copy()
    a[:10] = 0
    b[10:14] = 0
    (row,) = compare(stored("a", claims(a)), stored("b", claims(b)), ["accuracy"], resamples=2000)[
        "rows"
    ]
    assert row["difference"] == pytest.approx(6 / 200)
    # The normal approximation: six over the square root of 14 is 1.60 standard deviations.
    assert row["p"] == pytest.approx(0.11, abs=0.04)
    assert row["low"] < 0 < row["high"]


def test_resampling_draws_documents(stored):
    # Many small documents give a narrower interval than few large ones whose answers are all right or all wrong.
    rng = np.random.default_rng(11)
    a, b = (np.repeat(rng.random(20) < share, 10) for share in (0.6, 0.8))
    large_documents = [str(i // 10) for i in range(200)]
    small_documents = [str(i) for i in range(200)]
    widths = {}
    for name, documents in (("large", large_documents), ("small", small_documents)):
        first = stored(f"{name}-a", claims(a, documents))
        second = stored(f"{name}-b", claims(b, documents))
        (row,) = compare(first, second, ["accuracy"], resamples=500)["rows"]
        widths[name] = row["high"] - row["low"]
    assert widths["large"] > 2 * widths["small"]


def test_significance_is_corrected_for_the_number_of_tests(stored):
    def run(name, near):
        rng = np.random.default_rng(5)
        pairs = claims(rng.random(100) < 0.7, corpus="noise")
        return stored(
            name, [*pairs, *claims(near, corpus="near"), *claims([1] * 100, corpus="same")]
        )

    near = np.ones(100, dtype=int)
    near[:9] = 0
    result = compare(
        run("a", near),
        run("b", np.r_[np.ones(96, dtype=int), np.zeros(4, dtype=int)]),
        resamples=1000,
    )
    by_corpus = {row["corpus"]: row for row in result["rows"]}
    assert result["tests"] == 3
    ordered = sorted(result["rows"], key=lambda row: row["p"])
    assert ordered[0]["holm"] == pytest.approx(min(1, 3 * ordered[0]["p"]))
    assert [row["holm"] for row in ordered] == sorted(row["holm"] for row in ordered)
    assert by_corpus["same"]["holm"] == 1
    for row in result["rows"]:
        assert row["significant"] == (row["holm"] < 0.05)


def test_too_few_documents_are_not_tested(stored):
    documents = [str(i % (MIN_DOCUMENTS - 1)) for i in range(40)]
    result = compare(
        stored("a", claims([0] * 40, documents)),
        stored("b", claims([1] * 40, documents)),
        resamples=50,
    )
    (row,) = result["rows"]
    assert (row["p"], row["holm"], row["significant"], result["tests"]) == (None, None, False, 0)


def test_tasks_that_one_run_lacks_are_named(stored):
    result = compare(
        stored("a", [*claims([1] * 12), *claims([1] * 12, corpus="b")]),
        stored("b", [*claims([1] * 12), *claims([1] * 12, corpus="c")]),
        resamples=50,
    )
    assert (result["only_a"], result["only_b"]) == (["b/claim"], ["c/claim"])
    assert [row["corpus"] for row in result["rows"]] == ["a"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fingerprint": "other"}, "expected the fingerprint of"),
        ({"split": "test"}, "expected the split of"),
        ({"rows": 4}, "expected the rows of"),
    ],
)
def test_other_data_are_not_compared(stored, change, message):
    first, second = stored("a", claims([1] * 12)), stored("b", claims([1] * 12), change)
    with pytest.raises(InputError, match=message) as error:
        compare(first, second)
    assert str(second / OUTCOMES_FILE) in str(error.value)
    assert str(first / OUTCOMES_FILE) in str(error.value)


def test_other_documents_labels_and_tasks_are_not_compared(stored):
    first = stored("a", claims([1] * 12))
    with pytest.raises(
        InputError, match=r"expected the 12 documents of .*, found 13; 12 of them are among those"
    ):
        compare(first, stored("b", claims([1] * 13)))
    swapped = ModelConfig({}, tasks=("claim",), labels={"claim": ("claim", "no_claim")})
    with pytest.raises(InputError, match=r"expected the labels of .* found claim, no_claim"):
        compare(first, stored("c", claims([1] * 12), config=swapped))
    with pytest.raises(InputError, match=r"expected a task that .* has \(a/claim\), found z/claim"):
        compare(first, stored("d", claims([1] * 12, corpus="z")))
    with pytest.raises(ConfigError, match=r"unknown metric 'acuracy'\. Did you mean 'accuracy'"):
        compare(first, first, ["macro_f1", "acuracy"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [], "found an empty file"),
        (lambda lines: ["{", *lines[1:]], "line 1: expected a JSON object"),
        (lambda lines: ["[]", *lines[1:]], "line 1: expected a JSON object, found list"),
        (
            lambda lines: [json.dumps({**json.loads(lines[0]), "format": 2}), *lines[1:]],
            'expected "format": 1, found 2',
        ),
        (lambda lines: ['{"format": 1}', *lines[1:]], 'expected "model" and "data"'),
        (lambda lines: [lines[0], '{"name": "a/claim"}'], "line 2: expected a task's counts"),
        (
            lambda lines: [lines[0], lines[1].replace('"labels",', '"found",', 1)],
            "line 2: expected counts for each of 12",
        ),
        (
            lambda lines: [lines[0], lines[1].replace("[[[", "[[[9],[", 1)],
            "line 2: expected a task's counts",
        ),
    ],
)
def test_a_damaged_file_is_an_error(stored, change, message):
    folder = stored("a", claims([1] * 12))
    path = folder / OUTCOMES_FILE
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(change(lines)), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_outcomes(folder)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_a_folder_without_counts_is_an_error(tmp_path):
    with pytest.raises(InputError, match="expected the counts that `claimstance evaluate"):
        read_outcomes(tmp_path)
