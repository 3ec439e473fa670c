"""Make reports on made-up corpora, and read their tables."""

import re

from claimstance.inference.corpus.differences import differences
from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import summarize
from claimstance.inference.pages.excerpts import excerpts
from claimstance.inference.pages.known_errors import known_errors
from claimstance.inference.pages.report import ReportInput, render_report
from helpers.results import tagged, write_results

SALT, DRAYCOTT, ORVANE = "Runa Salt", "Emil Draycott", "Orvane"


def report_of(folder, *articles, **budgets):
    """Return the report on articles as HTML."""
    with Store.build([write_results(folder / "tagged.jsonl", *articles)]) as store:
        summary = summarize(store.connection)
        sources = [row.person for row in summary.sources]
        people = summary.people()
        report = ReportInput(
            summary,
            excerpts(store.connection, people, sources, summary.labels, **budgets),
            differences(store.connection, summary),
            known_errors(store.models),
            store.models,
            store.warnings,
        )
        return "".join(render_report(report))


def corpus(articles=25):
    """Return articles of two outlets: one quotes Salt and attacks Orvane, the other quotes Draycott."""
    tagged_articles = []
    for number in range(articles):
        day = f"2016-05-{number % 28 + 1:02}"
        attack = [(SALT, ORVANE, "against")] * (number % 3)
        tagged_articles.append(
            tagged(
                f"herald-{number}",
                [(SALT, f"the nets of day {number} are empty"), DRAYCOTT],
                [*attack, (None, "Lissant", "favor")],
                title=f"Cod Talks {number}",
                outlet="Herald",
                date=day,
                url=f"https://herald.example/{number}",
            )
        )
        content = f"day {number} is calm"
        statements = [(DRAYCOTT, content)] * (number % 2) + [(None, content)]
        stance = (DRAYCOTT, ORVANE, "favor" if number % 4 else "against")
        tagged_articles.append(
            tagged(f"tide-{number}", statements, [stance], outlet="Tide", date=day)
        )
    return tagged_articles


def words(text):
    """Return a text with its whitespace collapsed."""
    return re.sub(r"\s+", " ", text).strip()


def rows(page, name, key="data-save"):
    """Return the cells of the rows of the first table whose attribute ``key`` is ``name``, without its head."""
    tables = [
        index
        for index, (tag, attrs) in enumerate(page.elements)
        if (tag, attrs.get(key)) == ("table", name)
    ]
    first = tables[0] + 1
    table_rows = []
    for index, (tag, _) in enumerate(page.elements[first:], first):
        if tag in ("table", "h3", "section"):
            break
        if tag == "tr":
            table_rows.append([])
        elif tag in ("td", "th"):
            table_rows[-1].append(words(page.text(index)))
    return table_rows[1:]
