"""Tagging: an article in, claims, attributions, entities and stances out."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from claimstance.inference.articles import check_characters
from claimstance.inference.names import is_meant, resolve_references
from claimstance.inference.results import (
    Attribution,
    Entity,
    Label,
    Sentence,
    Span,
    Stance,
    TaggedArticle,
    group_sources,
    ranking,
)
from claimstance.model.decoding import FoundAttribution
from claimstance.model.errors import InputError
from claimstance.model.mentions import find_mentions
from claimstance.model.predicting import Prediction, predict
from claimstance.model.reader import FoundEntity, Query, Reader, Reading
from claimstance.model.record import Record, parse_record
from claimstance.model.runtime import load_reader
from claimstance.model.sentences import split_sentences
from claimstance.model.windows import Located

T = TypeVar("T")
Offsets = tuple[int, int]
References = dict[Offsets, str]  # who is meant by a source or a pronoun


class Tagger:
    """A trained model, ready to tag articles and to predict records."""

    def __init__(self, reader: Reader, sha256: str) -> None:
        self._reader = reader
        self.model = {"name": reader.config.name, "version": reader.config.version, "sha256": sha256}

    @classmethod
    def from_pretrained(cls, folder: Path | str | None = None, threads: int | None = None) -> "Tagger":
        """The model of ``folder``, or the bundled one. ``threads``: of onnxruntime; all cores if ``None``.

        Raises:
            ModelError: naming the file of the model that is missing or altered.
        """
        return cls(*load_reader(folder, threads))

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """The label names of each task that the model has."""
        config = self._reader.config
        return {task: config.labels[task] for task in config.tasks if task in config.labels}

    def tag(
        self, text: str, targets: Sequence[str] | str = (), doc_id: str = "", title: str | None = None
    ) -> TaggedArticle:
        """Tag an article.

        Args:
            text: the article; what its offsets refer to.
            targets: whom or what stances are wanted on; the entities of each sentence if none are given.
            doc_id: carried into the result.
            title: likewise.

        Raises:
            InputError: if a target is blank, or a text cannot be encoded (half of a surrogate pair).
        """
        targets = list(dict.fromkeys([targets] if isinstance(targets, str) else targets))
        if not all(target.strip() for target in targets):
            raise InputError("targets: expected names or topics, found a blank one")
        check_characters("the text", text)
        check_characters("targets", *targets)
        bounds = split_sentences(text)
        reading = self._reader.read([text[start:end] for start, end in bounds])
        places = _Places(text, bounds)
        references = _references(places, reading)
        attributions = [places.attribution(found, references) for found in reading.attributions or ()]
        tasks = self._reader.config.tasks
        asks = "stance" in tasks
        stances = self._stances(reading, places, attributions, references, targets) if asks else []
        by_sentence = zip(
            _grouped(attributions, len(bounds)),
            _grouped(((entity.place.sentence, entity) for entity in reading.entities or ()), len(bounds)),
            _grouped(((stance.sentence, stance) for stance in stances), len(bounds)), strict=True)
        sentences = [self._sentence(i, reading, places, *found) for i, found in enumerate(by_sentence)]
        warnings = list(dict.fromkeys(reading.warnings))
        if targets and not asks:
            warnings.append(f"the model reads no stances ({', '.join(tasks)} alone): nothing is said of the targets")
        if asks and not targets and "entity" not in tasks:
            warnings.append("no target was named, and the model finds no entities of its own: no stance is given")
        if not bounds:
            warnings.append("the article has no sentence: nothing read")
        return TaggedArticle(doc_id, title, text, self.model, sentences, group_sources(sentences), warnings)

    def predict(self, records: Iterable[Record | dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The records, in order, as plain values with ``predicted`` added (see the contract of the command)."""
        parsed = [
            record if isinstance(record, Record) else parse_record(record, f"records[{number}]")
            for number, record in enumerate(records)
        ]
        for record, prediction in zip(parsed, predict(self._reader, parsed, _Locator()), strict=True):
            plain: dict[str, Any] = json.loads(record.to_json())
            yield {**plain, "predicted": self._predicted(plain["stances"] or [], prediction)}

    def _sentence(
        self,
        index: int,
        reading: Reading,
        places: "_Places",
        attributions: list[Attribution],
        entities: Sequence[FoundEntity],
        stances: list[Stance],
    ) -> Sentence:
        start, end = places.bounds[index]
        labels = {task: self._label(task, rows[index]) for task, rows in reading.probabilities.items()}
        return Sentence(
            index, start, end, places.text[start:end], **labels,
            attributions=None if reading.attributions is None else attributions,
            entities=None if reading.entities is None else [
                Entity(*places.offsets(e.place), places.text[slice(*places.offsets(e.place))], e.label, e.probability)
                for e in entities],
            stances=stances,
        )

    def _label(self, task: str, row: Iterable[float]) -> Label:
        probabilities = dict(zip(self._reader.config.labels[task], map(float, row), strict=True))
        best = max(probabilities, key=probabilities.__getitem__)
        return Label(best, probabilities[best], probabilities)

    def _stances(
        self,
        reading: Reading,
        places: "_Places",
        attributions: Sequence[tuple[int, Attribution]],
        references: References,
        targets: Sequence[str],
    ) -> list[Stance]:
        asked: list[tuple[Query, Span | None, str]] = []
        spans = dict.fromkeys(attribution.source for _, attribution in attributions if attribution.source)
        sources = _grouped(((places.sentence_at(span.start), span) for span in spans), len(reading.texts))
        mentioned = _targets(targets, reading, _by_sentence(places, references))
        for index, (holders, found) in enumerate(zip(sources, mentioned, strict=True)):
            for name, mention in found:
                for holder in (*holders, None):
                    span = places.relative(index, holder) if holder else None
                    if span is None or mention is None or span[1] <= mention[0] or mention[1] <= span[0]:
                        asked.append((Query(index, span, mention or name), holder, name))
        rows = self._reader.stances(reading, [query for query, _, _ in asked])
        stances = []
        for (query, holder, name), row in zip(asked, rows, strict=True):
            label = self._label("stance", row)
            there = None if isinstance(query.target, str) else places.span([Located(query.sentence, *query.target)])
            stances.append(Stance(
                holder=(holder.name or holder.text) if holder else None, target=name, label=label.label,
                probability=label.probability, probabilities=label.probabilities, sentence=query.sentence,
                holder_span=holder, target_span=there, abstained=self._abstains(query.kind, label.probability)))
        return stances

    def _abstains(self, kind: str, probability: float) -> bool:
        config = self._reader.config
        return probability < (config.promised(config.abstain_below, kind) or 0.0)

    def _predicted(self, pairs: Sequence[dict[str, Any]], prediction: Prediction) -> dict[str, Any]:
        predicted: dict[str, Any] = {}
        for task in ("claim", "subjective"):
            if (probabilities := getattr(prediction, task)) is not None:
                label = max(probabilities, key=probabilities.__getitem__)
                predicted[task] = {
                    "label": label, "probability": probabilities[label], "probabilities": probabilities}
        if prediction.check_worthy is not None:
            predicted["check_worthy"] = {
                "probability": ranking(prediction.check_worthy), "probabilities": prediction.check_worthy}
        if prediction.attributions is not None:
            predicted["attributions"] = [
                {**attribution.model_dump(mode="json", exclude=None if attribution.event else {"event"}),
                 "probability": probability}
                for attribution, probability in prediction.attributions]
        if prediction.entities is not None:
            predicted["entities"] = [
                {"span": [[e.place.start, e.place.end]], "label": e.label, "probability": e.probability}
                for e in prediction.entities]
        if "stance" in self._reader.config.tasks:
            predicted["stances"] = [
                {"holder": pair["holder"], "target": pair["target"], "label": (best := max(row, key=row.__getitem__)),
                 "probability": row[best], "probabilities": row, "abstained": self._abstains(kind, row[best])}
                for pair, kind, row in zip(pairs, prediction.kinds, prediction.stances, strict=True)]
        return predicted


class _Places:
    """Between characters of sentences and characters of the article."""

    def __init__(self, text: str, bounds: Sequence[Offsets]) -> None:
        self.text = text
        self.bounds = bounds

    def offsets(self, place: Located) -> Offsets:
        """A place in a sentence as offsets into the article."""
        start = self.bounds[place.sentence][0]
        return start + place.start, start + place.end

    def span(self, places: Sequence[Located], name: str | None = None) -> Span | None:
        """The span over all ``places``; pieces with only space between them are one."""
        pieces: list[tuple[int, int]] = []
        for start, end in sorted(map(self.offsets, places)):
            if pieces and not self.text[pieces[-1][1]:start].strip():
                pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
            else:
                pieces.append((start, end))
        if not pieces:
            return None
        start, end = pieces[0][0], pieces[-1][1]
        return Span(start, end, self.text[start:end], tuple(pieces), name)

    def attribution(self, found: FoundAttribution, references: References) -> tuple[int, Attribution]:
        """An attribution in the article, and the sentence that tells it."""
        source = self.span(found.source, references.get(self.offsets(found.source[0])) if found.source else None)
        return found.sentence, Attribution(
            source, self.span(found.cue), self.span(found.content), found.probability)

    def sentence_at(self, position: int) -> int:
        """The sentence that a character of one belongs to."""
        return bisect_right(self.bounds, position, key=lambda bounds: bounds[0]) - 1

    def relative(self, index: int, span: Span) -> Offsets:
        """A span of the article as characters of sentence ``index``."""
        start = self.bounds[index][0]
        return span.start - start, span.end - start


def _grouped(items: Iterable[tuple[int, T]], count: int) -> list[list[T]]:
    """Items by the sentence whose number comes with them."""
    groups: list[list[T]] = [[] for _ in range(count)]
    for index, item in items:
        groups[index].append(item)
    return groups


def _targets(
    wanted: Sequence[str], reading: Reading, named: Sequence[Sequence[tuple[Offsets, str]]]
) -> Iterator[list[tuple[str, Offsets | None]]]:
    """For each sentence the targets to score in it, each with its first mention there, if there is one."""
    entities = _grouped(((e.place.sentence, (e.place.start, e.place.end)) for e in reading.entities or ()),
                        len(reading.texts))
    for text, found, references in zip(reading.texts, entities, named, strict=True):
        first: dict[str, Offsets | None] = {
            name: next(iter(_mentions(name, text, references)), None) for name in wanted}
        for start, end in () if wanted else found:
            first.setdefault(text[start:end], (start, end))
        yield list(first.items())


def _mentions(name: str, text: str, named: Sequence[tuple[Offsets, str]]) -> list[Offsets]:
    """Where a sentence mentions somebody: by name, else by what refers to that name ("he", "the senator")."""
    return find_mentions(name, text) or [span for span, reference in named if is_meant(name, reference)]


def _references(places: _Places, reading: Reading) -> References:
    """Who each source, he and she of a reading refers to, where that is known."""
    sources = sorted({places.offsets(found.source[0]) for found in reading.attributions or () if found.source})
    entities = [(*places.offsets(e.place), e.label) for e in reading.entities or ()]
    found = resolve_references(places.text, places.bounds, sources, entities)
    return {span: name for span, name in found.items() if name}


def _by_sentence(places: _Places, references: References) -> list[list[tuple[Offsets, str]]]:
    """References, in order, by the sentence they stand in and relative to it."""
    found = ((places.sentence_at(start), start, end, name) for (start, end), name in sorted(references.items()))
    relative = ((i, ((start - places.bounds[i][0], end - places.bounds[i][0]), name)) for i, start, end, name in found)
    return _grouped(relative, len(places.bounds))


class _Locator:
    """Finds mentions of a name in the sentences of records, which stand one after the other like an article's."""

    def __init__(self) -> None:
        self._of: Reading | None = None
        self._named: list[list[tuple[Offsets, str]]] = []

    def __call__(self, reading: Reading, sentence: int, name: str) -> list[Offsets]:
        if reading is not self._of:  # one document after the other: who is who is told once for each
            ends = list(accumulate(len(text) + 1 for text in reading.texts))
            bounds = [(end - 1 - len(text), end - 1) for end, text in zip(ends, reading.texts, strict=True)]
            places = _Places("\n".join(reading.texts), bounds)
            self._of, self._named = reading, _by_sentence(places, _references(places, reading))
        return _mentions(name, reading.texts[sentence], self._named[sentence])
