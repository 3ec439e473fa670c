"""Reports on corpora that are made up."""

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
    """The report on articles, as HTML."""
    with Store.build([write_results(folder / "tagged.jsonl", *articles)]) as store:
        summary = summarize(store.connection)
        sources = [row.person for row in summary.sources]
        found = excerpts(store.connection, summary.people(), sources, summary.labels, **budgets)
        compared = differences(store.connection, summary)
        known = known_errors(store.models)
        report = ReportInput(summary, found, compared, known, store.models, store.warnings)
        return "".join(render_report(report))


def corpus(articles=25):
    """Articles of two outlets on several days: one quotes Salt and attacks Orvane, the other quotes Draycott."""
    made = []
    for number in range(articles):
        day = f"2016-05-{number % 28 + 1:02}"
        attack = [(SALT, ORVANE, "against")] * (number % 3)
        made.append(
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
        calm = f"day {number} is calm"
        said = [(DRAYCOTT, calm)] * (number % 2) + [(None, calm)]
        side = (DRAYCOTT, ORVANE, "favor" if number % 4 else "against")
        made.append(tagged(f"tide-{number}", said, [side], outlet="Tide", date=day))
    return made


def words(text):
    return re.sub(r"\s+", " ", text).strip()


def rows(page, name, key="data-save"):
    """The cells of the rows of a table, without its head."""
    tables = [
        i
        for i, (tag, given) in enumerate(page.elements)
        if (tag, given.get(key)) == ("table", name)
    ]
    found = []
    for i, (tag, _) in enumerate(page.elements[tables[0] + 1 :], tables[0] + 1):
        if tag in ("table", "h3", "section"):
            break
        if tag == "tr":
            found.append([])
        elif tag in ("td", "th"):
            found[-1].append(words(page.text(i)))
    return found[1:]
