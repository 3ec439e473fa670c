"""Test the sentences of a report: the most confident first, up to the size budget, with safe links."""

import json
from dataclasses import asdict, replace

import pytest

from claimstance.inference.corpus.store import Store
from claimstance.inference.corpus.summary import summarize
from claimstance.inference.pages.excerpts import NO_NAME, details, excerpts, json_size
from helpers.results import tagged, write_results


@pytest.fixture
def excerpts_of(tmp_path):
    """Return a function that gives the excerpts of articles within a budget."""

    def find(*articles, **budgets):
        with Store.build([write_results(tmp_path / "tagged.jsonl", *articles)]) as store:
            summary = summarize(store.connection)
            sources = [row.person for row in summary.sources]
            return excerpts(store.connection, summary.people(), sources, summary.labels, **budgets)

    return find


def sure(article, *probabilities):
    """Return the article with these probabilities for its stances."""
    stances = [stance for sentence in article.sentences for stance in sentence.stances]
    for stance, probability in zip(stances, probabilities, strict=True):
        article.sentences[stance.sentence].stances[:] = [replace(stance, probability=probability)]
    return article


def test_all_sentences_are_kept_once_where_there_is_room(excerpts_of):
    result = excerpts_of(
        tagged(
            "a",
            ["Runa Salt", None],
            [("Runa Salt", "Orvane")],
            title="Cod",
            outlet="Tide",
            date="2016-05-09",
        )
    )
    assert result.articles == [("Cod", "a", 0, "Tide", "2016-05-09", "")]
    texts = [text for _, _, text in result.texts]
    assert sorted(texts) == [
        "Runa Salt judges Orvane.",
        "Runa Salt said all is well.",
        "Someone said all is well.",
    ]
    source_of = {texts[text]: source for text, source, _, _ in result.statements}
    assert source_of["Someone said all is well."] == NO_NAME
    assert result.names[source_of["Runa Salt said all is well."]] == "Runa Salt"
    ((text, holder, target, label, probability),) = result.stances
    assert (result.texts[text][1], result.names[holder], result.names[target]) == (
        2,
        "Runa Salt",
        "Orvane",
    )
    assert (label, probability) == (0, 0.5)


def test_the_most_confident_stance_of_every_pair_comes_first(excerpts_of):
    pairs = [("Ann Lee", "cod"), ("Ann Lee", "cod"), ("Bo Orr", "cod"), (None, "cod")]
    result = excerpts_of(sure(tagged(stances=pairs), 0.6, 0.9, 0.7, 0.8))
    holders = [*result.names, "the text itself"]
    assert [(holders[row[1]], row[4]) for row in result.stances] == [
        ("the text itself", 0.8),
        ("Ann Lee", 0.9),
        ("Bo Orr", 0.7),
        ("Ann Lee", 0.6),
    ]


def test_the_budget_limits_sentences_but_not_names(excerpts_of):
    articles = [
        tagged(f"a{n}", [("Runa Salt", f"the nets {n} are empty")] * 3, [("Ann Lee", "cod")])
        for n in range(60)
    ]
    result = excerpts_of(*articles, budget=8000, budget_of_stances=2000)
    size = sum(
        json_size(value) + 1
        for values in asdict(result).values()
        if isinstance(values, list)
        for value in values
    )
    assert 7500 < size < 8500
    assert 0 < len(result.stances) < 40
    assert 0 < len(result.statements) < 180
    smallest = excerpts_of(*articles, budget=1, budget_of_stances=1)
    assert set(smallest.names) == {"Runa Salt", "Ann Lee", "cod"}
    assert len(smallest.statements) + len(smallest.stances) <= 2


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://tide.example/cod", True),
        ("http://tide.example/cod", True),
        ("javascript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("cod.html", False),
    ],
)
def test_only_web_addresses_are_links(excerpts_of, url, is_link):
    result = excerpts_of(tagged("a", ["Runa Salt"], url=url))
    assert result.articles[0][5] == (url if is_link else "")


def test_invisible_characters_are_spelled_out(excerpts_of):
    result = excerpts_of(
        tagged("a", [("Runa Salt", "e\u202evil")], title="\u2066x", outlet="o\u0007")
    )
    assert result.texts[0][2] == "Runa Salt said e⟨U+202E⟩vil."
    assert result.articles[0][0] == "⟨U+2066⟩x"
    assert result.articles[0][3] == "o⟨U+0007⟩"


def test_details_have_every_statement_and_stance(tmp_path):
    article = tagged(
        "a",
        ["Runa Salt", None],
        [("Runa Salt", "Orvane", "against", True), (None, "Orvane", "neutral")],
        outlet="Tide",
    )
    with Store.build([write_results(tmp_path / "tagged.jsonl", article)]) as store:
        rows = list(details(store.connection))
    assert [(row["kind"], row["sentence"]) for row in rows] == [
        ("statement", 0),
        ("statement", 1),
        ("stance", 2),
        ("stance", 3),
    ]
    assert [row.get("source", row.get("holder")) for row in rows] == [
        "Runa Salt",
        None,
        "Runa Salt",
        None,
    ]
    assert rows[2]["abstained"] is True
    assert rows[3]["abstained"] is False
    assert {row["outlet"] for row in rows} == {"Tide"}


def test_the_json_size_is_that_of_the_escaped_text():
    value = ["</script>", "it's <b> & ü", 1, None]
    escaped = json.dumps(value, separators=(",", ":"))
    for character in "<>&'":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    assert json_size(value) == len(escaped)
