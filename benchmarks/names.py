"""Score the resolved names of PolNeAR's sources against the coreference chains of its CoreNLP files.

    python benchmarks/names.py CORPORA [--split dev] [--articles N] [--show N]

CORPORA holds ``polnear/`` and ``polnear-silver/``. Sources are gold, by the first annotator; entities, sentences and
chains are CoreNLP's, hence machine-made: agreement with a chain is not truth. Counted are sources that are he or she
(also him, her, ...) or a surname alone, in a chain whose representative mention means a named person; and they or it,
in a chain that has more than pronouns. A pronoun's name is right if it has the representative's surname, for they and
it if it is a mention of the chain; a surname's if it is a full name with the representative's surname.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claimstance.inference.coreference.people import GENDERS
from claimstance.inference.coreference.resolver import resolve_names
from claimstance.model.text.person_names import bare_name, person_name
from claimstance.training.data.corpora.standoff import read_events
from claimstance.training.data.documents.json_validation import read_text

Span = tuple[int, int]
Entities = list[tuple[int, int, str]]

KINDS = {word: "he" if gender == "male" else "she" for word, gender in GENDERS.items()}
GROUPS = {"they", "it"}
KINDS |= dict.fromkeys(("they", "them", "their"), "they") | dict.fromkeys(("it", "its"), "it")


@dataclass(frozen=True)
class Case:
    """A source with what the chain, the sieves and the baseline call it."""

    kind: str
    expected: tuple[str, ...]
    answer: str | None
    baseline: str | None
    context: str


def read_sources(folder: Path, split: str, stem: str, text: str) -> list[Span]:
    """The sources of an article, in order, each once; of several pieces, the outer bounds."""
    path = min((folder / "data" / split / "attributions").glob(f"{stem}_*.ann"))
    pieces = [event.roles["source"] for event in read_events(path, text) if "source" in event.roles]
    return sorted({(span[0][0], span[-1][1]) for span in pieces})


def read_cases(corpora: Path, split: str, limit: int | None) -> Iterator[Case]:
    """Every pronoun and surname among the sources of the articles, or of a fixed random sample of articles."""
    rows = [
        json.loads(line)
        for line in (corpora / "polnear-silver" / f"{split}.jsonl").open(encoding="utf-8")
    ]
    if limit is not None:
        rows = random.Random(0).sample(rows, min(limit, len(rows)))
    for row in rows:
        text = read_text(corpora / "polnear" / "data" / split / "text" / f"{row['doc']}.txt")
        sources = read_sources(corpora / "polnear", split, row["doc"], text)
        entities: Entities = [(start, end, label) for start, end, label in row["entities"]]
        chains = {
            (mention[0], mention[1]): chain for chain in row["coreference"] for mention in chain
        }
        sentences = [(start, end) for start, end in row["sentences"]]
        for span, answer in zip(
            sources, resolve_names(text, sentences, sources, entities), strict=True
        ):
            kind = kind_of(text[slice(*span)], span, entities)
            if kind is not None and span in chains:
                read = names_of_group if kind in GROUPS else names_of_person
                expected = read(text, chains[span], entities)
                baseline = nearest_person(text, span, entities, kind)
                around = f"{text[max(0, span[0] - 300) : span[0]]}<<{text[slice(*span)]}>>"
                if kind != "surname" or any(map(person_name, expected)):
                    yield Case(kind, expected, answer, baseline, around)


def kind_of(phrase: str, span: Span, entities: Entities) -> str | None:
    """The kind of source that is to be resolved, ``None`` for any other."""
    if phrase.lower() in KINDS:
        return KINDS[phrase.lower()]
    is_person = any(
        label == "PERSON" and start >= span[0] and end == span[1] for start, end, label in entities
    )
    return "surname" if is_person and " " not in bare_name(phrase) else None


def names_of_person(text: str, chain: list[list[int]], entities: Entities) -> tuple[str, ...]:
    """The one person's name in the chain's representative mention, if the mention means that person; else nothing."""
    start, end = next((mention[0], mention[1]) for mention in chain if len(mention) > 2)
    inside = [(a, b) for a, b, label in entities if start <= a and b <= end and label == "PERSON"]
    if len(inside) != 1:
        return ()
    name, after = text[slice(*inside[0])], text[inside[0][1] : end]
    after = after.removeprefix("'s").removeprefix("’s").lstrip()
    return (name,) if not after or after[0] in ",(-—–" or after.startswith(("of ", "who ")) else ()


def names_of_group(text: str, chain: list[list[int]], _: Entities) -> tuple[str, ...]:
    """Return the chain's phrases for a group or a thing, without pronouns."""
    phrases = (" ".join(text[mention[0] : mention[1]].split()) for mention in chain)
    return tuple(phrase for phrase in phrases if phrase.lower() not in KINDS)


def nearest_person(text: str, span: Span, entities: Entities, kind: str) -> str | None:
    """The baseline: the last person named before the source; for a surname, the last full name with it."""
    before = [
        text[start:end] for start, end, label in entities if label == "PERSON" and end <= span[0]
    ]
    if kind == "surname":
        before = [
            name
            for name in before
            if person_name(name) and surname(name) == bare_name(text[slice(*span)])
        ]
    return before[-1] if before else None


def surname(name: str) -> str:
    """The last name of a person's name; any other name as it is, without article and title."""
    person = person_name(name)
    return person.surname if person else bare_name(name)


def is_right(case: Case, answer: str | None) -> bool:
    """Return true if an answer is an expected name: see the module's docstring."""
    if answer is None:
        return False
    if case.kind in GROUPS:
        return bare_name(answer) in map(bare_name, case.expected)
    is_full = case.kind != "surname" or person_name(answer) is not None
    return is_full and surname(answer).casefold() in (
        surname(name).casefold() for name in case.expected
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument(
        "--articles", type=int, help="a random sample of so many articles (default: all)"
    )
    parser.add_argument(
        "--show", type=int, default=0, help="print so many disagreements, chosen at random"
    )
    args = parser.parse_args()
    cases = list(read_cases(args.corpora, args.split, args.articles))
    named = [case for case in cases if case.expected]
    print(
        "| source | n | answered | agrees with the chain | of those answered | baseline: the last person named |"
        "\n|---|---|---|---|---|---|"
    )
    for kind in ("he", "she", "they", "it", "surname", "all"):
        print_row(kind, [case for case in named if kind in (case.kind, "all")])
    unnamed = Counter(
        case.answer is not None
        for case in cases
        if not case.expected and case.kind in ("he", "she")
    )
    print(
        f"\nhe and she in chains that mean no named person: {unnamed.total()}, of them answered {unnamed[True]}"
    )
    wrong = [case for case in named if not is_right(case, case.answer)]
    for case in random.Random(0).sample(wrong, min(args.show, len(wrong))):
        print(f"\n{case.kind}: chain {case.expected[0]!r}, answer {case.answer!r}\n{case.context}")


def print_row(kind: str, cases: list[Case]) -> None:
    """Print one row: counts in per cent of the cases."""
    answered = sum(case.answer is not None for case in cases)
    right = sum(is_right(case, case.answer) for case in cases)
    baseline = sum(is_right(case, case.baseline) for case in cases)
    total = max(1, len(cases))
    print(
        f"| {kind} | {len(cases)} | {100 * answered / total:.1f} | {100 * right / total:.1f} | "
        f"{100 * right / max(1, answered):.1f} | {100 * baseline / total:.1f} |"
    )


if __name__ == "__main__":
    main()
