"""Records as CoNLL: the entities, or the parts of the attributions, as IOB2 tags of words."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import regex

from claimstance.model.errors import InputError
from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.record import Record

DOCUMENT_START = "-DOCSTART-"
logger = logging.getLogger(__name__)
#: A word with its accents and joiners, or one other character.
_WORD = regex.compile(r"[\w\p{M}\u200c\u200d]+|\S\p{M}*")


def write(records: Iterable[Record], path: Path, layer: str = "entities") -> None:
    """Write the entities of records, or the parts of their attributions, as IOB2.

    A column of tags has one label a token and no gaps. Spans in pieces, spans that overlap an earlier or longer one,
    and all other annotations are therefore left out, which a warning counts. So are records whose layer is not
    annotated, since tokens without a tag would mean "none there".

    Args:
        records: to be written, those of one ``doc_id`` together.
        path: the file.
        layer: ``entities`` or ``attributions`` (labelled ``source``, ``cue`` and ``content``).

    Raises:
        InputError: for a label with a space.
    """
    left_out: Counter[str] = Counter()
    previous: Record | None = None
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            for task in SENTENCE_TASKS:
                left_out[f"labels of {task}"] += getattr(record, task) is not None
            for name in ("entities", "attributions", "stances"):
                if name != layer:
                    left_out[name] += len(getattr(record, name) or ())
            if getattr(record, layer) is None:
                left_out[f"records without annotated {layer}"] += 1
                continue

            # A record without a document is one of its own.
            if previous is None or record.doc_id is None or record.doc_id != previous.doc_id:
                file.write(f"{DOCUMENT_START} O\n\n")
            previous = record
            for word, tag in _tagged_words(record, _flat_spans(record, layer, left_out)):
                file.write(f"{word} {tag}\n")
            file.write("\n")
    for reason, count in left_out.items():
        if count:
            logger.warning("%s: CoNLL has no place for %s: %d left out", path, reason, count)


def _flat_spans(record: Record, layer: str, left_out: Counter[str]) -> list[tuple[int, int, str]]:
    """Return (start, end, label) of spans that do not overlap, and count the others as left out."""
    if layer == "entities":
        labelled_spans = [(entity.span, entity.label) for entity in record.entities or ()]
    else:
        labelled_spans = []
        for attribution in record.attributions or ():
            for role in ROLES:
                span = getattr(attribution, role)
                if span:
                    labelled_spans.append((span, role))

    # Attributions may share a source. A dictionary keeps the order, in which the first label of a span wins.
    candidates: dict[tuple[int, int, str], None] = {}
    for span, label in labelled_spans:
        if len(span) > 1:
            left_out["spans in pieces"] += 1
        else:
            start, end = span[0]
            candidates[start, end, label] = None

    flat_spans: list[tuple[int, int, str]] = []
    # Of two spans that begin together, the longer one comes first.
    for start, end, label in sorted(candidates, key=lambda span: (span[0], -span[1])):
        if flat_spans and start < flat_spans[-1][1]:
            left_out["spans that overlap others"] += 1
        else:
            flat_spans.append((start, end, label))
    return flat_spans


def _tagged_words(
    record: Record, flat_spans: Iterable[tuple[int, int, str]]
) -> Iterator[tuple[str, str]]:
    """Yield words with their tags. Words are cut at the bounds of spans, so that each has one tag."""
    offset = 0
    for start, end, label in flat_spans:
        if any(character.isspace() for character in label):
            raise InputError(
                f"{record.id}: expected a label without spaces, which CoNLL cannot carry, "
                f"found '{label}'"
            )
        for word in _WORD.findall(record.text[offset:start]):
            yield word, "O"
        prefix = "B"
        for word in _WORD.findall(record.text[start:end]):
            yield word, f"{prefix}-{label}"
            prefix = "I"
        offset = end
    for word in _WORD.findall(record.text[offset:]):
        yield word, "O"
