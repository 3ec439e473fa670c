"""What the page of an evaluation tells of each task: figures, kinds of errors, pictures, parts, the worst errors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimstance.model.config import ModelConfig
from claimstance.training.evaluation.answers import Answers
from claimstance.training.evaluation.cases import LabelCase, SpanCase, answers_of
from claimstance.training.evaluation.counts import Outcome
from claimstance.training.evaluation.evaluate import PRIMARY
from claimstance.training.evaluation.metrics import Figure
from claimstance.training.evaluation.page.groups import Groups, by_outlet, by_target
from claimstance.training.evaluation.page.pictures import (
    Picture,
    Run,
    precision_recall_picture,
    reliability_diagram,
    risk_picture,
)
from claimstance.training.evaluation.page.worst import (
    Question,
    Sentence,
    worst_answers,
    worst_sentences,
)
from claimstance.training.evaluation.reliability import RANKED, claims, given
from claimstance.training.evaluation.span_errors import KINDS, summed, wrong

LINKED = "linked attributions"  # beside the roles
_SCORES = ("precision", "recall", "f1")
_MAIN = ("accuracy", "average_precision")  # besides what training is steered by


@dataclass(frozen=True)
class Row:
    """A figure, and what people reach; ``metric`` as in ``evaluation.json``."""

    metric: str
    figure: Figure
    people: float | None


@dataclass(frozen=True)
class Part:
    """Precision, recall and F1 of a label, or of a role; ``n`` is how many are annotated, if that can be told."""

    name: str
    n: int | None
    scores: list[Figure]
    people: float | None


@dataclass(frozen=True)
class Matrix:
    """How often each label was taken for each: ``counts[gold][said]``, and the ``shares`` of each row."""

    labels: tuple[str, ...]
    counts: list[list[int]]
    shares: list[list[float]]


@dataclass(frozen=True)
class Kinds:
    """Label → kind of error → how many spans; ``commonest``: (label, kind, how many), most first."""

    counts: dict[str, dict[str, int]]
    commonest: list[tuple[str, str, int]]


@dataclass(frozen=True)
class Section:
    """A task of a corpus, as the page tells of it.

    Attributes:
        anchor: none other's.
        corpus: whose sentences they are.
        task: what was asked.
        n: items that figures count.
        documents: whose sentences they are of.
        primary: what training is steered by.
        main: the main figures.
        parts: precision, recall and F1.
        more: all other figures.
        matrix: which label was taken for which; ``None`` for spans.
        kinds: what errors there are; ``None`` for labels.
        pictures: kind of question → its pictures.
        groups: figures by target and by outlet, where these are known.
        asked: questions, or sentences.
        errors: of these, how many have one.
        answers: the worst of them, of questions.
        sentences: the worst of them, of sentences.
    """

    anchor: str
    corpus: str
    task: str
    n: int
    documents: int
    primary: list[Row]
    main: list[Row]
    parts: list[Part]
    more: list[Row]
    matrix: Matrix | None
    kinds: Kinds | None
    pictures: dict[str, list[Picture]]
    groups: list[Groups]
    asked: int
    errors: int
    answers: list[Question]
    sentences: list[Sentence]


def section(
    number: int,
    name: str,
    account: Mapping[str, Any],
    outcome: Outcome,
    config: ModelConfig,
    cases: Sequence[LabelCase] | Sequence[SpanCase],
) -> Section:
    """The section of one ``corpus/task``; ``number`` is none other's."""
    corpus, _, task = name.rpartition("/")
    anchor = f"t{number}"
    figures = {metric: Figure(**each) for metric, each in account["results"][name].items()}
    people = {
        metric: each["value"] for metric, each in account.get("people", {}).get(name, {}).items()
    }
    rows = [Row(metric, figure, people.get(metric)) for metric, figure in figures.items()]
    questions = [case for case in cases if isinstance(case, LabelCase)]
    sentences = [case for case in cases if isinstance(case, SpanCase)]
    matrix = _matrix(outcome) if outcome.kind == "labels" else None
    targets = by_target(outcome.labels, questions) if task == "stance" else None
    return Section(
        anchor,
        corpus,
        task,
        int(outcome.sizes.sum()),
        len(outcome.documents),
        primary=[row for row in rows if row.metric in PRIMARY[task]],
        main=[row for row in rows if row.metric in (*PRIMARY[task], *_MAIN)],
        parts=list(_parts(figures, people, matrix)),
        more=[
            row
            for row in rows
            if row.metric not in (*PRIMARY[task], *_MAIN)
            and row.metric.rpartition(".")[2] not in _SCORES
        ],
        matrix=matrix,
        kinds=_kinds(sentences, outcome) if sentences else None,
        pictures=_pictures(anchor, task, config, answers_of(outcome.labels, questions))
        if questions
        else {},
        groups=[groups for groups in (targets, by_outlet(outcome, cases)) if groups],
        asked=len(cases),
        errors=sum(not case.right for case in questions)
        + sum(bool(wrong(case.errors)) for case in sentences),
        answers=worst_answers(questions),
        sentences=worst_sentences(sentences),
    )


def _parts(
    figures: Mapping[str, Figure], people: Mapping[str, float], matrix: Matrix | None
) -> Iterator[Part]:
    sizes = dict(zip(matrix.labels, map(sum, matrix.counts), strict=True)) if matrix else {}
    for metric in figures:
        if metric.rpartition(".")[2] == "precision":
            name = metric.removesuffix("precision").removesuffix(".")
            keys = [f"{name}.{score}".removeprefix(".") for score in _SCORES]
            yield Part(name, sizes.get(name), [figures[key] for key in keys], people.get(keys[-1]))


def _matrix(outcome: Outcome) -> Matrix:
    counts = outcome.counts.sum(axis=0)
    shares = counts / np.clip(counts.sum(axis=1, keepdims=True), 1, None)
    return Matrix(outcome.labels, counts.astype(int).tolist(), shares.tolist())


def _kinds(cases: Sequence[SpanCase], outcome: Outcome) -> Kinds:
    found = summed(case.errors for case in cases)
    commonest = [(*key, n) for key, n in found.most_common() if key[1] != "right"]
    if outcome.kind == "attribution":
        right, said, gold = outcome.counts.sum(axis=0)[-1].astype(int).tolist()
        found.update(
            {
                (LINKED, "right"): right,
                (LINKED, "missed"): gold - right,
                (LINKED, "spurious"): said - right,
            }
        )
    labels = list(dict.fromkeys(label for label, _ in found))
    counts = {label: {kind: found[label, kind] for kind in KINDS} for label in labels}
    return Kinds(counts, commonest[:3])


def _pictures(
    anchor: str, task: str, config: ModelConfig, answers: Answers
) -> dict[str, list[Picture]]:
    """Kind of question → its pictures: what is promised differs from kind to kind."""
    found = {}
    for number, (kind, some) in enumerate(answers.by_kind().items()):
        name = f"{anchor}k{number}"
        pictures: list[Picture | None] = [
            reliability_diagram(f"{name}r", [Run(*claims(some, task))]),
            risk_picture(f"{name}c", [Run(some.confidence, some.right, given=given(some, config))]),
        ]
        if task in RANKED:
            pictures.append(
                precision_recall_picture(
                    f"{name}p",
                    [
                        Run(
                            *claims(some, task),
                            threshold=config.thresholds_of(task)[some.labels[-1]],
                        )
                    ],
                )
            )
        found[kind] = [picture for picture in pictures if picture]
    return found
