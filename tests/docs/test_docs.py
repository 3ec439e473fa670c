"""Check that the documents are true: their figures, files, corpora and commands are the existing ones."""

import json
import re
import zlib
from importlib import metadata

import pytest
import reference
import yaml
from figure_files import FOLDERS
from readme_table import load_figures, quote, quote_choice

from claimstance.inference.cli.main import app
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx.backend import model_sha256
from claimstance.training.data.corpora import CORPORA
from helpers.program import ROOT
from helpers.snippets import DOCUMENTS, GENERATED

README = (ROOT / "README.md").read_text(encoding="utf-8")
CARDS = [f"model/bundled/{name}/README.md" for name in BUNDLED_MODELS]
FIGURE_ROW = re.compile(
    r"^\| ([^|]+?) \| ([\d.]+) \| (?:([\d.]+) – ([\d.]+))? ?\| (\d+) \|", re.MULTILINE
)
# A label, then a number between 0 and 1 in the same cell. JSON is not matched: a quotation mark stands between them.
QUOTED_PROBABILITY = re.compile(
    r"\b(?:against|favor|neutral|claim|no_claim|check_worthy|subjective|objective)\b[^|\"\d\n.]{0,30}"
    r"(?<![\d.])(?:0?\.\d+|1\.0+)\b"
)


@pytest.fixture(params=BUNDLED_MODELS)
def model(request):
    return request.param


@pytest.fixture
def figures(model):
    return json.loads((FOLDERS[model] / "accuracy.json").read_text(encoding="utf-8"))


@pytest.fixture
def card(model):
    return (BUNDLED_MODELS[model] / "README.md").read_text(encoding="utf-8")


def test_figures_of_a_card_are_the_measured_ones(figures, card, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from accuracy_page import quote

    measured = {row["name"]: row for row in figures["rows"]}
    quoted = FIGURE_ROW.findall(card)
    assert len(quoted) >= 8
    for title, value, low, high, n in quoted:
        row = measured[title]
        assert float(value) == row["value"]
        assert int(n) == row["n"]
        if low:
            assert (float(low), float(high)) == (row["low"], row["high"])
    assert quote(figures, card) == card


def test_figures_of_the_readme_are_the_measured_ones():
    all_figures = load_figures()
    assert list(all_figures) == list(BUNDLED_MODELS)
    assert quote(all_figures, README) == README
    assert quote_choice(all_figures, README) == README
    source = all_figures["small"]["accuracy"]["rows"][0]
    assert (
        f"| {source['name']} | {source['value']} ({source['low']} – {source['high']}) |" in README
    )


def test_figures_are_of_the_bundled_models(model, figures, card):
    sha256 = model_sha256(BUNDLED_MODELS[model])
    assert sha256 == figures["model_sha256"]
    assert sha256[:12] in card
    stances = json.loads((FOLDERS[model] / "stances.json").read_text(encoding="utf-8"))
    assert stances["model_sha256"] == sha256


@pytest.mark.parametrize("document", [*CARDS, *DOCUMENTS])
def test_no_probability_of_the_bundled_model_is_quoted_to_a_digit(document):
    """Check that documents show labels, and shares in words, since digits depend on the processor."""
    if document == "docs/experiments.md":
        pytest.skip("states what was measured, when and where")
    text = (ROOT / document).read_text(encoding="utf-8")
    assert QUOTED_PROBABILITY.findall(text) == []


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("| accused | Orvane | against 0.77 |", True),
        ("(Kerry against ISIL, 0.32)", True),
        ("claim: .9", True),
        ("claim (1.00)", True),
        ("against Orvane, surely", False),
        ("nobody was against it in 2018", False),
        ('"probabilities": {"against": 0.71, "favor": 0.07}', False),
        ("of *against* 52 of 60", False),
    ],
)
def test_a_quoted_probability_is_recognized(text, quoted):
    assert bool(QUOTED_PROBABILITY.search(text)) is quoted


def test_bundled_models_fit_into_a_wheel():
    """Check the limit of the package index for wheels, with two megabytes left for the rest of the package."""
    files = [path for folder in BUNDLED_MODELS.values() for path in folder.iterdir()]
    assert max(path.stat().st_size for path in files) <= 50_000_000
    assert sum(len(zlib.compress(path.read_bytes(), 6)) for path in files) <= 98_000_000


def test_accuracy_page_is_rendered_from_the_figures(model, figures, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from accuracy_page import render

    assert (FOLDERS[model] / "accuracy.md").read_text(encoding="utf-8") == render(figures)


def test_quoted_speed_is_the_measured_one(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from speed_page import encoder_sha256, page, quote

    all_figures = {model: files["speed"] for model, files in load_figures().items()}
    assert list(all_figures) == list(BUNDLED_MODELS)
    for model, figures in all_figures.items():
        assert (FOLDERS[model] / "speed.md").read_text(encoding="utf-8") == page(figures)
        assert figures["encoder_sha256"] == encoder_sha256(BUNDLED_MODELS[model])
    assert quote(all_figures, README) == README
    assert README.count("| one article from a cold start |") == 1


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_corpora_are_described_as_their_readers_state(name):
    text = (ROOT / "docs/corpora.md").read_text(encoding="utf-8")
    corpus = CORPORA[name]
    for fact in (corpus.name, corpus.url, corpus.licence, corpus.citation):
        assert fact in text


def test_the_tree_of_the_architecture_lists_the_files_that_exist():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    tree = text[text.index("```\nmodel/") :]
    top, listed = None, set()
    for line in tree.splitlines()[1:-1]:
        name = line.split()[0]
        if not line.startswith(" "):
            top = ROOT / name
            assert top.is_dir(), name
        else:
            assert (top / name).exists(), f"{top.name}/{name}"
            listed.add(f"{top.name}/{name.rstrip('/')}")
    present = {
        path.relative_to(ROOT).as_posix()
        for folder in ("model", "training", "inference")
        for path in (ROOT / folder).iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    }
    ignored = {f"{folder}/__init__.py" for folder in ("model", "training", "inference")}
    ignored |= {"training/templates"}
    assert present - ignored == listed


def test_readme_uses_commands_that_exist():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    used = set(re.findall(r"^(?:.*\| )?claimstance (\w+)", README, re.MULTILINE))
    assert {"build", "train", "evaluate", "tag", "predict"} <= used <= commands


def test_reference_pages_are_up_to_date():
    advice = "differs from the code: run `make reference` and commit both pages"
    for name, page in (
        ("commands.md", reference.commands()),
        ("configuration.md", reference.configuration()),
    ):
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page, f"docs/{name}: {advice}"


def test_links_lead_to_existing_files():
    for document in (*DOCUMENTS, *GENERATED):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]*)", text):
            assert (ROOT / document).parent.joinpath(target).exists(), f"{document}: {target}"


def test_pictures_are_small_files():
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").glob("*.png")}
    assert {"article.png", "evaluation.png"} <= set(sizes)
    assert max(sizes.values()) <= 300_000


def test_no_placeholders_are_left():
    cards = [(ROOT / name).read_text(encoding="utf-8") for name in CARDS]
    assert [text[:40] for text in (README, *cards) if "@@" in text] == []


def test_the_citation_names_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == metadata.version("claimstance")
    assert citation["license"] == "MIT"
    assert citation["message"]
    assert [set(author) for author in citation["authors"]] == [{"name"}]
