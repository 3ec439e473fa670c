"""Articles to time with, as many as wanted, none like another: sentences of the seed articles, put together anew.

Each sentence gets other numbers and other names than it had, so that no two articles share one by chance.
"""

import itertools
import json
import random
import re
from collections.abc import Iterator
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


def articles(count: int, sentences: int = 25, seed: int = 7) -> Iterator[dict[str, Any]]:
    """So many articles of so many sentences, with ids, titles and outlets, the same ones for a seed."""
    rng = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    pool = [text[start:end] for text in texts for start, end in split_sentences(text)]
    for number in range(count):
        names = itertools.cycle(
            rng.sample(NAMES, len(NAMES))
        )  # each of them, where the article is long enough
        chosen = [_varied(rng.choice(pool), rng, names) for _ in range(sentences)]
        paragraphs = [" ".join(chosen[i : i + 3]) for i in range(0, sentences, 3)]
        yield {
            "id": f"a{number}",
            "title": _varied(rng.choice(pool), rng, names),
            "text": "\n".join(paragraphs),
            "outlet": f"outlet {number % 9}",
        }


def syndicated(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """So many articles of which every second is a copy of one before; half of the copies have another headline."""
    rng = random.Random(seed)
    known: list[dict[str, Any]] = []
    for number, article in enumerate(articles((count + 1) // 2, seed=seed)):
        known.append(article)
        yield article
        if 2 * number + 1 < count:
            copied = rng.choice(known)
            title = article["title"] if rng.random() < 0.5 else copied["title"]
            yield {
                **copied,
                "id": f"c{number}",
                "title": title,
                "outlet": f"outlet {rng.randrange(9)}",
            }


def polnear(corpora: Path) -> Iterator[dict[str, Any]]:
    """PolNeAR's dev articles, from the folder of the public corpora."""
    for path in sorted((corpora / "polnear" / "data" / "dev" / "text").glob("*.txt")) or _missing(
        corpora
    ):
        yield {"id": path.stem, "text": path.read_text(encoding="utf-8")}


def _missing(corpora: Path) -> list[Path]:
    raise SystemExit(
        f"{corpora}: expected polnear/ with dev articles in it, found none (docs/corpora.md)"
    )


def write(path: Path, rows: Iterator[dict[str, Any]]) -> Path:
    """Write articles as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def _varied(sentence: str, rng: random.Random, names: Iterator[str]) -> str:
    named = _NAME.sub(lambda _: next(names), sentence)
    return re.sub(r"\d", lambda _: str(rng.randint(1, 9)), named)
