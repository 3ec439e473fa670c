"""The units of a sample: the answers of the model that a share counts.

- **stances**: the stances that are listed and count, those with the label *neutral* included. Stances from
  which the model abstains count nowhere, so they are no units.
- **sentences**: all sentences, with their label of the task *claim*.

A key identifies a unit by the article's id and text, and by its place in the article. It begins with the kind
of the unit, so that no spreadsheet takes it for a number or a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from claimstance.inference.corpus.consistency import digest
from claimstance.inference.results import NO_SIDE, Label, Sentence, Stance, TaggedArticle
from claimstance.model.errors import InputError

_DIGEST = 8  # bytes


class UnitKind(str, Enum):
    """Name the kinds of units."""

    stances = "stances"
    sentences = "sentences"


@dataclass(frozen=True)
class Unit:
    """Represent an answer of the model.

    Attributes:
        key: what identifies it, such as ``stance-0f2a91c4d57be860-12-0``.
        article: the article.
        sentence: the sentence.
        position: its place among the sentences of the article.
        stance: the stance; ``None`` for a sentence.
        answer: the label with its probabilities.
    """

    key: str
    article: TaggedArticle
    sentence: Sentence
    position: int
    stance: Stance | None
    answer: Label | Stance


def units_of(article: TaggedArticle, kind: UnitKind) -> Iterator[Unit]:
    """Yield the units of an article.

    Raises:
        InputError: if the model predicts no claims, and the units are sentences.
    """
    article_key = article_digest(article)
    for position, sentence in enumerate(article.sentences):
        if kind is UnitKind.sentences:
            if sentence.claim is None:
                raise InputError(
                    f"'{article.doc_id}': expected sentences with a claim label, found results of a model that "
                    f"predicts none ({article.model.get('name')})"
                )
            key = f"sentence-{article_key}-{sentence.index}"
            yield Unit(key, article, sentence, position, None, sentence.claim)
            continue
        for number, stance in enumerate(sentence.stances):
            if not stance.abstained:
                key = f"stance-{article_key}-{sentence.index}-{number}"
                yield Unit(key, article, sentence, position, stance, stance)


def article_digest(article: TaggedArticle) -> str:
    """Return a short hash of an article's id and text."""
    return digest(article.doc_id, article.text, size=_DIGEST).hex()


def sides(labels: Sequence[str]) -> list[str]:
    """Return the stance labels that take a side."""
    return [label for label in labels if label != NO_SIDE]
