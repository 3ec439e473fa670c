"""The marks of a document with their relations, and the linking of marks to attributions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from claimstance.model.errors import InputError
from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, Mark
from claimstance.training.data.documents.roles import Roles


@dataclass
class LinkedAttribution:
    """Represent the marks that form one attribution, by role."""

    marks: dict[str, list[Mark]] = field(default_factory=lambda: {role: [] for role in ROLES})

    def span(self, role: str) -> Span | None:
        """Return the pieces of a role in order; ``None`` if it has none."""
        pieces: set[tuple[int, int]] = set()  # marks of one role may have the same piece
        for mark in self.marks[role]:
            pieces.update(mark.pieces)
        return sorted(pieces) or None

    def contains(self, mark: Mark) -> bool:
        """Return whether a mark belongs to this attribution."""
        return any(mark is member for members in self.marks.values() for member in members)

    @property
    def first_piece(self) -> tuple[int, int]:
        """Return the piece with which the attribution begins in the text."""
        pieces: Span = []
        for marks in self.marks.values():
            for mark in marks:
                pieces += mark.pieces
        return min(pieces)


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
            if roles.stance_label(relation.label) is None:
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
        for relation in self.document.relations:
            # Relations between other marks, such as coreference of entities, say nothing about roles.
            if self.meaning[relation.head] in ROLES and self.meaning[relation.tail] in ROLES:
                return True
        return False


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
    with_cue: dict[int, list[LinkedAttribution]] = defaultdict(list)  # sentence → attributions
    orphans = []
    for attribution in linked:
        if attribution.marks["cue"]:
            sentence = _sentence(attribution.marks["cue"][0], bounds)
            with_cue[sentence].append(attribution)
            continue
        for role in ("source", "content"):
            if attribution.marks[role]:
                mark = attribution.marks[role][0]
                length = sum(end - start for start, end in mark.pieces)
                orphans.append((length, mark, role, attribution))

    # A nested mark must not take the cue of the mark around it, which is longer.
    orphans.sort(key=lambda orphan: orphan[0], reverse=True)
    count = overlapping = 0
    for _, mark, role, attribution in orphans:
        in_sentence = with_cue[_sentence(mark, bounds)]
        possible, outside = [], []
        for candidate in in_sentence:
            if _overlaps_any(mark, candidate.marks[role]):
                continue
            possible.append(candidate)
            # A cue within a content usually belongs to another attribution.
            if not _overlaps_any(mark, candidate.marks["cue"]):
                outside.append(candidate)

        if possible:
            nearest = min(
                outside or possible,
                key=lambda candidate: _distance(mark, candidate.marks["cue"][0]),
            )
            nearest.marks[role] += attribution.marks[role]
            attribution.marks[role] = []
            count += 1
        elif in_sentence:
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
