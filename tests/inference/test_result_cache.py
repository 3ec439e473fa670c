"""Test the result cache, and the number of encoder passes for copies and targets, counted instead of timed."""

import pytest

from claimstance.inference.articles.article import Article
from claimstance.inference.result_cache import ResultCache
from claimstance.inference.tagger import Tagger
from helpers.paths import SEEDS

SEEDS = sorted((SEEDS / "articles").glob("*.txt"))
WINDOWS = 27  # for the seed articles: more passes are a regression
TEXT = "Mayor Ferran said the port would open. The union said it would not."


@pytest.fixture(scope="module")
def tagger():
    return Tagger.from_pretrained()


@pytest.fixture
def passes(tagger, monkeypatch):
    """Return the number of calls of the encoder as a function, and the ids of their windows."""
    read, calls = tagger._predictor.backend.read, []

    def read_and_count(ids, segments, sentences):
        calls.append(ids)
        return read(ids, segments, sentences)

    monkeypatch.setattr(tagger._predictor.backend, "read", read_and_count)
    return (lambda: len(calls)), calls


@pytest.fixture
def seeds():
    """Return a function that gives the seed articles with a stamp, so that the cache has none of them."""

    def articles(stamp):
        return [
            Article(path.stem, f"{path.read_text(encoding='utf-8')}\n{stamp}") for path in SEEDS
        ]

    return articles


def test_each_token_is_encoded_once(tagger, passes, seeds):
    articles = seeds("Read once.")
    tagged = list(tagger.tag_all(articles, neutral=True))
    _, calls = passes
    # The model predicts every task, and stances on many targets.
    assert sum(len(article.stances) for article in tagged) > 200
    sentences = [s.text for article in tagged for s in article.sentences]
    tokens = sum(map(len, tagger._predictor.windows.tokenize(sentences)))
    windows = len(calls)
    assert windows <= WINDOWS
    # A separator for each sentence and a start for each window, but no padding.
    assert sum(ids.size for ids in calls) == tokens + len(sentences) + windows
    assert not any((ids == tagger._predictor.windows.pad).any() for ids in calls)


def test_ten_targets_cost_no_more_passes_than_one(tagger, passes, seeds):
    _, calls = passes
    names = [
        "Okoye",
        "Ferran",
        "Brandeis",
        "Stellmarck",
        "Calder Bay",
        "Northmere",
        "Sands",
        "Port Ansel",
        "Shippers",
        "Gate No. 4",
    ]
    pass_counts = []
    for targets in (names[:1], names):
        count_before = len(calls)
        articles = [a for a in seeds("Asked of.") if a.doc_id == "port-strike"]
        list(tagger.tag_all(articles, targets))
        pass_counts.append(len(calls) - count_before)
    assert pass_counts[0] == pass_counts[1] > 0


def test_a_cached_result_equals_that_of_tagging_again(tagger, passes):
    count, _ = passes
    first = Article("a", TEXT, "One title", meta={"outlet": "Herald"}, warnings=["odd"])
    copy = Article("b", TEXT, "Another title", meta={"outlet": "Post"})
    # The two are begun together: the second may be read before the first is completed.
    first_result, copy_result = tagger.tag_all([first, copy])
    repeated_result = tagger.begin(copy)()
    count_before = count()
    assert tagger.begin(copy)() == repeated_result == copy_result
    assert count() == count_before
    assert (repeated_result.doc_id, repeated_result.title, repeated_result.meta) == (
        "b",
        "Another title",
        {"outlet": "Post"},
    )
    assert first_result.warnings == ["odd", *repeated_result.warnings]
    assert (
        repeated_result.sentences
        == first_result.sentences
        == Tagger.from_pretrained().tag(TEXT).sentences
    )


def test_a_changed_target_or_character_is_a_cache_miss(tagger, passes):
    count, _ = passes
    tagger.tag(TEXT, ["Ferran"])
    count_before = count()
    assert tagger.tag(TEXT, ["Ferran"]).stances
    assert count() == count_before
    assert {s.target for s in tagger.tag(TEXT, ["Ferran", "port"]).stances} == {"Ferran", "port"}
    assert count() > count_before
    count_before = count()
    assert len(tagger.tag(TEXT, neutral=True).stances) > len(tagger.tag(TEXT).stances)
    assert count() > count_before
    count_before = count()
    tagger.tag(TEXT + " ", ["Ferran"])
    assert count() > count_before


def test_changing_a_result_does_not_change_the_cached_one(tagger):
    expected = [s.text for s in tagger.tag(TEXT).sentences]
    tagger.tag(TEXT).sentences.clear()
    assert [s.text for s in tagger.tag(TEXT).sentences] == expected


def test_least_recently_used_results_are_evicted(tagger):
    first, second, third = (
        tagger.tag(f"{TEXT} {number}", []) for number in ("First.", "Later.", "Later still.")
    )
    cache = ResultCache()
    cache.put(first, [])
    size = cache._size
    cache = ResultCache(capacity=round(2.5 * size))
    cache.put(first, [])
    cache.put(second, [])
    assert cache.get(first.text, []) == first
    cache.put(third, [])
    assert cache.get(second.text, []) is None
    assert cache.get(first.text, []) == first
    assert cache.get(third.text, []) == third
    cache.put(third, [])
    assert cache._size == sum(map(len, cache._entries.values())) <= cache._capacity


def test_a_result_larger_than_the_capacity_is_not_cached(tagger):
    cache = ResultCache(capacity=10)
    cache.put(tagger.tag(TEXT), [])
    assert cache.get(TEXT, []) is None
    assert cache._size == 0
