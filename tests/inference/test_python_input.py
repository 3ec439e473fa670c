"""Test input from Python to a tagger (texts, columns, wrong types), and its display in notebooks."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from claimstance.inference.articles.article import Article
from claimstance.inference.results import Sentence, TaggedArticle
from claimstance.model.errors import InputError
from helpers.tiny import TEXT, script

TEXTS = [TEXT, "Ships waited.", TEXT.replace("Amsel", "Birke")]


@pytest.fixture(scope="module")
def tagger():
    return script(TEXT + TEXTS[2])[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["a", "b"], "a value of type list: pass several texts to tag_many, or each to tag"),
        (("a",), "a value of type tuple: pass several texts to tag_many"),
        (b"a", r"a value of type bytes: decode it first, as in data.decode\('utf-8'\)"),
        (None, "found None: there is no text to tag"),
        (float("nan"), "found NaN: there is no text to tag"),
        (Path("a.txt"), r"a value of type \w*Path: pass what stands in it, as in path.read_text"),
        (
            Article("a", "b"),
            "a value of type Article: pass article.text, or all articles to tag_all",
        ),
        (7, "a value of type int: pass the text itself"),
        ({"text": "a"}, "a value of type dict: pass the text itself"),
    ],
)
def test_tag_says_what_to_pass(tagger, value, message):
    with pytest.raises(TypeError, match=r"tag: expected the text of one article \(str\), found .*"):
        tagger.tag(value)
    with pytest.raises(TypeError, match=message):
        tagger.tag(value)


@pytest.mark.parametrize("call", ["tag_all", "tag_many"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (TEXT, r"a value of type str: pass a list, \[text\], or one text to tag"),
        (b"a", "a value of type bytes: pass a list of decoded texts"),
        (None, "None: pass a list of them"),
        (7, "a value of type int: pass a list of them"),
        (Path("a"), r"pass read_articles\(\[path\]\)"),
        (Article("a", "b"), r"a value of type Article: pass a list, \[article\]"),
        ({"a": "b"}, r"a value of type dict: pass its values, as in list\(texts.values\(\)\)"),
    ],
)
def test_tag_all_and_tag_many_say_what_to_pass(tagger, call, value, message):
    with pytest.raises(TypeError, match="expected several texts or articles, found .*" + message):
        getattr(tagger, call)(value)


def test_an_open_file_is_rejected(tagger, tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    with (tmp_path / "a.txt").open(encoding="utf-8") as file:
        for call in (tagger.tag, tagger.tag_all, tagger.tag_many):
            with pytest.raises(TypeError, match=r"file\.read\(\)"):
                call(file)


@pytest.mark.parametrize("item", [7, b"a", ["a"], Path("a"), 1.5])
def test_the_error_names_an_item_that_is_no_text(tagger, item):
    with pytest.raises(
        TypeError, match=r"row 1: expected a text \(str\), found a value of type \w+"
    ):
        tagger.tag_many([TEXT, item])


def test_the_error_names_a_text_that_cannot_be_encoded(tagger):
    with pytest.raises(InputError, match="row 1: expected Unicode characters"):
        tagger.tag_many([TEXT, "\ud800"])


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (7, r"targets: expected a name or a list of names \(str\), found a value of type int"),
        (None, "targets: expected a name or a list of names .*, found None"),
        (b"rail", "targets: .* found a value of type bytes"),
        (["rail", 7], r"targets\[1\]: expected a name \(str\), found a value of type int"),
        ([None], r"targets\[0\]: expected a name \(str\), found None"),
    ],
)
def test_targets_of_other_types_are_rejected(tagger, targets, message):
    with pytest.raises(TypeError, match=message):
        tagger.tag(TEXT, targets)
    with pytest.raises(TypeError, match=message):
        tagger.tag_all([TEXT], targets)


@pytest.mark.parametrize("make", [list, tuple, iter, lambda texts: (text for text in texts)])
def test_several_texts_give_the_same_results_as_each_alone(tagger, make):
    alone = [tagger.tag(text, ["rail"], str(number)) for number, text in enumerate(TEXTS)]
    assert tagger.tag_many(make(TEXTS), ["rail"]) == alone
    assert list(tagger.tag_all(make(TEXTS), ["rail"])) == alone


def test_articles_among_texts_keep_their_ids(tagger):
    articles = tagger.tag_many([TEXT, Article("x", TEXT, "A title")])
    assert [(article.doc_id, article.title) for article in articles] == [
        ("0", None),
        ("x", "A title"),
    ]


def test_a_column_of_a_data_frame_can_be_tagged(tagger):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"body": TEXTS}, index=["a", "b", 7])
    articles = tagger.tag_many(frame["body"])
    assert [article.doc_id for article in articles] == ["a", "b", "7"]
    assert [article.text for article in articles] == TEXTS
    assert list(tagger.tag_all(frame["body"])) == articles
    for call in (tagger.tag_all, tagger.tag_many):
        with pytest.raises(TypeError, match=r"type DataFrame: pass a column .* frame\['body'\]"):
            call(frame)
    with pytest.raises(TypeError, match=r"type DataFrame: pass a column .* tag_many"):
        tagger.tag(frame)
    with pytest.raises(TypeError, match="type Series: pass several texts to tag_many"):
        tagger.tag(frame["body"])


@pytest.mark.parametrize("dtype", ["object", "string"])
def test_empty_cells_keep_their_rows_and_give_warnings(tagger, caplog, dtype):
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(
        [TEXT, None, "Ships waited.", float("nan")], dtype=dtype, index=list("abcd")
    )
    articles = tagger.tag_many(column)
    assert [len(article.sentences) for article in articles] == [6, 0, 1, 0]
    for article, label in ((articles[1], "b"), (articles[3], "d")):
        assert article.text == ""
        assert re.match(
            rf"row {label}: expected a text, found none \(.+\): nothing read", article.warnings[-1]
        )
    assert [record.getMessage() for record in caplog.records] == [
        "2 rows without a text (b, d): nothing to read"
    ]


def test_many_empty_cells_are_one_line_of_the_log(tagger, caplog):
    articles = tagger.tag_many([None] * 1000)
    assert len(articles) == 1000
    assert [record.getMessage() for record in caplog.records] == [
        "1,000 rows without a text (0, 1, 2, 3, 4 and 995 more): nothing to read"
    ]


def test_no_texts_give_no_articles(tagger):
    assert tagger.tag_many([]) == []
    assert list(tagger.tag_all(iter(()))) == []


def test_the_repr_of_a_tagged_article_is_one_line(tagger):
    article = tagger.tag(TEXT, ["Carl Amsel"], "a.txt")
    counts = "6 sentences, 2 claims, 3 sources, 6 stances, 0 warnings"
    assert repr(article) == f"<TaggedArticle 'a.txt': {counts}>"
    assert repr(tagger.tag("", title="Nothing\n\x1b[31m" + "x" * 100)).count("\n") == 0
    assert len(repr(tagger.tag(TEXT * 50, title="x" * 1000))) < 200


class Tags(HTMLParser):
    """Collect the tags and the text, and check that the tags nest."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], set(), ""

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert {name for name, _ in attrs} <= {"style"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parse(html):
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return tags


def test_a_notebook_shows_a_table(tagger):
    tags = parse(tagger.tag(TEXT, ["Carl Amsel"], "a.txt")._repr_html_())
    assert tags.seen - {"br"} == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    for text in ("a.txt", "Senator Carl Amsel spoke on Monday.", "claim 0.73", "Carl Amsel"):
        assert text in tags.text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</td></table>&lt;&amp;",
        "\u202eevil\x00\x1b[0m",
    ],
)
def test_markup_in_an_article_is_escaped_in_a_notebook(hostile):
    sentence = Sentence(0, 0, len(hostile), hostile)
    article = TaggedArticle(hostile, hostile, hostile, {}, [sentence], [], [hostile])
    tags = parse(article._repr_html_())
    assert not tags.seen & {"script", "img"}
    assert not {"\u202e", "\x00", "\x1b"} & set(article._repr_html_())
    if hostile.isprintable():
        assert tags.text.count(hostile) == 3
    assert "\x1b" not in repr(article)


def test_a_notebook_shows_the_first_sentences_of_a_long_article(tagger):
    html = tagger.tag("Ships waited. " * 150)._repr_html_()
    assert html.count("<tr>") == 101
    assert "50 more sentences: article.to_frame() has all of them." in html
