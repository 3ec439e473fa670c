"""Check that a bundled model answers plain sentences as a reader would, whatever names they contain.

    python benchmarks/behaviour.py

It asks the questions of behaviour_seen.yaml and behaviour_unseen.yaml, each sentence with twelve sets of names, and
writes behaviour.json and behaviour.md beside this file (of `--model base`: in base/). These are tests of behaviour in
the sense of Ribeiro et al. 2020 (CheckList): they show what a model cannot do, not how often that matters in the news.
No model is trained on these sentences. The failures listed are those of the first file alone: people who work on the
model must not read the second.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from figure_files import exit_with_error, figures_folder, figures_parser, head, write_figures

from claimstance.model.article.record_prediction import Prediction, predict
from claimstance.model.errors import ClaimstanceError, InputError
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.predictor import Predictor
from claimstance.model.record import Record, Stance
from claimstance.training.evaluation.metrics import bootstrap

HERE = Path(__file__).parent
PARTS = ("seen", "unseen")
#: Kind → names; four of one kind fill a sentence. All but the countries are invented.
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
FILLINGS = 3  # sets of names of each kind
_QUESTION = re.compile(
    r"(?:(?P<holder>[A-D]) )?> (?P<target>[A-D]) (?P<negated>not )?(?P<label>[a-z]+)"
    r"|says (?P<source>[A-D]|nobody)"
)


@dataclass(frozen=True)
class Case:
    """Represent a sentence with names in it, and one question about it.

    Attributes:
        part: the file that has the sentence: ``seen`` or ``unseen``.
        group: the group of sentences in the file.
        template: the sentence with letters in place of names.
        question: as the file has it.
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
    def question_parts(self) -> Mapping[str, str | None]:
        """Return the parts of the question: ``holder``, ``target``, ``negated``, ``label`` and ``source``.

        Raises:
            InputError: if it is no question, or asks about a letter that its sentence lacks.
        """
        match = _QUESTION.fullmatch(self.question)
        letters = set(match.group("holder", "target", "source")) if match else set()
        letters -= {None, "nobody"}
        if not match or any(f"{{{letter}}}" not in self.template for letter in letters):
            raise InputError(
                f'{self.group}, "{self.template}": expected a question about its names, such as '
                f"'A > B against' or 'says A', found '{self.question}'"
            )
        return match.groupdict()

    @property
    def record(self) -> Record:
        """Return the query of the case."""
        parts = self.question_parts
        holder, target = parts["holder"], parts["target"]
        stances = None
        if target:
            stances = [Stance(holder=holder and self.names[holder], target=self.names[target])]
        return Record(id=self.question, text=self.text, stances=stances)


@dataclass(frozen=True)
class Answer:
    """Represent the model's answer to a case.

    Attributes:
        case: the case.
        text: the label, or the sources.
        is_correct: whether the answer is as the question expects.
        is_given: whether the answer is not withheld; ``None`` if answers of its kind never are.
    """

    case: Case
    text: str
    is_correct: bool
    is_given: bool | None


def main() -> None:
    """Ask all questions, and write the figures and their page."""
    parser = figures_parser(__doc__)
    options = parser.parse_args()
    try:
        folder = figures_folder(options.model, options.out)
        predictor, digest = load_predictor(options.model)
        cases: list[Case] = []
        for part in PARTS:
            cases += make_cases(part, _load_sentences(part))
        answers = ask(predictor, cases)
    except ClaimstanceError as error:
        exit_with_error(parser, error)
    figures = {
        **head(digest),
        "rows": list(make_rows(answers)),
        "failures": failures([answer for answer in answers if answer.case.part == "seen"]),
    }
    page = render(figures)
    write_figures(folder, "behaviour", figures, page)
    print(page)


def _load_sentences(part: str) -> Any:
    return yaml.safe_load((HERE / f"behaviour_{part}.yaml").read_text(encoding="utf-8"))


def make_cases(part: str, groups: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[Case]:
    """Yield every question of every sentence, with each set of names."""
    for group, sentences in groups.items():
        for template, questions in sentences.items():
            for question in questions:
                for names in fillings():
                    text = _capitalize(template.format(**names))
                    yield Case(part, group, template, question, text, names)


def fillings() -> Iterator[dict[str, str]]:
    """Yield the sets of names, by letter."""
    for names in NAMES.values():
        for shift in range(FILLINGS):
            yield {
                letter: names[(2 * shift + number) % len(names)]
                for number, letter in enumerate("ABCD")
            }


def _capitalize(text: str) -> str:
    """Return the text with a capital at the start of its sentence, and of a sentence that it quotes."""
    return re.sub(r"(^|^“|: “)the\b", r"\1The", text)


def ask(predictor: Predictor, cases: Sequence[Case]) -> list[Answer]:
    """Return the model's answer to each case."""
    predictions = predict(predictor, [case.record for case in cases])
    return [
        to_answer(predictor, case, prediction)
        for case, prediction in zip(cases, predictions, strict=True)
    ]


def to_answer(predictor: Predictor, case: Case, prediction: Prediction) -> Answer:
    """Return a prediction as an answer to a case."""
    parts = case.question_parts
    if parts["source"]:
        expected = [] if parts["source"] == "nobody" else [case.names[parts["source"]].lower()]
        sources = _sources(case.text, prediction)
        return Answer(case, ", ".join(sources) or "nobody", sources == expected, None)
    kind, probabilities = prediction.kinds[0], prediction.stances[0]
    label = predictor.config.predict_label(kind, probabilities)
    is_expected = label == parts["label"]
    if parts["negated"]:
        is_expected = not is_expected
    is_given = predictor.config.is_answered(kind, label, probabilities[label])
    return Answer(case, label, is_expected, is_given)


def _sources(text: str, prediction: Prediction) -> list[str]:
    """Return the sources of a sentence in lower case, each once; "it is said" for an attribution without one."""
    sources = set()
    for attribution, _ in prediction.attributions or ():
        words = " ".join(text[start:end] for start, end in attribution.source or ())
        sources.add(words.lower() or "it is said")
    return sorted(sources)


def make_rows(answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``behaviour.json``: for each group, the correct ones of all answers and of those given."""
    groups: dict[tuple[str, str], dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for answer in answers:
        for group in (answer.case.group, "all"):
            groups[answer.case.part, group][answer.case.template].append(answer)
    # The rows of all groups together come last.
    for (part, group), sentences in sorted(groups.items(), key=lambda item: item[0][1] == "all"):
        counts = np.array(list(map(_counts, sentences.values())), dtype=float)
        n_answers, _, n_optional, n_given, _ = counts.sum(axis=0).astype(int).tolist()
        denominators = (n_answers, n_optional, n_given)
        shares = bootstrap(counts, _shares, 0)
        for n, (metric, figure) in zip(denominators, shares.items(), strict=True):
            if n == 0:
                continue
            yield {
                "name": f"{part}: {group}: {metric}",
                "value": round(100 * figure.value, 1),
                "low": round(100 * figure.low, 1),
                "high": round(100 * figure.high, 1),
                "n": n,
                "unit": "%",
                "better": "higher",
                "must": None,
                "aim": None,
                "note": f"{len(sentences)} sentences",
            }


def _counts(answers: Sequence[Answer]) -> list[int]:
    """Return the numbers of answers, correct ones, ones that may be withheld, given ones, and correct given ones."""
    given = [answer for answer in answers if answer.is_given]
    return [
        len(answers),
        sum(answer.is_correct for answer in answers),
        sum(answer.is_given is not None for answer in answers),
        len(given),
        sum(answer.is_correct for answer in given),
    ]


def _shares(sums: Any) -> dict[str, float]:
    """Return the shares that the sums of ``_counts`` give."""
    n_answers, n_correct, n_optional, n_given, n_correct_given = map(float, sums)
    return {
        "right": n_correct / n_answers,
        "given": n_given / n_optional if n_optional else 0.0,
        "right of those given": n_correct_given / n_given if n_given else 0.0,
    }


def failures(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return the questions with a wrong answer for some names, those that fail most first."""
    questions: dict[tuple[str, str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        case = answer.case
        questions[case.group, case.template, case.question].append(answer)
    rows = []
    for (group, template, question), question_answers in questions.items():
        wrong = [answer.text for answer in question_answers if not answer.is_correct]
        if not wrong:
            continue
        rows.append(
            {
                "group": group,
                "sentence": template,
                "asked": question,
                "right": len(question_answers) - len(wrong),
                "of": len(question_answers),
                "wrong": Counter(wrong).most_common(1)[0][0],
            }
        )
    return sorted(rows, key=lambda row: row["right"])


def render(figures: Mapping[str, Any]) -> str:
    """Return the figures as Markdown."""
    # Part → group → metric → row.
    parts: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for row in figures["rows"]:
        part, group, metric = row["name"].split(": ")
        parts[part][group][metric] = row
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
        for group, metrics in parts[part].items():
            row = metrics["right"]
            # A group of questions whose answers are never withheld has neither of these.
            no_row = {"value": ""}
            given = metrics.get("given", no_row)["value"]
            right_of_given = metrics.get("right of those given", no_row)["value"]
            lines.append(
                f"| {group} | {row['n']} | {row['value']} | {row['low']} – {row['high']} | "
                f"{given} | {right_of_given} |"
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
