"""Score the resolved names of PolNeAR's sources against the coreference chains of its CoreNLP files.

    python benchmarks/names.py CORPORA [--split dev] [--articles N] [--show N]

CORPORA holds ``polnear/`` and ``polnear-silver/``. Sources are gold, by the first annotator; entities, sentences and
chains are CoreNLP's, hence machine-made: agreement with a chain is not truth. The figures are about sources that are he
or she (also him, her, ...) or a surname alone, in a chain whose representative mention is a named person; and about
they or it, in a chain that has more than pronouns. The name of a pronoun is right if it has the representative's
surname, for they and it if it is a mention of the chain; that of a surname if it is a full name with the
representative's surname.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claimstance.model.coreference.people import GENDERS
from claimstance.model.coreference.resolver import resolve_names
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
    """Represent a source with its names.

    Attributes:
        kind: ``surname``, or a pronoun that stands for its group of forms.
        expected: the names that the chain gives.
        answer: the resolved name.
        baseline: the name of the nearest person.
        context: the text before the source, and the source.
    """

    kind: str
    expected: tuple[str, ...]
    answer: str | None
    baseline: str | None
    context: str


def read_sources(folder: Path, split: str, stem: str, text: str) -> list[Span]:
    """Return the sources of an article, in order, each once; of several pieces, the outer bounds."""
    # The first annotator's file comes first.
    path = min((folder / "data" / split / "attributions").glob(f"{stem}_*.ann"))
    sources = set()
    for event in read_events(path, text):
        if "source" in event.roles:
            pieces = event.roles["source"]
            sources.add((pieces[0][0], pieces[-1][1]))
    return sorted(sources)


def read_cases(corpora: Path, split: str, limit: int | None) -> Iterator[Case]:
    """Yield every pronoun and surname among the sources of the articles, or of a fixed random sample of articles."""
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
        sentences = [(start, end) for start, end in row["sentences"]]
        chains = {}
        for chain in row["coreference"]:
            for mention in chain:
                chains[mention[0], mention[1]] = chain
        names = resolve_names(text, sentences, sources, entities)
        for span, answer in zip(sources, names, strict=True):
            start, end = span
            kind = kind_of(text[start:end], span, entities)
            if kind is None or span not in chains:
                continue
            names_in_chain = names_of_group if kind in GROUPS else names_of_person
            expected = names_in_chain(text, chains[span], entities)
            # A chain without a full name tells nothing about a surname.
            if kind == "surname" and not any(map(person_name, expected)):
                continue
            baseline = nearest_person(text, span, entities, kind)
            context = f"{text[max(0, start - 300) : start]}<<{text[start:end]}>>"
            yield Case(kind, expected, answer, baseline, context)


def kind_of(phrase: str, span: Span, entities: Entities) -> str | None:
    """Return the kind of a source that has to be resolved; ``None`` for any other."""
    if phrase.lower() in KINDS:
        return KINDS[phrase.lower()]
    is_person = any(
        label == "PERSON" and start >= span[0] and end == span[1] for start, end, label in entities
    )
    return "surname" if is_person and " " not in bare_name(phrase) else None


def names_of_person(text: str, chain: list[list[int]], entities: Entities) -> tuple[str, ...]:
    """Return the name in the chain's representative mention, if it has one person and means that person."""
    # The representative mention has a third item.
    start, end = next((mention[0], mention[1]) for mention in chain if len(mention) > 2)
    people = []
    for first, last, label in entities:
        if label == "PERSON" and start <= first and last <= end:
            people.append((first, last))
    if len(people) != 1:
        return ()
    first, last = people[0]
    # In "Holm's critics" or "the Holm plan", the mention is not the person.
    following = text[last:end].removeprefix("'s").removeprefix("’s").lstrip()
    is_person = not following or following[0] in ",(-—–" or following.startswith(("of ", "who "))
    return (text[first:last],) if is_person else ()


def names_of_group(text: str, chain: list[list[int]], _: Entities) -> tuple[str, ...]:
    """Return the chain's phrases for a group or a thing, without pronouns."""
    phrases = (" ".join(text[mention[0] : mention[1]].split()) for mention in chain)
    return tuple(phrase for phrase in phrases if phrase.lower() not in KINDS)


def nearest_person(text: str, span: Span, entities: Entities, kind: str) -> str | None:
    """Return the baseline: the last person named before the source; for a surname, the last full name with it."""
    names = [
        text[start:end] for start, end, label in entities if label == "PERSON" and end <= span[0]
    ]
    if kind == "surname":
        phrase = bare_name(text[slice(*span)])
        names = [name for name in names if person_name(name) and surname(name) == phrase]
    return names[-1] if names else None


def surname(name: str) -> str:
    """Return the last name of a person's name; any other name as it is, without article and title."""
    person = person_name(name)
    return person.surname if person else bare_name(name)


def is_right(case: Case, answer: str | None) -> bool:
    """Return whether an answer is an expected name: see the module's docstring."""
    if answer is None:
        return False
    if case.kind in GROUPS:
        return bare_name(answer) in map(bare_name, case.expected)
    if case.kind == "surname" and person_name(answer) is None:
        return False
    expected = [surname(name).casefold() for name in case.expected]
    return surname(answer).casefold() in expected


def main() -> None:
    """Resolve the sources and print the table."""
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
    options = parser.parse_args()
    cases = list(read_cases(options.corpora, options.split, options.articles))
    cases_with_names = [case for case in cases if case.expected]
    print(
        "| source | n | answered | agrees with the chain | of those answered | baseline: the last person named |"
        "\n|---|---|---|---|---|---|"
    )
    for kind in ("he", "she", "they", "it", "surname", "all"):
        print_row(kind, [case for case in cases_with_names if kind in (case.kind, "all")])
    n_nameless = n_answered = 0
    for case in cases:
        if case.kind in ("he", "she") and not case.expected:
            n_nameless += 1
            n_answered += case.answer is not None
    print(
        f"\nhe and she in chains that mean no named person: {n_nameless}, of them answered {n_answered}"
    )
    wrong = [case for case in cases_with_names if not is_right(case, case.answer)]
    for case in random.Random(0).sample(wrong, min(options.show, len(wrong))):
        print(f"\n{case.kind}: chain {case.expected[0]!r}, answer {case.answer!r}\n{case.context}")


def print_row(kind: str, cases: list[Case]) -> None:
    """Print one row: counts in per cent of the cases."""
    n_answered = sum(case.answer is not None for case in cases)
    n_right = sum(is_right(case, case.answer) for case in cases)
    n_baseline = sum(is_right(case, case.baseline) for case in cases)
    total = max(1, len(cases))
    print(
        f"| {kind} | {len(cases)} | {100 * n_answered / total:.1f} | {100 * n_right / total:.1f} | "
        f"{100 * n_right / max(1, n_answered):.1f} | {100 * n_baseline / total:.1f} |"
    )


if __name__ == "__main__":
    main()
