"""The lines of brat's ``.ann`` files, with references that are still names.

The docstring of ``reader`` lists the kinds of lines. A line is ``NAME<TAB>DEFINITION``; of a T-line, the text that it
quotes follows after another tab, and may have line ends itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Mark
from claimstance.training.data.documents.json_validation import read_text, wrong

_LINE_START = re.compile(r"(?:([A-Za-z])\d[^\t]*|(#)[^\t]*|(\*))\t")
_OFFSETS = re.compile(r"(\d+) (\d+)")
_NOTE = "AnnotatorNotes"


@dataclass
class TextBound:
    """Represent a T-line, with the attributes of its span."""

    label: str
    pieces: Span
    surface: str | None
    where: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EventLine:
    """Represent an E-line: the name of its trigger, and (role, name) of each argument."""

    trigger: str
    arguments: list[tuple[str, str]]
    where: str


@dataclass(frozen=True)
class RelationLine:
    """Represent an R-line, or one pair of an equivalence."""

    head: str
    tail: str
    label: str
    where: str


@dataclass(frozen=True)
class AttributeLine:
    """Represent an attribute, a normalisation or a note of the annotation called ``target``."""

    name: str
    target: str
    value: str | None
    where: str


@dataclass
class AnnFile:
    """Represent the lines of an ``.ann`` file, with references that are still names.

    Attributes:
        text_bounds: name → T-line.
        events: name → E-line.
        relations: the R-lines, and the pairs of equivalences.
        attributes: the attributes, normalisations and notes.
        replaced_triggers: T-line of a trigger → that of an argument which is the mark instead.
    """

    text_bounds: dict[str, TextBound] = field(default_factory=dict)
    events: dict[str, EventLine] = field(default_factory=dict)
    relations: list[RelationLine] = field(default_factory=list)
    attributes: list[AttributeLine] = field(default_factory=list)
    replaced_triggers: dict[str, str] = field(default_factory=dict)

    def resolve(self, name: str, where: str) -> str:
        """Return the name of the T-line that a reference is to: of an event, its trigger's."""
        if name in self.events:
            name = self.events[name].trigger
        if name not in self.text_bounds:
            raise InputError(
                f"{where}: expected the name of a T-line or an E-line, found '{shorten(name)}'"
            )
        return name

    def resolve_mark(self, name: str, where: str) -> str:
        """Return the name of the T-line that is the mark of a reference."""
        name = self.resolve(name, where)
        return self.replaced_triggers.get(name, name)

    def mark(self, name: str) -> Mark:
        """Return the mark of a T-line."""
        bound = self.text_bounds[name]
        return Mark(name, bound.label, bound.pieces, bound.surface, bound.attributes, bound.where)


def read_ann(path: Path) -> AnnFile:
    """Read the lines of an ``.ann`` file, and find the triggers that an argument replaces.

    Raises:
        InputError: naming the line, what was expected and what was found.
    """
    ann = AnnFile()
    first_lines: dict[str, str] = {}  # name → the line that has it
    for where, line in _lines(path):
        name, _, rest = line.partition("\t")
        # Equivalences have no name, and brat itself writes notes with one name.
        if name[0] not in "*#":
            if name in first_lines:
                raise InputError(
                    f"{where}: expected a new name, found '{name}', already used in "
                    f"{first_lines[name]}"
                )
            first_lines[name] = where.rpartition(", ")[2]
        _parse_line(ann, name, rest, where)

    # Two marks with one span would be two roles of the same words: the argument replaces the trigger.
    for event in ann.events.values():
        trigger = ann.resolve(event.trigger, event.where)
        pieces = ann.text_bounds[trigger].pieces
        # All references are resolved, also those after a match, so that a wrong one is an error.
        arguments = [ann.resolve(argument, event.where) for _, argument in event.arguments]
        for argument in arguments:
            if argument != trigger and ann.text_bounds[argument].pieces == pieces:
                ann.replaced_triggers[trigger] = argument
                break
    return ann


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each annotation; that of a T-line may have several lines."""
    lines = read_text(path).removeprefix("\ufeff").split("\n")
    index = 0
    while index < len(lines):
        where, line = f"{path}, line {index + 1}", lines[index]
        index += 1
        if not line.strip():
            continue
        if not _LINE_START.match(line):
            raise InputError(
                f"{where}: expected 'NAME<TAB>…', such as 'T1<TAB>Source 0 5<TAB>…', "
                f"found '{shorten(line.strip())}'"
            )

        if line.startswith("T"):
            # The quoted text may have line ends, in which case its offsets are longer than the line.
            columns = line.split("\t", 2)
            missing = 0
            if len(columns) == 3:
                pieces = [(int(start), int(end)) for start, end in _OFFSETS.findall(columns[1])]
                missing = _quoted_length(pieces) - len(columns[2])
            while missing > 0 and index < len(lines) and not _LINE_START.match(lines[index]):
                line += "\n" + lines[index]
                missing -= 1 + len(lines[index])
                index += 1
        yield where, line.rstrip("\n").removesuffix("\r")


def _quoted_length(pieces: Span) -> int:
    """Return the length of the pieces, joined by one space."""
    return sum(end - start for start, end in pieces) + len(pieces) - 1


def _parse_line(ann: AnnFile, name: str, rest: str, where: str) -> None:
    """Add a line to its file.

    Args:
        ann: the file.
        name: the name of the line, whose first character is its kind.
        rest: the line after the tab that follows the name.
        where: its place, for messages.
    """
    kind = name[0]
    definition, _, text = rest.partition("\t")

    if kind == "T":
        ann.text_bounds[name] = _parse_text_bound(definition, text, where)
    elif kind == "E":
        arguments = []
        for argument in rest.split():
            role, _, reference = argument.partition(":")
            if not role or not reference:
                raise wrong(where, "'TYPE:TRIGGER [ROLE:NAME …]'", rest.strip())
            arguments.append((role, reference))
        if not arguments:
            raise wrong(where, "'TYPE:TRIGGER [ROLE:NAME …]'", rest.strip())
        # The event's type and trigger have the form of an argument, and are the first of them.
        _, trigger = arguments.pop(0)
        ann.events[name] = EventLine(trigger, arguments, where)
    elif kind == "R":
        match = re.fullmatch(r"(\S+) \S+?:(\S+) \S+?:(\S+)", definition.strip())
        if match is None:
            raise wrong(where, "'TYPE Arg1:NAME Arg2:NAME'", rest.strip())
        ann.relations.append(RelationLine(match[2], match[3], match[1], where))
    elif kind == "*":
        if len(rest.split()) < 3:
            raise wrong(where, "'TYPE NAME NAME …'", rest.strip())
        label, first, *members = rest.split()
        for member in members:
            ann.relations.append(RelationLine(first, member, label, where))
    elif kind in "AM":
        attribute, _, target_and_value = rest.strip().partition(" ")
        target, _, value = target_and_value.partition(" ")
        if not target:
            raise wrong(where, "'TYPE NAME [VALUE]'", rest.strip())
        ann.attributes.append(AttributeLine(attribute, target, value.strip() or None, where))
    elif kind == "N":
        match = re.fullmatch(r"(\S+) (\S+) (\S+?:\S+)", definition.strip())
        if match is None:
            raise wrong(where, "'Reference NAME DATABASE:ID'", rest.strip())
        ann.attributes.append(AttributeLine(match[1], match[2], match[3], where))
    elif kind == "#":
        note_type, _, target = definition.strip().partition(" ")
        if note_type == _NOTE and text.strip() and re.match(r"[TE]\d", target):
            ann.attributes.append(AttributeLine(_NOTE, target, text.strip(), where))
    else:
        raise InputError(
            f"{where}: expected a line that starts with T, E, R, A, M, N, * or #, found '{name}'"
        )


def _parse_text_bound(definition: str, surface: str, where: str) -> TextBound:
    """Return a T-line, with its pieces in the order of the text."""
    label, _, offsets = definition.strip().partition(" ")
    pieces: Span = []
    for piece in offsets.split(";"):
        match = _OFFSETS.fullmatch(piece.strip())
        if match is None or not label:
            raise wrong(where, "'LABEL START END[;START END …]'", definition)
        start, end = int(match[1]), int(match[2])
        if start >= end:
            raise InputError(f"{where}: expected START < END, found {start} and {end}")
        pieces.append((start, end))

    if _quoted_length(pieces) == len(surface):
        # brat quotes pieces in the order in which they were marked: sort them as the text has them.
        quoted = []
        offset = 0
        for start, end in pieces:
            quoted.append((start, end, surface[offset : offset + end - start]))
            offset += end - start + 1
        surface = " ".join(words for _, _, words in sorted(quoted))
    return TextBound(label, sorted(pieces), surface or None, where)
