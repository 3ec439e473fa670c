"""The number of encoder passes for copies and targets, counted instead of timed, and the result cache."""

import pytest

from claimstance.inference.articles.article import Article
from claimstance.inference.result_cache import ResultCache
from claimstance.inference.tagger import Tagger
from helpers.paths import SEEDS

SEEDS = sorted((SEEDS / "articles").glob("*.txt"))
WINDOWS = 27  # of the seed articles: more passes are a step back
TEXT = "Mayor Ferran said the port would open. The union said it would not."


@pytest.fixture(scope="module")
def tagger():
    return Tagger.from_pretrained()


@pytest.fixture
def passes(tagger, monkeypatch):
    """Every call of the encoder so far: the ids of its window."""
    read, calls = tagger._predictor.backend.read, []

    def counted(ids, segments, sentences):
        calls.append(ids)
        return read(ids, segments, sentences)

    monkeypatch.setattr(tagger._predictor.backend, "read", counted)
    return (lambda: len(calls)), calls


@pytest.fixture
def seeds():
    """The seed articles with a stamp, since the tagger knows those it has read."""

    def stamped(stamp):
        return [
            Article(path.stem, f"{path.read_text(encoding='utf-8')}\n{stamp}") for path in SEEDS
        ]

    return stamped


def test_a_token_goes_through_the_encoder_once(tagger, passes, seeds):
    articles = seeds("Read once.")
    tagged = list(tagger.tag_all(articles, neutral=True))
    _, calls = passes
    assert (
        sum(len(article.stances) for article in tagged) > 200
    )  # every task was asked for, and many targets
    sentences = [s.text for article in tagged for s in article.sentences]
    tokens = sum(map(len, tagger._predictor.windows.tokenize(sentences)))
    windows = len(calls)
    assert windows <= WINDOWS
    # A separator a sentence, a start a window: no padding.
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
    used = []
    for asked in (names[:1], names):
        before = len(calls)
        list(tagger.tag_all([a for a in seeds("Asked of.") if a.doc_id == "port-strike"], asked))
        used.append(len(calls) - before)
    assert used[0] == used[1] > 0


def test_a_cached_result_equals_that_of_tagging_again(tagger, passes):
    count, _ = passes
    first = Article("a", TEXT, "One title", meta={"outlet": "Herald"}, warnings=["odd"])
    again = Article("b", TEXT, "Another title", meta={"outlet": "Post"})
    one, other = tagger.tag_all(
        [first, again]
    )  # begun together: the second may be read before the first is done
    third = tagger.begin(again)()
    before = count()
    assert tagger.begin(again)() == third == other
    assert count() == before
    assert (third.doc_id, third.title, third.meta) == ("b", "Another title", {"outlet": "Post"})
    assert one.warnings == ["odd", *third.warnings]
    assert third.sentences == one.sentences == Tagger.from_pretrained().tag(TEXT).sentences


def test_a_changed_target_or_character_is_not_a_copy(tagger, passes):
    count, _ = passes
    tagger.tag(TEXT, ["Ferran"])
    seen = count()
    assert tagger.tag(TEXT, ["Ferran"]).stances
    assert count() == seen
    assert {s.target for s in tagger.tag(TEXT, ["Ferran", "port"]).stances} == {"Ferran", "port"}
    assert count() > seen
    seen = count()
    assert len(tagger.tag(TEXT, neutral=True).stances) > len(tagger.tag(TEXT).stances)
    assert count() > seen
    seen = count()
    tagger.tag(TEXT + " ", ["Ferran"])
    assert count() > seen


def test_changing_a_result_does_not_change_the_cached_one(tagger):
    expected = [s.text for s in tagger.tag(TEXT).sentences]
    tagger.tag(TEXT).sentences.clear()
    assert [s.text for s in tagger.tag(TEXT).sentences] == expected


def test_least_recently_used_results_are_evicted(tagger):
    one, two, three = (
        tagger.tag(f"{TEXT} {number}", []) for number in ("First.", "Later.", "Later still.")
    )
    cache = ResultCache()
    cache.put(one, [])
    size = cache._size
    cache = ResultCache(capacity=round(2.5 * size))
    cache.put(one, [])
    cache.put(two, [])
    assert cache.get(one.text, []) == one
    cache.put(three, [])
    assert cache.get(two.text, []) is None
    assert cache.get(one.text, []) == one
    assert cache.get(three.text, []) == three
    cache.put(three, [])
    assert cache._size == sum(map(len, cache._entries.values())) <= cache._capacity


def test_a_result_larger_than_the_capacity_is_not_cached(tagger):
    cache = ResultCache(capacity=10)
    cache.put(tagger.tag(TEXT), [])
    assert cache.get(TEXT, []) is None
    assert cache._size == 0
