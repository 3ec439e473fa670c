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
from pathlib import Path

from claimstance.model.labels import SENTENCE_TASKS
from claimstance.training.data.documents.document import Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_validation import read_text
from claimstance.training.data.documents.roles import roles_of
from claimstance.training.data.formats.brat.ann_file import AnnFile, EventLine, read_ann
from claimstance.training.data.formats.brat.folder import AnnotatedText, find_texts
from claimstance.training.data.formats.brat.writer import write

_FILE_START = re.compile(r"[TERAMN]\d+[\t ]\S|\*[\t ]\S+ [TE]\d|#\d+[\t ]\S+ \S+")
_ROLE_NUMBER = re.compile(r"\d+$")


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
    ann = read_ann(files.ann)

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


def _event_marks(event_name: str, event: EventLine, ann: AnnFile) -> dict[str, Mark]:
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
