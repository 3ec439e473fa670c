"""brat's standoff format (https://brat.nlplab.org/standoff.html): a ``.txt`` with an ``.ann`` beside it.

A folder is read with all folders in it; a single ``.ann`` with its text, and a ``.txt`` if the format is named. brat
counts code points of the text as it was on disk then. Since its lines quote the text, another unit is detected, such
as line ends that git or an editor has since made two characters long.

brat does not name annotators. The annotator is

- the part after the text's name: ``a_anna.ann`` and ``a_ben.ann`` beside ``a.txt``; else
- the folder, if two folders have the same text under the same name: ``anna/a.ann`` and ``ben/a.ann``.

These lines are read: text-bound annotations (T, with pieces, with line ends in the quoted text), events (E), relations
(R), equivalences (``*``), attributes (A, M; one without a value has its own name as value), normalisations (N) and
annotators' notes (#, ``AnnotatorNotes``). Normalisations and notes are attributes. Notes that brat itself writes are
ignored.

- The role of an event's argument, without its number (``Content2``), is the label of its mark, not that of the T-line.
- The trigger of an event is a mark under its own label, unless an argument of the event has the same span. If the
  trigger is the reporting verb, ``roles: {Attribution: cue}`` says so.
- Attributes and relations of an event belong to its trigger, or to the argument with the same span.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_validation import read_text, wrong
from claimstance.training.data.documents.roles import roles_of
from claimstance.training.data.formats.brat.folder import AnnotatedText, find_texts
from claimstance.training.data.formats.brat.writer import write

_LINE_START = re.compile(r"(?:([A-Za-z])\d[^\t]*|(#)[^\t]*|(\*))\t")
_FILE_START = re.compile(r"[TERAMN]\d+[\t ]\S|\*[\t ]\S+ [TE]\d|#\d+[\t ]\S+ \S+")
_OFFSETS = re.compile(r"(\d+) (\d+)")
_ROLE_NUMBER = re.compile(r"\d+$")
_NOTE = "AnnotatorNotes"


@dataclass
class _TextBound:
    """Represent a T-line, with the attributes of its span."""

    label: str
    pieces: Span
    surface: str | None
    where: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _EventLine:
    """Represent an E-line: the name of its trigger, and (role, name) of each argument."""

    trigger: str
    arguments: list[tuple[str, str]]
    where: str


@dataclass(frozen=True)
class _RelationLine:
    """Represent an R-line, or one pair of an equivalence."""

    head: str
    tail: str
    label: str
    where: str


@dataclass(frozen=True)
class _AttributeLine:
    """Represent an attribute, a normalisation or a note of the annotation called ``target``."""

    name: str
    target: str
    value: str | None
    where: str


@dataclass
class _AnnFile:
    """Represent the lines of an ``.ann`` file, with references that are still names.

    Attributes:
        text_bounds: name → T-line.
        events: name → E-line.
        relations: the R-lines, and the pairs of equivalences.
        attributes: the attributes, normalisations and notes.
        replaced_triggers: T-line of a trigger → that of an argument which is the mark instead.
    """

    text_bounds: dict[str, _TextBound] = field(default_factory=dict)
    events: dict[str, _EventLine] = field(default_factory=dict)
    relations: list[_RelationLine] = field(default_factory=list)
    attributes: list[_AttributeLine] = field(default_factory=list)
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


def items(path: Path) -> Iterator[Item]:
    """Yield each ``.ann`` file with its text, in the order of their names, then texts without one.

    Raises:
        InputError: for an ``.ann`` file without a text, and if there is no ``.ann`` file at all.
    """
    texts, unannotated = find_texts(path)
    for text in texts:
        name = text.name if text.annotator is None else f"{text.name}@{text.annotator}"
        yield Item(str(text.ann), name, text)
    for text_path in unannotated:
        yield Item(str(text_path), text_path.stem, None)


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield the document of a text and its annotations.

    Raises:
        InputError: naming the file and the line, what was expected and what was found.
    """
    if item.data is None:
        yield LeftOut("text that nobody has annotated (no .ann beside it)")
        return
    files: AnnotatedText = item.data
    text = read_text(files.txt)
    ann = _read_ann(files.ann)

    roles = roles_of(layout)
    for attribute in ann.attributes:
        target = ann.resolve_mark(attribute.target, attribute.where)
        value = attribute.value
        if value is None:
            # brat has attributes without a value, which apply or not.
            task = roles.of(attribute.name)
            value = roles.yes_no(task, True) if task in SENTENCE_TASKS else attribute.name
        ann.text_bounds[target].attributes[attribute.name] = value

    events: dict[str, list[str]] = {}
    event_marks: dict[str, Mark] = {}
    for name, event in ann.events.items():
        marks = _event_marks(name, event, ann)
        events[name] = list(marks)
        event_marks.update(marks)
    all_marks = {}
    for name in ann.text_bounds:
        if name in event_marks or name not in ann.replaced_triggers:
            all_marks[name] = ann.mark(name)
    all_marks.update(event_marks)

    relations = []
    for relation in ann.relations:
        head = ann.resolve_mark(relation.head, relation.where)
        tail = ann.resolve_mark(relation.tail, relation.where)
        relations.append(Relation(head, tail, relation.label))
    yield Document(
        name=files.name,
        text=text,
        where=item.where,
        annotator=files.annotator,
        marks=list(all_marks.values()),
        relations=relations,
        events=events,
        usual="code points",
    )


def _event_marks(event_name: str, event: _EventLine, ann: _AnnFile) -> dict[str, Mark]:
    """Return the marks of an event by their names.

    They are its T-lines, and for each T-line whose label is not the argument's role a mark with the role as label.
    """
    marks = {}
    trigger = ann.resolve(event.trigger, event.where)
    if trigger not in ann.replaced_triggers:
        marks[trigger] = ann.mark(trigger)
    for numbered_role, argument in event.arguments:
        name = ann.resolve(argument, event.where)
        role = _ROLE_NUMBER.sub("", numbered_role) or numbered_role
        mark = ann.mark(name)
        if role != mark.label:
            mark_name = f"{event_name}.{role}.{name}"
            mark = Mark(mark_name, role, mark.pieces, mark.surface, {}, event.where)
        marks[mark.name] = mark
    return marks


def _read_ann(path: Path) -> _AnnFile:
    """Read the lines of an ``.ann`` file, and find the triggers that an argument replaces.

    Raises:
        InputError: naming the line, what was expected and what was found.
    """
    ann = _AnnFile()
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


def _parse_line(ann: _AnnFile, name: str, rest: str, where: str) -> None:
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
        pairs = [pair.partition(":") for pair in rest.split()]
        if not pairs or not all(role and argument for role, _, argument in pairs):
            raise wrong(where, "'TYPE:TRIGGER [ROLE:NAME …]'", rest.strip())
        (_, _, trigger), *others = pairs
        arguments = [(role, argument) for role, _, argument in others]
        ann.events[name] = _EventLine(trigger, arguments, where)
    elif kind == "R":
        match = re.fullmatch(r"(\S+) \S+?:(\S+) \S+?:(\S+)", definition.strip())
        if match is None:
            raise wrong(where, "'TYPE Arg1:NAME Arg2:NAME'", rest.strip())
        ann.relations.append(_RelationLine(match[2], match[3], match[1], where))
    elif kind == "*":
        if len(rest.split()) < 3:
            raise wrong(where, "'TYPE NAME NAME …'", rest.strip())
        label, first, *members = rest.split()
        for member in members:
            ann.relations.append(_RelationLine(first, member, label, where))
    elif kind in "AM":
        attribute, _, target_and_value = rest.strip().partition(" ")
        target, _, value = target_and_value.partition(" ")
        if not target:
            raise wrong(where, "'TYPE NAME [VALUE]'", rest.strip())
        ann.attributes.append(_AttributeLine(attribute, target, value.strip() or None, where))
    elif kind == "N":
        match = re.fullmatch(r"(\S+) (\S+) (\S+?:\S+)", definition.strip())
        if match is None:
            raise wrong(where, "'Reference NAME DATABASE:ID'", rest.strip())
        ann.attributes.append(_AttributeLine(match[1], match[2], match[3], where))
    elif kind == "#":
        note_type, _, target = definition.strip().partition(" ")
        if note_type == _NOTE and text.strip() and re.match(r"[TE]\d", target):
            ann.attributes.append(_AttributeLine(_NOTE, target, text.strip(), where))
    else:
        raise InputError(
            f"{where}: expected a line that starts with T, E, R, A, M, N, * or #, found '{name}'"
        )


def _parse_text_bound(definition: str, surface: str, where: str) -> _TextBound:
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
    return _TextBound(label, sorted(pieces), surface or None, where)


def recognise(head: str) -> bool:
    """Return whether these are the names in a folder of ``.ann`` files or of folders, or lines of one file."""
    lines = [line for line in head.splitlines() if line.strip()]
    names = [line for line in lines if not line.startswith(".")]
    if not names or any(name.endswith(".ann") for name in names):
        return True
    if _FILE_START.match(lines[0]):
        return True
    return not any("." in name or " " in name or "\t" in name for name in names)


FORMAT = Format("brat", ("", ".ann"), recognise, items=items, parse=parse, write=write)
