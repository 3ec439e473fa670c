"""Make any number of different articles from the sentences of the seed articles, to time programs with.

The numbers and the names in each sentence are replaced, so that no two articles share a sentence by chance.
"""

import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from claimstance.model.text.sentences import split_sentences

SEEDS = Path(__file__).parent.parent / "seeds" / "articles"
NAMES = (
    "Halvern",
    "Ostrow",
    "Kettner",
    "Mirza",
    "Dunmore",
    "Achterberg",
    "Sorrel",
    "Vantongeren",
    "Okafor",
    "Lindqvist",
    "Brandeis",
    "Ferran",
)
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?= [a-z])")


def make_articles(count: int, sentences: int = 25, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield articles with ids, titles and outlets, the same ones for the same seed.

    Args:
        count: the number of articles.
        sentences: the number of sentences in each.
        seed: the seed of the drawing.
    """
    rng = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    pool = [text[start:end] for text in texts for start, end in split_sentences(text)]
    for number in range(count):
        # In a cycle, so that a long article has each of the names.
        names = itertools.cycle(rng.sample(NAMES, len(NAMES)))
        chosen = [_varied(rng.choice(pool), rng, names) for _ in range(sentences)]
        paragraphs = [" ".join(chosen[i : i + 3]) for i in range(0, sentences, 3)]
        yield {
            "id": f"a{number}",
            "title": _varied(rng.choice(pool), rng, names),
            "text": "\n".join(paragraphs),
            "outlet": f"outlet {number % 9}",
        }


def make_syndicated(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield articles of which every second one copies an earlier one, half of the copies with another headline."""
    rng = random.Random(seed)
    originals: list[dict[str, Any]] = []
    for number, article in enumerate(make_articles((count + 1) // 2, seed=seed)):
        originals.append(article)
        yield article
        if 2 * number + 1 < count:
            original = rng.choice(originals)
            title = article["title"] if rng.random() < 0.5 else original["title"]
            yield {
                **original,
                "id": f"c{number}",
                "title": title,
                "outlet": f"outlet {rng.randrange(9)}",
            }


def polnear_articles(corpora: Path) -> Iterator[dict[str, Any]]:
    """Yield PolNeAR's dev articles, from the folder of the public corpora."""
    paths = sorted((corpora / "polnear" / "data" / "dev" / "text").glob("*.txt"))
    if not paths:
        raise SystemExit(
            f"{corpora}: expected polnear/ with dev articles in it, found none (docs/corpora.md)"
        )
    for path in paths:
        yield {"id": path.stem, "text": path.read_text(encoding="utf-8")}


def write_articles(path: Path, articles: Iterable[dict[str, Any]]) -> Path:
    """Write articles as JSON Lines; return the path."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(article, ensure_ascii=False) + "\n" for article in articles)
    return path


def _varied(sentence: str, rng: random.Random, names: Iterator[str]) -> str:
    """Return a sentence with other names and other numbers."""
    renamed = _NAME.sub(lambda _: next(names), sentence)
    return re.sub(r"\d", lambda _: str(rng.randint(1, 9)), renamed)
