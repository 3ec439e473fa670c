"""Test the benchmark of stances in whole articles: the matching of stances, the figures, and the page."""

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from claimstance.inference.results import Sentence, Stance, TaggedArticle
from claimstance.model.article.record_prediction import Prediction
from claimstance.model.article.spans import Span
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record
from claimstance.model.record import Stance as RecordStance
from claimstance.training.data.corpora.polnear_stance import ArticleLabels, LabelledStance
from helpers.paths import BENCHMARKS

TEXT = "Ida Holm praised the bridge. “It is safe,” she said. Her critics hate the bridge and Orr."
CONTRACT = {"name", "value", "low", "high", "n", "unit", "better", "must", "aim", "note"}


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import stance_articles
    import stance_figures
    import stance_matching
    import stances_page

    return SimpleNamespace(
        articles=stance_articles,
        figures=stance_figures,
        matching=stance_matching,
        page=stances_page,
    )


@pytest.fixture
def matching(modules):
    return modules.matching


def offsets(words, text=TEXT, start=0):
    """Return the offsets of words in a text."""
    position = text.index(words, start)
    return position, position + len(words)


def span(words, start=0):
    """Return the span of words in the article."""
    first, last = offsets(words, start=start)
    return Span(first, last, words, ((first, last),))


def annotated(holder, target, label="favor"):
    """Return an annotated stance; a holder that starts with @ is only a name."""
    holder_value = holder[1:] if holder.startswith("@") else offsets(holder)
    return LabelledStance((0, len(TEXT)), holder_value, offsets(target), label)


def predicted_stance(holder, target, label="favor", probability=0.9, name=None, abstained=False):
    """Return a stance as the program finds it."""
    return Stance(
        holder=name or holder,
        target=target,
        label=label,
        probability=probability,
        probabilities={label: probability, "neutral": 1 - probability},
        sentence=0,
        holder_span=span(holder) if holder else None,
        target_span=span(target) if target in TEXT else None,
        abstained=abstained,
    )


def labels(*stances, check_worthy=()):
    """Return the annotations of an article."""
    return ArticleLabels(["the bridge"], list(check_worthy), list(stances))


def matches(matching, gold, predictions):
    """Return (probability, is correct) of each prediction, the likeliest first."""
    return matching.match_stances(
        matching.annotated_stances(labels(*gold), TEXT), matching.found_stances(predictions)
    )


@pytest.mark.parametrize(
    ("gold", "prediction", "is_correct"),
    [
        (annotated("Ida Holm", "the bridge"), predicted_stance("Ida Holm", "the bridge"), True),
        (annotated("Ida Holm", "the bridge"), predicted_stance("Ida Holm", "bridge"), True),
        (annotated("Ida Holm", "bridge"), predicted_stance("Holm", "the bridge"), True),
        (
            annotated("Ida Holm", "the bridge", "against"),
            predicted_stance("Ida Holm", "the bridge"),
            False,
        ),
        (annotated("Ida Holm", "the bridge"), predicted_stance("Ida Holm", "Orr"), False),
        (annotated("Ida Holm", "the bridge"), predicted_stance("Her critics", "the bridge"), False),
        (
            annotated("@Ida Holm", "bridge"),
            predicted_stance("she", "the bridge", name="Ida Holm"),
            True,
        ),
        (
            annotated("@Ida Holm", "bridge"),
            predicted_stance("she", "the bridge", name="Mrs. Holm"),
            True,
        ),
        (
            annotated("@Mayor Holm", "bridge"),
            predicted_stance("", "the bridge", name="Ida Holm"),
            True,
        ),
        (annotated("Ida Holm", "bridge"), predicted_stance("", "the bridge", name="Holm"), True),
        (
            annotated("@Ida Holm", "bridge"),
            predicted_stance("she", "the bridge", name="Orr"),
            False,
        ),
        (annotated("@Ida Holm", "bridge"), predicted_stance("she", "the bridge"), False),
        # Two spans have to overlap, whatever names they resolve to.
        (
            annotated("Ida Holm", "bridge"),
            predicted_stance("she", "the bridge", name="Ida Holm"),
            False,
        ),
    ],
)
def test_a_stance_is_correct_with_its_side_holder_and_target(
    matching, gold, prediction, is_correct
):
    ((_, answer),) = matches(matching, [gold], [prediction])
    assert answer == is_correct


def test_an_annotated_stance_matches_one_prediction(matching):
    gold = [annotated("Ida Holm", "the bridge")]
    twice = [predicted_stance("Ida Holm", "the bridge", probability=p) for p in (0.6, 0.8)]
    assert matches(matching, gold, twice) == [(0.8, True), (0.6, False)]


def test_stances_without_side_holder_or_target_span_are_left_out(matching):
    predictions = [
        predicted_stance("Ida Holm", "the bridge", label="neutral"),
        predicted_stance("Ida Holm", "gun control"),
        Stance(None, "the bridge", "favor", 0.9, {}, 0, target_span=span("the bridge")),
        predicted_stance("Ida Holm", "the bridge", abstained=True),
    ]
    assert len(matching.found_stances(predictions)) == 1
    assert matching.found_stances(predictions, abstained=False) == []
    topic = LabelledStance((0, 28), offsets("Ida Holm"), "the bridge", "favor")
    assert matching.annotated_stances(labels(topic), TEXT) == []


def test_spans_are_counted_once(matching):
    holm, orr = offsets("Ida Holm"), offsets("Orr")
    assert matching.match_spans([holm, holm, orr], [holm, (0, 3), (40, 42)]) == (1, 3, 2)
    assert matching.match_spans([], []) == (0, 0, 0)


# The figures of two articles with the same text

CONFIG = ModelConfig(encoder={"hidden_size": 4})


def tagged(*stances):
    sentence = Sentence(0, 0, len(TEXT), TEXT, stances=list(stances))
    return TaggedArticle("", None, TEXT, {}, [sentence], [])


def record_with_prediction(doc_id, answers, check_worthy=("yes", 0.8), target="bridge"):
    """Return a record with pairs, and its prediction; answers are (gold, predicted, probability)."""
    record = Record(
        id=f"{doc_id}:0",
        doc_id=doc_id,
        text=TEXT,
        check_worthy=check_worthy[0],
        stances=[RecordStance(holder="Holm", target=target, label=gold) for gold, _, _ in answers],
    )
    stances = []
    for _, label, probability in answers:
        probabilities = dict.fromkeys(CONFIG.labels["stance"], (1 - probability) / 2)
        stances.append({**probabilities, label: probability})
    prediction = Prediction(
        check_worthy={"no": 1 - check_worthy[1], "yes": check_worthy[1]},
        stances=stances,
        kinds=["stance.holder"] * len(stances),
    )
    return record, prediction


@pytest.fixture
def articles(modules):
    own = labels(
        annotated("Ida Holm", "the bridge"), annotated("Her critics", "Orr", "against"),
        check_worthy=[(0, 28), (29, 52)],
    )  # fmt: skip
    second = labels(annotated("Holm", "bridge"), check_worthy=[(29, 52)])
    return [
        modules.articles.AnnotatedArticle("a", TEXT, own, second, [], []),
        modules.articles.AnnotatedArticle("b", TEXT, own, None, [], []),
    ]


@pytest.fixture
def answered(modules):
    sides = [("favor", "favor", 0.9), ("against", "favor", 0.8), ("neutral", "neutral", 0.7)]
    after = [("favor", "favor", 0.9), ("against", "against", 0.8), ("neutral", "neutral", 0.7)]
    return modules.articles.Answered(
        CONFIG,
        tagged=[
            tagged(
                predicted_stance("Ida Holm", "the bridge", abstained=True),
                predicted_stance("Her critics", "the bridge"),
            ),
            tagged(predicted_stance("Her critics", "Orr", "against", 0.7)),
        ],
        pairs=[
            record_with_prediction("a", sides),
            record_with_prediction("b", sides, ("no", 0.3)),
        ],
        topics=[record_with_prediction("a", sides[:1])],
        swapped=[record_with_prediction("a", after), record_with_prediction("b", sides)],
    )


def test_figures_of_whole_articles(modules, articles, answered):
    figures = modules.figures.all_figures(articles, answered)
    values = {name: round(100 * figure.value, 1) for name, figure in figures.items()}
    # Four annotated stances; three predicted sides, two of them correct; two of the three are sure, one of them correct.
    assert (values["all.precision"], values["all.recall"]) == (66.7, 50.0)
    assert (values["sure.precision"], values["sure.recall"]) == (50.0, 25.0)
    assert (figures["all.precision"].n, figures["all.recall"].n) == (3, 4)
    assert values["holders.precision"] == 100.0
    assert values["targets.recall"] == 50.0
    assert (values["shared.all.precision"], values["shared.all.recall"]) == (50.0, 50.0)
    assert figures["all.f1"].low <= figures["all.f1"].value <= figures["all.f1"].high


def test_figures_of_given_pairs(modules, articles, answered):
    figures = modules.figures.all_figures(articles, answered)
    values = {name: round(100 * figure.value, 1) for name, figure in figures.items()}
    # One answer of six changes, a side before and after; the F1 of the labels are 66.7, 0 and 100.
    assert values["swapped.unchanged"] == round(100 * 5 / 6, 1)
    assert values["swapped.sides_unchanged"] == 75.0
    assert values["pairs.macro_f1"] == 55.6
    assert values["swapped.macro_f1"] > values["pairs.macro_f1"]
    assert values["pairs.favor"] == 100.0
    assert values["topics.macro_f1"] == 100.0
    # The errors of the bins, of two answers each, are 0.1, 0.8 and 0.3.
    assert figures["pairs.calibration_error"].value == pytest.approx(0.4)
    assert values["check_worthy.average_precision"] == 100.0


def test_the_second_annotator_is_scored_as_a_system(modules, articles):
    figures = modules.figures.second_annotator(articles)
    assert figures["all.precision"].value == 1.0
    assert figures["all.recall"].value == 0.5
    assert figures["check_worthy.f1"].value == pytest.approx(2 / 3)
    assert modules.figures.second_annotator(articles[1:]) == {}


def test_the_curve_ends_with_all_sides(modules, articles, answered):
    curve = modules.figures.confidence_curve(articles, answered.tagged)
    assert [point["confidence"] for point in curve] == [0.9, 0.7]
    assert curve[0] == {"confidence": 0.9, "precision": 0.5, "recall": 0.25}
    assert curve[-1]["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert curve[-1]["recall"] == 0.5
    assert modules.figures.confidence_curve(articles, [tagged(), tagged()]) == []


def test_a_model_without_a_task_is_refused(modules):
    from claimstance.model.errors import ModelError

    config = ModelConfig(encoder={"hidden_size": 4}, tasks=("claim", "stance"))
    with pytest.raises(ModelError, match="found none for check_worthy"):
        modules.articles.check_tasks(config)


def file_of(modules, articles, answered, exact=False):
    """Return a file of figures as JSON values, with those of float32 if ``exact``."""
    figures = modules.figures.all_figures(articles, answered)
    rows = modules.page.make_rows(
        figures, modules.figures.second_annotator(articles), figures if exact else None
    )
    curve = modules.figures.confidence_curve(articles, answered.tagged)
    return {
        "date": "2026-01-01",
        "machine": "m",
        "model_sha256": "ab" * 32,
        "split": "dev",
        "articles": 2,
        "precision": "int8",
        "curves": {"model": curve, **({"float32": curve} if exact else {})},
        "rows": rows,
    } | ({"float32_sha256": "cd" * 32} if exact else {})


def test_rows_have_the_fields_of_the_contract(modules, articles, answered):
    rows = file_of(modules, articles, answered)["rows"]
    assert all(set(row) >= CONTRACT for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert len(by_name) == len(rows)
    f1 = by_name["Stances in whole articles, F1"]
    assert (f1["value"], f1["n"], f1["must"], f1["aim"]) == (57.1, 4, 45, 60)
    error = by_name["Given pairs, expected calibration error"]
    assert (error["value"], error["unit"], error["better"], error["must"]) == (
        0.4,
        "1",
        "lower",
        0.03,
    )
    assert by_name["Stances in whole articles, recall: second annotator"]["value"] == 50.0


def test_every_row_is_on_the_page(modules, articles, answered):
    figures = file_of(modules, articles, answered, exact=True)
    page = modules.page.render(figures)
    assert all(f"| {row['name']} |" in page for row in figures["rows"])
    assert "| float32 |" in page
    assert "cdcdcdcdcdcd" in page
    answered_second = replace(answered, tagged=answered.tagged[1:])
    short_page = modules.page.render(file_of(modules, articles[1:], answered_second))
    assert "second annotator" in page
    assert "second annotator" not in short_page
    assert "float32" not in short_page


def test_the_title_of_a_page_about_tune_names_it(modules, articles, answered):
    figures = file_of(modules, articles, answered) | {"split": "tune"}
    assert "of tune, which choices were made on" in modules.page.render(figures).splitlines()[0]


def test_the_drawing_is_reproducible(modules, articles, answered, tmp_path):
    figures = file_of(modules, articles, answered, exact=True)
    for name in ("one.svg", "two.svg"):
        modules.page.draw(figures, tmp_path / name)
    drawing = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert drawing == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert drawing.lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "error: nowhere/polnear: expected a copy of"),
        (["nowhere", "--split", "tune"], 2, "expected --out FOLDER"),
        (["nowhere", "--model", "m"], 2, "expected --out FOLDER"),
        (["nowhere", "--limit", "3"], 2, "expected --out FOLDER"),
        (["nowhere", "--limit", "0", "--out", "o"], 2, "found 0"),
    ],
)
def test_a_wrong_call_gets_a_clear_error(tmp_path, arguments, code, message):
    run = subprocess.run(
        [sys.executable, BENCHMARKS / "stances.py", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == code
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_labelled_articles_gets_a_clear_error(modules, tmp_path):
    from claimstance.model.errors import InputError

    (tmp_path / "polnear/data/dev/attributions").mkdir(parents=True)
    (tmp_path / "polnear-silver").mkdir()
    (tmp_path / "polnear-silver/dev.jsonl").write_text("")
    with pytest.raises(InputError, match="expected annotated articles of the part dev, found none"):
        modules.articles.load_articles(tmp_path, "dev")


@pytest.mark.skipif(
    not (BENCHMARKS / "stances.json").exists(), reason="no figures of stances are written yet"
)
def test_the_page_is_rendered_from_the_figures(modules):
    figures = json.loads((BENCHMARKS / "stances.json").read_text(encoding="utf-8"))
    assert (BENCHMARKS / "stances.md").read_text(encoding="utf-8") == modules.page.render(figures)
