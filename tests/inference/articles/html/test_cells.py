"""Test text columns that hold HTML: they are read like the text of a page, and plain text stays as it is."""

import json
import time
from pathlib import Path

import pytest

from claimstance.inference.articles.html.cells import read_cell
from claimstance.inference.articles.sources import read_articles


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (
            "<p>Lena Orr said the dam was unsafe.</p><p>Pell &amp; Co denied it&#8217;s true.</p>",
            "Lena Orr said the dam was unsafe.\nPell & Co denied it’s true.",
        ),
        ("<div>He left.<br/>She stayed.<BR>They</div>", "He left.\nShe stayed.\nThey"),
        ("<P CLASS='x'>He\nleft\tat <b>noon</b>.</P>\n\n<p>She</p>", "He left at noon.\nShe"),
        ("Jos&eacute; N&uacute;&ntilde;ez &ndash; &ldquo;no&rdquo;", "José Núñez – “no”"),
        ("<p>A&nbsp;&nbsp;B</p>", "A B"),
        ("<ul><li>One.</li><li>Two.</li></ul>", "- One.\n- Two."),
        ("<p>He said <q>no</q> twice.</p>", "He said “no” twice."),
        ("<h2>Head</h2>Text<!-- <p>not this</p> --> goes on", "Head\nText goes on"),
        ("<p>He left.</p><script>if (a < b) { x = '<p>'; }</script><p>She</p>", "He left.\nShe"),
        ("<style>p { color: red }</style><p>He left.</p>", "He left."),
        ("<table><tr><td>One</td><td>Two</td></tr><tr><td>3</td></tr></table>", "One Two\n3"),
        ("<p>1 < 2 and <Name> and a <b", "1 < 2 and <Name> and a <b"),
        ("<p>He left.<p>She stayed.", "He left.\nShe stayed."),
        ("He <b>left</b>.\n\nShe <a href='/x'>stayed</a>.", "He left.\n\nShe stayed."),
        ("&lt;p&gt;Pell &amp;amp; Co&lt;/p&gt;&lt;p&gt;left&lt;/p&gt;", "Pell & Co\nleft"),
        ("<p>&lt;b&gt; is a tag</p>", "<b> is a tag"),
    ],
)
def test_cells_with_html(cell, text):
    assert read_cell(cell) == text


@pytest.mark.parametrize(
    "cell",
    [
        "He left.\n\nShe stayed.",
        "1 < 2, 3 > 2 & so on; AT&T; R&D",
        "Use the <p> tag, or <b>.",
        "<Name> said <no>.",
        "&unknown; &; &#; &#xzz; &copy",
        "<tweet id='1'>He left.</tweet>",
        "Tom & Jerry <3",
        "<!-- no comment",
    ],
)
def test_plain_text_is_unchanged(cell):
    assert read_cell(cell) == cell


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_html_is_parsed_in_columns_of_texts_and_titles(workdir, name):
    row = {
        "title": "Pell &amp; Co",
        "text": "<p>Lena Orr said so.</p><p>It&#8217;s true.</p>",
        "html": "<b>x</b>",
    }
    table = f"{','.join(row)}\n{','.join(row.values())}"
    Path(name).write_text(table if name == "a.csv" else json.dumps(row), encoding="utf-8")
    (article,) = read_articles([name])
    assert (article.title, article.text) == ("Pell & Co", "Lena Orr said so.\nIt’s true.")
    assert article.meta == {"html": "<b>x</b>"}


def test_text_of_tagged_articles_is_not_parsed_as_html(workdir, tagger):
    text = "He wrote &amp; sent <b>no</b>.\nShe stayed."
    Path("a.jsonl").write_text(json.dumps(tagger.tag(text).to_dict()), encoding="utf-8")
    (article,) = read_articles(["a.jsonl"])
    assert article.text == text


@pytest.mark.parametrize(
    "cell",
    ["<" * 3_000_000, "<!--" * 700_000, "<p " * 1_000_000, "<p>" * 1_000_000, "&" * 3_000_000],
)
def test_long_cells_take_little_time(cell):
    start = time.process_time()
    read_cell(f"{cell}<p>He left.</p>")
    assert time.process_time() - start < 10
