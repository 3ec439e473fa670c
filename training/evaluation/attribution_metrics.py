"""Scores of attributions: token overlap and exact spans of each role, and linked attributions.

Nested attributions are flattened, the innermost winning, in gold and prediction alike. Tokens are
words and single punctuation marks. A *linked* attribution is correct if its source, cue and content
each share a token with those of one gold attribution (a role that gold lacks must be missing); each
gold attribution counts once. Contents without a cue, which continue an attribution of another
sentence, do not count as attributions of their own.
"""

import re
from collections.abc import Sequence
from itertools import chain

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.labels import ROLES
from claimstance.model.record import Record
from claimstance.training.evaluation.flat_spans import attribution_id, attribution_sizes, flatten
from claimstance.training.evaluation.metrics import Array, f1

TOKEN = re.compile(r"\w+|[^\w\s]")
TokenId = tuple[int, int]  # number of the sentence, number of the token in it
Offsets = tuple[int, int]  # start, end (exclusive), in characters
RoleTokens = dict[str, set[TokenId]]  # role → tokens of one attribution


def attribution_scores(counts: Array) -> dict[str, float]:
    """Return metric → value from the counts of ``count_attributions``, summed over documents."""
    names = []
    for role in ROLES:
        names += [f"{role}.overlap", f"{role}.exact"]
    names.append("linked")
    scores = {}
    for name, (true_positive, predicted, gold) in zip(names, counts, strict=True):
        for metric, value in f1(true_positive, predicted, gold).items():
            scores[f"{name}.{metric}"] = value
    return scores


def count_attributions(document: Sequence[tuple[Record, Prediction]]) -> Array:
    """Count true positives, predicted and gold items of a document's sentences.

    Returns:
        (7, 3): overlap and exact spans of each role, then linked attributions.
    """
    gold = [record for record, _ in document]
    predicted = [with_predicted_attributions(*sentence) for sentence in document]
    tokens = [tokenize(record.text) for record in gold]
    gold_spans = flat_token_spans(gold, tokens)
    predicted_spans = flat_token_spans(predicted, tokens)

    counts = []
    for role in ROLES:
        gold_role = set(gold_spans.get(role, ()))
        predicted_role = set(predicted_spans.get(role, ()))
        gold_tokens = set(chain.from_iterable(gold_role))
        predicted_tokens = set(chain.from_iterable(predicted_role))
        common_tokens = gold_tokens & predicted_tokens
        # Overlap counts tokens, so that a span with a wrong bound is right in part; exact counts spans.
        counts.append([len(common_tokens), len(predicted_tokens), len(gold_tokens)])
        counts.append([len(gold_role & predicted_role), len(predicted_role), len(gold_role)])

    gold_attributions = _attribution_tokens(gold, tokens)
    predicted_attributions = _attribution_tokens(predicted, tokens)
    matches = np.zeros((len(predicted_attributions), len(gold_attributions)), dtype=bool)
    for row, prediction in enumerate(predicted_attributions):
        for column, annotation in enumerate(gold_attributions):
            matches[row, column] = _all_roles_match(prediction, annotation)
    linked = int(matches.any())
    # With at most one attribution on a side, as in most sentences, there is nothing to pair one to one.
    if linked and min(matches.shape) > 1:
        pairs = maximum_bipartite_matching(csr_array(matches), perm_type="column")
        linked = int((pairs >= 0).sum())

    counts.append([linked, len(predicted_attributions), len(gold_attributions)])
    return np.array(counts, dtype=float)


def with_predicted_attributions(record: Record, prediction: Prediction) -> Record:
    """Return the record with the predicted attributions instead of the annotated ones."""
    attributions = [attribution for attribution, _ in prediction.attributions or ()]
    return record.model_copy(update={"attributions": attributions})


def tokenize(text: str) -> list[Offsets]:
    """Return the characters ``[start, end)`` of each token."""
    return [match.span() for match in TOKEN.finditer(text)]


def flat_token_spans(
    records: Sequence[Record], tokens: Sequence[Sequence[Offsets]]
) -> dict[str, list[tuple[TokenId, ...]]]:
    """Return role → flattened spans, as tuples of tokens, of the sentences of a document."""
    sizes = attribution_sizes(records)
    spans: dict[str, list[tuple[TokenId, ...]]] = {}
    for number, record in enumerate(records):
        for span in flatten(record, sizes):
            token_ids = _tokens_within(number, tokens[number], span.start, span.end)
            if token_ids:
                spans.setdefault(span.role, []).append(token_ids)
    return spans


def _tokens_within(
    sentence: int, tokens: Sequence[Offsets], start: int, end: int
) -> tuple[TokenId, ...]:
    """Return the tokens of a sentence that overlap characters ``[start, end)``."""
    token_ids = []
    for number, (token_start, token_end) in enumerate(tokens):
        if token_start < end and start < token_end:
            token_ids.append((sentence, number))
    return tuple(token_ids)


def _attribution_tokens(
    records: Sequence[Record], tokens: Sequence[Sequence[Offsets]]
) -> list[RoleTokens]:
    """Return the tokens of each attribution that has a cue, over all its sentences."""
    attributions: dict[str, RoleTokens] = {}
    for number, record in enumerate(records):
        for index, attribution in enumerate(record.attributions or ()):
            event = attribution_id(record, index)
            role_tokens = attributions.setdefault(event, {role: set() for role in ROLES})
            for role in ROLES:
                for start, end in getattr(attribution, role) or ():
                    role_tokens[role].update(_tokens_within(number, tokens[number], start, end))
    return [role_tokens for role_tokens in attributions.values() if role_tokens["cue"]]


def _all_roles_match(prediction: RoleTokens, annotation: RoleTokens) -> bool:
    """Return whether every role shares a token in both attributions, or is missing in both."""
    for role in ROLES:
        is_missing = not prediction[role] and not annotation[role]
        if not is_missing and not prediction[role] & annotation[role]:
            return False
    return True
