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
    """Sketched texts, given their words."""
    spools = []

    def make(keys, near=0.8):
        spool = RowStore(tmp_path / str(len(spools)))
        spools.append(spool)
        for first in range(0, len(keys), 1000):
            some = keys[first : first + 1000]
            shingles, found = sketch(some, near)
            spool.append(
                [b""] * len(some),
                {"shingles": shingles, **{f"band {i}": b for i, b in enumerate(found)}},
            )
        return SketchedTexts(spool, np.arange(len(keys)), near)

    yield make
    for spool in spools:
        spool.close()


def runs(key):
    """By another way than the package's: a set of strings."""
    words = key.split()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)} or {tuple(words)}


def jaccard(one, other):
    return len(runs(one) & runs(other)) / len(runs(one) | runs(other))


def copies(count, seed, changes=(0, 1, 2, 3, 5)):
    """SketchedTexts, and copies of them with some words changed."""
    rng = random.Random(seed)
    found = {}
    for _ in range(count):
        words = rng.choices(VOCABULARY, k=rng.randint(3, 40))
        for changed in changes:
            copy = list(words)
            for place in rng.sample(range(len(words)), min(changed, len(words))):
                copy[place] = rng.choice(VOCABULARY)
            found[" ".join(copy)] = None
    return list(found)


def near_pairs(keys, near=0.8):
    held = [runs(key) for key in keys]
    shared = ((i, j, len(held[i] & held[j])) for i, j in combinations(range(len(keys)), 2))
    return {(i, j) for i, j, n in shared if n and n / (len(held[i]) + len(held[j]) - n) >= near}


def test_similarity_is_that_of_the_runs_of_three_words(texts_of):
    keys = ["a b c d e f", "a b c d e g", "a b c d e f g", "x y", "x y z", "a b c x d e f a b c"]
    texts = texts_of(keys)
    pairs = list(combinations(range(len(keys)), 2))
    found = texts.similarity(tuple(np.array(side) for side in zip(*pairs, strict=True)))
    assert found.tolist() == pytest.approx([jaccard(keys[i], keys[j]) for i, j in pairs])
    assert found[0] == pytest.approx(3 / 5)  # abc bcd cde, and def, deg


def test_many_similarities(texts_of):
    keys = copies(40, 3)
    rng = np.random.default_rng(0)
    pairs = tuple(
        rng.integers(0, len(keys), 20_000) for _ in range(2)
    )  # more than are compared at a time
    found = texts_of(keys).similarity(pairs)
    places = range(0, 20_000, 37)
    assert [found[p] for p in places] == pytest.approx(
        [jaccard(keys[pairs[0][p]], keys[pairs[1][p]]) for p in places]
    )


@pytest.mark.parametrize("near", [0.3, 0.5, 0.8, 0.9, 1.0])
def test_bands_miss_one_in_a_thousand_at_most(near):
    number, length = band_shape(near)
    assert number * length <= 64
    assert (1 - near**length) ** number <= 1e-3
    assert (
        length == 64 or (1 - near ** (length + 1)) ** (64 // (length + 1)) > 1e-3
    )  # longer ones would miss more


def test_near_duplicates_are_found_and_no_others(texts_of):
    keys = copies(80, 1)
    wanted = near_pairs(keys)
    assert len(wanted) > 30
    groups = merge_near_duplicates(texts_of(keys), np.arange(len(keys)))
    found = {(i, j) for i, j in combinations(range(len(keys)), 2) if groups[i] == groups[j]}
    assert wanted <= found  # and those whom a third text connects
    parents = list(range(len(keys)))
    for i, j in sorted(wanted):
        old, new = sorted((parents[i], parents[j]))[::-1]
        parents = [new if p == old else p for p in parents]
    assert groups.tolist() == parents


def test_groups_that_are_there_are_kept_and_copies_are_not_all_compared_with_each_other(
    texts_of, monkeypatch
):
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


def test_search_across_two_sides(texts_of):
    keys = copies(80, 2)
    rng = random.Random(4)
    known = np.array([rng.random() < 0.5 for _ in keys])
    asked = ~known & np.array([rng.random() < 0.9 for _ in keys])
    wanted = {
        text
        for pair in near_pairs(keys)
        for text, other in (pair, pair[::-1])
        if asked[text] and known[other]
    }
    one, none = DuplicateSearch(known, asked), DuplicateSearch(known, np.zeros_like(asked))
    run_searches(texts_of(keys), [one, none])
    assert set(np.flatnonzero(one.matches >= 0).tolist()) == wanted
    assert len(wanted) > 10
    for text in wanted:
        twin = one.matches[text]
        assert known[twin]
        assert one.similarities[text] == pytest.approx(jaccard(keys[text], keys[twin]))
        assert one.similarities[text] >= 0.8
    assert (none.matches == -1).all()


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
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
@pytest.mark.slow
def test_recall_on_real_sentences(texts_of):
    """Sentences of NewsMTSC, each with a copy that lacks its last word: real texts have few near-duplicates."""
    from claimstance.training.data.corpora import lookup

    records = lookup("newsmtsc").read(f"{ROOT}/newsmtsc", "train")
    keys = list(dict.fromkeys(text_key(record.text) for record in records))[:3000]
    cut = [key.rpartition(" ")[0] or key for key in keys]
    texts = texts_of(keys + cut)
    near = np.array([jaccard(key, other) >= 0.8 for key, other in zip(keys, cut, strict=True)])
    groups = merge_near_duplicates(texts, np.arange(2 * len(keys)))
    found = groups[: len(keys)] == groups[len(keys) :]
    assert near.sum() > 2500
    assert found[near].mean() >= 0.99
    assert not found[~near].any()
