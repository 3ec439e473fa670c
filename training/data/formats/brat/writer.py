"""Records as brat's folder: a ``.txt`` and an ``.ann`` for each document, ``NAME_ANNOTATOR.ann`` if there is one.

Sentences are T-lines ``Sentence`` with their labels as attributes; attributions are events ``Attribution`` with the
roles Source, Cue and Content; entities are T-lines under their labels; a stance is a relation named after its label
from a Holder to a Target, or, of nobody, the attribute ``stance`` of a Target.

What brat has no place for: ids, outlets and other fields of the records; how annotators divide; holders and targets
that are names (a stance with one becomes a note of its sentence, which is not read back); whether nothing was found or
nothing was looked for. Characters that names cannot have there become ``_``.
"""

import logging
import re
from collections.abc import Iterable
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.record import Record, Span, Stance
from claimstance.training.data.documents.from_records import (
    AnnotatorLayer,
    documents_of,
    sentence_labels,
    shift,
)
from claimstance.training.data.formats.brat.folder import pair_of

_LOG = logging.getLogger(__name__)
_UNSAFE = re.compile(r"[^\w.,;=+@()&'-]+")


def write(records: Iterable[Record], path: Path) -> None:
    """Write records to a folder, which may be there already.

    Raises:
        InputError: if a file cannot be written, or if two documents would have files of one name.
    """
    files: dict[str, str] = {}
    owners: dict[str, str] = {}
    notes = 0
    for document in documents_of(records):
        name = _file_name(document.name)
        for sheet in document.layers:
            who = "" if sheet.annotator is None else f"_{_file_name(sheet.annotator)}"
            lines = _Lines(document.text)
            _add(files, f"{name}{who}.ann", "".join(f"{line}\n" for line in lines.of(sheet)))
            owners[f"{name}{who}.ann"] = f"{name}.txt"
            notes += lines.notes
        _add(files, f"{name}.txt", document.text)
    texts = {path / owner.removesuffix(".txt") for owner in owners.values()}
    for file, owner in owners.items():
        if pair_of(path / file, texts, path).txt.name != owner:
            raise InputError(
                f"{file}: expected it to belong to {owner}, found a document that is called so, too"
            )
    if notes:
        _LOG.warning(
            "%d stances of or toward a name are written as notes, which are not read back", notes
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (path / file).write_bytes(text.encode())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _add(files: dict[str, str], name: str, text: str) -> None:
    if name in files:
        raise InputError(
            f"{name}: expected documents and annotators whose names differ in a folder, found it twice"
        )
    files[name] = text


def _file_name(name: str) -> str:
    return _UNSAFE.sub("_", name).lstrip(".") or "_"


class _Lines:
    """The lines of an ``.ann`` file as they are numbered."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._numbers: dict[str, int] = {}
        self._lines: list[str] = []
        self.notes = 0

    def of(self, sheet: AnnotatorLayer) -> list[str]:
        """The lines of one annotator's sentences."""
        for place, record in sorted(sheet.sentences, key=lambda pair: pair[0]):
            sentence = self._span("Sentence", [(place, place + len(record.text))])
            for task, label in sentence_labels(record).items():
                self._line("A", f"{task} {sentence} {label}")
            for entity in record.entities or ():
                self._span(entity.label, shift(entity.span, place))
            for stance in record.stances or ():
                self._stance(stance, place, sentence)
        for roles in sheet.attributions():
            names = {role: self._span(role.capitalize(), span) for role, span in roles.items()}
            trigger = self._span(
                "Attribution", roles.get("cue") or roles.get("content") or roles["source"]
            )
            said = " ".join(f"{role.capitalize()}:{name}" for role, name in names.items())
            self._line("E", f"Attribution:{trigger} {said}")
        return self._lines

    def _stance(self, stance: Stance, place: int, sentence: str) -> None:
        if stance.label is None:
            return
        if isinstance(stance.target, str) or isinstance(stance.holder, str):
            said = (
                f"stance {stance.label} of {self._shown(stance.holder, place)} toward "
                f"{self._shown(stance.target, place)}"
            )
            self._line("#", f"AnnotatorNotes {sentence}\t{_one_line(said)}")
            self.notes += 1
            return
        target = self._span("Target", shift(stance.target, place))
        if stance.holder is None:
            self._line("A", f"stance {target} {stance.label}")
        else:
            holder = self._span("Holder", shift(stance.holder, place))
            self._line("R", f"{_label(stance.label)} Arg1:{holder} Arg2:{target}")

    def _shown(self, what: Span | str | None, place: int) -> str:
        if isinstance(what, list):
            return " ".join(self._text[start:end] for start, end in shift(what, place))
        return what or "nobody"

    def _span(self, label: str, span: Span) -> str:
        offsets = ";".join(f"{start} {end}" for start, end in span)
        surface = _one_line(" ".join(self._text[start:end] for start, end in span))
        return self._line("T", f"{_label(label)} {offsets}\t{surface}")

    def _line(self, kind: str, rest: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        name = f"{kind}{self._numbers[kind]}"
        self._lines.append(f"{name}\t{rest}")
        return name


def _one_line(text: str) -> str:
    """Quoted text as brat quotes it: a space for a line end."""
    return re.sub(r"[\r\n]", " ", text)


def _label(label: str) -> str:
    return re.sub(r"[\s:]+", "_", label)
