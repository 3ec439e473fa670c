"""Test epochs of windows and batches: which sentences they contain, in which company and order."""

from collections import Counter
from itertools import pairwise

import pytest

from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, Stance
from claimstance.model.windows import WindowBuilder
from claimstance.training.fine_tuning.epoch_sampler import EpochSampler, SamplingConfig
from claimstance.training.fine_tuning.examples import ExampleBuilder

CALM = {"context_share": 0.0, "isolated_share": 0.0, "topic_share": 0.0}


@pytest.fixture(scope="module")
def many(seeds, tokenizer_json):
    """Return examples of all seeds and of as many isolated sentences, with their window builder."""
    builder = WindowBuilder.from_json(tokenizer_json, 64)
    records = [record for article in seeds.values() for record in article]
    alone = [
        r.model_copy(
            update={
                "id": f"x{r.id}",
                "doc_id": None,
                "start": None,
                "stances": [],
                "meta": {"corpus": "isolated_share"},
            }
        )
        for r in records
    ]
    return ExampleBuilder(builder, DEFAULT_LABELS).build([*records, *alone]), builder


def sample_epoch(many, number=0, **mixture):
    return EpochSampler(*many, SamplingConfig(**{"tokens_per_batch": 512, **mixture})).epoch(number)


def contents(batches):
    return [
        [(window.window.ids, [id(e) for e in window.examples]) for window in batch]
        for batch in batches
    ]


def test_the_same_seed_gives_the_same_epochs(many):
    assert contents(sample_epoch(many)) == contents(sample_epoch(many))
    planner = EpochSampler(*many, SamplingConfig())
    second = contents(planner.epoch(1))
    assert second == contents(planner.epoch(1)) != contents(planner.epoch(0))
    assert contents(sample_epoch(many, seed=14)) != contents(sample_epoch(many))


def token_counts(batches):
    """Count the tokens of each example that batches contain, topics aside."""
    tokens = Counter()
    for batch in batches:
        for window in batch:
            if not window.topic_stances:
                for piece, example in zip(window.window.pieces, window.examples, strict=True):
                    tokens[id(example)] += piece.end - piece.start
    return tokens


@pytest.mark.parametrize("mixture", [{}, CALM, {"isolated_share": 1.0, "context_share": 1.0}])
def test_every_epoch_contains_each_example_once(many, mixture):
    expected = Counter({id(example): len(example) for document in many[0] for example in document})
    for number in range(2):
        assert token_counts(sample_epoch(many, number, **mixture)) == expected


def test_an_epoch_contains_the_configured_share_of_a_corpus(many):
    corpus_of = {id(example): example.corpus for document in many[0] for example in document}
    sizes = Counter(corpus_of.values())
    for number in range(2):
        seen = Counter(
            corpus_of[e]
            for e in token_counts(
                sample_epoch(many, number, corpus_shares={"isolated_share": 0.25})
            )
        )
        assert seen == {
            "seeds": sizes["seeds"],
            "isolated_share": round(sizes["isolated_share"] / 4),
        }
    drawn = [
        set(token_counts(sample_epoch(many, number, corpus_shares={"isolated_share": 0.25})))
        for number in range(2)
    ]
    assert drawn[0] != drawn[1]


def test_context_and_isolated_shares_decide_which_sentences_share_a_window(many):
    def window_sizes(**mixture):
        return [
            len(w.examples)
            for batch in sample_epoch(many, **{**CALM, **mixture})
            for w in batch
            if not w.topic_stances and w.examples[0].corpus == "isolated_share"
        ]

    assert set(window_sizes()) == {1}
    assert max(window_sizes(context_share=1.0)) > 1
    isolated = [
        w
        for batch in sample_epoch(many, **{**CALM, "isolated_share": 1.0})
        for w in batch
        if not w.topic_stances
    ]
    assert all(len(w.examples) == 1 for w in isolated)


@pytest.mark.parametrize("budget", [64, 200, 2048])
def test_padded_tokens_keep_within_the_budget(many, budget):
    batches = sample_epoch(many, tokens_per_batch=budget)
    padded = [max(map(len, batch)) * len(batch) for batch in batches]
    assert max(padded) <= budget
    assert all(batches)
    # Sorted within chunks: nearly nothing of a batch is padding, and batches are full.
    real = sum(len(window) for batch in batches for window in batch)
    assert real > 0.9 * sum(padded)
    assert sum(padded) > 0.55 * budget * len(batches)


def test_batches_come_in_a_random_order(many):
    lengths = [max(map(len, batch)) for batch in sample_epoch(many, tokens_per_batch=128)]
    rising = [after > before for before, after in pairwise(lengths) if after != before]
    assert len(rising) > 100
    assert 0.35 < sum(rising) / len(rising) < 0.65


def test_holders_of_one_topic_share_a_window_and_topics_without_a_stance_are_sampled(word_windows):
    text = "Lee and Moss agreed ."
    stances = [
        Stance(holder=[(0, 3)], target="orl", label="favor"),
        Stance(holder=[(8, 12)], target="orl", label="neutral"),
        Stance(holder=[(0, 3)], target="late", label="neutral"),
    ]
    records = [
        Record(id=f"a:{number}", doc_id="a", start=number * 30, text=text, stances=stances)
        for number in range(2)
    ]
    for record in records:
        record.meta["corpus"] = "whole"
    windows = word_windows(40)
    labels = {"stance": DEFAULT_LABELS["stance"]}
    documents = ExampleBuilder(windows, labels, exhaustive_stances=["whole"]).build(records)

    def topic_windows(share):
        sampling = SamplingConfig(**CALM, unstated_topic_share=share)
        (batch,) = EpochSampler(documents, windows, sampling).epoch(0)
        return [len(labelled.topic_stances) for labelled in batch if labelled.topic_stances]

    assert sorted(topic_windows(1.0)) == [1, 1, 2, 2]
    assert topic_windows(0.0) == [2, 2]
