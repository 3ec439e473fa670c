"""Records read by a model: what `predict` writes and what evaluation measures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from claimstance.model.decoding import FoundAttribution
from claimstance.model.labels import ROLES
from claimstance.model.predictor import Opened, Query, Reader, Reading, Stop, never
from claimstance.model.record import Attribution, Record, Span
from claimstance.model.text.entities import FoundEntity
from claimstance.model.text.mentions import find_mentions
from claimstance.model.windows import Located

#: Finds the mentions of a name in sentence ``index`` of a reading.
Locate = Callable[[Reading, int, str], Sequence[tuple[int, int]]]


@dataclass
class Prediction:
    """What a model reads from one record. Fields are ``None`` where the model has no such head."""

    claim: dict[str, float] | None = None
    check_worthy: dict[str, float] | None = None
    subjective: dict[str, float] | None = None
    attributions: list[tuple[Attribution, float]] | None = None
    entities: list[FoundEntity] | None = None
    stances: list[dict[str, float]] = field(
        default_factory=list
    )  # one for each stance of the record
    kinds: list[str] = field(default_factory=list)  # of each of them: see ``Query.kind``


def contexts(records: Sequence[Record]) -> list[list[int]]:
    """The numbers of the records that see each other as context: those of one document, in order."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, record in enumerate(records):
        alone = record.doc_id is None
        key = (str(number),) if alone else ("document", str(record.doc_id), record.annotator or "")
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def predict(
    reader: Reader, records: Sequence[Record], locate: Locate | None = None
) -> Iterator[Prediction]:
    """A prediction for every record, in order. Stances are scored for the pairs that a record lists, labels ignored."""
    predictions: dict[int, Prediction] = {}
    done = 0
    groups = contexts(records)
    begun = (begin_document(reader, [records[i] for i in group], locate) for group in groups)
    for group, found in zip(groups, reader.ahead(begun), strict=True):
        predictions.update(zip(group, found, strict=True))
        while done in predictions:
            yield predictions.pop(done)
            done += 1


def begin_document(
    reader: Reader, records: Sequence[Record], locate: Locate | None = None, stop: Stop = never
) -> Callable[[], list[Prediction]]:
    """Begin to read the records of one document, or one without any; what it gives, called, waits for predictions."""
    texts: list[str] = []
    places = []  # the sentence of each record: records that repeat a sentence, with another pair, share it
    for number, record in enumerate(records):
        repeats = (
            number > 0
            and record.text == records[number - 1].text
            and record.start == records[number - 1].start
        )
        if not repeats:
            texts.append(record.text)
        places.append(len(texts) - 1)
    return partial(_finish_document, reader, records, places, reader.open(texts, stop), locate)


def _finish_document(
    reader: Reader,
    records: Sequence[Record],
    places: Sequence[int],
    opened: Opened,
    locate: Locate | None,
) -> list[Prediction]:
    reading = reader.finish(opened)
    by_sentence = attributions_by_sentence(reading)
    predictions = []
    for place in places:
        prediction = Prediction(
            attributions=by_sentence[place] if by_sentence is not None else None
        )
        for task, probabilities in reading.probabilities.items():
            names = reader.config.labels[task]
            setattr(
                prediction, task, dict(zip(names, map(float, probabilities[place]), strict=True))
            )
        if reading.entities is not None:
            prediction.entities = [
                entity for entity in reading.entities if entity.place.sentence == place
            ]
        predictions.append(prediction)
    if "stance" in reader.config.tasks:
        queries = [
            _query(reading, place, stance.holder, stance.target, locate or _plain)
            for place, record in zip(places, records, strict=True)
            for stance in record.stances or ()
        ]
        rows = zip(queries, reader.stances(reading, queries), strict=True)
        for record, prediction in zip(records, predictions, strict=True):
            for _ in record.stances or ():
                query, row = next(rows)
                prediction.stances.append(
                    dict(zip(reader.config.labels["stance"], map(float, row), strict=True))
                )
                prediction.kinds.append(query.kind)
    return predictions


def _plain(reading: Reading, sentence: int, name: str) -> Sequence[tuple[int, int]]:
    return find_mentions(name, reading.texts[sentence])


def _query(
    reading: Reading, sentence: int, holder: Span | str | None, target: Span | str, locate: Locate
) -> Query:
    if isinstance(holder, str):
        holder = list(locate(reading, sentence, holder))[:1]
    mentions = list(locate(reading, sentence, target))[:1] if isinstance(target, str) else target
    found: tuple[int, int] | str = mentions[0] if mentions else str(target)
    return Query(sentence, holder[0] if holder else None, found)


def attributions_by_sentence(reading: Reading) -> list[list[tuple[Attribution, float]]] | None:
    """The attributions of a reading as the record has them: in each sentence the parts that lie there."""
    if reading.attributions is None:
        return None
    result: list[list[tuple[Attribution, float]]] = [[] for _ in reading.texts]
    for number, found in enumerate(reading.attributions):
        sentences = sorted({place.sentence for role in ROLES for place in getattr(found, role)})
        for sentence in sentences:
            event = f"{sentences[0]}.{number}" if len(sentences) > 1 else None
            result[sentence].append((_clip(found, sentence, event), found.probability))
    return result


def _clip(found: FoundAttribution, sentence: int, event: str | None) -> Attribution:
    def part(places: Sequence[Located]) -> Span | None:
        return [(p.start, p.end) for p in places if p.sentence == sentence] or None

    return Attribution(
        source=part(found.source), cue=part(found.cue), content=part(found.content), event=event
    )
