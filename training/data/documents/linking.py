"""From marks to attributions and stances: what belongs together, and who is for or against whom."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, Mark
from claimstance.training.data.documents.format import OnDrop
from claimstance.training.data.documents.roles import IGNORE, Roles

#: What may be said of a span in words: whom its stance is toward, whose it is.
_NAMES = ("target", "holder")


@dataclass
class Linked:
    """Marks that are one attribution, by role."""

    parts: dict[str, list[Mark]] = field(default_factory=lambda: {role: [] for role in ROLES})

    def span(self, role: str) -> Span | None:
        """The pieces of a role, in order; ``None`` if it has none."""
        return sorted({piece for mark in self.parts[role] for piece in mark.pieces}) or None

    def holds(self, mark: Mark) -> bool:
        """Whether ``mark`` is one of the parts."""
        return any(mark is part for parts in self.parts.values() for part in parts)


@dataclass(frozen=True)
class Judged:
    """A stance before its sentence is known: a mark, a name or (a holder) nobody; ``anchor`` tells the sentence."""

    holder: Mark | str | None
    target: Mark | str
    label: str
    anchor: Mark


class Marks:
    """The marks of a document with what they mean and how they are related."""

    def __init__(self, document: Document, roles: Roles) -> None:
        self.document = document
        self.roles = roles
        self.by_name = {mark.name: mark for mark in document.marks}
        self.meaning = {mark.name: roles.of(mark.label) or "entity" for mark in document.marks}
        self._near: dict[str, list[str]] = defaultdict(list)
        for relation in document.relations:
            for end in (relation.head, relation.tail):
                if end not in self.by_name:
                    raise InputError(
                        f"{document.where}: a relation: expected the name of a span, found '{end}'"
                    )
            if (
                _stance_label(relation.label, roles) is None
            ):  # such a one says all there is to say of its ends
                self._near[relation.head].append(relation.tail)
                self._near[relation.tail].append(relation.head)

    def of(self, *meanings: str) -> list[Mark]:
        """The marks with one of ``meanings``."""
        return [mark for mark in self.document.marks if self.meaning[mark.name] in meanings]

    def related(self, mark: Mark, *meanings: str) -> list[Mark]:
        """The marks with one of ``meanings`` that a relation ties to ``mark``, whichever way it points."""
        names = dict.fromkeys(self._near[mark.name])
        return [self.by_name[name] for name in names if self.meaning[name] in meanings]

    def name_of(self, mark: Mark, question: str) -> str | None:
        """What ``mark`` is said to be called: the answer to ``question``, one of ``_NAMES``."""
        return next(
            (
                answer.strip()
                for asked, answer in mark.attributes.items()
                if self.roles.of(asked) == question and answer.strip()
            ),
            None,
        )

    @property
    def are_linked(self) -> bool:
        """Whether the document says which parts of attributions belong together."""
        return bool(self.document.events) or any(
            self.meaning[r.head] in ROLES and self.meaning[r.tail] in ROLES
            for r in self.document.relations
        )


def attributions(
    marks: Marks, nearest: bool, bounds: Sequence[tuple[int, int]]
) -> tuple[list[Linked], int, int]:
    """Return the attributions of a document, in the order of the text.

    Beside them stand the number of parts that were linked by nearness alone, and of those that could not be, because
    they overlap nearer ones.

    Parts belong together that the file says do: by an event, or by relations, where each cue makes an attribution with
    the sources and contents related to it, or (sources) to its contents. What is left is an attribution of its own.

    Args:
        marks: of the document.
        nearest: tie sources and contents to the nearest cue of their sentence: for files without any relation.
        bounds: the sentences.
    """
    found = []
    for members in marks.document.events.values():
        event = Linked()
        for name in members:
            if name in marks.by_name and marks.meaning[name] in ROLES:
                event.parts[marks.meaning[name]].append(marks.by_name[name])
        found.append(event)
    taken = {mark.name for event in found for parts in event.parts.values() for mark in parts}
    for cue in (mark for mark in marks.of("cue") if mark.name not in taken):
        contents = marks.related(cue, "content")
        sources = marks.related(cue, "source") or [
            s for c in contents for s in marks.related(c, "source")
        ]
        found.append(Linked({"source": sources, "cue": [cue], "content": contents}))
    taken |= {mark.name for event in found for parts in event.parts.values() for mark in parts}
    found += [
        Linked({"source": marks.related(mark, "source"), "cue": [], "content": [mark]})
        for mark in marks.of("content")
        if mark.name not in taken
    ]
    taken |= {mark.name for event in found for parts in event.parts.values() for mark in parts}
    found += [
        Linked({"source": [mark], "cue": [], "content": []})
        for mark in marks.of("source")
        if mark.name not in taken
    ]
    count, overlapping = _join_nearest(found, bounds) if nearest else (0, 0)
    found = [event for event in found if any(event.parts.values())]
    return (
        sorted(
            found, key=lambda e: min(p for role in ROLES for p in e.span(role) or [(1 << 60, 0)])
        ),
        count,
        overlapping,
    )


def _join_nearest(found: list[Linked], bounds: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Tie each source and content that has no cue to the nearest cue of its sentence, the longest ones first.

    A cue in a content is as a rule another attribution's, and comes after those outside of it. A part stays alone
    that overlaps the part of its role beside each cue: the pieces of a span are apart.

    Returns:
        How many parts were tied, and how many stayed alone.
    """
    cues = [event for event in found if event.parts["cue"]]
    alone = [
        (event.parts[role][0], role, event)
        for event in found
        for role in ("source", "content")
        if event.parts[role] and not event.parts["cue"]
    ]
    count = overlapping = 0
    for mark, role, event in sorted(alone, key=lambda part: -_length(part[0])):
        sentence = _sentence(mark, bounds)
        near = [cue for cue in cues if _sentence(cue.parts["cue"][0], bounds) == sentence]
        free = [cue for cue in near if not any(_overlap(mark, other) for other in cue.parts[role])]
        outside = [
            cue for cue in free if not any(_overlap(mark, other) for other in cue.parts["cue"])
        ]
        if free:
            best = min(outside or free, key=partial(_distance, mark))
            best.parts[role] += event.parts[role]
            event.parts[role] = []
            count += 1
        elif near:
            overlapping += 1
    return count, overlapping


def _length(mark: Mark) -> int:
    return sum(end - start for start, end in mark.pieces)


def _overlap(one: Mark, other: Mark) -> bool:
    """Return whether two marks that are not the same span have characters in common."""
    return one.pieces != other.pieces and any(
        start < end_of_other and start_of_other < end
        for start, end in one.pieces
        for start_of_other, end_of_other in other.pieces
    )


def _sentence(mark: Mark, bounds: Sequence[tuple[int, int]]) -> int:
    return next((i for i, (_, end) in enumerate(bounds) if mark.pieces[0][0] < end), len(bounds))


def _distance(one: Mark, event: Linked) -> int:
    other = event.parts["cue"][0]
    return max(
        0, max(one.pieces[0][0], other.pieces[0][0]) - min(one.pieces[-1][1], other.pieces[-1][1])
    )


def stances(
    marks: Marks, linked: Sequence[Linked], target: str | None, on_drop: OnDrop
) -> list[Judged]:
    """The stances of a document: from relations named after a stance, and from spans that a stance was said of.

    A stance said of a target is the holder's who is related to it; said of anything else, it is toward the targets (or
    entities) related to that, else toward ``target``. Whose it is: a source's or holder's own, else the source's of the
    attribution that the span is part of, else nobody's. Names that are said of a span (``target``, ``holder``) come
    before all that.

    Raises:
        InputError: for a stance without a target.
    """
    found = []
    for relation in marks.document.relations:
        if (label := _stance_label(relation.label, marks.roles)) is not None:
            head, tail = marks.by_name[relation.head], marks.by_name[relation.tail]
            if marks.meaning[head.name] == "target" and marks.meaning[tail.name] != "target":
                head, tail = tail, head
            found.append(
                Judged(
                    _holder(marks, linked, head), marks.name_of(tail, "target") or tail, label, tail
                )
            )
    for mark in marks.document.marks:
        for question, answer in mark.attributes.items():
            label = _answer(question, answer, marks.roles)
            if label is not None:
                found += _judged(marks, linked, mark, label, target)
            elif (meaning := marks.roles.of(question)) is None:
                on_drop(
                    f"'{question}' of a span, which has no meaning here (roles can give it one)"
                )
            elif meaning not in (IGNORE, *_NAMES, *marks.roles.labels):
                on_drop(f"'{question}' of a span: a {meaning} is marked, not said of a span")
    judged = {id(one.anchor) for one in found}
    for mark in marks.document.marks:
        if id(mark) not in judged and marks.meaning[mark.name] == "target":
            on_drop("target without a stance")
        elif id(mark) not in judged and any(marks.name_of(mark, question) for question in _NAMES):
            on_drop("the name of a target or a holder, of a span without a stance")
    return found


def has_stances(marks: Marks) -> bool:
    """Whether stances were annotated: a target or a holder is marked, or something is said to be for or against."""
    return (
        bool(marks.of("target", "holder"))
        or any(_stance_label(relation.label, marks.roles) for relation in marks.document.relations)
        or any(
            _answer(question, answer, marks.roles)
            for mark in marks.document.marks
            for question, answer in mark.attributes.items()
        )
    )


def _answer(question: str, answer: str, roles: Roles) -> str | None:
    meaning = roles.of(question)
    if meaning == "stance":
        return roles.label(answer, "stance")
    return _stance_label(answer, roles) if meaning is None else None


def _stance_label(name: str, roles: Roles) -> str | None:
    return roles.label(name, "stance") if name and roles.task_of(name) == "stance" else None


def _judged(
    marks: Marks, linked: Sequence[Linked], mark: Mark, label: str, target: str | None
) -> list[Judged]:
    meaning, holder, named = (
        marks.meaning[mark.name],
        marks.name_of(mark, "holder"),
        marks.name_of(mark, "target"),
    )
    if meaning == "target" or (meaning == "entity" and not marks.related(mark, "target")):
        whose: Mark | str | None = holder or next(
            iter(marks.related(mark, "holder", "source")),
            next(
                (_holder(marks, linked, other) for other in marks.related(mark, "cue", "content")),
                None,
            ),
        )
        return [Judged(whose, named or mark, label, mark)]
    targets: Sequence[Mark | str] = (
        [named] if named else marks.related(mark, "target") or marks.related(mark, "entity")
    )
    if not targets and target is not None:
        targets = [target]
    if not targets:
        raise InputError(
            f"{mark.where or marks.document.where}: stance '{shorten(label)}': expected a target (a "
            "related span, or one for the file), found none"
        )
    whose = holder or _holder(marks, linked, mark)
    return [Judged(whose, one, label, one if isinstance(one, Mark) else mark) for one in targets]


def _holder(marks: Marks, linked: Sequence[Linked], mark: Mark) -> Mark | None:
    if marks.meaning[mark.name] in ("holder", "source", "entity"):
        return mark
    related = marks.related(mark, "holder")
    sources = [source for event in linked if event.holds(mark) for source in event.parts["source"]]
    return next(iter([*related, *sources]), None)


def labels_of(marks: Marks) -> list[tuple[Mark, str, str]]:
    """(mark, sentence task, label) of every mark that says something of the sentences it touches."""
    roles = marks.roles
    found = [
        (mark, task, roles.yes_no(task, True)) for task in SENTENCE_TASKS for mark in marks.of(task)
    ]
    for mark in marks.document.marks:
        for question, answer in mark.attributes.items():
            task = roles.of(question)
            if task in SENTENCE_TASKS:
                found.append((mark, task, roles.label(answer, task)))
    return found
