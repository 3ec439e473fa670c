"""Records put together again as documents: what every writer of an annotation tool's format starts with.

The text is rebuilt from the sentences by their ``start``. What stood between them is not in the records: one character
becomes a space, more become line breaks. A record without ``doc_id`` is a document of its own, called by its ``id``;
one without ``start`` follows what stands before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES
from claimstance.model.record import Record, Span


@dataclass
class Sheet:
    """One annotator's sentences of a document: each with the place where it begins in the text."""

    annotator: str | None
    sentences: list[tuple[int, Record]] = field(default_factory=list)

    def attributions(self) -> list[dict[str, Span]]:
        """Role → span in the text, of each attribution; the parts of one that runs over sentences put together."""
        found: dict[object, dict[str, Span]] = {}
        for place, record in self.sentences:
            for number, attribution in enumerate(record.attributions or ()):
                key = attribution.event if attribution.event is not None else (place, number)
                roles = found.setdefault(key, {})
                for role in ROLES:
                    span = getattr(attribution, role)
                    if span is not None:
                        roles.setdefault(role, []).extend(moved(span, place))
        return [
            {role: sorted(span) for role, span in roles.items()}
            for roles in found.values()
            if roles
        ]


@dataclass
class Whole:
    """A document: its name, its text, and what each annotator said of it."""

    name: str
    text: str
    sheets: list[Sheet]

    def meta(self) -> dict[str, str | int | float | bool]:
        """What all its records agree on."""
        metas = [record.meta for sheet in self.sheets for _, record in sheet.sentences]
        return {
            key: value
            for key, value in metas[0].items()
            if isinstance(value, (str, int, float, bool))
            and all(meta.get(key) == value for meta in metas)
        }


def moved(span: Span, by: int) -> Span:
    """A span of a sentence as one of the text in which the sentence begins at ``by``."""
    return [(start + by, end + by) for start, end in span]


def documents_of(records: Iterable[Record]) -> list[Whole]:
    """The documents, in the order in which they begin.

    Raises:
        InputError: if two records of a document say different things of what stands in one place, or if one annotator
            has two records of one sentence.
    """
    groups: dict[tuple[bool, str], list[Record]] = {}
    for record in records:
        key = (True, record.id) if record.doc_id is None else (False, record.doc_id)
        groups.setdefault(key, []).append(record)
    return [_document(name, group) for (_, name), group in groups.items()]


def _document(name: str, records: Sequence[Record]) -> Whole:
    text: list[str] = []
    sheets: dict[str | None, Sheet] = {}
    known: dict[str, int] = {}  # sentences without a start, by their id
    for record in sorted(records, key=lambda r: -1 if r.start is None else r.start):
        place = record.start
        if place is None:
            place = known.get(record.id, len(text) + 1 if text else 0)
            known[record.id] = place
        end = place + len(record.text)
        text += [""] * (end - len(text))
        for at, character in enumerate(record.text, place):
            if text[at] not in ("", character):
                raise InputError(
                    f"{record.id}: expected what other records of the document '{name}' say stands at "
                    f"{at}, found {shorten(repr(record.text))}"
                )
            text[at] = character
        sheet = sheets.setdefault(record.annotator, Sheet(record.annotator))
        if any(other == place for other, _ in sheet.sentences):
            raise InputError(
                f"{record.id}: expected one record of a sentence by one annotator, found two that begin "
                f"at {place} of the document '{name}'"
            )
        sheet.sentences.append((place, record))
    return Whole(name, _filled(text), list(sheets.values()))


def _filled(text: list[str]) -> str:
    """The text with something in the gaps between its sentences."""
    start = 0
    while start < len(text):
        end = start
        while end < len(text) and text[end] == "":
            end += 1
        if end - start == 1:
            text[start] = " "
        elif end > start:
            text[start:end] = ["\n", *[" "] * (end - start - 2), "\n"]
        start = end + 1
    return "".join(text)


def said_of(record: Record) -> Mapping[str, str]:
    """Sentence task → label, of the tasks that the record has a label for."""
    found = {task: getattr(record, task) for task in ("claim", "check_worthy", "subjective")}
    return {task: label for task, label in found.items() if label is not None}
