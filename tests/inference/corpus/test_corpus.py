"""Test the data frames of a corpus, their documentation, and the notebook that shows them."""

import ast
import json
import re
import sys

import pytest

from claimstance.inference.corpus.corpus import ARTICLES, SOURCES, STANCES, STATEMENTS, Corpus
from claimstance.inference.writers.frames import DTYPES
from claimstance.inference.writers.rows import KINDS
from claimstance.model.errors import ConfigError
from helpers.paths import ROOT
from helpers.results import tagged, write_results

pandas = pytest.importorskip("pandas")
COLUMNS = {
    "articles": ARTICLES,
    "statements": STATEMENTS,
    "stances": STANCES,
    "sources": SOURCES,
}


@pytest.fixture
def results(tmp_path):
    """Return a file with two articles in which Rexa Lorn speaks."""
    return write_results(
        tmp_path / "tagged.jsonl",
        tagged(
            "a1",
            says=[("Rexa Lorn", "the dam is safe"), None],
            stances=[
                ("Rexa Lorn", "Tam Orr"),
                ("Rexa Lorn", "dam", "neutral"),
                ("Tam Orr", "dam", "favor", True),
            ],
            people=["Rexa Lorn"],
            outlet="Post",
            date="2031-03-02",
        ),
        tagged(
            "a2",
            says=["Lorn", "Tam Orr"],
            stances=[(None, "Lorn", "favor"), ("the mayor", "Orr")],
            people=["Lorn", "Tam Orr"],
            date="soon",
        ),
    )


@pytest.fixture
def corpus(results):
    with Corpus.from_results(results) as corpus:
        yield corpus


def test_statements_have_one_name_for_one_person(corpus):
    frame = corpus.statements()
    assert frame["source"].fillna("").tolist() == ["Rexa Lorn", "", "Rexa Lorn", "Tam Orr"]
    assert frame["name"].fillna("").tolist() == ["Rexa Lorn", "", "Lorn", "Tam Orr"]
    first = frame.iloc[0]
    assert (first["content"], first["words"], first["is_claim"]) == ("the dam is safe", 4, True)


def test_only_stances_that_take_a_side_count_by_default(corpus):
    frame = corpus.stances()
    rows = frame[["holder", "target", "label"]].fillna("").itertuples(index=False, name=None)
    assert list(rows) == [
        ("Rexa Lorn", "Tam Orr", "against"),
        ("", "Rexa Lorn", "favor"),
        ("(not named)", "Tam Orr", "against"),
    ]
    every = corpus.stances(all_rows=True)
    assert every["abstained"].tolist() == [False, False, True, False, False]


def test_sources_are_totalled_over_articles(corpus):
    frame = corpus.sources()
    assert frame.to_dict("records") == [
        {
            "source": "Rexa Lorn",
            "statements": 2,
            "claims": 2,
            "words": 7,
            "articles": 2,
            "outlets": 1,
            "stances": 1,
        },
        {
            "source": "Tam Orr",
            "statements": 1,
            "claims": 1,
            "words": 3,
            "articles": 1,
            "outlets": 0,
            "stances": 0,
        },
    ]
    assert corpus.sources().equals(frame)


def test_articles_have_days_that_pandas_can_group(corpus):
    dates = corpus.articles()["date"]
    assert dates.dt.strftime("%Y-%m").fillna("").tolist() == ["2031-03", ""]
    assert len(corpus.warnings) == 1


def test_an_edited_table_of_names_is_used(corpus, results, tmp_path):
    corpus.write_names(tmp_path / "names.csv")
    text = (tmp_path / "names.csv").read_text()
    (tmp_path / "names.csv").write_text(text.replace("Tam Orr,Tam Orr", "Tam Orr,T. Orr"))
    with Corpus.from_results([str(results)], names=tmp_path / "names.csv") as edited:
        assert edited.sources()["source"].tolist() == ["Rexa Lorn", "T. Orr"]


def test_the_repr_counts_articles_statements_and_stances(corpus):
    assert repr(corpus) == "<Corpus: 2 articles, 4 statements, 3 stances>"


def test_an_article_without_results_gives_empty_frames(tmp_path):
    with Corpus.from_results(write_results(tmp_path / "tagged.jsonl", tagged())) as corpus:
        assert [len(getattr(corpus, name)()) for name in COLUMNS] == [1, 0, 0, 0]


def test_without_pandas_the_extra_is_named(monkeypatch, results):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match=r"claimstance\[frames\]"):
        Corpus.from_results(results)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_documented_columns_are_those_of_the_frame(corpus, name):
    text = (ROOT / "docs/corpus.md").read_text(encoding="utf-8")
    section = text.partition(f": `{name}()`\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    columns = COLUMNS[name]
    assert documented == [
        (column.name, KINDS[column.kind], column.description) for column in columns
    ]
    frame = getattr(corpus, name)()
    assert list(frame.columns) == [column.name for column in columns]
    assert [str(dtype) for dtype in frame.dtypes] == [DTYPES[column.kind] for column in columns]


@pytest.mark.slow
def test_the_notebook_runs():
    notebook = json.loads((ROOT / "docs/corpus.ipynb").read_text(encoding="utf-8"))
    names, values = {}, []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            values.append(run_cell("".join(cell["source"]), names))
    assert names["corpus"] is not None
    assert len(names["statements"]) > 5
    assert "Runa Salt (minister)" in set(values[-2]["source"])


def run_cell(source, names):
    """Execute a cell and return the value of its last expression, which a notebook would show."""
    cell = ast.parse(source)
    last = cell.body.pop() if isinstance(cell.body[-1], ast.Expr) else None
    exec(compile(cell, "a cell", "exec"), names)
    return last and eval(compile(ast.Expression(last.value), "a cell", "eval"), names)
