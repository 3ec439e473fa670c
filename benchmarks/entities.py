"""Which names does the entity head miss? By position in the sentence and by name, on PolNeAR.

    python benchmarks/entities.py CORPORA [--split tune] [--model FOLDER] [--names 12]

CORPORA holds ``polnear/`` and ``polnear-silver/``. A mention is each place where the text has the surname of one of the
persons who are commonest there as a word with a capital; it is missed if no entity of any label touches it. That count
needs no annotation. Beside it, for the machine's own labels of the corpus: how many mentions they lack, since the head
learns from them. Both stand with and without what the form of the text adds (``whole_names``). The modifiers among the
targets are counted, too, and how many of them the project's stance annotation has as a target.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from claimstance.model.onnx.backend import load_predictor
from claimstance.model.text.entities import FoundEntity
from claimstance.model.text.modifiers import is_modifier
from claimstance.model.text.person_names import person_name
from claimstance.model.text.sentences import split_sentences
from claimstance.training.data.corpora import lookup
from claimstance.training.data.documents.json_validation import read_text

Bounds = list[tuple[int, int]]
Entities = list[tuple[int, int, str]]
POSITIONS = ("at the start", "behind a capital", "elsewhere")
_CAPITAL_BEFORE = re.compile(r"[A-Z][\w.’'-]*\s+$")


@dataclass
class Article:
    """An article with what is marked in it, in characters of its text."""

    text: str
    bounds: Bounds
    silver: Entities
    entities: dict[str, Entities]
    targets: set[tuple[int, int]]


def read_articles(corpora: Path, split: str, model: Path | None) -> Iterator[Article]:
    """The articles of a split, read by the model as it decodes and with what the form of the text adds."""
    predictor, _ = load_predictor(model)
    whole_names = predictor.whole_names
    decoded: list[FoundEntity] = []

    def remember(found: Sequence[FoundEntity], texts: Sequence[str]) -> list[FoundEntity]:
        decoded[:] = found
        return whole_names(found, texts)

    predictor.whole_names = remember
    official = "dev" if split == "dev" else "train"
    silver = _read_lines(corpora / "polnear-silver" / f"{official}.jsonl")
    stances = _read_lines(corpora / "polnear-stance" / f"{split}.jsonl")
    records = lookup("polnear").read(corpora / "polnear", split)
    for stem in dict.fromkeys(record.doc_id for record in records):
        if stem not in silver:
            continue
        text = read_text(corpora / "polnear" / "data" / official / "text" / f"{stem}.txt")
        bounds = split_sentences(text)
        reading = predictor.read([text[start:end] for start, end in bounds])
        found = {
            "decoded": _in_article(decoded, bounds),
            "as shipped": _in_article(reading.entities or (), bounds),
        }
        targets = {
            tuple(stance["target"])
            for stance in stances.get(stem, {}).get("stances", ())
            if isinstance(stance["target"], list)
        }
        marked = [(start, end, label) for start, end, label in silver[stem]["entities"]]
        yield Article(text, bounds, marked, found, targets)


def _read_lines(path: Path) -> dict[str, dict]:
    if not path.exists():
        return {}
    return {row["doc"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}


def _in_article(entities: Sequence[FoundEntity], bounds: Bounds) -> Entities:
    return [
        (
            bounds[e.span.sentence][0] + e.span.start,
            bounds[e.span.sentence][0] + e.span.end,
            e.label,
        )
        for e in entities
    ]


def surnames(articles: Sequence[Article], count: int) -> list[str]:
    """The surnames of the persons whom the machine names in full most often."""
    tally: Counter[str] = Counter()
    for article in articles:
        for start, end, label in article.silver:
            person = person_name(article.text[start:end]) if label == "PERSON" else None
            if person is not None:
                tally[person.surname] += 1
    return [name for name, _ in tally.most_common(count)]


def mentions(article: Article, names: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Each mention: the surname, its position in the sentence, its offset."""
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
    for start, end in article.bounds:
        for match in pattern.finditer(article.text, start, end):
            before = article.text[start : match.start()]
            if not before.strip(" “\"‘'"):
                position = "at the start"
            elif _CAPITAL_BEFORE.search(before):
                position = "behind a capital"
            else:
                position = "elsewhere"
            yield match[0], position, match.start()


def print_misses(articles: Sequence[Article], names: Sequence[str]) -> None:
    """Print, for each name and position, how many mentions nothing marks."""
    ways = ("silver", "decoded", "as shipped")
    totals: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str, str]] = Counter()
    for article in articles:
        marked = {"silver": article.silver, **article.entities}
        covered = {way: {i for a, b, _ in marked[way] for i in range(a, b)} for way in ways}
        for name, position, offset in mentions(article, names):
            for row in (name, "all"):
                totals[row, position] += 1
                for way in ways:
                    missed[row, position, way] += offset not in covered[way]
    print("Missed of all mentions: the machine's labels / the head / as shipped\n")
    print(f"| name | {' | '.join(POSITIONS)} |\n|---|{'---|' * len(POSITIONS)}")
    for name in [*names, "all"]:
        cells = [
            f"{' / '.join(str(missed[name, position, way]) for way in ways)} of {totals[name, position]}"
            for position in POSITIONS
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def print_agreement(articles: Sequence[Article]) -> None:
    """Print how far entities agree with the machine's, span and label."""
    print("\n| entities | precision | recall | F1 |\n|---|---|---|---|")
    for way in ("decoded", "as shipped"):
        right = found = gold = 0
        for article in articles:
            reference, predicted = set(article.silver), set(article.entities[way])
            right += len(reference & predicted)
            found += len(predicted)
            gold += len(reference)
        f1 = 200 * right / (found + gold)
        print(f"| {way} | {100 * right / found:.1f} | {100 * right / gold:.1f} | {f1:.1f} |")


def print_modifiers(articles: Sequence[Article]) -> None:
    """Print how many entities merely modify, and how many of them are annotated as targets of a stance."""
    total = modifiers = annotated = 0
    for article in articles:
        sentence = iter(article.bounds)
        start, end = next(sentence, (0, 0))
        for left, right, label in sorted(article.entities["as shipped"]):
            while left >= end:
                start, end = next(sentence)
            total += 1
            if is_modifier(article.text[start:end], left - start, right - start, label):
                modifiers += 1
                annotated += (left, right) in article.targets
    print(
        f"\n{modifiers} of {total} entities modify; {annotated} of them are annotated as targets."
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--split", choices=("train", "tune", "dev"), default="tune")
    parser.add_argument("--model", type=Path, help="a model folder (default: the bundled model)")
    parser.add_argument("--names", type=int, default=12, help="so many of the commonest surnames")
    args = parser.parse_args()
    articles = list(read_articles(args.corpora, args.split, args.model))
    print(f"{len(articles)} articles of {args.split}\n")
    print_misses(articles, surnames(articles, args.names))
    print_agreement(articles)
    print_modifiers(articles)


if __name__ == "__main__":
    main()
