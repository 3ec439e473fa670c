"""Test which hidden vectors each head reads."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from claimstance.model.config import WEIGHTS_FILE
from claimstance.model.errors import ModelError
from claimstance.model.heads import (
    LinkHead,
    SentenceHead,
    StanceHead,
    TokenHead,
    between,
    pool,
)
from claimstance.model.network import ClaimStanceModel


@pytest.fixture
def hidden():
    """Return the hidden vectors of two windows of nine tokens."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return torch.randn(2, 9, 8, requires_grad=True)


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(4)
        yield


def spans(*rows):
    """Return spans as a tensor."""
    return torch.tensor(rows)


def read(output, hidden, row):
    """Return the tokens, as (window, token), that a row of the output depends on."""
    (gradient,) = torch.autograd.grad(output[row].sum(), hidden, retain_graph=True)
    return {tuple(indices) for indices in gradient.abs().sum(dim=-1).nonzero().tolist()}


def tokens(window, start, end):
    """Return the tokens of a span as (window, token)."""
    return {(window, token) for token in range(start, end)}


def test_pooling_is_the_mean_of_a_span(hidden):
    pooled = pool(hidden, spans((0, 1, 4), (1, 8, 9), (1, 3, 3), (0, 0, 9)))
    torch.testing.assert_close(pooled[0], hidden[0, 1:4].mean(dim=0))
    torch.testing.assert_close(pooled[1], hidden[1, 8])
    torch.testing.assert_close(pooled[2], torch.zeros(8))
    torch.testing.assert_close(pooled[3], hidden[0].mean(dim=0))
    assert pool(hidden, torch.zeros(0, 3, dtype=torch.long)).shape == (0, 8)


def test_a_tag_is_read_from_its_token_and_a_sentence_label_from_its_tokens(hidden):
    tags = TokenHead(8, 5, 0.0)(hidden)
    assert tags.shape == (2, 9, 5)
    assert read(tags.flatten(0, 1), hidden, 11) == {(1, 2)}
    logits = SentenceHead(8, 2, 0.0)(hidden, spans((0, 1, 4), (1, 2, 9)))
    assert logits.shape == (2, 2)
    assert read(logits, hidden, 1) == tokens(1, 2, 9)


def test_a_stance_is_read_from_holder_target_and_sentence(hidden):
    head = StanceHead(8, 3, 0.0)
    holders, targets, sentences = (
        spans((0, 1, 2), (1, 0, 0)),
        spans((0, 3, 5), (1, 3, 5)),
        spans((0, 6, 9), (1, 6, 9)),
    )
    logits = head(hidden, holders, targets, sentences)
    assert logits.shape == (2, 3)
    # The tokens between holder and target are read too; without a holder there are none.
    assert read(logits, hidden, 0) == tokens(0, 1, 5) | tokens(0, 6, 9)
    assert read(logits, hidden, 1) == tokens(1, 3, 5) | tokens(1, 6, 9)
    # The roles of holder and target cannot be exchanged.
    assert not torch.allclose(logits[:1], head(hidden, targets[:1], holders[:1], sentences[:1]))
    # The vector of a missing holder is trained by queries without a holder alone.
    assert torch.autograd.grad(logits[1].sum(), head.no_holder, retain_graph=True)[0].any()
    assert not torch.autograd.grad(logits[0].sum(), head.no_holder)[0].any()


@pytest.mark.parametrize(
    ("holder", "target", "expected"),
    [
        ((1, 2), (4, 6), (2, 4)),
        ((4, 6), (1, 2), (2, 4)),
        ((1, 2), (2, 3), (2, 2)),
        ((1, 4), (2, 3), (3, 3)),
    ],
)
def test_the_span_between_two_spans(holder, target, expected):
    assert between(spans((1, *holder)), spans((1, *target))).tolist() == [[1, *expected]]


def test_a_stance_depends_on_the_distance_of_holder_and_target():
    head, uniform = StanceHead(8, 3, 0.0), torch.ones(1, 60, 8)
    pairs = [((1, 2), (3, 4)), ((3, 4), (1, 2)), ((1, 2), (30, 31))]
    holders = spans(*[(0, *holder) for holder, _ in pairs])
    targets = spans(*[(0, *target) for _, target in pairs])
    logits = head(uniform, holders, targets, spans(*[(0, 0, 50)] * 3))
    assert len({tuple(row) for row in logits.round(decimals=6).tolist()}) == 3


def test_a_link_is_read_from_both_spans(hidden):
    head = LinkHead(8, 0.0)
    logits = head(hidden, spans((0, 1, 2), (1, 4, 5)), spans((0, 3, 5), (1, 1, 3)))
    assert logits.shape == (2, 2)
    assert read(logits, hidden, 0) == tokens(0, 1, 2) | tokens(0, 3, 5)
    assert read(logits, hidden, 1) == tokens(1, 4, 5) | tokens(1, 1, 3)


def test_a_link_depends_on_distance_and_side():
    head = LinkHead(8, 0.0)
    uniform = torch.ones(1, 120, 8)  # equal vectors, so that spans differ in their positions alone
    cue = (0, 50, 52)
    candidates = [(0, start, start + 2) for start in (53, 54, 56, 62, 100, 48, 47, 45, 30, 51)]
    logits = head(uniform, spans(*[cue] * len(candidates)), spans(*candidates))
    assert len({tuple(row) for row in logits.round(decimals=6).tolist()}) == len(candidates)
    moved = head(uniform, spans((0, 10, 12)), spans((0, 16, 18)))
    torch.testing.assert_close(moved[0], logits[2])
    # Long distances are not distinguished.
    far = head(uniform, spans((0, 1, 2), (0, 1, 2)), spans((0, 95, 96), (0, 110, 111)))
    torch.testing.assert_close(far[0], far[1])


def test_weights_of_another_width_are_refused(trained, tmp_path):
    folder = Path(shutil.copytree(trained, tmp_path / "narrow"))
    weights = load_file(folder / WEIGHTS_FILE)
    name = "heads.stance.text_mlp.1.weight"
    weights[name] = weights[name][:, :-8].contiguous()
    save_file(weights, folder / WEIGHTS_FILE)
    with pytest.raises(ModelError, match="fit each other"):
        ClaimStanceModel.from_pretrained(folder)
