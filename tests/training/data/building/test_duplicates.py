"""Test the search for near-duplicate texts."""

import os
import random
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

from claimstance.model.record import text_key
from claimstance.training.data.building.duplicates import (
    DuplicateSearch,
    SketchedTexts,
    band_shape,
    merge_near_duplicates,
    run_searches,
    sketch,
)
from claimstance.training.data.building.row_store import RowStore

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")
VOCABULARY = [f"w{number}" for number in range(400)]


@pytest.fixture
def texts_of(tmp_path):
    """Return a function that sketches the texts with these keys."""
    spools = []

    def make(keys, near=0.8):
        spool = RowStore(tmp_path / str(len(spools)))
        spools.append(spool)
        for first in range(0, len(keys), 1000):
            batch = keys[first : first + 1000]
            shingles, bands = sketch(batch, near)
            columns = {f"band {i}": band for i, band in enumerate(bands)}
            spool.append([b""] * len(batch), {"shingles": shingles, **columns})
        return SketchedTexts(spool, np.arange(len(keys)), near)

    yield make
    for spool in spools:
        spool.close()


def runs(key):
    """Return the runs of three words as a set, computed in another way than in the package."""
    words = key.split()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)} or {tuple(words)}


def jaccard(first, second):
    return len(runs(first) & runs(second)) / len(runs(first) | runs(second))


def copies(count, seed, changes=(0, 1, 2, 3, 5)):
    """Return random texts, and copies of them with some words changed."""
    rng = random.Random(seed)
    texts = {}
    for _ in range(count):
        words = rng.choices(VOCABULARY, k=rng.randint(3, 40))
        for changed in changes:
            copy = list(words)
            for index in rng.sample(range(len(words)), min(changed, len(words))):
                copy[index] = rng.choice(VOCABULARY)
            texts[" ".join(copy)] = None
    return list(texts)


def near_pairs(keys, near=0.8):
    word_runs = [runs(key) for key in keys]
    pairs = set()
    for i, j in combinations(range(len(keys)), 2):
        shared = len(word_runs[i] & word_runs[j])
        union = len(word_runs[i]) + len(word_runs[j]) - shared
        if shared and shared / union >= near:
            pairs.add((i, j))
    return pairs


def test_similarity_is_the_jaccard_index_of_three_word_runs(texts_of):
    keys = ["a b c d e f", "a b c d e g", "a b c d e f g", "x y", "x y z", "a b c x d e f a b c"]
    texts = texts_of(keys)
    pairs = list(combinations(range(len(keys)), 2))
    similarities = texts.similarity(tuple(np.array(side) for side in zip(*pairs, strict=True)))
    assert similarities.tolist() == pytest.approx([jaccard(keys[i], keys[j]) for i, j in pairs])
    assert similarities[0] == pytest.approx(3 / 5)  # shared: abc bcd cde; in one of them: def, deg


def test_more_pairs_than_fit_into_one_comparison(texts_of):
    keys = copies(40, 3)
    rng = np.random.default_rng(0)
    # These are more pairs than are compared at a time.
    pairs = tuple(rng.integers(0, len(keys), 20_000) for _ in range(2))
    similarities = texts_of(keys).similarity(pairs)
    sampled = range(0, 20_000, 37)
    assert [similarities[index] for index in sampled] == pytest.approx(
        [jaccard(keys[pairs[0][index]], keys[pairs[1][index]]) for index in sampled]
    )


@pytest.mark.parametrize("near", [0.3, 0.5, 0.8, 0.9, 1.0])
def test_bands_miss_at_most_one_duplicate_in_a_thousand(near):
    number, length = band_shape(near)
    assert number * length <= 64
    assert (1 - near**length) ** number <= 1e-3
    # Longer bands would miss more.
    assert length == 64 or (1 - near ** (length + 1)) ** (64 // (length + 1)) > 1e-3


def test_near_duplicates_are_found_and_no_others(texts_of):
    keys = copies(80, 1)
    expected = near_pairs(keys)
    assert len(expected) > 30
    groups = merge_near_duplicates(texts_of(keys), np.arange(len(keys)))
    merged = {(i, j) for i, j in combinations(range(len(keys)), 2) if groups[i] == groups[j]}
    assert expected <= merged  # and pairs that a third text connects
    parents = list(range(len(keys)))
    for i, j in sorted(expected):
        old, new = sorted((parents[i], parents[j]))[::-1]
        parents = [new if p == old else p for p in parents]
    assert groups.tolist() == parents


def test_existing_groups_are_kept_and_not_every_pair_of_copies_is_compared(texts_of, monkeypatch):
    words = VOCABULARY[:60]
    keys = [" ".join([*words, f"x{number}"]) for number in range(400)] + [
        "something else",
        "yet another thing",
    ]
    texts = texts_of(keys)
    compared = []
    similarity = SketchedTexts.similarity

    def counted(self, pairs):
        compared.append(len(pairs[0]))
        return similarity(self, pairs)

    monkeypatch.setattr(SketchedTexts, "similarity", counted)
    groups = merge_near_duplicates(texts, np.array([*range(400), 400, 400]))
    assert groups.tolist() == [0] * 400 + [400, 400]
    assert sum(compared) < 2000  # of 79,800 pairs


def test_search_matches_queries_with_indexed_texts(texts_of):
    keys = copies(80, 2)
    rng = random.Random(4)
    indexed = np.array([rng.random() < 0.5 for _ in keys])
    queries = ~indexed & np.array([rng.random() < 0.9 for _ in keys])
    expected = set()
    for first, second in near_pairs(keys):
        for query, match in ((first, second), (second, first)):
            if queries[query] and indexed[match]:
                expected.add(query)
    search = DuplicateSearch(indexed, queries)
    empty_search = DuplicateSearch(indexed, np.zeros_like(queries))
    run_searches(texts_of(keys), [search, empty_search])
    assert set(np.flatnonzero(search.matches >= 0).tolist()) == expected
    assert len(expected) > 10
    for query in expected:
        match = search.matches[query]
        assert indexed[match]
        assert search.similarities[query] == pytest.approx(jaccard(keys[query], keys[match]))
        assert search.similarities[query] >= 0.8
    assert (empty_search.matches == -1).all()


def test_nothing_to_compare(texts_of):
    assert merge_near_duplicates(texts_of(["one text"]), np.arange(1)).tolist() == [0]
    assert merge_near_duplicates(
        texts_of(["one text", "quite another"]), np.arange(2)
    ).tolist() == [0, 1]


def test_sketches_are_the_same_in_every_process():
    code = (
        "from claimstance.training.data.building.duplicates import sketch\n"
        "shingles, bands = sketch(['the mayor said the bridge is safe', 'rain'], 0.8)\n"
        "print(shingles.values.tolist(), [band.tolist() for band in bands])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
@pytest.mark.slow
def test_recall_on_real_sentences(texts_of):
    """Compare sentences of NewsMTSC with copies that lack the last word, since real texts have few near-duplicates."""
    from claimstance.training.data.corpora import lookup

    records = lookup("newsmtsc").read(f"{ROOT}/newsmtsc", "train")
    keys = list(dict.fromkeys(text_key(record.text) for record in records))[:3000]
    shortened = [key.rpartition(" ")[0] or key for key in keys]
    texts = texts_of(keys + shortened)
    is_near = np.array(
        [jaccard(key, copy) >= 0.8 for key, copy in zip(keys, shortened, strict=True)]
    )
    groups = merge_near_duplicates(texts, np.arange(2 * len(keys)))
    is_merged = groups[: len(keys)] == groups[len(keys) :]
    assert is_near.sum() > 2500
    assert is_merged[is_near].mean() >= 0.99
    assert not is_merged[~is_near].any()
