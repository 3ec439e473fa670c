"""Test the command ``report``, its files, messages and exit codes, and ``tag --report``."""

import csv
import json

import pytest

from claimstance.inference.pages.folder import open_pages
from helpers.pages import Page
from helpers.program import TEXT, articles, table, write
from helpers.reports import DRAYCOTT, SALT, corpus, rows, words
from helpers.results import tagged, write_results


@pytest.fixture
def results(workdir):
    return write_results(workdir / "tagged.jsonl", *corpus(4))


def page(path):
    return Page(path.read_text(encoding="utf-8"))


def test_a_report_is_written_as_a_page(run, workdir, results):
    done = run("report", "tagged.jsonl", "--out", "new/report.html")
    assert (done.code, done.messages) == (0, [])
    assert done.out == "new/report.html: 8 articles, 14 statements, 11 stances\n"
    assert page(workdir / "new/report.html").one("h1") == "Who speaks, and who stands where"


def test_folders_of_parts_are_read(run, workdir):
    (workdir / "tagged").mkdir()
    for number in range(2):
        write_results(workdir / f"tagged/part-{number:05}.jsonl", tagged(f"a{number}", [SALT]))
    done = run("report", "tagged", "--out", "report.html")
    assert done.out == "report.html: 2 articles, 2 statements, 0 stances\n"


def test_warnings_are_printed_and_shown_in_the_page(run, workdir):
    write_results(
        "tagged.jsonl", tagged("a", [SALT], date="soon"), tagged("a", [SALT], date="soon")
    )
    done = run("report", "tagged.jsonl", "--out", "report.html")
    assert done.code == 0
    assert any(line.startswith("warning: 1 article came twice") for line in done.messages)
    assert any("'soon'" in line for line in done.messages)
    caution = page(workdir / "report.html").one("div", class_="caution")
    assert "1 article came twice" in caution


def test_names_are_written_edited_and_read(run, workdir):
    write_results("tagged.jsonl", tagged("a", [SALT, "Emil Draycott"]))
    assert run("report", "tagged.jsonl", "--out", "a.html", "--write-names", "names.csv").code == 0
    cells = table((workdir / "names.csv").read_bytes().decode("utf-8-sig"))
    assert {row["name"]: row["merged"] for row in cells} == {SALT: SALT, DRAYCOTT: DRAYCOTT}
    write("edited.csv", f"name,merged\n{SALT},{DRAYCOTT}\n")
    assert run("report", "tagged.jsonl", "--out", "b.html", "--names", "edited.csv").code == 0
    assert [row[:2] for row in rows(page(workdir / "b.html"), "sources")] == [[DRAYCOTT, "2"]]


def test_details_contain_all_statements_and_stances(run, workdir, results):
    done = run("report", "tagged.jsonl", "--out", "report.html", "--details", "details.jsonl")
    assert done.code == 0
    details = articles((workdir / "details.jsonl").read_text(encoding="utf-8"))
    assert [row["kind"] for row in details] == ["statement"] * 14 + ["stance"] * 11
    assert details[0]["source"] == SALT


def test_sentences_link_to_the_pages_of_their_articles(run, workdir):
    tagged_articles = [
        tagged(doc_id, [(SALT, doc_id)], date="2016-05-09", outlet="Tide")
        for doc_id in ("a", "x/b", "c")
    ]
    write_results("tagged.jsonl", *tagged_articles)
    with open_pages(workdir / "the pages") as pages:
        for article in tagged_articles[:2]:
            pages.write(article)
    done = run("report", "tagged.jsonl", "--out", "out/report.html", "--pages", "the pages")
    assert (done.code, done.messages) == (0, [])
    data = json.loads(page(workdir / "out/report.html").one("script", id="data"))
    links = {article[1]: article[5] for article in data["articles"]}
    assert links["a"] == "../the%20pages/a.html"
    assert links["x/b"].startswith("../the%20pages/x-b-")
    assert links["c"] == ""


def test_a_folder_without_pages_is_a_warning(run, workdir, results):
    (workdir / "empty").mkdir()
    done = run("report", "tagged.jsonl", "--out", "report.html", "--pages", "empty")
    assert done.code == 0
    assert done.messages == ["warning: --pages: no page of these articles in 'empty'"]


def test_a_sample_corrects_shares(run, workdir):
    write_results("tagged.jsonl", *corpus())
    assert run("sample", "tagged.jsonl", "-n", "60", "--out", "sample.csv").code == 0
    cells = table((workdir / "sample.csv").read_bytes().decode())
    for row in cells:
        # Draycott is never against Orvane, whatever the model says.
        row["gold"] = "favor" if row["holder"] == DRAYCOTT else row["model_label"]
    with (workdir / "coded.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(cells[0]))
        writer.writeheader()
        writer.writerows(cells)
    done = run("report", "tagged.jsonl", "--out", "report.html", "--labelled", "coded.csv")
    assert (done.code, done.messages) == (0, [])
    report = page(workdir / "report.html")
    assert "60 of 74 stances were coded by hand" in words(report.one("section", id="trust"))
    among, _, label, corrected, interval, models, *_, coded = rows(report, "corrected")[0]
    # The model counts 31 of 74 stances as against, of which 24 are.
    assert (among, label, models, coded) == ("all stances", "against", "42 %", "60")
    assert abs(int(corrected.split()[0]) - 32) <= 2
    low, high = (int(end.split()[0]) for end in interval.split(" to "))
    assert low < 32 < high


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jsonl", "--out", "a.html"], "RESULTS: 'nowhere.jsonl' does not exist"),
        (
            ["tagged.jsonl", "--out", "a.pdf"],
            "--out: expected a name ending in .html, found 'a.pdf'",
        ),
        (
            ["tagged.jsonl", "--out", "a.html", "--names", "no.csv"],
            "--names: 'no.csv' does not exist",
        ),
        (
            ["tagged.jsonl", "--out", "a.html", "--labelled", "no.csv"],
            "--labelled: 'no.csv' does not exist",
        ),
        (
            ["tagged.jsonl", "--out", "a.html", "--pages", "tagged.jsonl"],
            "--pages: expected a folder, found the file 'tagged.jsonl'",
        ),
        (
            ["tagged.jsonl", "--out", "a.html", "--details", "a.csv"],
            "--details: expected a name ending in .jsonl, found 'a.csv'",
        ),
        (
            ["tagged.jsonl", "--out", "a.html", "--details", "tagged.jsonl"],
            "--details: expected a path outside the inputs, found 'tagged.jsonl', which 'tagged.jsonl' is or contains",
        ),
        (
            ["tagged.jsonl", "--out", "a.html", "--write-names", "names.xlsx"],
            "--write-names: expected a name ending in .csv, found 'names.xlsx'",
        ),
    ],
)
def test_wrong_calls_are_rejected_before_any_work(run, workdir, results, arguments, message):
    done = run("report", *arguments)
    assert (done.code, done.messages) == (2, [f"error: {message}"])
    assert [path.name for path in workdir.iterdir()] == ["tagged.jsonl"]


def test_unreadable_results_leave_the_old_report(run, workdir):
    write("report.html", "old")
    write("bad.jsonl", '{"text": 1}\n')
    done = run("report", "bad.jsonl", "--out", "report.html")
    assert done.code == 1
    assert "bad.jsonl, line 1" in done.messages[0]
    assert (workdir / "report.html").read_text(encoding="utf-8") == "old"


# The option of tag


@pytest.mark.parametrize("out", ["tagged.jsonl", "tagged", "tagged.parquet"])
def test_tag_reports_on_what_it_wrote(run, workdir, model, out):
    if out.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    write("article.txt", TEXT)
    done = run("tag", "article.txt", "--model", model, "--out", out, "--report", "report.html")
    assert done.code == 0
    assert page(workdir / "report.html").one("p", class_="lead") == "1 article"


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ([], "no --out"),
        (["--out", "a.csv"], "--format csv"),
        (["--out", "pages", "--format", "html"], "--format html"),
        (["--out", "a.parquet", "--rows", "stances"], "Parquet with rows of stances"),
        (["--out", "a.pq", "--format", "parquet"], "parquet in 'a.pq'"),
        (["--out", "a.csv", "--format", "jsonl"], "jsonl in 'a.csv'"),
    ],
)
def test_tag_cannot_report_on_other_outputs(run, workdir, model, arguments, description):
    write("article.txt", TEXT)
    done = run("tag", "article.txt", "--model", model, "--report", "report.html", *arguments)
    expected = "--out in JSON Lines, or in Parquet with --rows sentences"
    message = f"error: --report: expected {expected}, found {description}"
    assert (done.code, done.messages) == (2, [message])
    assert [path.name for path in workdir.iterdir()] == ["article.txt"]


def test_a_report_of_tag_needs_the_suffix_html(run, workdir, model):
    write("article.txt", TEXT)
    done = run("tag", "article.txt", "--model", model, "--out", "a.jsonl", "--report", "report")
    assert (done.code, done.messages) == (
        2,
        ["error: --report: expected a name ending in .html, found 'report'"],
    )
