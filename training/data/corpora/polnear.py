"""PolNeAR: who says what, in US political news.

Link: https://github.com/networkdynamics/PolNeAR
Licence: none stated for the data (its software is under the MIT licence).
Citation: Newell, Margolin, Ruths (2018), An Attribution Relations Corpus for Political News, LREC.

Labels: the events *Attribution* and *Attribution-no-source* become attributions with *source*, *cue* and *content*; a
sentence is a ``claim`` if a Content touches a non-space character of it, else ``no_claim``. *Discuss* and *Discard*
(spans without an event) are not read.

Traps handled: T-lines with a raw line end; E-lines naming later T-lines; two Contents of one event (``Content2``) are
one span; spans of several pieces; nested attributions; articles with five or six annotators (the first by file name, or
all on request); attributions that run over several sentences stand in each of them, under one ``event``. The machine
that found the entities missed surnames that are words (*Trump* in five of six sentences that begin with it): a person
named in full once is one under the surname, too (``claimstance.model.text.entities.with_known_people``).

The corpus's own split is by time, and its official *dev* is the latest month and more. What was published in the last
thirty days of the official *train* is given as ``tune``, so that choices are made on a later time than trained on, too.
"""

import datetime
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.model.record import Attribution, Entity, Record, read_lines
from claimstance.model.text.entities import FoundEntity, with_known_people
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import Located
from claimstance.training.data.corpora.base import Corpus, OnDrop, check_choice, read_tsv
from claimstance.training.data.corpora.standoff import Event, read_events, read_text
from claimstance.training.data.documents.spans import clip

TUNE_DAYS = 30
_METADATA = {"publisher": "outlet", "publication_date": "date", "title": "title"}


@dataclass(frozen=True)
class _Article:
    stem: str
    text: str
    sentences: list[tuple[int, int]]
    entities: list[tuple[int, int, str]] | None
    meta: Mapping[str, Any]


def read(
    folder: Path, split: str, on_drop: OnDrop, annotator: str = "first", silver: Path | None = None
) -> Iterator[Record]:
    """The articles of ``split`` in the order of their names, sentence by sentence.

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
    metadata = _read_metadata(folder / "data" / "metadata.tsv")
    entities = _read_silver(silver / f"{official}.jsonl") if silver is not None else {}
    for stem, paths in _select(_annotations(folder / "data" / official / "attributions"), split):
        text = read_text(folder / "data" / official / "text" / f"{stem}.txt")
        sentences = split_sentences(text)
        marked = entities.get(stem)
        article = _Article(
            stem,
            text,
            sentences,
            marked if marked is None else _with_known_people(marked, text, sentences),
            {"corpus": "polnear", "article": stem, **metadata.get(stem, {})},
        )
        for number, path in enumerate(paths if annotator == "all" else paths[:1]):
            # The machine made the entities once: they are no second annotator's agreement with the first.
            yield from _records(article if number == 0 else replace(article, entities=None), path)


def _annotations(folder: Path) -> dict[str, list[Path]]:
    """The article's name → its ``.ann`` files, both in order."""
    if not folder.is_dir():
        raise InputError(f"{folder}: expected PolNeAR's annotations, found no such folder")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.ann")):
        found[path.stem.rpartition("_")[0]].append(path)
    return found


def _annotator(path: Path) -> str:
    return path.stem.rpartition("_")[2]


def _select(articles: Mapping[str, list[Path]], split: str) -> list[tuple[str, list[Path]]]:
    if split == "dev" or not articles:
        return list(articles.items())
    days = {stem: _published(stem) for stem in articles}
    cut = max(days.values()) - datetime.timedelta(days=TUNE_DAYS)
    return [
        (stem, paths) for stem, paths in articles.items() if (days[stem] > cut) == (split == "tune")
    ]


def _published(stem: str) -> datetime.date:
    """The date in an article's name, ``OUTLET_DATE_TITLE``."""
    try:
        return datetime.date.fromisoformat(stem.split("_")[1])
    except (IndexError, ValueError):
        raise InputError(f"{stem}: expected a name like OUTLET_2016-01-31_TITLE") from None


def _read_metadata(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    rows = (row for _, row in read_tsv(path, tuple(range(1, 100)), quoting=False))
    header = next(rows, [])
    if missing := {"filename", *_METADATA} - set(header):
        raise InputError(f"{path}: expected a column {min(missing)}, found {', '.join(header)}")
    articles = [dict(zip(header, row, strict=False)) for row in rows]
    return {
        article["filename"]: {
            ours: article[theirs] for theirs, ours in _METADATA.items() if article.get(theirs)
        }
        for article in articles
    }


def _read_silver(path: Path) -> dict[str, list[tuple[int, int, str]]]:
    articles = {}
    for number, line in enumerate(read_lines(path), 1):
        try:
            data = json.loads(line)
            articles[data["doc"]] = [
                (int(start), int(end), str(label)) for start, end, label in data["entities"]
            ]
        except (ValueError, TypeError, KeyError):
            raise InputError(
                f"{path}, line {number}: expected an object with 'doc' and 'entities'"
            ) from None
    return articles


def _with_known_people(
    entities: Sequence[tuple[int, int, str]], text: str, sentences: Sequence[tuple[int, int]]
) -> list[tuple[int, int, str]]:
    """Return machine-made entities with the surnames that it missed; those over a sentence's end as they are."""
    starts = [start for start, _ in sentences]
    inside, across = [], []
    for start, end, label in sorted(entities):
        index = bisect_right(starts, start) - 1
        if index < 0 or end > sentences[index][1]:
            across.append((start, end, label))
            continue
        place = Located(index, start - starts[index], end - starts[index])
        inside.append(FoundEntity(place, label, 1.0))
    texts = [text[start:end] for start, end in sentences]
    known = [
        (starts[e.place.sentence] + e.place.start, starts[e.place.sentence] + e.place.end, e.label)
        for e in with_known_people(inside, texts)
    ]
    return sorted(known + across)


def _records(article: _Article, path: Path) -> Iterator[Record]:
    events = read_events(path, article.text)
    several = {event.name for event in events if _touches_several(event, article)}
    for index, (start, end) in enumerate(article.sentences):
        attributions = [
            attribution
            for event in events
            if event.reaches(start, end)
            and (attribution := _clip(event, start, end, article.text, event.name in several))
            is not None
        ]
        yield Record(
            id=f"{article.stem}:{index}",
            doc_id=article.stem,
            start=start,
            text=article.text[start:end],
            claim="claim" if any(a.content is not None for a in attributions) else "no_claim",
            attributions=attributions,
            entities=_entities(article, start, end),
            annotator=_annotator(path),
            meta=dict(article.meta),
        )


def _touches_several(event: Event, article: _Article) -> bool:
    pieces = [piece for span in event.roles.values() for piece in span]
    near = [(start, end) for start, end in article.sentences if event.reaches(start, end)]
    return sum(clip(pieces, start, end, article.text) is not None for start, end in near) > 1


def _clip(event: Event, start: int, end: int, text: str, several: bool) -> Attribution | None:
    parts = {role: clip(span, start, end, text) for role, span in event.roles.items()}
    if all(part is None for part in parts.values()):
        return None
    return Attribution(**parts, event=event.name if several else None)


def _entities(article: _Article, start: int, end: int) -> list[Entity] | None:
    if article.entities is None:
        return None
    near = [
        (left, right, label)
        for left, right, label in article.entities
        if left < end and right > start
    ]
    clipped = (
        (clip([(left, right)], start, end, article.text), label) for left, right, label in near
    )
    return [Entity(span=span, label=label) for span, label in clipped if span is not None]


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
