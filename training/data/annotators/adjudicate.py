"""One record from several annotators' annotations of a sentence.

Labels are voted on. Spans are not: tokens that most annotators marked need not be anybody's span, and the links of a
source to its cue and content would be torn. What one annotator marked is taken whole: of the annotator who agrees best
with the others.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS
from claimstance.model.record import Attribution, Record, Stance
from claimstance.training.data.annotators.questions import Question, question_of, stance_answers
from claimstance.training.data.annotators.token_roles import (
    attribution_roles,
    entity_roles,
    overlap,
)
from claimstance.training.data.soft_labels import SoftLabels

WAYS = ("majority", "soft", "adjudicator")
ANNOTATORS = "annotators"  # the key of ``meta`` under which everybody's annotation is kept

OnTie = Callable[[str], None]


def adjudicate(
    records: Sequence[Record],
    how: str,
    adjudicator: str | None,
    labels: Mapping[str, Sequence[str]],
    on_tie: OnTie | None = None,
) -> tuple[Record, SoftLabels]:
    """One record from the annotations of one sentence.

    A field that is ``None`` was not annotated and does not vote; an empty list says that there are none, and does. A
    sentence's label and a stance's are those that most give who answer; on a tie there is no label, and the stance is
    left out unless its probabilities are kept. Stances of all are put together by question (see ``question_of``).
    Attributions, and entities, are those of the annotator whose tokens agree best with the others' (mean F1 over
    roles), the first by name of those who agree alike; they are chosen sentence by sentence, and the names of
    attributions that run over several sentences are kept apart by annotator.

    Args:
        records: annotations of one text, each by another annotator. If there is one, it is the result as it is.
        how: ``majority``; ``soft``, which also keeps how annotators divide; or ``adjudicator``.
        adjudicator: whose record is taken whole where there is one; else it is as by ``majority``.
        labels: task → label names; the default ones of a task that is absent.
        on_tie: called with the task for each label that is tied, and with ``attribution`` or ``entity`` where
            annotators agree alike who marked different spans.

    Returns:
        The record, with the first's ``id``, ``doc_id``, ``start``, ``text`` and ``meta``, in which ``annotators`` says
        what each of them said; its ``annotator`` is ``None`` unless one's record is taken whole. And, if ``soft``, the
        shares of each task's labels, (labels,), as soft labels; those of stances are their ``probabilities``.

    Raises:
        ConfigError: for another ``how``, or if it does not go with ``adjudicator``.
        InputError: for a label that is not in ``labels``, or no record.
    """
    if how not in WAYS:
        raise ConfigError(f"adjudicate: {unknown('way', how, WAYS)}")
    if (how == "adjudicator") != (adjudicator is not None):
        raise ConfigError(
            "expected adjudicator: NAME and adjudicate: adjudicator together, found one of them"
        )
    if not records:
        raise InputError("expected at least one annotation of a sentence, found none")
    first = records[0]
    if len(records) == 1:
        return first, {}
    kept: dict[str, Any] = {
        "id": first.id,
        "doc_id": first.doc_id,
        "start": first.start,
        "meta": first.meta | {ANNOTATORS: said(records)},
    }
    whole = next(
        (
            record
            for record in records
            if adjudicator is not None and record.annotator == adjudicator
        ),
        None,
    )
    if whole is not None:
        return whole.model_copy(update=kept), {}
    tell = on_tie or (lambda task: None)
    kept |= {
        "annotator": None,
        "attributions": _attributions(records, tell),
        "entities": _entities(records, tell),
    }
    soft: SoftLabels = {}
    for task in SENTENCE_TASKS:
        votes = Counter(label for record in records if (label := getattr(record, task)) is not None)
        kept[task] = _most(votes, task, tell)
        if how == "soft" and votes:
            shares = _shares(votes, _names(labels, task), f"{first.id}: {task}")
            soft[task] = np.array(list(shares.values()), dtype=np.float32)
    kept["stances"] = _stances(records, _names(labels, "stance"), how == "soft", tell)
    return first.model_copy(update=kept), soft


def said(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Annotator → the fields that they annotated, as plain JSON; who is not named goes by a number, as ``#1``.

    Of a stance its holder, target and label are told, of an attribution its parts.
    """
    found = {}
    for number, record in enumerate(records, 1):
        fields = record.model_dump(
            mode="json", include={*SENTENCE_TASKS, "attributions", "entities", "stances"}
        )
        for attribution in fields["attributions"] or ():
            for part in [part for part, value in attribution.items() if value is None]:
                del attribution[part]
        for stance in fields["stances"] or ():
            del stance["probabilities"]
        found[_name(record, number)] = {
            field: value for field, value in fields.items() if value is not None
        }
    return found


def _name(record: Record, number: int) -> str:
    return record.annotator if record.annotator is not None else f"#{number}"


def _names(labels: Mapping[str, Sequence[str]], task: str) -> Sequence[str]:
    return labels.get(task, DEFAULT_LABELS[task])


def _most(votes: Counter[str], task: str, tell: OnTie) -> str | None:
    """The label with the most votes; ``None`` if there are none, or if it is not alone."""
    best = votes.most_common(2)
    if len(best) == 2 and best[0][1] == best[1][1]:
        tell(task)
        return None
    return best[0][0] if best else None


def _shares(votes: Counter[str], names: Sequence[str], where: str) -> dict[str, float]:
    if strange := votes.keys() - set(names):
        raise InputError(f"{where}: {unknown('label', min(strange), names)}")
    return {name: votes[name] / votes.total() for name in names}


def _stances(
    records: Sequence[Record], names: Sequence[str], soft: bool, tell: OnTie
) -> list[Stance] | None:
    if all(record.stances is None for record in records):
        return None
    asked: dict[Question, Stance] = {}  # as who asked first put it
    votes: dict[Question, Counter[str]] = {}
    for record in records:
        for stance in record.stances or ():
            asked.setdefault(question_of(stance), stance)
        for question, answer in stance_answers(record).items():
            votes.setdefault(question, Counter())[answer] += 1
    found = []
    for question, stance in asked.items():
        if question in votes:
            label = _most(votes[question], "stance", tell)
            shares = _shares(votes[question], names, f"{records[0].id}: stance") if soft else None
            if label is not None or shares is not None:
                found.append(
                    Stance(
                        holder=stance.holder,
                        target=stance.target,
                        label=label,
                        probabilities=shares,
                    )
                )
        elif stance.label is None:  # asked and not answered
            found.append(stance)
        else:  # who answered did so in two ways
            tell("stance")
    return found


def _attributions(records: Sequence[Record], tell: OnTie) -> list[Attribution] | None:
    there = [
        (_name(record, i), record)
        for i, record in enumerate(records, 1)
        if record.attributions is not None
    ]
    chosen = _best(
        there,
        [attribution_roles([record])[0] for _, record in there],
        [_parts(record) for _, record in there],
        "attribution",
        tell,
    )
    if chosen is None:
        return None
    name, record = there[chosen]
    # Another annotator's attribution may go by the same name in the next sentence.
    return [
        attribution.model_copy(update={"event": f"{name}/{attribution.event}"})
        if attribution.event is not None
        else attribution
        for attribution in record.attributions or ()
    ]


def _parts(record: Record) -> list[Any]:
    return sorted(repr((a.source, a.cue, a.content)) for a in record.attributions or ())


def _entities(records: Sequence[Record], tell: OnTie) -> list[Any] | None:
    there = [
        (_name(record, i), record)
        for i, record in enumerate(records, 1)
        if record.entities is not None
    ]
    chosen = _best(
        there,
        [entity_roles(record) for _, record in there],
        [sorted(map(repr, record.entities or ())) for _, record in there],
        "entity",
        tell,
    )
    return None if chosen is None else there[chosen][1].entities


def _best(
    there: Sequence[tuple[str, Record]],
    roles: Sequence[Sequence[str]],
    spans: Sequence[object],
    task: str,
    tell: OnTie,
) -> int | None:
    """Whose spans agree best with the others'; of those who agree alike, the first by name. ``None`` if there is none.

    Args:
        there: annotators who annotated the task.
        roles: what each token is to each of them.
        spans: something that is equal where two marked the same.
        task: told of, if others agree alike who marked something else.
        tell: see ``adjudicate``.
    """
    if not there:
        return None
    means = [
        sum(overlap(one, other) for j, other in enumerate(roles) if j != i)
        for i, one in enumerate(roles)
    ]
    alike = [i for i, mean in enumerate(means) if mean > max(means) - 1e-9]
    if any(spans[i] != spans[alike[0]] for i in alike):
        tell(task)
    return min(alike, key=lambda i: there[i][0])
