"""Linking of stances to their holders and targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claimstance.model.errors import InputError, shorten
from claimstance.training.data.documents.document import Mark
from claimstance.training.data.documents.format import OnDrop
from claimstance.training.data.documents.linking import LinkedAttribution, Marks
from claimstance.training.data.documents.roles import IGNORE, Roles

#: Attributes of a mark whose value is a name: the target or the holder of its stance.
_NAME_QUESTIONS = ("target", "holder")


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
        label = marks.roles.stance_label(relation.label)
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
    if any(marks.roles.stance_label(relation.label) for relation in marks.document.relations):
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
        return roles.stance_label(answer)
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
