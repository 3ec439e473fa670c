"""Rebuilding of documents from the records of their sentences, for writers of annotation formats.

The text is joined from the sentences by their ``start``. The records do not have the characters
between the sentences: a gap of one becomes a space, a longer one becomes line breaks. A record
without ``doc_id`` is a document of its own, with its ``id`` as the name; one without ``start``
follows the sentences before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.record import Record, Span


@dataclass
class AnnotatorLayer:
    """Represent the sentences of a document by one annotator, as (start in the text, record)."""

    annotator: str | None
    sentences: list[tuple[int, Record]] = field(default_factory=list)

    def attributions(self) -> list[dict[str, Span]]:
        """Return role → span in the text for each attribution.

        An attribution over several sentences has one ``event``, which joins its spans.
        """
        by_event: dict[object, dict[str, Span]] = {}
        for sentence_start, record in self.sentences:
            for number, attribution in enumerate(record.attributions or ()):
                key: object = attribution.event
                if key is None:
                    key = (sentence_start, number)
                roles = by_event.setdefault(key, {})
                for role in ROLES:
                    span = getattr(attribution, role)
                    if span is not None:
                        roles.setdefault(role, []).extend(shift(span, sentence_start))
        # The pieces of a span come from several sentences, in the order of the records.
        for roles in by_event.values():
            for span in roles.values():
                span.sort()
        return [roles for roles in by_event.values() if roles]


@dataclass
class RebuiltDocument:
    """Represent a document with its name, its text and a layer for each annotator."""

    name: str
    text: str
    layers: list[AnnotatorLayer]

    def meta(self) -> dict[str, str | int | float | bool]:
        """Return the plain metadata that are equal in all records."""
        metas = []
        for layer in self.layers:
            metas += [record.meta for _, record in layer.sentences]
        common = {}
        for key, value in metas[0].items():
            is_plain = isinstance(value, (str, int, float, bool))
            if is_plain and all(meta.get(key) == value for meta in metas):
                common[key] = value
        return common


def shift(span: Span, by: int) -> Span:
    """Return a span of a sentence as a span of the text in which the sentence begins at ``by``."""
    return [(start + by, end + by) for start, end in span]


def documents_of(records: Iterable[Record]) -> list[RebuiltDocument]:
    """Return the documents in the order in which they begin.

    Raises:
        InputError: If two records of a document have different characters at one offset, or one
            annotator has two records of one sentence.
    """
    groups: dict[tuple[bool, str], list[Record]] = {}
    for record in records:
        # The flag keeps a lone record apart from a document with the same name.
        key = (True, record.id) if record.doc_id is None else (False, record.doc_id)
        groups.setdefault(key, []).append(record)
    return [_rebuild(name, group) for (_, name), group in groups.items()]


def _rebuild(name: str, records: Sequence[Record]) -> RebuiltDocument:
    """Return the document of some records, whose first ones are those without a start."""
    characters: list[str] = []  # an empty string for each character that no record has
    layers: dict[str | None, AnnotatorLayer] = {}
    appended: dict[str, int] = {}  # record id → start, for records without one
    for record in sorted(records, key=lambda r: -1 if r.start is None else r.start):
        start = record.start
        if start is None:
            # All annotators' records of such a sentence have one id, and begin at one offset.
            next_start = len(characters) + 1 if characters else 0  # one character for a space
            start = appended.setdefault(record.id, next_start)

        missing = start + len(record.text) - len(characters)
        characters += [""] * missing
        for offset, character in enumerate(record.text, start):
            if characters[offset] not in ("", character):
                raise InputError(
                    f"{record.id}: expected what other records of the document '{name}' say stands at "
                    f"{offset}, found {shorten(repr(record.text))}"
                )
            characters[offset] = character

        layer = layers.setdefault(record.annotator, AnnotatorLayer(record.annotator))
        if start in [earlier_start for earlier_start, _ in layer.sentences]:
            raise InputError(
                f"{record.id}: expected one record of a sentence by one annotator, found two that "
                f"begin at {start} of the document '{name}'"
            )
        layer.sentences.append((start, record))

    # A gap of one character becomes a space, a longer one line breaks.
    start = 0
    while start < len(characters):
        end = start
        while end < len(characters) and characters[end] == "":
            end += 1
        if end - start == 1:
            characters[start] = " "
        elif end > start:
            characters[start:end] = ["\n", *[" "] * (end - start - 2), "\n"]
        start = end + 1
    return RebuiltDocument(name, "".join(characters), list(layers.values()))


def sentence_labels(record: Record) -> Mapping[str, str]:
    """Return sentence task → label, for the tasks that a record has a label of."""
    labels: dict[str, str] = {}
    for task in SENTENCE_TASKS:
        label = getattr(record, task)
        if label is not None:
            labels[task] = label
    return labels
