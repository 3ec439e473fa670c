"""Test CSV files: no cell is a formula for a spreadsheet, and other cells keep their text."""

import csv
import io
import re
import time

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from, text

from claimstance.inference.writers.rows import TABLES
from claimstance.inference.writers.text import escape_formula
from helpers.rows import csv_rows, csv_text, uniform_article

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"
#: Separators of columns that programs assume by their country's convention, or by guessing.
SEPARATORS = (",", ";", "\t", "|")


@pytest.fixture(autouse=True)
def long_cells():
    """Let csv read long cells, and restore its limit, which belongs to the whole process."""
    previous_limit = csv.field_size_limit(1_000_000)
    yield
    csv.field_size_limit(previous_limit)


def formulas(file_text, separator):
    """Return the cells that a program with this separator would take for formulas instead of numbers or text."""
    cells = []
    for row in csv.reader(io.StringIO(file_text, newline=""), delimiter=separator):
        for cell in row:
            content = cell.strip().strip("\ufeff\u200b\u2060").strip()
            if content.startswith(tuple(SIGNS)) and not re.fullmatch(
                r"[+-]?[\d.,]*\d%?(?:[eE][+-]?\d+)?", content
            ):
                cells.append(cell)
    return cells


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "=cmd|' /C calc'!A0",
        "＝1",
        "－1+1",
        "﹦1",
        "-",
        "-5 degrees",
        "+49 (0)30",
        "=5",
        "-1-1",
        " =1+1",
        "\u00a0=1",
        "\u3000＝1",
        "\ufeff=1",
        "\u200b@x",
    ],
)
@pytest.mark.parametrize("rows", TABLES)
def test_text_is_never_a_formula(text, rows):
    ((header, line),) = [csv_rows([uniform_article(text, key=text)], rows)]
    assert line[header.index("text")] == "'" + text
    assert line[header.index("meta_key")] == "'" + text
    for separator in SEPARATORS:
        assert formulas(csv_text([uniform_article(text, key=text)], rows), separator) == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("He left;=1+1", "He left;'=1+1"),
        ("He left; =1+1", "He left; '=1+1"),
        ("it fell; -5", "it fell; '-5"),  # the next column would follow the number
        ("a;+b;-c;@d;e", "a;'+b;'-c;'@d;e"),
        ("a;＝1", "a;'＝1"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("a\r\n\r\n@b", "a\r\n\r\n'@b"),
        ("a|=1", "a|'=1"),
        ("a | =1", "a | '=1"),
        ('a;"=1"', 'a;\'"=1"'),
        ('a; ""=1', 'a; \'""=1'),
        ("\t=1", "'\t'=1"),
        ("=1;=2", "'=1;'=2"),
        ("-5;=2", "'-5;'=2"),
        ("a;-5 degrees", "a;'-5 degrees"),
        ("- one\n- two", "'- one\n'- two"),
        ("\r-5;", "'\r'-5;"),
        ("a\n-5;b", "a\n'-5;b"),  # the cell goes on for a program that expects bars
        ('a\n-5"\nb', "a\n'-5\"\nb"),
    ],
)
@pytest.mark.parametrize("rows", TABLES)
def test_text_has_no_formula_for_programs_with_other_separators(text, cell, rows):
    ((header, line),) = [csv_rows([uniform_article(text, key=text)], rows)]
    assert line[header.index("text")] == cell
    assert line[header.index("meta_key")] == cell
    for separator in SEPARATORS:
        assert formulas(csv_text([uniform_article(text, key=text)], rows), separator) == []


@pytest.mark.parametrize("rows", TABLES)
@pytest.mark.parametrize("name", ["=1", "x;=1", "x\n@1", "x\t+1+1", "x|-1-1"])
def test_names_of_columns_are_never_formulas(name, rows):
    for separator in SEPARATORS:
        assert formulas(csv_text([uniform_article("A.", **{name: "x"})], rows), separator) == []


def test_the_last_column_has_no_formula():
    articles = [uniform_article("A."), uniform_article("B.", **{"=1": "x;=1", "k": ["a;=1"]})]
    for separator in SEPARATORS:
        assert formulas(csv_text(articles, "sentences"), separator) == []


@given(text(alphabet="=+-@＝;|,\t\n\r \"'a5.", max_size=12), sampled_from(sorted(TABLES)))
def test_random_text_is_never_a_formula(words, rows):
    file_text = csv_text([uniform_article(words, key=words, **{words: words})], rows)
    for separator in SEPARATORS:
        assert formulas(file_text, separator) == [], (words, separator)


@pytest.mark.parametrize(
    "text",
    [
        "-5",
        "+49",
        "-1.5",
        "-1,234.5",
        "+3e-7",
        "-20%",
        " -5",
        "He left. =1",
        "'=1",
        "",
        "a;-20%;b",
        "a\n-20%\nb",
        "a - b + c = d",
        "London - Reuters, +3",
        "a | b",
        "one\ntwo",
    ],
)
def test_other_cells_are_unchanged(text):
    header, line = csv_rows([uniform_article(text or "x", key=text)])
    assert line[header.index("meta_key")] == text


def test_a_long_cell_is_escaped_in_linear_time():
    for piece in ("\n", " ", "; ", ';"', "-5;", "1,"):
        words = "x;" + piece * 300_000
        start_time = time.process_time()
        escape_formula(words)
        assert time.process_time() - start_time < 5, piece


def test_a_csv_without_articles_has_its_header():
    assert csv_rows([], "stances") == [
        [*(column.name for column in TABLES["stances"].columns), "meta"]
    ]
