"""Score the resolution of pronouns on GAP: passages of Wikipedia, each with a pronoun and two candidate names.

    python benchmarks/gap.py CORPORA [--part development] [--model FOLDER]

CORPORA holds ``gap/``. The model finds people and sources, so that the figures are those of a user's results. The
scores are those of GAP's own scorer: each of the two names is one decision, whether the pronoun refers to it. An answer
that is neither of the two names counts as a miss if one of them is right, and not as a mistake.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from claimstance.model.article.alignment import Alignment, resolve_article
from claimstance.model.coreference.people import GENDERS
from claimstance.model.coreference.resolver import same_name
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.predictor import Predictor
from claimstance.model.text.sentences import split_sentences


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of one of GAP's files."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def answer_of(predictor: Predictor, row: dict[str, str]) -> str | None:
    """Return the name that the pronoun of a row is resolved to."""
    text, start = row["Text"], int(row["Pronoun-offset"])
    bounds = split_sentences(text)
    document = predictor.read([text[first:last] for first, last in bounds])
    names = resolve_article(Alignment(text, bounds), document)
    return names.get((start, start + len(row["Pronoun"])))


def count(row: dict[str, str], answer: str | None) -> Counter[str]:
    """Return the decisions on both names of a row."""
    counts = Counter(rows=1, answered=int(answer is not None))
    for name in ("A", "B"):
        is_gold = row[f"{name}-coref"].upper() == "TRUE"
        is_answer = answer is not None and same_name(answer, row[name])
        counts["right"] += is_gold and is_answer
        counts["wrong"] += is_answer and not is_gold
        counts["missed"] += is_gold and not is_answer
    return counts


def print_row(kind: str, counts: Counter[str]) -> None:
    """Print one row of the table, in per cent."""
    precision = 100 * counts["right"] / max(1, counts["right"] + counts["wrong"])
    recall = 100 * counts["right"] / max(1, counts["right"] + counts["missed"])
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    answered = 100 * counts["answered"] / max(1, counts["rows"])
    print(
        f"| {kind} | {counts['rows']} | {answered:.1f} | {precision:.1f} | {recall:.1f} | {f1:.1f} |"
    )


def main() -> None:
    """Resolve the pronouns of all rows and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--part", choices=("development", "validation"), default="development")
    parser.add_argument("--model", default="small", help="small, base, or a folder")
    options = parser.parse_args()
    predictor, _ = load_predictor(options.model, 1)
    counts: dict[str, Counter[str]] = {"male": Counter(), "female": Counter()}
    for row in read_rows(options.corpora / "gap" / f"gap-{options.part}.tsv"):
        counts[GENDERS[row["Pronoun"].lower()]] += count(row, answer_of(predictor, row))
    print("| pronoun | n | answered | precision | recall | F1 |\n|---|---|---|---|---|---|")
    print_row("he", counts["male"])
    print_row("she", counts["female"])
    print_row("both", counts["male"] + counts["female"])


if __name__ == "__main__":
    main()
