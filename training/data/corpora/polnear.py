"""PolNeAR: who says what, in US political news.

Link: https://github.com/networkdynamics/PolNeAR
Licence: none stated for the data (its software is under the MIT licence).
Citation: Newell, Margolin, Ruths (2018), An Attribution Relations Corpus for Political News, LREC.

Labels: the events *Attribution* and *Attribution-no-source* become attributions with *source*, *cue* and *content*; a
sentence is a ``claim`` if a Content touches a non-space character of it, else ``no_claim``. *Discuss* and *Discard*
(spans without an event) are not read.

Traps handled: T-lines may contain a line end, and E-lines may name later T-lines. Two Contents of one event
(``Content2``) are one span. Spans may have several pieces, and attributions may be nested. Some articles have five or
six annotators: the first by file name is read, or all of them if an option says so. An attribution over several
sentences is in each of them, under one ``event``. The machine that found the entities missed surnames that are words
(*Trump* in five of six sentences that begin with it): once a person is named in full, the surname is an entity, too
(``claimstance.model.text.entities.with_known_people``).

The corpus's own split is by time, and its official *dev* is the latest month and more. The split ``tune`` has the last
thirty days of the official *train*, so that choices, too, are made on a later time than the one trained on.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimstance.model.record import Attribution, Entity, Record, Span
from claimstance.model.text.entities import DecodedEntity, with_known_people
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import SentenceSpan
from claimstance.training.data.corpora.base import Corpus, OnDrop, check_choice
from claimstance.training.data.corpora.polnear_files import (
    find_annotations,
    read_metadata,
    read_silver,
)
from claimstance.training.data.corpora.standoff import read_events
from claimstance.training.data.documents.json_validation import read_text
from claimstance.training.data.documents.spans import clip


@dataclass(frozen=True)
class _Article:
    """Represent an article with the offsets of its sentences and of its machine-made entities, if any."""

    stem: str
    text: str
    sentences: list[tuple[int, int]]
    entities: list[tuple[int, int, str]] | None
    meta: Mapping[str, Any]


def read(
    folder: Path, split: str, on_drop: OnDrop, annotator: str = "first", silver: Path | None = None
) -> Iterator[Record]:
    """Yield the articles of ``split`` in the order of their names, sentence by sentence.

    Args:
        folder: a copy of the repository.
        split: ``train``, ``tune`` (both from the official train) or ``dev``.
        on_drop: never called: nothing is left out.
        annotator: ``first`` (by file name) or ``all``: then a sentence comes once for each annotator, under one id.
        silver: a folder with machine-made entities, ``train.jsonl`` and ``dev.jsonl``; no entities if ``None``.

    Raises:
        ConfigError: for another ``annotator``.
        InputError: naming the file and the line.
    """
    check_choice("polnear", "annotator", annotator, ("first", "all"))
    official = "dev" if split == "dev" else "train"
    metadata = read_metadata(folder / "data" / "metadata.tsv")
    silver_entities = read_silver(silver / f"{official}.jsonl") if silver is not None else {}

    paths = find_annotations(folder / "data" / official / "attributions", split)
    for stem, annotation_paths in paths.items():
        text = read_text(folder / "data" / official / "text" / f"{stem}.txt")
        sentences = split_sentences(text)
        entities = None
        if stem in silver_entities:
            entities = _with_surnames(silver_entities[stem], text, sentences)
        meta = {"corpus": "polnear", "article": stem, **metadata.get(stem, {})}
        article = _Article(stem, text, sentences, entities, meta)
        if annotator == "first":
            annotation_paths = annotation_paths[:1]
        for number, path in enumerate(annotation_paths):
            if number > 0:
                # A second annotator's copy of the entities would count as agreement with the first.
                article = replace(article, entities=None)
            yield from _records(article, path)


def _with_surnames(
    entities: Sequence[tuple[int, int, str]], text: str, sentences: Sequence[tuple[int, int]]
) -> list[tuple[int, int, str]]:
    """Return machine-made entities with the surnames that the machine missed.

    Entities that run over a sentence's end stay as they are.
    """
    starts = [start for start, _ in sentences]
    within, across = [], []
    for start, end, label in sorted(entities):
        index = bisect_right(starts, start) - 1
        if index < 0 or end > sentences[index][1]:
            across.append((start, end, label))
            continue
        location = SentenceSpan(index, start - starts[index], end - starts[index])
        within.append(DecodedEntity(location, label, 1.0))

    completed = []
    sentence_texts = [text[start:end] for start, end in sentences]
    for entity in with_known_people(within, sentence_texts):
        sentence_start = starts[entity.span.sentence]
        start, end = sentence_start + entity.span.start, sentence_start + entity.span.end
        completed.append((start, end, entity.label))
    return sorted(completed + across)


def _records(article: _Article, path: Path) -> Iterator[Record]:
    """Yield the sentences of an article as one annotator's file has them."""
    events = read_events(path, article.text)
    text = article.text
    # Each sentence has its pieces of an attribution; events over several sentences need a name.
    by_sentence: list[list[tuple[str, dict[str, Span]]]] = []
    sentence_counts: Counter[str] = Counter()
    for start, end in article.sentences:
        clipped_events = []
        for annotated in events:
            roles = annotated.clip(start, end, text)
            if roles:
                clipped_events.append((annotated.name, roles))
                sentence_counts[annotated.name] += 1
        by_sentence.append(clipped_events)

    for index, (start, end) in enumerate(article.sentences):
        attributions = []
        for name, roles in by_sentence[index]:
            event = name if sentence_counts[name] > 1 else None
            attributions.append(Attribution(**roles, event=event))

        entities = None
        if article.entities is not None:
            entities = []
            for entity_start, entity_end, label in article.entities:
                span = clip([(entity_start, entity_end)], start, end, text)
                if span:
                    entities.append(Entity(span=span, label=label))

        has_content = any(attribution.content is not None for attribution in attributions)
        yield Record(
            id=f"{article.stem}:{index}",
            doc_id=article.stem,
            start=start,
            text=text[start:end],
            claim="claim" if has_content else "no_claim",
            attributions=attributions,
            entities=entities,
            annotator=path.stem.rpartition("_")[2],
            meta=dict(article.meta),
        )


CORPUS = Corpus(
    name="polnear",
    url="https://github.com/networkdynamics/PolNeAR",
    licence="none stated for the data (software: MIT)",
    citation="Newell, Margolin, Ruths (2018), An Attribution Relations Corpus for Political News, LREC",
    version="data/metadata.tsv 124cdb9e6d1c",
    splits=("train", "tune", "dev"),
    tasks=("attribution", "claim", "entity"),
    label_mapping={
        "Attribution": "attribution",
        "Attribution-no-source": "attribution without source",
        "Content in the sentence": "claim",
        "no Content in the sentence": "no_claim",
    },
    reader=read,
    path_options=("silver",),
)
