"""Linking of marks to attributions, and of holders and targets to stances."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, Mark
from claimstance.training.data.documents.format import OnDrop
from claimstance.training.data.documents.roles import IGNORE, Roles

#: Attributes of a mark whose value is a name: the target or the holder of its stance.
_NAME_QUESTIONS = ("target", "holder")


@dataclass
class LinkedAttribution:
    """Represent the marks that form one attribution, by role."""

    marks: dict[str, list[Mark]] = field(default_factory=lambda: {role: [] for role in ROLES})

    def span(self, role: str) -> Span | None:
        """Return the pieces of a role in order; ``None`` if it has none."""
        return sorted({piece for mark in self.marks[role] for piece in mark.pieces}) or None

    def contains(self, mark: Mark) -> bool:
        """Return whether a mark belongs to this attribution."""
        return any(mark is member for marks in self.marks.values() for member in marks)

    @property
    def first_piece(self) -> tuple[int, int]:
        """Return the piece with which the attribution begins in the text."""
        pieces: Span = []
        for marks in self.marks.values():
            for mark in marks:
                pieces += mark.pieces
        return min(pieces)


@dataclass(frozen=True)
class LinkedStance:
    """Represent a stance before its sentence is determined.

    Attributes:
        holder: A mark, a name, or ``None`` if the stance is the text's.
        target: A mark or a name.
        label: The stance label.
        anchor: The mark whose sentence gets the stance.
    """

    holder: Mark | str | None
    target: Mark | str
    label: str
    anchor: Mark


class Marks:
    """Represent the marks of a document with their meanings and relations."""

    def __init__(self, document: Document, roles: Roles) -> None:
        """Index the marks and relations of a document.

        Raises:
            InputError: If a relation refers to a mark that the document does not have.
        """
        self.document = document
        self.roles = roles
        self.by_name = {mark.name: mark for mark in document.marks}
        self.meaning = {mark.name: roles.of(mark.label) or "entity" for mark in document.marks}
        self._neighbours: dict[str, list[str]] = defaultdict(list)
        for relation in document.relations:
            for end in (relation.head, relation.tail):
                if end not in self.by_name:
                    raise InputError(
                        f"{document.where}: a relation: expected the name of a span, found '{end}'"
                    )
            # A relation named after a stance is a stance, and ties its ends in no other way.
            if _stance_label(relation.label, roles) is None:
                self._neighbours[relation.head].append(relation.tail)
                self._neighbours[relation.tail].append(relation.head)

    def of(self, *meanings: str) -> list[Mark]:
        """Return the marks with one of the meanings."""
        return [mark for mark in self.document.marks if self.meaning[mark.name] in meanings]

    def related(self, mark: Mark, *meanings: str) -> list[Mark]:
        """Return the marks with one of the meanings that have a relation to or from a mark."""
        names = dict.fromkeys(self._neighbours[mark.name])
        return [self.by_name[name] for name in names if self.meaning[name] in meanings]

    def name_of(self, mark: Mark, question: str) -> str | None:
        """Return the target or holder that an attribute of a mark names; ``None`` if none does."""
        for name, value in mark.attributes.items():
            if self.roles.of(name) == question and value.strip():
                return value.strip()
        return None

    @property
    def are_linked(self) -> bool:
        """Return whether the document links sources, cues and contents."""
        if self.document.events:
            return True
        return any(
            self.meaning[relation.head] in ROLES and self.meaning[relation.tail] in ROLES
            for relation in self.document.relations
        )


def attributions(
    marks: Marks, nearest: bool, bounds: Sequence[tuple[int, int]]
) -> tuple[list[LinkedAttribution], int, int]:
    """Return the attributions of a document in the order of the text.

    An event of the file is an attribution. So is each other cue, with the contents related to it,
    and the sources related to it or else to its contents; then each other content, with the sources
    related to it; then each other source.

    Args:
        marks: The marks of the document.
        nearest: Whether to tie sources and contents to the nearest cue of their sentence, for files
            without relations.
        bounds: The bounds of the sentences.

    Returns:
        The attributions, the number of marks that were tied to the nearest cue, and the number of
        marks that were not, because they overlap a nearer mark of the same role.
    """
    linked = []
    for members in marks.document.events.values():
        event = LinkedAttribution()
        for name in members:
            if name in marks.by_name and marks.meaning[name] in ROLES:
                event.marks[marks.meaning[name]].append(marks.by_name[name])
        linked.append(event)

    for cue in _unused(marks.of("cue"), linked):
        contents = marks.related(cue, "content")
        sources = marks.related(cue, "source")
        # Some guidelines link the source to the content, and not to the cue.
        if not sources:
            for content in contents:
                sources += marks.related(content, "source")
        linked.append(LinkedAttribution({"source": sources, "cue": [cue], "content": contents}))
    for content in _unused(marks.of("content"), linked):
        sources = marks.related(content, "source")
        linked.append(LinkedAttribution({"source": sources, "cue": [], "content": [content]}))
    linked += [
        LinkedAttribution({"source": [source], "cue": [], "content": []})
        for source in _unused(marks.of("source"), linked)
    ]

    count = overlapping = 0
    if nearest:
        count, overlapping = _join_nearest(linked, bounds)
    # An attribution is empty once its only mark was moved to a cue.
    linked = [attribution for attribution in linked if any(attribution.marks.values())]
    linked.sort(key=lambda attribution: attribution.first_piece)
    return linked, count, overlapping


def _unused(marks: Iterable[Mark], linked: Iterable[LinkedAttribution]) -> list[Mark]:
    """Return the marks that belong to no attribution yet."""
    used: set[str] = set()
    for attribution in linked:
        for members in attribution.marks.values():
            used.update(mark.name for mark in members)
    return [mark for mark in marks if mark.name not in used]


def _join_nearest(
    linked: list[LinkedAttribution], bounds: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """Move each source and content without a cue to the nearest cue of its sentence.

    Longer marks come first. A mark stays alone if it overlaps the mark of its role at every cue of
    the sentence, since the pieces of one span must not overlap.

    Returns:
        The number of marks that were moved, and of those that stayed alone.
    """
    with_cue = [attribution for attribution in linked if attribution.marks["cue"]]
    orphans = []
    for attribution in linked:
        if attribution.marks["cue"]:
            continue
        for role in ("source", "content"):
            marks = attribution.marks[role]
            if marks:
                orphans.append((marks[0], role, attribution))

    def length(orphan: tuple[Mark, str, LinkedAttribution]) -> int:
        return sum(end - start for start, end in orphan[0].pieces)

    # A nested mark must not take the cue of the mark around it, which is longer.
    orphans.sort(key=length, reverse=True)
    count = overlapping = 0
    for mark, role, attribution in orphans:
        sentence = _sentence(mark, bounds)
        near = [a for a in with_cue if _sentence(a.marks["cue"][0], bounds) == sentence]
        possible = [a for a in near if not _overlaps_any(mark, a.marks[role])]
        # A cue within a content usually belongs to another attribution.
        outside = [a for a in possible if not _overlaps_any(mark, a.marks["cue"])]
        if possible:
            best = min(outside or possible, key=lambda a: _distance(mark, a.marks["cue"][0]))
            best.marks[role] += attribution.marks[role]
            attribution.marks[role] = []
            count += 1
        elif near:
            overlapping += 1
    return count, overlapping


def _overlaps_any(mark: Mark, marks: Iterable[Mark]) -> bool:
    """Return whether a mark has characters in common with a mark that is not the same span."""
    for second in marks:
        if mark.pieces == second.pieces:
            continue
        for start, end in mark.pieces:
            if any(start < last and first < end for first, last in second.pieces):
                return True
    return False


def _sentence(mark: Mark, bounds: Sequence[tuple[int, int]]) -> int:
    """Return the index of the sentence in which a mark begins."""
    for index, (_, end) in enumerate(bounds):
        if mark.pieces[0][0] < end:
            return index
    return len(bounds)


def _distance(first: Mark, second: Mark) -> int:
    """Return the number of characters between two marks; 0 if they overlap."""
    start = max(first.pieces[0][0], second.pieces[0][0])
    end = min(first.pieces[-1][1], second.pieces[-1][1])
    return max(0, start - end)


def stances(
    marks: Marks, linked: Sequence[LinkedAttribution], target: str | None, on_drop: OnDrop
) -> list[LinkedStance]:
    """Return the stances of a document, from relations named after a stance and from attributes.

    A stance attribute of a target belongs to the holder related to the target. On any other mark,
    the stance is toward the targets (or entities) related to the mark, else toward ``target``; its
    holder is the mark itself if that is a source or holder, else the source of the mark's
    attribution, else ``None``. The attributes ``target`` and ``holder`` precede all of these.

    Raises:
        InputError: If a stance has no target.
    """
    result = []
    for relation in marks.document.relations:
        label = _stance_label(relation.label, marks.roles)
        if label is None:
            continue
        head, tail = marks.by_name[relation.head], marks.by_name[relation.tail]
        # The tail is the target unless the annotation says that the head is.
        if marks.meaning[head.name] == "target" and marks.meaning[tail.name] != "target":
            head, tail = tail, head
        holder = _holder(marks, linked, head)
        target_name = marks.name_of(tail, "target")
        result.append(LinkedStance(holder, target_name or tail, label, anchor=tail))

    for mark in marks.document.marks:
        for question, answer in mark.attributes.items():
            label = _stance_of_attribute(question, answer, marks.roles)
            meaning = marks.roles.of(question)
            if label is not None:
                result += _stances_of_mark(marks, linked, mark, label, target)
            elif meaning is None:
                on_drop(
                    f"'{question}' of a span, which has no meaning here (roles can give it one)"
                )
            elif meaning not in (IGNORE, *_NAME_QUESTIONS, *marks.roles.labels):
                on_drop(f"'{question}' of a span: a {meaning} is marked, not said of a span")

    # Targets and names that no stance uses are lost, which the report should say.
    anchors = {id(stance.anchor) for stance in result}
    for mark in marks.document.marks:
        if id(mark) in anchors:
            continue
        if marks.meaning[mark.name] == "target":
            on_drop("target without a stance")
        elif any(marks.name_of(mark, question) for question in _NAME_QUESTIONS):
            on_drop("the name of a target or a holder, of a span without a stance")
    return result


def has_stances(marks: Marks) -> bool:
    """Return whether a document has targets, holders, or stances as relations or attributes."""
    if marks.of("target", "holder"):
        return True
    if any(_stance_label(relation.label, marks.roles) for relation in marks.document.relations):
        return True
    for mark in marks.document.marks:
        for question, answer in mark.attributes.items():
            if _stance_of_attribute(question, answer, marks.roles):
                return True
    return False


def _stance_of_attribute(question: str, answer: str, roles: Roles) -> str | None:
    """Return the stance label that an attribute gives; ``None`` if it is about something else."""
    meaning = roles.of(question)
    if meaning == "stance":
        return roles.label(answer, "stance")
    if meaning is None:
        return _stance_label(answer, roles)
    return None


def _stance_label(name: str, roles: Roles) -> str | None:
    """Return a name as a stance label; ``None`` if it is none."""
    if name and roles.task_of(name) == "stance":
        return roles.label(name, "stance")
    return None


def _stances_of_mark(
    marks: Marks,
    linked: Sequence[LinkedAttribution],
    mark: Mark,
    label: str,
    file_target: str | None,
) -> Iterator[LinkedStance]:
    """Yield the stances of a mark that has a stance attribute, one for each target."""
    meaning = marks.meaning[mark.name]
    holder: Mark | str | None = marks.name_of(mark, "holder")
    target_name = marks.name_of(mark, "target")
    if meaning == "target" or (meaning == "entity" and not marks.related(mark, "target")):
        # The holder is related to its target directly, or through a cue or content.
        holders = marks.related(mark, "holder", "source")
        ties = marks.related(mark, "cue", "content")
        if holder is None and holders:
            holder = holders[0]
        elif holder is None and ties:
            holder = _holder(marks, linked, ties[0])
        yield LinkedStance(holder, target_name or mark, label, anchor=mark)
        return

    targets: Sequence[Mark | str] = marks.related(mark, "target") or marks.related(mark, "entity")
    if target_name is not None:
        targets = [target_name]
    elif not targets and file_target is not None:
        targets = [file_target]
    if not targets:
        raise InputError(
            f"{mark.where or marks.document.where}: stance '{shorten(label)}': expected a target "
            "(a related span, or one for the file), found none"
        )
    if holder is None:
        holder = _holder(marks, linked, mark)
    for target in targets:
        anchor = target if isinstance(target, Mark) else mark
        yield LinkedStance(holder, target, label, anchor)


def _holder(marks: Marks, linked: Sequence[LinkedAttribution], mark: Mark) -> Mark | None:
    """Return a mark if it can be a holder, else the related holder or source."""
    if marks.meaning[mark.name] in ("holder", "source", "entity"):
        return mark
    for holder in marks.related(mark, "holder"):
        return holder
    for attribution in linked:
        if attribution.contains(mark) and attribution.marks["source"]:
            return attribution.marks["source"][0]
    return None


def labels_of(marks: Marks) -> list[tuple[Mark, str, str]]:
    """Return (mark, sentence task, label) for the marks that label the sentences they touch."""
    roles = marks.roles
    labelled = []
    for task in SENTENCE_TASKS:
        positive = roles.yes_no(task, True)
        labelled += [(mark, task, positive) for mark in marks.of(task)]
    for mark in marks.document.marks:
        for question, answer in mark.attributes.items():
            meaning = roles.of(question)
            if meaning in SENTENCE_TASKS:
                labelled.append((mark, meaning, roles.label(answer, meaning)))
    return labelled
