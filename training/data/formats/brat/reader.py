"""brat's standoff format (https://brat.nlplab.org/standoff.html): a ``.txt`` with an ``.ann`` beside it.

A folder is read with all folders in it; a single ``.ann`` with its text, and a ``.txt`` if the format is named. brat
counts code points of the text as it was on disk then; since its lines quote the text, another unit is found, such as
one line end where git or an editor has made two characters of it. Here the annotator, of whom brat says nothing, is
- what follows the text's name: ``a_anna.ann`` and ``a_ben.ann`` beside ``a.txt``; else
- the folder, where two folders hold the same text under the same name: ``anna/a.ann`` and ``ben/a.ann``.

Read are text-bound annotations (T, with pieces, with line ends in the quoted text), events (E), relations (R),
equivalences (``*``), attributes (A, M; one without a value has its own name for it), normalisations (N) and annotators'
notes (#, ``AnnotatorNotes``), the last two as attributes; the notes that brat itself writes are not read.

- An argument of an event is what its role says, less the number (``Content2``), whatever the label of its T-line.
- The trigger of an event is a mark under its own label, unless an argument of the event stands at the same place.
  Where the trigger is the reporting verb, say so: ``roles: {Attribution: cue}``.
- What is said of an event is said of its trigger, or of the argument that stands there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_validation import read_text, wrong
from claimstance.training.data.formats.brat.folder import Pair, pairs
from claimstance.training.data.formats.brat.writer import write

if TYPE_CHECKING:
    from claimstance.training.data.documents.roles import Roles

_START = re.compile(r"(?:([A-Za-z])\d[^\t]*|(#)[^\t]*|(\*))\t")
_HEAD = re.compile(r"[TERAMN]\d+[\t ]\S|\*[\t ]\S+ [TE]\d|#\d+[\t ]\S+ \S+")
_NUMBER = re.compile(r"\d+$")
_NOTE = "AnnotatorNotes"


@dataclass
class _Bound:
    """A T-line."""

    label: str
    pieces: Span
    surface: str | None
    where: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class _Event:
    """An E-line, as it stands there."""

    type: str
    trigger: str
    arguments: list[tuple[str, str]]
    where: str


@dataclass
class _File:
    """The lines of an ``.ann`` file, by their kinds; references are not looked up yet."""

    bounds: dict[str, _Bound] = field(default_factory=dict)
    events: dict[str, _Event] = field(default_factory=dict)
    relations: list[tuple[str, str, str, str]] = field(
        default_factory=list
    )  # head, tail, label, where
    attributes: list[tuple[str, str, str | None, str]] = field(
        default_factory=list
    )  # name, of what, value, where

    def bound(self, name: str, where: str) -> str:
        """The T-line that ``name`` stands for: itself, or an event's trigger."""
        if name in self.events:
            name = self.events[name].trigger
        if name not in self.bounds:
            raise InputError(
                f"{where}: expected the name of a T-line or an E-line, found '{shorten(name)}'"
            )
        return name

    def mark(self, name: str) -> Mark:
        """The mark of a T-line."""
        bound = self.bounds[name]
        return Mark(name, bound.label, bound.pieces, bound.surface, bound.attributes, bound.where)


def items(path: Path) -> Iterator[Item]:
    """Each ``.ann`` file with its text, in the order of their names.

    Raises:
        InputError: for an ``.ann`` file without a text, and if there is no ``.ann`` file at all.
    """
    found, bare = pairs(path)
    for pair in found:
        yield Item(
            str(pair.ann),
            pair.name if pair.annotator is None else f"{pair.name}@{pair.annotator}",
            pair,
        )
    for text in bare:
        yield Item(str(text), text.stem, None)


def parse(item: Item, layout: Layout) -> list[Document | LeftOut]:
    """The document of a pair of files.

    Raises:
        InputError: naming the file and the line, what was expected and what was found.
    """
    from claimstance.training.data.documents.roles import roles_of  # which rests on the formats

    if item.data is None:
        return [LeftOut("text that nobody has annotated (no .ann beside it)")]
    pair: Pair = item.data
    text, file = read_text(pair.txt), _read(pair.ann)
    stand_ins = _stand_ins(file)
    _describe(file, stand_ins, roles_of(layout))
    events = {name: _members(name, event, file, stand_ins) for name, event in file.events.items()}
    members = {mark.name: mark for event in events.values() for mark in event}
    marks = {
        name: file.mark(name) for name in file.bounds if name in members or name not in stand_ins
    }
    relations = []
    for head, tail, label, where in file.relations:
        head, tail = file.bound(head, where), file.bound(tail, where)
        relations.append(Relation(stand_ins.get(head, head), stand_ins.get(tail, tail), label))
    return [
        Document(
            pair.name,
            text,
            item.where,
            pair.annotator,
            list({**marks, **members}.values()),
            relations,
            {name: [mark.name for mark in event] for name, event in events.items()},
            usual="code points",
        )
    ]


def _stand_ins(file: _File) -> dict[str, str]:
    """Triggers that stand where an argument of their event does → that argument's T-line."""
    found = {}
    for event in file.events.values():
        trigger = file.bound(event.trigger, event.where)
        arguments = [file.bound(argument, event.where) for _, argument in event.arguments]
        same = [
            of
            for of in arguments
            if of != trigger and file.bounds[of].pieces == file.bounds[trigger].pieces
        ]
        if same:
            found[trigger] = same[0]
    return found


def _describe(file: _File, stand_ins: Mapping[str, str], roles: "Roles") -> None:
    """Put the attributes where they belong."""
    for name, target, value, where in file.attributes:
        bound = file.bound(target, where)
        task = roles.of(name)
        said = roles.yes_no(task, True) if task in SENTENCE_TASKS else name
        file.bounds[stand_ins.get(bound, bound)].attributes[name] = said if value is None else value


def _members(name: str, event: _Event, file: _File, stand_ins: Mapping[str, str]) -> list[Mark]:
    """An event's marks: its T-lines, and marks under the role's name where a T-line has another label."""
    trigger = file.bound(event.trigger, event.where)
    found = {} if trigger in stand_ins else {trigger: file.mark(trigger)}
    for role, argument in event.arguments:
        of = file.bound(argument, event.where)
        role = _NUMBER.sub("", role) or role
        mark = file.mark(of)
        if role != mark.label:
            mark = Mark(f"{name}.{role}.{of}", role, mark.pieces, mark.surface, {}, event.where)
        found[mark.name] = mark
    return list(found.values())


def _read(path: Path) -> _File:
    file = _File()
    names: dict[str, str] = {}
    for where, line in _lines(path):
        name, _, rest = line.partition("\t")
        kind = name[0]
        if kind not in "*#":
            if name in names:
                raise InputError(
                    f"{where}: expected a new name, found '{name}', already used in {names[name]}"
                )
            names[name] = where.rpartition(", ")[2]
        if kind not in _KINDS:
            raise InputError(
                f"{where}: expected a line that starts with T, E, R, A, M, N, * or #, found '{name}'"
            )
        _KINDS[kind](file, name, rest, where)
    return file


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The annotations with their places. What a T-line quotes may hold line ends, and so take several lines."""
    lines = read_text(path).removeprefix("\ufeff").split("\n")
    number = 0
    while number < len(lines):
        where, line = f"{path}, line {number + 1}", lines[number]
        number += 1
        if not line.strip():
            continue
        if not _START.match(line):
            raise InputError(
                f"{where}: expected 'NAME<TAB>…', such as 'T1<TAB>Source 0 5<TAB>…', "
                f"found '{shorten(line.strip())}'"
            )
        if line.startswith("T"):
            missing = _missing(line)
            while missing > 0 and number < len(lines) and not _START.match(lines[number]):
                line += "\n" + lines[number]
                missing -= 1 + len(lines[number])
                number += 1
        yield where, line.rstrip("\n").removesuffix("\r")


def _missing(line: str) -> int:
    """How much of the quoted text the first line of a T-line lacks, by its offsets."""
    parts = line.split("\t", 2)
    found = re.findall(r"(\d+) (\d+)", parts[1])
    if len(parts) < 3:
        return 0
    return sum(int(end) - int(start) for start, end in found) + len(found) - 1 - len(parts[2])


def _bound(file: _File, name: str, rest: str, where: str) -> None:
    described, _, surface = rest.partition("\t")
    label, _, offsets = described.strip().partition(" ")
    pieces: Span = []
    for piece in offsets.split(";"):
        match = re.fullmatch(r"(\d+) (\d+)", piece.strip())
        if match is None or not label:
            raise wrong(where, "'LABEL START END[;START END …]'", described)
        start, end = int(match[1]), int(match[2])
        if start >= end:
            raise InputError(f"{where}: expected START < END, found {start} and {end}")
        pieces.append((start, end))
    file.bounds[name] = _Bound(label, sorted(pieces), _in_order(surface, pieces) or None, where)


def _in_order(surface: str, pieces: Span) -> str:
    """The quoted text with its pieces in the text's order: a line has them as they were marked."""
    if sum(end - start for start, end in pieces) + len(pieces) - 1 != len(surface):
        return surface
    quoted, place = [], 0
    for start, end in pieces:
        quoted.append(((start, end), surface[place : place + end - start]))
        place += end - start + 1
    return " ".join(part for _, part in sorted(quoted))


def _event(file: _File, name: str, rest: str, where: str) -> None:
    arguments = []
    for argument in rest.split():
        role, colon, of = argument.partition(":")
        if not (role and colon and of):
            raise wrong(where, "'TYPE:TRIGGER [ROLE:NAME …]'", rest.strip())
        arguments.append((role, of))
    if not arguments:
        raise wrong(where, "'TYPE:TRIGGER [ROLE:NAME …]'", rest.strip())
    file.events[name] = _Event(*arguments[0], arguments[1:], where)


def _relation(file: _File, name: str, rest: str, where: str) -> None:
    match = re.fullmatch(r"(\S+) \S+?:(\S+) \S+?:(\S+)", rest.partition("\t")[0].strip())
    if match is None:
        raise wrong(where, "'TYPE Arg1:NAME Arg2:NAME'", rest.strip())
    file.relations.append((match[2], match[3], match[1], where))


def _equivalence(file: _File, name: str, rest: str, where: str) -> None:
    parts = rest.split()
    if len(parts) < 3:
        raise wrong(where, "'TYPE NAME NAME …'", rest.strip())
    label, *members = parts
    file.relations += [(members[0], other, label, where) for other in members[1:]]


def _attribute(file: _File, name: str, rest: str, where: str) -> None:
    attribute, _, described = rest.strip().partition(" ")
    of, _, value = described.partition(" ")
    if not of:
        raise wrong(where, "'TYPE NAME [VALUE]'", rest.strip())
    file.attributes.append((attribute, of, value.strip() or None, where))


def _normalisation(file: _File, name: str, rest: str, where: str) -> None:
    match = re.fullmatch(r"(\S+) (\S+) (\S+?:\S+)", rest.partition("\t")[0].strip())
    if match is None:
        raise wrong(where, "'Reference NAME DATABASE:ID'", rest.strip())
    file.attributes.append((match[1], match[2], match[3], where))


def _note(file: _File, name: str, rest: str, where: str) -> None:
    described, _, note = rest.partition("\t")
    kind, _, of = described.strip().partition(" ")
    if kind == _NOTE and note.strip() and re.match(r"[TE]\d", of):
        file.attributes.append((_NOTE, of, note.strip(), where))


_KINDS = {
    "T": _bound,
    "E": _event,
    "R": _relation,
    "*": _equivalence,
    "A": _attribute,
    "M": _attribute,
    "N": _normalisation,
    "#": _note,
}


def recognise(head: str) -> bool:
    """Whether these are the names in a folder of ``.ann`` files (or of folders only), or the start of one."""
    lines = [line for line in head.splitlines() if line.strip()]
    names = [line for line in lines if not line.startswith(".")]
    if any(name.endswith(".ann") for name in names) or not names:
        return True
    return bool(_HEAD.match(lines[0])) or not any(
        "." in name or " " in name or "\t" in name for name in names
    )


FORMAT = Format("brat", ("", ".ann"), recognise, items=items, parse=parse, write=write)
