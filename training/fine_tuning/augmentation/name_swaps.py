"""Replacement of the names in a document by other names of their kind.

A model that sees one election campaign may learn who dislikes whom instead of reading. With other names
in every epoch, only the words between them can tell.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from claimstance.model.article.record_prediction import contexts
from claimstance.model.labels import ROLES
from claimstance.model.record import Record, Span

PERSON = "PERSON"
#: Labels of other entities that are replaced. Nationalities and the like (MISC) belong to the meaning.
OTHER_LABELS = ("ORGANIZATION", "LOCATION")
#: The two parties of the United States are exchanged for each other, in every grammatical form.
_PARTIES = {
    "Republican": "Democratic",
    "Republicans": "Democrats",
    "Democrat": "Republican",
    "Democrats": "Republicans",
    "Democratic": "Republican",
}
_PARTY = re.compile(rf"\b(?:{'|'.join(_PARTIES)})\b")
_WORD = re.compile(r"[^\W\d_][\w’'.-]*$")

#: Start, end, and the text in its place.
Replacement = tuple[int, int, str]


class NameSwapper:
    """Replace the names of documents, consistently within each.

    Args:
        records: annotated sentences; their entities are the names that are drawn from.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        names: dict[str, set[str]] = defaultdict(set)
        for record in records:
            for entity in record.entities or ():
                names[entity.label].add(_surface(record.text, entity.span))
        # Sorted, because the order of a set differs between two runs.
        people = [name.split() for name in sorted(names.pop(PERSON, ()))]
        # In longer names, a word may be a title or a middle name.
        full_names = [words for words in people if len(words) == 2 and all(map(_WORD.match, words))]
        self._first_names = sorted({first_name for first_name, _ in full_names})
        self._surnames = sorted({surname for _, surname in full_names})
        self._names: dict[tuple[str, bool], list[str]] = defaultdict(list)
        for label, label_names in names.items():
            for name in sorted(label_names):
                if not _PARTY.search(name):
                    self._names[label, " " in name].append(name)

    def swap(self, document: Sequence[Record], rng: random.Random) -> list[Record]:
        """Return the sentences of a document with other names, and all spans shifted accordingly.

        People get a new first name and surname, by their surname; other entities a name of their label.
        With a probability of one half, the two parties are exchanged.
        """
        if not self._surnames:
            return list(document)
        surnames: dict[str, tuple[str, str]] = {}
        new_names: dict[str, str] = {}
        swaps_parties = rng.random() < 0.5
        first_names: dict[str, str] = {}  # → surname, of people whom the document names in full
        for record in document:
            for entity in record.entities or ():
                words = _surface(record.text, entity.span).split()
                if entity.label == PERSON and len(words) > 1:
                    first_names[words[0]] = words[-1]

        swapped = []
        for record in document:
            replacements: list[Replacement] = []
            for entity in record.entities or ():
                start, end = entity.span[0][0], entity.span[-1][1]
                name = record.text[start:end]
                if _PARTY.search(name) or entity.label not in (PERSON, *OTHER_LABELS):
                    continue
                if entity.label == PERSON:
                    new_name = self._person(name, surnames, first_names, rng)
                elif name in new_names:
                    new_name = new_names[name]
                else:
                    candidates = self._names.get((entity.label, " " in name)) or [name]
                    new_name = new_names[name] = rng.choice(candidates)
                replacements.append((start, end, new_name))
            if swaps_parties:
                replacements += [
                    (match.start(), match.end(), _PARTIES[match[0]])
                    for match in _PARTY.finditer(record.text)
                ]
            swapped.append(replace_spans(record, replacements))
        for surname, (_, new_surname) in surnames.items():
            new_names[surname] = new_surname
        return [_rename_in_stances(record, new_names) for record in swapped]

    def _person(
        self,
        name: str,
        surnames: dict[str, tuple[str, str]],
        first_names: Mapping[str, str],
        rng: random.Random,
    ) -> str:
        """Return the new name of a person, with as many parts as the old one."""
        words = name.split()
        surname = words[-1]
        is_first_name = len(words) == 1 and surname in first_names
        if is_first_name:
            surname = first_names[surname]
        if surname not in surnames:
            surnames[surname] = (rng.choice(self._first_names), rng.choice(self._surnames))
        new_first, new_surname = surnames[surname]
        if is_first_name:
            return new_first
        if len(words) == 1:
            return new_surname
        return f"{new_first} {new_surname}"


class DocumentSwapper:
    """Replace names in a share of the documents, anew in every epoch.

    Args:
        records: the sentences of the documents, in any order.
        share: the share of documents whose names are replaced.
        seed: the seed of all random choices.
    """

    def __init__(self, records: Sequence[Record], share: float, seed: int) -> None:
        self._documents = []
        for numbers in contexts(records):
            self._documents.append([records[number] for number in numbers])
        self._swapper = NameSwapper(records)
        self._share = share
        self._seed = seed

    def records_of_epoch(self, epoch: int) -> list[Record]:
        """Return the sentences of all documents; the same number gives the same names."""
        rng = random.Random(f"{self._seed}/names/{epoch}")
        records: list[Record] = []
        for document in self._documents:
            if rng.random() < self._share:
                document = self._swapper.swap(document, rng)
            records += document
        return records


def _surface(text: str, span: Span) -> str:
    return text[span[0][0] : span[-1][1]]


def replace_spans(record: Record, replacements: Sequence[Replacement]) -> Record:
    """Return a record with other words in the place of some spans, and all its spans shifted.

    A span that begins or ends inside of a replaced one is extended to all of its replacement. Of two
    overlapping replacements, the first one counts.
    """
    text, shift = record.text, 0
    moves: list[tuple[int, int, int, int]] = []  # old start, old end, new start, new end
    for start, end, words in sorted(replacements):
        if moves and start < moves[-1][1]:
            continue
        new_start = start + shift
        text = text[:new_start] + words + text[end + shift :]
        moves.append((start, end, new_start, new_start + len(words)))
        shift += len(words) - (end - start)
    if not moves:
        return record

    def moved(position: int, is_end: bool) -> int:
        offset = 0
        for start, end, new_start, new_end in moves:
            if position <= start:
                break
            if position < end:
                return new_end if is_end else new_start
            offset = new_end - end
        return position + offset

    def moved_span(span: Span) -> Span:
        pieces: list[tuple[int, int]] = []
        for old_start, old_end in sorted(span):
            start, end = moved(old_start, False), moved(old_end, True)
            # Two pieces of one name both become the whole new name.
            if pieces and start < pieces[-1][1]:
                previous_start, previous_end = pieces.pop()
                start, end = previous_start, max(end, previous_end)
            pieces.append((start, end))
        return pieces

    return record.model_copy(update={"text": text, **_map_spans(record, moved_span)})


def _map_spans(record: Record, mapping: Callable[[Span], Span]) -> dict[str, object]:
    """Return the fields of a record that have spans, each span replaced by ``mapping`` of it."""

    def mapped(span: Span | str | None) -> Span | str | None:
        return mapping(span) if isinstance(span, list) else span

    fields: dict[str, object] = {}
    if record.attributions is not None:
        attributions = []
        for attribution in record.attributions:
            roles = {role: mapped(getattr(attribution, role)) for role in ROLES}
            attributions.append(attribution.model_copy(update=roles))
        fields["attributions"] = attributions
    if record.entities is not None:
        fields["entities"] = [
            entity.model_copy(update={"span": mapping(entity.span)}) for entity in record.entities
        ]
    if record.stances is not None:
        stances = []
        for stance in record.stances:
            ends = {"holder": mapped(stance.holder), "target": mapped(stance.target)}
            stances.append(stance.model_copy(update=ends))
        fields["stances"] = stances
    return fields


def _rename_in_stances(record: Record, names: Mapping[str, str]) -> Record:
    """Return a record whose holders and targets that are texts have the new names."""
    if record.stances is None:
        return record

    def renamed(value: Span | str | None) -> Span | str | None:
        if not isinstance(value, str):
            return value
        if value in names:
            return names[value]
        return " ".join(names.get(word, word) for word in value.split())

    renamed_stances = []
    for stance in record.stances:
        names_of_stance = {"holder": renamed(stance.holder), "target": renamed(stance.target)}
        renamed_stances.append(stance.model_copy(update=names_of_stance))
    return record.model_copy(update={"stances": renamed_stances})
