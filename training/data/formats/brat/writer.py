"""Records as brat's folder: a ``.txt`` and an ``.ann`` for each document, ``NAME_ANNOTATOR.ann`` for each annotator.

Sentences are T-lines ``Sentence`` with their labels as attributes; attributions are events ``Attribution`` with the
roles Source, Cue and Content; entities are T-lines under their labels. A stance is a relation called like its label,
from a Holder to a Target, or, without a holder, the attribute ``stance`` of a Target.

brat has no place for ids, outlets and other fields of the records, for the shares of several annotators, and for the
difference between "none there" and "not annotated". A stance whose holder or target is a name becomes a note of its
sentence, which is not read back. Characters that brat's names cannot have become ``_``.
"""

import logging
import re
from collections.abc import Iterable
from pathlib import Path

from claimstance.model.errors import InputError, plural
from claimstance.model.record import Record, Span
from claimstance.training.data.documents.from_records import (
    AnnotatorLayer,
    documents_of,
    sentence_labels,
    shift,
)
from claimstance.training.data.formats.brat.folder import match_text

logger = logging.getLogger(__name__)

_UNSAFE = re.compile(r"[^\w.,;=+@()&'-]+")


def write(records: Iterable[Record], path: Path) -> None:
    """Write records to a folder, which may exist already.

    Raises:
        InputError: if a file cannot be written, or if two documents would have files of one name.
    """
    files: dict[str, str] = {}  # name → content
    text_names: dict[str, str] = {}  # name of annotations → name of their text
    note_count = 0
    for document in documents_of(records):
        name = _file_name(document.name)
        for layer in document.layers:
            suffix = "" if layer.annotator is None else f"_{_file_name(layer.annotator)}"
            lines = _AnnLines(document.text)
            lines.add_layer(layer)
            _add_file(files, f"{name}{suffix}.ann", "".join(f"{line}\n" for line in lines.lines))
            text_names[f"{name}{suffix}.ann"] = f"{name}.txt"
            note_count += lines.note_count
        _add_file(files, f"{name}.txt", document.text)

    stems = {path / name.removesuffix(".txt") for name in text_names.values()}
    for ann_name, text_name in text_names.items():
        # "a_b.ann" belongs to "a.txt" only if there is no "a_b.txt".
        if match_text(path / ann_name, stems, path).txt.name != text_name:
            raise InputError(
                f"{ann_name}: expected it to belong to {text_name}, "
                "found a document with a longer matching name"
            )

    if note_count:
        logger.warning(
            "%s of or toward a name: written as notes, which are not read back",
            plural(note_count, "stance"),
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
        for file_name, content in files.items():
            (path / file_name).write_bytes(content.encode())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _add_file(files: dict[str, str], name: str, content: str) -> None:
    """Add a file, or raise ``InputError`` if another one has its name."""
    if name in files:
        raise InputError(
            f"{name}: expected documents and annotators whose names differ in a folder, "
            "found it twice"
        )
    files[name] = content


def _file_name(name: str) -> str:
    """Return a name as one of a file: without separators, and not hidden."""
    return _UNSAFE.sub("_", name).lstrip(".") or "_"


class _AnnLines:
    """Collect and number the lines of an ``.ann`` file.

    Attributes:
        lines: the lines, without line ends.
        note_count: the number of stances that are written as notes.
    """

    def __init__(self, text: str) -> None:
        self.lines: list[str] = []
        self.note_count = 0
        self._text = text
        self._numbers: dict[str, int] = {}

    def add_layer(self, layer: AnnotatorLayer) -> None:
        """Add the annotations of one annotator."""
        for start, record in sorted(layer.sentences, key=lambda sentence: sentence[0]):
            sentence = self._add_span("Sentence", [(start, start + len(record.text))])
            for task, label in sentence_labels(record).items():
                self._add_line("A", f"{task} {sentence} {label}")
            for entity in record.entities or ():
                self._add_span(entity.label, shift(entity.span, start))

            for stance in record.stances or ():
                if stance.label is None:
                    continue
                if isinstance(stance.target, str) or isinstance(stance.holder, str):
                    holder = self._surface(stance.holder, start)
                    target = self._surface(stance.target, start)
                    note = _one_line(f"stance {stance.label} of {holder} toward {target}")
                    self._add_line("#", f"AnnotatorNotes {sentence}\t{note}")
                    self.note_count += 1
                    continue

                target = self._add_span("Target", shift(stance.target, start))
                if stance.holder is None:
                    self._add_line("A", f"stance {target} {stance.label}")
                else:
                    holder = self._add_span("Holder", shift(stance.holder, start))
                    self._add_line("R", f"{_label(stance.label)} Arg1:{holder} Arg2:{target}")

        for roles in layer.attributions():
            names = {role: self._add_span(role.capitalize(), span) for role, span in roles.items()}
            # brat requires a trigger, and not every attribution has a cue.
            trigger_span = roles.get("cue") or roles.get("content") or roles["source"]
            trigger = self._add_span("Attribution", trigger_span)
            arguments = [f"{role.capitalize()}:{name}" for role, name in names.items()]
            self._add_line("E", f"Attribution:{trigger} {' '.join(arguments)}")

    def _surface(self, mention: Span | str | None, start: int) -> str:
        """Return a holder or a target in words."""
        if isinstance(mention, list):
            return self._quote(shift(mention, start))
        return mention or "nobody"

    def _quote(self, span: Span) -> str:
        return " ".join(self._text[start:end] for start, end in span)

    def _add_span(self, label: str, span: Span) -> str:
        """Add a T-line, and return its name."""
        offsets = ";".join(f"{start} {end}" for start, end in span)
        return self._add_line("T", f"{_label(label)} {offsets}\t{_one_line(self._quote(span))}")

    def _add_line(self, kind: str, rest: str) -> str:
        """Add a line, and return its name."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        name = f"{kind}{self._numbers[kind]}"
        self.lines.append(f"{name}\t{rest}")
        return name


def _one_line(text: str) -> str:
    """Return text as brat quotes it: with a space for each line end."""
    return re.sub(r"[\r\n]", " ", text)


def _label(label: str) -> str:
    """Return a label without the characters that separate the columns of a line."""
    return re.sub(r"[\s:]+", "_", label)
