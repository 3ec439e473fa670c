"""Score the sources of quotations that run on into other sentences, on PolNeAR.

    python benchmarks/continuations.py CORPORA [--split dev] [--model FOLDER]

CORPORA holds ``polnear/``. A continuation with a source is right if the annotator gives some of its words to a source
that shares characters with its own.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from claimstance.inference import Tagger
from claimstance.model.article.spans import Continuation, Span
from claimstance.model.coreference.quotes import find_quotes
from claimstance.training.data.corpora.standoff import read_events
from claimstance.training.data.documents.json_validation import read_text

Pieces = list[tuple[int, int]]


def read_contents(path: Path, text: str) -> list[tuple[Pieces, Pieces]]:
    """Return the source and the content of each attribution of a file that has both."""
    return [
        (event.roles["source"], event.roles["content"])
        for event in read_events(path, text)
        if "source" in event.roles and "content" in event.roles
    ]


def overlap(span: Span, pieces: Pieces) -> bool:
    """Return whether a span shares characters with pieces."""
    return any(start < span.end and span.start < end for start, end in pieces)


def continuations(tagger: Tagger, text: str) -> Iterator[tuple[Continuation, bool]]:
    """Yield the continuations of an article that have a source, and whether they stand in quotation marks."""
    quotes = list(find_quotes(text))
    for sentence in tagger.tag(text, "-").sentences:
        for continuation in sentence.continued or ():
            content = continuation.content
            middle = (content.start + content.end) // 2
            if continuation.source is not None:
                yield continuation, any(quote.start <= middle < quote.end for quote in quotes)


def main() -> None:
    """Count the continuations of all articles and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--model", default="small", help="small, base, or a folder")
    options = parser.parse_args()
    tagger = Tagger.from_pretrained(options.model)
    folder = options.corpora / "polnear" / "data" / options.split
    counts: Counter[tuple[bool, bool]] = Counter()
    for path in sorted((folder / "text").glob("*.txt")):
        annotated = sorted((folder / "attributions").glob(f"{path.stem}_*.ann"))
        if not annotated:
            continue
        text = read_text(path)
        contents = read_contents(annotated[0], text)
        for continuation, is_quoted in continuations(tagger, text):
            source = continuation.source
            is_right = source is not None and any(
                overlap(continuation.content, content) and overlap(source, gold_source)
                for gold_source, content in contents
            )
            counts[is_quoted, is_right] += 1
    print("| continuations | n | right |\n|---|---|---|")
    for is_quoted, name in ((True, "in quotation marks"), (False, "outside of them")):
        total = counts[is_quoted, True] + counts[is_quoted, False]
        print(f"| {name} | {total} | {100 * counts[is_quoted, True] / max(1, total):.1f} |")


if __name__ == "__main__":
    main()
