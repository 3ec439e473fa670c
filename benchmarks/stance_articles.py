"""Load the annotated articles of PolNeAR-Stance, and collect a model's answers to all questions about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from name_swaps import swap_articles

from claimstance.inference.results import TaggedArticle
from claimstance.model.article.record_prediction import MentionFinder, Prediction, predict
from claimstance.model.config import ModelConfig
from claimstance.model.errors import InputError, ModelError
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record
from claimstance.training.data.corpora import lookup
from claimstance.training.data.corpora.polnear_stance import LABELS, ArticleLabels, read_labels
from claimstance.training.data.documents.json_validation import read_text

CORPUS = "polnear-stance"
TASKS = ("stance", "check_worthy")

Pairs = list[tuple[Record, Prediction]]
Advance = Callable[[int], None]


@dataclass(frozen=True)
class AnnotatedArticle:
    """Represent an article with its labels.

    Attributes:
        text: as published; the offsets of ``labels`` refer to it.
        labels: the stances and check-worthy sentences that the annotator listed.
        second: those of the second annotator, where the article has one.
        records: its sentences, with the pairs of holders and targets to be asked about.
        topics: its sentences, with the pairs of holders and topics of the article.
    """

    doc_id: str
    text: str
    labels: ArticleLabels
    second: ArticleLabels | None
    records: list[Record]
    topics: list[Record]


@dataclass(frozen=True)
class Answered:
    """Represent everything that a model answers about the articles.

    Attributes:
        tagged: the articles as ``tag`` returns them.
        pairs: the records with their predictions.
        topics: those about the articles' topics.
        swapped: the records with other names, with their predictions.
    """

    config: ModelConfig
    tagged: list[TaggedArticle]
    pairs: Pairs
    topics: Pairs
    swapped: Pairs


def load_articles(corpora: Path, split: str, limit: int | None = None) -> list[AnnotatedArticle]:
    """Return the annotated articles of a split, in the order of their names.

    Args:
        corpora: the folder that holds ``polnear`` and ``polnear-silver``.
        split: ``tune`` or ``dev``.
        limit: the number of articles; all of them if ``None``.

    Raises:
        InputError: if a folder is missing, or a file in it is not as published.
    """
    corpus = lookup(CORPUS)
    folder, silver = corpora / corpus.folder, corpora / "polnear-silver"
    labels = read_labels(LABELS / f"{split}.jsonl")
    second_file = LABELS / f"{split}-second.jsonl"
    second = read_labels(second_file) if second_file.exists() else {}
    readings = [
        groupby(
            corpus.read(folder, split, silver=silver, topics=topics),
            key=lambda record: record.doc_id or "",
        )
        for topics in (False, True)
    ]
    articles = []
    for (doc_id, records), (_, with_topics) in zip(*readings, strict=True):
        # The groups have to be read in any case: each is gone once the next one begins.
        pair_records = list(records)
        topic_records = [_only_topics(record) for record in with_topics]
        if doc_id not in labels:
            continue
        # In PolNeAR, the articles of tune are the last ones of train.
        polnear_split = "dev" if split == "dev" else "train"
        text = read_text(folder / "data" / polnear_split / "text" / f"{doc_id}.txt")
        articles.append(
            AnnotatedArticle(
                doc_id, text, labels[doc_id], second.get(doc_id), pair_records, topic_records
            )
        )
        if len(articles) == limit:
            break
    if not articles:
        raise InputError(f"{folder}: expected annotated articles of the part {split}, found none")
    return articles


def _only_topics(record: Record) -> Record:
    """Return a record with those of its stances whose target is a topic of the article."""
    stances = [stance for stance in record.stances or () if isinstance(stance.target, str)]
    return record.model_copy(update={"stances": stances})


def check_tasks(config: ModelConfig) -> None:
    """Raise ``ModelError`` if a model lacks a task that is measured."""
    missing = [task for task in TASKS if task not in config.tasks]
    if missing:
        raise ModelError(
            f"{config.name}: expected a model with the tasks {', '.join(TASKS)}, "
            f"found none for {missing[0]}"
        )


def answer(
    tag: Callable[[str], TaggedArticle],
    predictor: Predictor,
    articles: Sequence[AnnotatedArticle],
    advance: Advance,
) -> Answered:
    """Return everything that a model answers about the articles.

    Args:
        tag: the method of a ``Tagger``.
        predictor: the model.
        articles: annotated articles.
        advance: called four times for each article, with 1.
    """
    tagged = []
    for article in articles:
        tagged.append(tag(article.text))
        advance(1)
    records = [record for article in articles for record in article.records]
    topics = [record for article in articles for record in article.topics]
    return Answered(
        predictor.config,
        tagged,
        _predict(predictor, records, advance),
        _predict(predictor, topics, advance),
        _predict(predictor, swap_articles(records), advance),
    )


def _predict(predictor: Predictor, records: Sequence[Record], advance: Advance) -> Pairs:
    """Return the records with their predictions, as the command ``predict`` makes them."""
    pairs: Pairs = []
    doc_id = None
    for record, prediction in zip(
        records, predict(predictor, records, MentionFinder()), strict=True
    ):
        pairs.append((record, prediction))
        if record.doc_id != doc_id:
            doc_id = record.doc_id
            advance(1)
    return pairs
