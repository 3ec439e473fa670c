"""Check that a bundled model answers plain sentences as a reader would, whatever names they contain.

    python benchmarks/behaviour.py

Asks what behaviour_seen.yaml and behaviour_unseen.yaml list, each sentence with twelve sets of names, and writes
behaviour.json and behaviour.md beside this file. These are tests of behaviour in the sense of Ribeiro et al. 2020
(CheckList): they show what a model cannot do, not how often that matters in the news. Nothing of it is trained on. What
fails is told of the first file alone: whoever works on the model must not read the second.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from figures_head import figures_folder, head

from claimstance.inference.writers.text import open_output
from claimstance.model.errors import ClaimstanceError, ConfigError, InputError
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.prediction import Prediction, predict
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.metrics import bootstrap

HERE = Path(__file__).parent
PARTS = ("seen", "unseen")
#: Invented but for the countries. Four of one kind fill a sentence.
NAMES = {
    "people": ("Novak", "Hale", "Ortiz", "Lindqvist", "Okafor", "Brandeis"),
    "people with a title": (
        "Senator Novak",
        "Governor Hale",
        "Mayor Ortiz",
        "Judge Lindqvist",
        "President Okafor",
        "Minister Brandeis",
    ),
    "organizations": (
        "the Farmers' Union",
        "the Halvern Institute",
        "the Teachers' League",
        "the Ostrow Authority",
        "the Kettner Alliance",
        "the Dunmore Foundation",
    ),
    "countries": ("France", "Kenya", "Peru", "Norway", "Russia", "Japan"),
}
FILLINGS = 3  # of each kind of name
_QUESTION = re.compile(
    r"(?:(?P<holder>[A-D]) )?> (?P<target>[A-D]) (?P<negated>not )?(?P<label>[a-z]+)"
    r"|says (?P<source>[A-D]|nobody)"
)


@dataclass(frozen=True)
class Case:
    """A sentence with names in it, and one question about it.

    Attributes:
        part: which of the two files it stands in.
        group: of sentences, as the file calls it.
        template: the sentence before names were put in.
        question: as the file asks it.
        text: the sentence.
        names: letter → name.
    """

    part: str
    group: str
    template: str
    question: str
    text: str
    names: Mapping[str, str]

    @property
    def asked(self) -> Mapping[str, str | None]:
        """The parts of the question, by name.

        Raises:
            InputError: if it is none, or asks about a letter that its sentence lacks.
        """
        found = _QUESTION.fullmatch(self.question)
        letters = {*(found.group("holder", "target", "source") if found else ())} - {None, "nobody"}
        if not found or any(f"{{{letter}}}" not in self.template for letter in letters):
            raise InputError(
                f'{self.group}, "{self.template}": expected a question about its names, such as '
                f"'A > B against' or 'says A', found '{self.question}'"
            )
        return found.groupdict()

    @property
    def record(self) -> Record:
        """Return the query of the case."""
        holder, target = self.asked["holder"], self.asked["target"]
        stances = (
            [Stance(holder=holder and self.names[holder], target=self.names[target])]
            if target
            else None
        )
        return Record(id=self.question, text=self.text, stances=stances)


@dataclass(frozen=True)
class Answer:
    """The model's answer to a case, with its correctness, and with ``given`` false if it was withheld.

    ``given`` is ``None`` where nothing is ever withheld.
    """

    case: Case
    said: str
    right: bool
    given: bool | None


def main() -> None:
    """Ask everything, write figures and page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="small", help="small, base, or a folder; for a folder, --out is needed"
    )
    parser.add_argument("--out", type=Path, help="where to write, if not beside this file")
    options = parser.parse_args()
    try:
        folder = figures_folder(options.model, options.out)
        predictor, digest = load_predictor(options.model)
        answers = ask(predictor, [case for part in PARTS for case in cases(part, _sentences(part))])
    except ClaimstanceError as error:
        parser.exit(2 if isinstance(error, ConfigError) else 1, f"error: {error}\n")
    figures = {
        **head(digest),
        "rows": list(rows(answers)),
        "failures": failures([one for one in answers if one.case.part == "seen"]),
    }
    texts = {
        "behaviour.json": json.dumps(figures, indent=1, ensure_ascii=False) + "\n",
        "behaviour.md": render(figures),
    }
    for name, text in texts.items():
        with open_output(folder / name) as file:
            file.write(text)
    print(texts["behaviour.md"])


def _sentences(part: str) -> Any:
    return yaml.safe_load((HERE / f"behaviour_{part}.yaml").read_text(encoding="utf-8"))


def cases(part: str, groups: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[Case]:
    """Every question of every sentence, with each set of names."""
    for group, sentences in groups.items():
        for template, questions in sentences.items():
            for question in questions:
                for names in fillings():
                    yield Case(
                        part, group, template, question, _capital(template.format(**names)), names
                    )


def fillings() -> Iterator[dict[str, str]]:
    """The sets of names, by letter."""
    for names in NAMES.values():
        for shift in range(FILLINGS):
            yield {
                letter: names[(2 * shift + place) % len(names)]
                for place, letter in enumerate("ABCD")
            }


def _capital(text: str) -> str:
    """The text with a capital at the start of its sentence, and of one that it quotes."""
    return re.sub(r"(^|^“|: “)the\b", r"\1The", text)


def ask(predictor: Predictor, asked: Sequence[Case]) -> list[Answer]:
    """Return the model's answer to each case."""
    return [
        answer(predictor, case, said)
        for case, said in zip(
            asked, predict(predictor, [case.record for case in asked]), strict=True
        )
    ]


def answer(predictor: Predictor, case: Case, said: Prediction) -> Answer:
    """Return a prediction as an answer to a case."""
    asked = case.asked
    if source := asked["source"]:
        found = sorted(
            {
                " ".join(case.text[slice(*piece)] for piece in attribution.source or ()).lower()
                or "it is said"
                for attribution, _ in said.attributions or ()
            }
        )
        wanted = [] if source == "nobody" else [case.names[source].lower()]
        return Answer(case, ", ".join(found) or "nobody", found == wanted, None)
    kind, probabilities = said.kinds[0], said.stances[0]
    label = predictor.config.predict_label(kind, probabilities)
    return Answer(
        case,
        label,
        (label == asked["label"]) != bool(asked["negated"]),
        predictor.config.is_answered(kind, label, probabilities[label]),
    )


def rows(answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """The rows of the figures file: for each group of sentences, what is right of all answers and of those given."""
    groups: dict[tuple[str, str], dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for one in answers:
        for group in (one.case.group, "all"):
            groups[one.case.part, group][one.case.template].append(one)
    for (part, group), sentences in sorted(groups.items(), key=lambda item: item[0][1] == "all"):
        counts = np.array([_counts(each) for each in sentences.values()], dtype=float)
        of = counts.sum(axis=0).astype(int)[[0, 2, 3]].tolist()  # what each share is of
        for n, (metric, figure) in zip(of, bootstrap(counts, _shares, 0).items(), strict=True):
            value, low, high = (
                round(100 * share, 1) for share in (figure.value, figure.low, figure.high)
            )
            if n:
                yield {
                    "name": f"{part}: {group}: {metric}",
                    "value": value,
                    "low": low,
                    "high": high,
                    "n": n,
                    "unit": "%",
                    "better": "higher",
                    "must": None,
                    "aim": None,
                    "note": f"{len(sentences)} sentences",
                }


def _counts(answers: Sequence[Answer]) -> list[int]:
    """Answers; those that are right; those that could have been withheld; those given; right ones of these."""
    return [
        len(answers),
        sum(one.right for one in answers),
        sum(one.given is not None for one in answers),
        sum(one.given or False for one in answers),
        sum((one.given or False) and one.right for one in answers),
    ]


def _shares(sums: Any) -> dict[str, float]:
    asked, right, unsure, given, both = map(float, sums)
    return {
        "right": right / asked,
        "given": given / unsure if unsure else 0.0,
        "right of those given": both / given if given else 0.0,
    }


def failures(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """The questions that were not answered rightly whatever the names, those that fail most first."""
    questions: dict[tuple[str, str, str], list[Answer]] = defaultdict(list)
    for one in answers:
        questions[one.case.group, one.case.template, one.case.question].append(one)
    told = [
        {
            "group": group,
            "sentence": template,
            "asked": question,
            "right": sum(one.right for one in some),
            "of": len(some),
            "wrong": Counter(one.said for one in some if not one.right).most_common(1)[0][0],
        }
        for (group, template, question), some in questions.items()
        if not all(one.right for one in some)
    ]
    return sorted(told, key=lambda row: row["right"])


def render(figures: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    shares: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in figures["rows"]:
        part, group, metric = row["name"].split(": ")
        shares[part, group][metric] = row
    sets = FILLINGS * len(NAMES)
    lines = [
        "# Plain sentences",
        "",
        f"{figures['date']}, {figures['machine']}; model sha256 `{figures['model_sha256']}`, onnxruntime.",
        f"Questions about plain sentences, each with {sets} sets of names. *Seen*: "
        "[what we look at](behaviour_seen.yaml) while we work on the model; *unseen*: "
        "[what another wrote](behaviour_unseen.yaml), who had seen neither those nor an answer of the model. Shares in "
        "per cent; intervals: 95 %, bootstrap over sentences. *Given*: stances that are not withheld as unsure.",
    ]
    for part in PARTS:
        lines += [
            "",
            f"## {part.capitalize()}",
            "",
            "| | questions | right | 95 % interval | given | right of those given |",
            "|---|---|---|---|---|---|",
        ]
        for group, found in (
            (group, found) for (one, group), found in shares.items() if one == part
        ):
            right = found["right"]
            given = [
                found[metric]["value"] if metric in found else ""
                for metric in ("given", "right of those given")
            ]
            lines.append(
                f"| {group} | {right['n']} | {right['value']} | {right['low']} – {right['high']} | "
                f"{given[0]} | {given[1]} |"
            )
    lines += [
        "",
        "## What fails",
        "",
        f"Of those seen, what is not right with every one of the {sets} sets of names.",
        "",
        "| sentence | asked | right | mostly said instead |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['sentence']} | {row['asked']} | {row['right']} of {row['of']} | {row['wrong']} |"
        for row in figures["failures"]
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
