"""Count the names that the entity head misses on PolNeAR, by position in the sentence and by name.

    python benchmarks/entities.py CORPORA [--split tune] [--model FOLDER] [--names 12]

CORPORA holds ``polnear/`` and ``polnear-silver/``. A mention is the surname of one of the commonest persons, as a word
with a capital; it is missed if no entity of any label touches it. This count needs no annotation. The table also has
the mentions that the machine-made labels of the corpus lack, since the head learns from these labels, and the counts
before and after the rules of ``whole_names``. The program counts the modifiers among the targets as well, and how many
of them the project's stance annotation has as a target.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import claimstance.model.predictor as predictor_module
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.text.entities import DecodedEntity, whole_names
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
    """Represent an article with its entities and targets, in characters of its text.

    Attributes:
        text: as published.
        bounds: its sentences.
        silver: the machine-made entities of the corpus.
        entities: version → the entities of the model: ``decoded``, and ``as shipped`` after ``whole_names``.
        targets: the targets that the stance annotation lists.
    """

    text: str
    bounds: Bounds
    silver: Entities
    entities: dict[str, Entities]
    targets: set[tuple[int, int]]


def read_articles(corpora: Path, split: str, model: str) -> Iterator[Article]:
    """Yield the articles of a split with the entities of the model before and after the rules of ``whole_names``."""
    predictor, _ = load_predictor(model)
    decoded: list[DecodedEntity] = []

    def remember(entities: Sequence[DecodedEntity], texts: Sequence[str]) -> list[DecodedEntity]:
        decoded[:] = entities
        return whole_names(entities, texts)

    # The predictor has no other place that shows the entities before these rules.
    predictor_module.whole_names = remember
    polnear_split = "dev" if split == "dev" else "train"
    silver = _read_lines(corpora / "polnear-silver" / f"{polnear_split}.jsonl")
    stances = _read_lines(corpora / "polnear-stance" / f"{split}.jsonl")
    records = lookup("polnear").read(corpora / "polnear", split)
    for stem in dict.fromkeys(record.doc_id for record in records):
        if stem not in silver:
            continue
        text = read_text(corpora / "polnear" / "data" / polnear_split / "text" / f"{stem}.txt")
        bounds = split_sentences(text)
        document = predictor.read([text[start:end] for start, end in bounds])
        entities = {
            "decoded": _in_article(decoded, bounds),
            "as shipped": _in_article(document.entities or (), bounds),
        }
        # The other targets are topics, which have no place in the text.
        targets = {
            tuple(stance["target"])
            for stance in stances.get(stem, {}).get("stances", ())
            if isinstance(stance["target"], list)
        }
        silver_entities = [(start, end, label) for start, end, label in silver[stem]["entities"]]
        yield Article(text, bounds, silver_entities, entities, targets)


def _read_lines(path: Path) -> dict[str, dict]:
    """Return article → row of a JSON Lines file; nothing if the file does not exist."""
    if not path.exists():
        return {}
    return {row["doc"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}


def _in_article(entities: Sequence[DecodedEntity], bounds: Bounds) -> Entities:
    """Return entities with offsets into the article instead of the sentence."""
    located = []
    for entity in entities:
        sentence_start, _ = bounds[entity.span.sentence]
        start, end = sentence_start + entity.span.start, sentence_start + entity.span.end
        located.append((start, end, entity.label))
    return located


def surnames(articles: Sequence[Article], count: int) -> list[str]:
    """Return the commonest surnames among the full names of the machine-made labels."""
    counts: Counter[str] = Counter()
    for article in articles:
        for start, end, label in article.silver:
            if label != "PERSON":
                continue
            person = person_name(article.text[start:end])
            if person is not None:
                counts[person.surname] += 1
    return [name for name, _ in counts.most_common(count)]


def mentions(article: Article, names: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield each mention: the surname, its position in the sentence, its offset."""
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
    """Print, for each name and position, the number of mentions that no entity covers."""
    versions = ("silver", "decoded", "as shipped")
    totals: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str, str]] = Counter()
    for article in articles:
        entities = {"silver": article.silver, **article.entities}
        covered: dict[str, set[int]] = {}
        for version in versions:
            covered[version] = set()
            for start, end, _ in entities[version]:
                covered[version].update(range(start, end))
        for name, position, offset in mentions(article, names):
            for row_name in (name, "all"):
                totals[row_name, position] += 1
                for version in versions:
                    missed[row_name, position, version] += offset not in covered[version]
    print("Missed of all mentions: the machine's labels / the head / as shipped\n")
    print(f"| name | {' | '.join(POSITIONS)} |\n|---|{'---|' * len(POSITIONS)}")
    for name in [*names, "all"]:
        cells = []
        for position in POSITIONS:
            counts = " / ".join(str(missed[name, position, version]) for version in versions)
            cells.append(f"{counts} of {totals[name, position]}")
        print(f"| {name} | {' | '.join(cells)} |")


def print_agreement(articles: Sequence[Article]) -> None:
    """Print how far the model's entities agree with the machine-made ones, by span and label."""
    print("\n| entities | precision | recall | F1 |\n|---|---|---|---|")
    for version in ("decoded", "as shipped"):
        n_correct = n_predicted = n_gold = 0
        for article in articles:
            gold, predicted = set(article.silver), set(article.entities[version])
            n_correct += len(gold & predicted)
            n_predicted += len(predicted)
            n_gold += len(gold)
        precision, recall = 100 * n_correct / n_predicted, 100 * n_correct / n_gold
        f1 = 200 * n_correct / (n_predicted + n_gold)
        print(f"| {version} | {precision:.1f} | {recall:.1f} | {f1:.1f} |")


def print_modifiers(articles: Sequence[Article]) -> None:
    """Print how many entities merely modify, and how many of them are annotated as targets of a stance."""
    n_entities = n_modifiers = n_targets = 0
    for article in articles:
        sentences = iter(article.bounds)
        sentence_start, sentence_end = next(sentences, (0, 0))
        for start, end, label in sorted(article.entities["as shipped"]):
            while start >= sentence_end:
                sentence_start, sentence_end = next(sentences)
            n_entities += 1
            sentence = article.text[sentence_start:sentence_end]
            if is_modifier(sentence, start - sentence_start, end - sentence_start, label):
                n_modifiers += 1
                n_targets += (start, end) in article.targets
    print(
        f"\n{n_modifiers} of {n_entities} entities modify; {n_targets} of them are annotated as targets."
    )


def main() -> None:
    """Read the articles and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--split", choices=("train", "tune", "dev"), default="tune")
    parser.add_argument("--model", default="small", help="small, base, or a folder")
    parser.add_argument("--names", type=int, default=12, help="so many of the commonest surnames")
    options = parser.parse_args()
    articles = list(read_articles(options.corpora, options.split, options.model))
    print(f"{len(articles)} articles of {options.split}\n")
    print_misses(articles, surnames(articles, options.names))
    print_agreement(articles)
    print_modifiers(articles)


if __name__ == "__main__":
    main()
