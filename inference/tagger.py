"""Tagging: an article in, claims, attributions, entities and stances out."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from claimstance.inference.names import resolve_names
from claimstance.inference.results import (
    Attribution,
    Entity,
    Label,
    Sentence,
    Span,
    Stance,
    TaggedArticle,
    group_sources,
)
from claimstance.model.decoding import FoundAttribution
from claimstance.model.mentions import find_mentions
from claimstance.model.predicting import Prediction, predict
from claimstance.model.reader import Query, Reader, Reading
from claimstance.model.record import Record, parse_record
from claimstance.model.runtime import load_reader
from claimstance.model.sentences import split_sentences
from claimstance.model.windows import Located

Bounds = Sequence[tuple[int, int]]


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
        self, text: str, targets: Sequence[str] = (), doc_id: str = "", title: str | None = None
    ) -> TaggedArticle:
        """Tag an article.

        Args:
            text: the article; what its offsets refer to.
            targets: whom or what stances are wanted on; the entities of each sentence if none are given.
            doc_id: carried into the result.
            title: likewise.
        """
        bounds = split_sentences(text)
        reading = self._reader.read([text[start:end] for start, end in bounds])
        places = _Places(text, bounds)
        names = _source_names(text, bounds, places, reading)
        attributions = [places.attribution(found, names) for found in reading.attributions or ()]
        stances = self._stances(reading, places, attributions, targets) if "stance" in self._reader.config.tasks else []
        sentences = [self._sentence(i, reading, places, attributions, stances) for i in range(len(bounds))]
        warnings = list(reading.warnings)
        if not bounds:
            warnings.append("the article has no sentence: nothing read")
        return TaggedArticle(doc_id, title, text, self.model, sentences, group_sources(sentences), warnings)

    def predict(self, records: Iterable[Record | dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The records, in order, as plain values with ``predicted`` added (see the contract of the command)."""
        parsed = [
            record if isinstance(record, Record) else parse_record(record, f"record {number}")
            for number, record in enumerate(records)
        ]
        for record, prediction in zip(parsed, predict(self._reader, parsed, _locate), strict=True):
            yield {**record.model_dump(mode="json"), "predicted": self._predicted(record, prediction)}

    def _sentence(
        self,
        index: int,
        reading: Reading,
        places: "_Places",
        attributions: Sequence[tuple[int, Attribution]],
        stances: Sequence[Stance],
    ) -> Sentence:
        start, end = places.bounds[index]
        labels = {task: self._label(task, rows[index]) for task, rows in reading.probabilities.items()}
        return Sentence(
            index, start, end, places.text[start:end], **labels,
            attributions=None if reading.attributions is None else [a for i, a in attributions if i == index],
            entities=None if reading.entities is None else [
                Entity(*places.offsets(e.place), places.text[slice(*places.offsets(e.place))], e.label, e.probability)
                for e in reading.entities if e.place.sentence == index],
            stances=[stance for stance in stances if stance.sentence == index],
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
        targets: Sequence[str],
    ) -> list[Stance]:
        asked: list[tuple[Query, Span | None, str]] = []
        for index, text in enumerate(reading.texts):
            sources = [a.source for _, a in attributions if a.source and places.sentence_of(a.source) == index]
            holders: list[Span | None] = [*dict.fromkeys(sources), None]
            for name, mention in _targets(index, text, reading, places, sources, targets):
                for holder in holders:
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
                holder_span=holder, target_span=there, abstained=self._abstains(label.probability)))
        return stances

    def _abstains(self, probability: float) -> bool:
        return probability < self._reader.config.abstain_below.get("stance", 0.0)

    def _predicted(self, record: Record, prediction: Prediction) -> dict[str, Any]:
        predicted: dict[str, Any] = {}
        if prediction.claim is not None:
            label = max(prediction.claim, key=prediction.claim.__getitem__)
            predicted["claim"] = {
                "label": label, "probability": prediction.claim[label], "probabilities": prediction.claim}
        if prediction.check_worthy is not None:
            positive = self._reader.config.labels["check_worthy"][-1]
            predicted["check_worthy"] = {
                "probability": prediction.check_worthy[positive], "probabilities": prediction.check_worthy}
        if prediction.attributions is not None:
            predicted["attributions"] = [
                {**attribution.model_dump(mode="json", exclude_none=attribution.event is None, exclude={"event"}
                                          if attribution.event is None else set()), "probability": probability}
                for attribution, probability in prediction.attributions]
        if prediction.entities is not None:
            predicted["entities"] = [
                {"span": [[e.place.start, e.place.end]], "label": e.label, "probability": e.probability}
                for e in prediction.entities]
        if "stance" in self._reader.config.tasks:
            predicted["stances"] = [
                {"holder": stance.holder, "target": stance.target, "label": (best := max(row, key=row.__getitem__)),
                 "probability": row[best], "probabilities": row, "abstained": self._abstains(row[best])}
                for stance, row in zip(record.stances or (), prediction.stances, strict=True)]
        return predicted


class _Places:
    """Between characters of sentences and characters of the article."""

    def __init__(self, text: str, bounds: Bounds) -> None:
        self.text = text
        self.bounds = bounds

    def offsets(self, place: Located) -> tuple[int, int]:
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

    def attribution(self, found: FoundAttribution, names: dict[tuple[Located, ...], str]) -> tuple[int, Attribution]:
        """An attribution in the article, and the sentence that tells it."""
        source = self.span(found.source, names.get(found.source))
        return found.sentence, Attribution(
            source, self.span(found.cue), self.span(found.content), found.probability)

    def sentence_of(self, span: Span) -> int:
        """The sentence that a span begins in."""
        return next(i for i, (start, end) in enumerate(self.bounds) if start <= span.start < end)

    def relative(self, index: int, span: Span) -> tuple[int, int]:
        """A span of the article as characters of sentence ``index``."""
        start = self.bounds[index][0]
        return span.start - start, span.end - start


def _targets(
    index: int, text: str, reading: Reading, places: _Places, sources: Sequence[Span], wanted: Sequence[str]
) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """The targets to score in a sentence, each with its first mention there, if there is one."""
    if wanted:
        for name in wanted:
            mentions = find_mentions(name, text)
            # "He" is a mention of whom it refers to.
            mentions += [places.relative(index, s) for s in sources if s.name and find_mentions(name, s.name)]
            yield name, min(mentions, default=None)
        return
    seen = set()
    for entity in reading.entities or ():
        if entity.place.sentence == index and (name := text[entity.place.start:entity.place.end]) not in seen:
            seen.add(name)
            yield name, (entity.place.start, entity.place.end)


def _source_names(
    text: str, bounds: Bounds, places: _Places, reading: Reading
) -> dict[tuple[Located, ...], str]:
    """Who each source of a reading refers to, where that is known."""
    sources = sorted({found.source for found in reading.attributions or () if found.source})
    spans = [places.offsets(source[0]) for source in sources]
    entities = [(*places.offsets(e.place), e.label) for e in reading.entities or ()]
    names = resolve_names(text, bounds, spans, entities)
    return {source: name for source, name in zip(sources, names, strict=True) if name}


def _locate(reading: Reading, sentence: int, name: str) -> list[tuple[int, int]]:
    """Mentions of a name in a sentence of records: by the name, or by a source that refers to it."""
    found = find_mentions(name, reading.texts[sentence])
    if found or not reading.attributions:
        return found
    text = "\n".join(reading.texts)
    starts = [0]
    for sentence_text in reading.texts:
        starts.append(starts[-1] + len(sentence_text) + 1)
    bounds = [(start, start + len(t)) for start, t in zip(starts, reading.texts, strict=False)]
    names = _source_names(text, bounds, _Places(text, bounds), reading)
    return [(source[0].start, source[0].end) for source, known in names.items()
            if source[0].sentence == sentence and find_mentions(name, known)]
