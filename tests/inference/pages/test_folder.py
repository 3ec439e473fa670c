"""Test pages as files: one file for one article, and a folder with an index for several."""

import re
from pathlib import Path

import pytest

from claimstance.inference.pages.article_page import render_index, render_page
from claimstance.inference.pages.folder import file_name, open_pages
from claimstance.inference.pages.index import FIRST_ROWS, Index
from claimstance.model.errors import ClaimstanceError, ConfigError
from helpers.pages import Page, stance, tagged
from helpers.program import TEXT, write


def make_article(doc_id, stances=(), attributions=(), **options):
    return tagged(
        "Ann spoke. He left.", ["Ann spoke.", "He left."], attributions, stances, doc_id, **options
    )


def write_pages(out, *articles):
    with open_pages(out) as pages:
        for article in articles:
            pages.write(article)


def indexed(*articles):
    index = Index()
    for article in articles:
        index.add(article, f"{article.doc_id}.html")
    return Page("".join(render_index(index.values())))


# Files


def test_one_article_is_one_file(tmp_path):
    write_pages(tmp_path / "a.html", make_article("a"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    assert (tmp_path / "a.html").read_bytes().decode() == render_page(make_article("a"))


def test_a_second_article_does_not_fit_in_a_file(tmp_path):
    with pytest.raises(
        ConfigError,
        match=r"^--out: expected the name of a folder, since there are several articles$",
    ):
        write_pages(tmp_path / "a.html", make_article("a"), make_article("b"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_gets_each_page_at_once_and_the_index_at_the_end(tmp_path):
    folder = tmp_path / "new"
    with open_pages(folder) as pages:
        for number, doc_id in enumerate(("a", "x/b"), 1):
            pages.write(make_article(doc_id))
            assert len(list(folder.iterdir())) == number
        assert not (folder / "index.html").exists()
    files = sorted(path.name for path in folder.iterdir())
    assert len(files) == 3
    index = Page((folder / "index.html").read_text(encoding="utf-8"))
    links = {attributes["href"] for attributes, _ in index.all("a")}
    assert {link for link in links if not link.startswith("#")} == set(files) - {"index.html"}


def test_a_failure_leaves_the_old_index(tmp_path):
    (tmp_path / "index.html").write_text("old", encoding="utf-8")
    with pytest.raises(AttributeError):
        write_pages(tmp_path, make_article("a"), None)
    assert (tmp_path / "a.html").exists()
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "old"


def test_an_existing_file_is_not_a_folder(tmp_path):
    (tmp_path / "out").touch()
    with (
        pytest.raises(
            ClaimstanceError,
            match=r"out: expected a folder, or a name ending in \.html, found a file$",
        ),
        open_pages(tmp_path / "out"),
    ):
        pytest.fail("the work was begun")


def test_file_names_are_safe_and_unique():
    ids = [
        "a",
        "A",
        "a",
        "a-2",
        "x/y",
        "x-y",
        "../../etc",
        ".hidden",
        "",
        "ñandú",
        "con",
        "index",
        "NUL.txt",
        "a b",
        "é" * 300,
        "z" * 300,
        "-rf",
    ]
    taken = set()
    names = [file_name(doc_id, taken) for doc_id in ids]
    assert names[:4] == ["a.html", "A-2.html", "a-3.html", "a-2-2.html"]
    assert names[5] == "x-y.html"
    assert len({name.lower() for name in names}) == len(ids)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}\.html", name)
        assert name.partition(".")[0].lower() not in ("con", "nul", "index", "aux")
    assert [file_name(doc_id, set()) for doc_id in ids[4:6]] == [names[4], "x-y.html"]


# The index


def test_the_index_sums_over_articles():
    attributions = [(0, "Ann", "Ann", "spoke", None, 0.9)]
    page = indexed(
        make_article(
            "a",
            [stance(0, "Ann", "rail", "favor"), stance(0, "Ann", "tax", "against", abstained=True)],
            attributions,
        ),
        make_article(
            "b",
            [
                stance(0, "Ann", "rail", "favor"),
                stance(1, "Ann", "rail", "against"),
                stance(1, None, "rail", "neutral"),
            ],
            attributions,
            warnings=["odd"],
        ),
    )
    assert page.one("h1") == "2 articles"
    cells = [attributes["title"] for attributes, _ in page.all("a", class_="count")]
    assert cells == [
        "Ann → rail: 2 favor",
        "Ann → rail: 1 against",
    ]
    numbers = "".join(text for _, text in page.all("td", class_="n"))
    # Of a, of b and in total: sentences, attributions, sources, favor, against, warnings.
    assert [numbers[:6], numbers[6:12], numbers[12:]] == ["211100", "211111", "421211"]
    articles_of_pairs = [
        re.sub(r"\s+", " ", text)
        for attributes, text in page.all("ul")
        if attributes.get("id", "").startswith("h")
    ]
    assert articles_of_pairs == ["a + 1 favorb + 1 favor − 1 against"]


def test_holders_with_most_stances_for_or_against_come_first():
    def article_of(name, *labels):
        return make_article(
            name,
            [stance(0, name, "rail", label) for label in labels],
            [(0, "Ann", name, "spoke", None, 0.9)],
        )

    page = indexed(
        article_of("Never", "neutral", "neutral", "neutral"),
        article_of("Once", "favor"),
        article_of("Twice", "against", "favor"),
    )
    cells = [attributes["title"] for attributes, _ in page.all("a", class_="count")]
    assert cells == ["Twice → rail: 1 favor", "Twice → rail: 1 against", "Once → rail: 1 favor"]


def test_aliases_are_merged_within_an_article_and_holders_without_a_name_have_no_row():
    attributions = [(0, "Ann", "Ann Lee", "spoke", None, 0.9)]
    stances = [
        stance(0, "Ann Lee", "Trump", "favor"),
        stance(0, "Lee", "Donald Trump", "favor"),
        stance(0, "they", "Donald Trump", "against"),
        stance(1, None, "Mr. Trump", "against"),
    ]
    page = indexed(make_article("a", stances, attributions))
    cells = [attributes["title"] for attributes, _ in page.all("a", class_="count")]
    assert cells == [
        "Ann Lee → Donald Trump: 2 favor",
        "the text itself → Donald Trump: 1 against",
    ]


def test_rows_beyond_the_first_are_collapsed():
    names = [f"N{i}" for i in range(FIRST_ROWS + 3)]
    articles = []
    for name in names:
        attribution = (0, "Ann", name, "spoke", None, 0.9)
        articles.append(make_article(name, [stance(0, name, "rail", "favor")], [attribution]))
    page = indexed(*articles)
    assert "3 more sources" in [text for _, text in page.all("summary")]
    # Two heads and a row for each source; then a head, a sum and a row for each article.
    assert len(page.all("tr")) == 2 + len(names) + 2 + len(names)


def test_the_index_says_that_there_are_no_stances():
    page = indexed(make_article("a"))
    assert "No stance that the model is sure enough of." in page.one("main")


# The command


def test_the_option_or_the_file_name_selects_a_page(run, model):
    write("a.txt", TEXT)
    result = run("tag", "a.txt", "--model", model, "-f", "html")
    assert (result.code, result.messages) == (0, [])
    assert Page(result.out).one("article") == TEXT
    run("tag", "a.txt", "--model", model, "-o", "t.html")
    assert Path("t.html").read_bytes().decode() == result.out


def test_the_command_writes_a_folder_of_pages(run, model):
    for name in "ab":
        write(f"in/{name}.txt", TEXT)
    result = run("tag", "in", "--model", model, "--format", "html", "--out", "pages")
    assert (result.code, result.out, result.messages) == (0, "", [])
    assert sorted(path.name for path in Path("pages").iterdir()) == [
        "a.html",
        "b.html",
        "index.html",
    ]


@pytest.mark.parametrize(("out", "value"), [(["--out", "t.html"], "'t.html'"), ([], "none")])
def test_several_articles_need_a_folder(run, model, out, value):
    for name in "ab":
        write(f"in/{name}.txt", TEXT)
    result = run("tag", "in", "--model", model, "--format", "html", *out)
    assert (result.code, result.out, result.messages) == (
        2,
        "",
        [f"error: --out: expected the name of a folder for the pages of 2 articles, found {value}"],
    )
    assert [path.name for path in Path().iterdir()] == ["in"]


def test_several_articles_of_one_file_need_a_folder(run, model):
    write("a.jsonl", '{"text": "He left."}\n' * 2)
    result = run("tag", "a.jsonl", "--model", model, "--out", "t.html")
    assert (result.code, result.messages) == (
        2,
        ["error: --out: expected the name of a folder, since there are several articles"],
    )
    assert not Path("t.html").exists()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (
            "t.csv",
            "--out: expected a folder, or a name ending in .html, for --format html, found 't.csv'",
        ),
        (
            "in/pages",
            "--out: expected a path outside the inputs, found 'in/pages/index.html', which 'in' is or contains",
        ),
    ],
)
def test_pages_cannot_go_to_other_formats_or_into_the_inputs(run, model, out, message):
    write("in/a.txt", TEXT)
    result = run("tag", "in", "--model", model, "--format", "html", "--out", out)
    assert (result.code, result.messages) == (2, [f"error: {message}"])


def test_an_unreadable_file_does_not_prevent_the_index(run, model):
    write("in/a.txt", TEXT)
    Path("in/b.txt").write_bytes(b"\xff")
    result = run("tag", "in", "--model", model, "--format", "html", "--out", "pages")
    assert result.code == 1
    assert sorted(path.name for path in Path("pages").iterdir()) == ["a.html", "index.html"]
