"""The page of two evaluations beside each other: which differences are more than chance, and where the two disagree."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimstance.model.errors import InputError
from claimstance.training.evaluation.cases import (
    CASES_FILE,
    Cases,
    LabelCase,
    SpanCase,
    answers_of,
    read_cases,
)
from claimstance.training.evaluation.page.page import PAGES
from claimstance.training.evaluation.page.pictures import (
    Picture,
    Run,
    differences_picture,
    reliability_diagram,
    risk_picture,
)
from claimstance.training.evaluation.page.worst import Question, Sentence, question, sentence
from claimstance.training.evaluation.reliability import claims
from claimstance.training.evaluation.span_errors import KINDS, summed, wrong

MOST = 5  # cases of a task that are shown where one run is right and the other is not
RUNS = ("A", "B")


@dataclass(frozen=True)
class Disagreement:
    """Where two runs disagree on a task.

    Attributes:
        anchor: none other's.
        corpus: whose sentences they are.
        task: what was asked.
        n: questions, or sentences.
        right: of questions, how many both have right, A alone, B alone, neither; empty for spans.
        kinds: label → kind of error → how many spans of A, and of B; empty for questions.
        pictures: kind of question → both runs in one picture.
        questions: those A alone has right, and those B alone has; the farthest apart first.
        sentences: those in which A has fewer errors, and those in which B has; the farthest apart first.
        better: how many there are of each.
    """

    anchor: str
    corpus: str
    task: str
    n: int
    right: list[int]
    kinds: dict[str, dict[str, tuple[int, int]]]
    pictures: dict[str, list[Picture]]
    questions: tuple[list[Question], list[Question]]
    sentences: tuple[list[Sentence], list[Sentence]]
    better: tuple[int, int]


def comparison_page(comparison: Mapping[str, Any], folder_a: Path, folder_b: Path) -> Iterator[str]:
    """The page, in pieces, of what ``compare`` found in two folders.

    Raises:
        InputError: if the cases of one are not those of the other.
    """
    folders = (folder_a, folder_b)
    lacking = [
        name
        for name, folder in zip(RUNS, folders, strict=True)
        if not (folder / CASES_FILE).is_file()
    ]
    rows = comparison["rows"]
    shown = [
        tuple(row[key] for key in ("difference", "low", "high", "significant")) for row in rows
    ]
    return PAGES.render(
        "comparison.html",
        {
            "comparison": comparison,
            "runs": RUNS,
            "lacking": lacking,
            "cases_file": CASES_FILE,
            "drawn": differences_picture("all", shown) if rows else "",
            "sections": [] if lacking else disagreements(folders, *map(read_cases, folders)),
        },
    )


def disagreements(folders: tuple[Path, Path], a: Cases, b: Cases) -> list[Disagreement]:
    """Where two runs disagree, on each task that both have."""
    found = []
    for number, name in enumerate((name for name in a if name in b), 1):
        _check_same(folders, name, a[name], b[name])
        make: Any = _of_labels if isinstance(a[name][0], LabelCase) else _of_spans
        found.append(make(f"t{number}", name, a[name], b[name]))
    return found


def _check_same(folders: tuple[Path, Path], name: str, a: Sequence[Any], b: Sequence[Any]) -> None:
    keys = [
        [(type(case), case.record.id, getattr(case, "gold", None)) for case in some]
        for some in (a, b)
    ]
    if keys[0] != keys[1]:
        raise InputError(
            f"{folders[1] / CASES_FILE}, {name}: expected the cases of {folders[0] / CASES_FILE} in their "
            "order, found others: evaluate both again"
        )


def _of_labels(
    anchor: str, name: str, a: Sequence[LabelCase], b: Sequence[LabelCase]
) -> Disagreement:
    corpus, _, task = name.rpartition("/")
    pairs = list(zip(a, b, strict=True))
    right = Counter((one.right, other.right) for one, other in pairs)
    outcomes = ((True, True), (True, False), (False, True), (False, False))

    def gap(pair: tuple[LabelCase, LabelCase]) -> float:
        return -abs(pair[0].probabilities[pair[0].gold] - pair[1].probabilities[pair[1].gold])

    alone = [
        sorted((pair for pair in pairs if (pair[0].right, pair[1].right) == which), key=gap)[:MOST]
        for which in outcomes[1:3]
    ]
    return Disagreement(
        anchor,
        corpus,
        task,
        len(pairs),
        [right[which] for which in outcomes],
        {},
        _pictures(anchor, task, a, b),
        questions=([question(*pair) for pair in alone[0]], [question(*pair) for pair in alone[1]]),
        sentences=([], []),
        better=(right[True, False], right[False, True]),
    )


def _pictures(
    anchor: str, task: str, a: Sequence[LabelCase], b: Sequence[LabelCase]
) -> dict[str, list[Picture]]:
    """By kind of question; both runs have the same ones, unless they find other mentions: then none of that kind."""
    sides = [answers_of(list(some[0].probabilities), some).by_kind() for some in (a, b)]
    found = {}
    for number, kind in enumerate(kind for kind in sides[0] if kind in sides[1]):
        both = [(name, side[kind]) for name, side in zip(RUNS, sides, strict=True)]
        found[kind] = [
            reliability_diagram(
                f"{anchor}k{number}r", [Run(*claims(some, task), name) for name, some in both]
            ),
            risk_picture(
                f"{anchor}k{number}c",
                [Run(some.confidence, some.right, name) for name, some in both],
            ),
        ]
    return found


def _of_spans(anchor: str, name: str, a: Sequence[SpanCase], b: Sequence[SpanCase]) -> Disagreement:
    corpus, _, task = name.rpartition("/")
    sums = [summed(case.errors for case in some) for some in (a, b)]
    labels = list(dict.fromkeys(label for errors in sums for label, _ in errors))
    kinds = {
        label: {kind: (sums[0][label, kind], sums[1][label, kind]) for kind in KINDS}
        for label in labels
    }
    gaps = [
        (wrong(other.errors) - wrong(one.errors), one, other)
        for one, other in zip(a, b, strict=True)
    ]
    ahead = [
        sorted((gap for gap in gaps if sign * gap[0] > 0), key=lambda gap: -abs(gap[0]))
        for sign in (1, -1)
    ]
    shown = [[sentence(*pair) for _, *pair in some[:MOST]] for some in ahead]
    return Disagreement(
        anchor,
        corpus,
        task,
        len(gaps),
        [],
        kinds,
        {},
        ([], []),
        (shown[0], shown[1]),
        better=(len(ahead[0]), len(ahead[1])),
    )
