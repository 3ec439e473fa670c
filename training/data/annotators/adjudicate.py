"""One record from several annotators' annotations of a sentence.

Annotators vote on labels, but not on spans: the tokens that most annotators marked may be no annotator's span, and a
vote would break the links of a source to its cue and content. All spans of a sentence are therefore those of the one
annotator who agrees best with the others.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from claimstance.model.errors import ConfigError, InputError, unknown
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS
from claimstance.model.record import Record, Stance
from claimstance.training.data.annotators.questions import (
    Question,
    majority,
    question_of,
    stance_answers,
)
from claimstance.training.data.annotators.token_roles import (
    attribution_roles,
    entity_roles,
    overlap,
)
from claimstance.training.data.soft_labels import SoftLabels

WAYS = ("majority", "soft", "adjudicator")
ANNOTATORS = "annotators"  # the key of ``meta`` that keeps every annotator's annotation

OnTie = Callable[[str], None]


def adjudicate(
    records: Sequence[Record],
    how: str,
    adjudicator: str | None,
    labels: Mapping[str, Sequence[str]],
    on_tie: OnTie | None = None,
) -> tuple[Record, SoftLabels]:
    """Return one record from the annotations of one sentence.

    A field that is ``None`` was not annotated and does not vote; an empty list is an annotation and votes.

    The label of a sentence or a stance is the one with the most votes. On a tie there is no label, and the stance is
    left out unless its probabilities are kept. Stances of all annotators are grouped by question (see ``question_of``).

    Attributions are those of the annotator whose tokens agree best with the others' (mean F1 over roles), and so are
    entities. If several agree equally well, the first by name is chosen. Each sentence has its own choice, so that the
    events of attributions over several sentences begin with the annotator's name.

    Args:
        records: annotations of one text, each by another annotator. A single one is returned unchanged.
        how: ``majority``; ``soft``, which also keeps the shares of the labels; or ``adjudicator``.
        adjudicator: the annotator whose record is returned if there is one; otherwise the majority decides.
        labels: task → label names; a task that is absent has its default labels.
        on_tie: called with the task for each label that is tied, and with ``attribution`` or ``entity`` if annotators
            with different spans agree equally well with the others.

    Returns:
        The record and its soft labels. The record has the first one's ``id``, ``doc_id``, ``start``, ``text`` and
        ``meta``, and the fields of each annotator under ``annotators`` in its ``meta``; its ``annotator`` is ``None``
        unless it is the adjudicator's. The soft labels are the shares of each sentence task's labels, (labels,), if
        ``soft``; the shares of a stance's labels are its ``probabilities``.

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

    fields: dict[str, Any] = {
        "id": first.id,
        "doc_id": first.doc_id,
        "start": first.start,
        "meta": first.meta | {ANNOTATORS: annotated_fields(records)},
    }
    if adjudicator is not None:
        for record in records:
            if record.annotator == adjudicator:
                return record.model_copy(update=fields), {}
    merged, soft_labels = _merge(records, how == "soft", labels, on_tie or (lambda task: None))
    return first.model_copy(update=fields | merged), soft_labels


def annotated_fields(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return annotator → the annotated fields, as plain JSON.

    An annotator without a name is called by a number, such as ``#1``. A stance has its holder, target and label, and an
    attribution has the roles that are not ``None``.
    """
    by_annotator = {}
    for number, record in enumerate(records, 1):
        fields = record.model_dump(
            mode="json", include={*SENTENCE_TASKS, "attributions", "entities", "stances"}
        )
        if fields["attributions"] is not None:
            fields["attributions"] = [_without_none(item) for item in fields["attributions"]]
        for stance in fields["stances"] or ():
            del stance["probabilities"]
        by_annotator[_display_name(record, number)] = _without_none(fields)
    return by_annotator


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _display_name(record: Record, number: int) -> str:
    return record.annotator if record.annotator is not None else f"#{number}"


def _merge(
    records: Sequence[Record], soft: bool, labels: Mapping[str, Sequence[str]], on_tie: OnTie
) -> tuple[dict[str, Any], SoftLabels]:
    """Return the fields of the merged record, and the shares of its sentence labels if ``soft``.

    Args:
        records: the annotations of one sentence.
        soft: whether to keep the shares of the labels.
        labels: task → label names.
        on_tie: called with the task for each tie.
    """
    fields: dict[str, Any] = {"annotator": None, "attributions": None, "entities": None}
    best = _best_annotation(records, "attribution", on_tie)
    if best is not None:
        fields["attributions"] = []
        for attribution in best.record.attributions or ():
            if attribution.event is not None:
                # Another annotator's attribution may go by the same name in the next sentence.
                event = f"{best.name}/{attribution.event}"
                attribution = attribution.model_copy(update={"event": event})
            fields["attributions"].append(attribution)
    best = _best_annotation(records, "entity", on_tie)
    if best is not None:
        fields["entities"] = best.record.entities

    soft_labels: SoftLabels = {}
    for task in SENTENCE_TASKS:
        votes: Counter[str] = Counter()
        for record in records:
            label = getattr(record, task)
            if label is not None:
                votes[label] += 1
        fields[task] = _most_votes(votes, task, on_tie)
        if soft and votes:
            names = labels.get(task, DEFAULT_LABELS[task])
            shares = _shares(votes, names, f"{records[0].id}: {task}")
            soft_labels[task] = np.array(list(shares.values()), dtype=np.float32)

    stance_labels = None
    if soft:
        stance_labels = labels.get("stance", DEFAULT_LABELS["stance"])
    fields["stances"] = _vote_on_stances(records, stance_labels, on_tie)
    return fields, soft_labels


def _most_votes(votes: Counter[str], task: str, on_tie: OnTie) -> str | None:
    """Return the label with the most votes; ``None`` if there are none, or on a tie."""
    label = majority(votes)
    if votes and label is None:
        on_tie(task)
    return label


def _shares(votes: Counter[str], names: Sequence[str], location: str) -> dict[str, float]:
    """Return label → its share of the votes, in the order of ``names``."""
    unknown_labels = votes.keys() - set(names)
    if unknown_labels:
        raise InputError(f"{location}: {unknown('label', min(unknown_labels), names)}")
    return {name: votes[name] / votes.total() for name in names}


def _vote_on_stances(
    records: Sequence[Record], names: Sequence[str] | None, on_tie: OnTie
) -> list[Stance] | None:
    """Return one stance for each question, with the shares of the labels ``names`` unless they are ``None``."""
    if all(record.stances is None for record in records):
        return None

    # Annotators may word a question differently: the first wording stays.
    first_wording: dict[Question, Stance] = {}
    votes: dict[Question, Counter[str]] = {}
    for record in records:
        for stance in record.stances or ():
            first_wording.setdefault(question_of(stance), stance)
        for question, answer in stance_answers(record).items():
            votes.setdefault(question, Counter())[answer] += 1

    stances = []
    for question, stance in first_wording.items():
        if question not in votes:
            if stance.label is None:  # nobody answered the question
                stances.append(stance)
            else:  # an annotator answered it in two ways
                on_tie("stance")
            continue

        label = _most_votes(votes[question], "stance", on_tie)
        shares = None
        if names is not None:
            shares = _shares(votes[question], names, f"{records[0].id}: stance")
        if label is None and shares is None:
            continue
        stances.append(
            Stance(holder=stance.holder, target=stance.target, label=label, probabilities=shares)
        )
    return stances


@dataclass(frozen=True)
class _SpanAnnotation:
    """Represent one annotator's spans of a task.

    Attributes:
        name: the name of the annotator.
        record: the annotation.
        roles: the role of each token.
        spans: the spans, in a form that is equal where two annotators marked the same.
    """

    name: str
    record: Record
    roles: list[str]
    spans: list[str]


def _best_annotation(
    records: Sequence[Record], task: Literal["attribution", "entity"], on_tie: OnTie
) -> _SpanAnnotation | None:
    """Return the annotation whose spans agree best with the others'.

    Args:
        records: the annotations of one sentence.
        task: the task whose spans are compared.
        on_tie: called with the task if annotators with different spans agree equally well with the others.

    Returns:
        The first by name if several agree equally well; ``None`` if nobody annotated the task.
    """
    annotations = []
    for number, record in enumerate(records, 1):
        if task == "attribution" and record.attributions is not None:
            [roles] = attribution_roles([record])
            spans = []
            for attribution in record.attributions:
                # The name of the event does not matter.
                pieces = (attribution.source, attribution.cue, attribution.content)
                spans.append(repr(pieces))
        elif task == "entity" and record.entities is not None:
            roles = entity_roles(record)
            spans = [repr(entity) for entity in record.entities]
        else:
            continue
        name = _display_name(record, number)
        annotations.append(_SpanAnnotation(name, record, roles, sorted(spans)))
    if not annotations:
        return None

    agreements = []  # of each annotation, the sum over the others
    for annotation in annotations:
        agreement = 0.0
        for other in annotations:
            if other is not annotation:
                agreement += overlap(annotation.roles, other.roles)
        agreements.append(agreement)

    # Sums of the same numbers in another order differ by rounding.
    lowest_tie = max(agreements) - 1e-9
    ties = []
    for annotation, agreement in zip(annotations, agreements, strict=True):
        if agreement > lowest_tie:
            ties.append(annotation)
    # Annotators who marked the same spans agree equally well, and it does not matter who is chosen.
    if any(annotation.spans != ties[0].spans for annotation in ties):
        on_tie(task)
    return min(ties, key=lambda annotation: annotation.name)
