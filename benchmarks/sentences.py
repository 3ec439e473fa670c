"""Which sentence splitter? Every one that is installed, against the sentence bounds of PolNeAR's CoreNLP files.

    python benchmarks/sentences.py CORPORA [--split dev] [--articles N]

CORPORA holds ``polnear/`` and ``polnear-silver/``. The reference is machine-made, not gold: it runs sentences over
paragraph ends and leaves opening quotes behind in the sentence before. Both are repaired for the main figures; the
figure against the reference as it is stands beside them.
"""

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from claimstance.model.text.sentences import ParagraphSplitter, split_sentences, without_marks
from claimstance.training.data.corpora.standoff import Event, read_events

Bounds = list[tuple[int, int]]

_TORN_QUOTE = re.compile(r"(?:^|(?<=\s))(?:''|[\"“‘])$")
_LINE = re.compile(r"\S(?:[^\n]*\S)?")
_QUOTED = re.compile(
    r"[?!](?:[”’\"]|'+)+ (?=[^\W\d_a-z])|[.?!](?:[”’\"]|'+)+[ \xa0]?(?=[—–―-]+[ \xa0]?[^\W\d_a-z])"
)
_SPEAKER_REACH = 80  # characters from a quotation to its source or cue
_LIST_MARK = re.compile(r"(?:\d{1,3}|[QA])\.")


def _spacy(module: Any) -> ParagraphSplitter:
    pipeline = module.blank("en")
    pipeline.add_pipe("sentencizer")
    return lambda text: [(s.start_char, s.end_char) for s in pipeline(text).sents]


def _pysbd(module: Any) -> ParagraphSplitter:
    segmenter = module.Segmenter("en", clean=False, char_span=True)
    return lambda text: [(s.start, s.end) for s in segmenter.segment(text)]


def _syntok(module: Any) -> ParagraphSplitter:
    analyze = importlib.import_module("syntok.segmenter").analyze
    return lambda text: [
        (s[0].offset, s[-1].offset + len(s[-1].value)) for p in analyze(text) for s in p
    ]


def _nltk(module: Any) -> ParagraphSplitter:
    tokenizer = importlib.import_module("nltk.tokenize.punkt").PunktTokenizer(
        "english"
    )  # LookupError without its data
    return lambda text: list(tokenizer.span_tokenize(text))


SPLITTERS: dict[str, Callable[[Any], ParagraphSplitter]] = {
    "sentencex": lambda m: (
        lambda t: [(s["start_index"], s["end_index"]) for s in m.get_sentence_boundaries("en", t)]
    ),
    "nupunkt": lambda m: lambda t: list(m.sent_spans(t)),
    "blingfire": lambda m: lambda t: m.text_to_sentences_and_offsets(t)[1],
    "syntok": _syntok,
    "spacy": _spacy,
    "pysbd": _pysbd,
    "nltk": _nltk,
}

MODULES = {"syntok": "syntok.segmenter"}  # where importing the top name loads nothing


def read_articles(corpora: Path, split: str, limit: int | None) -> list[tuple[str, Bounds]]:
    """Texts with their reference sentences; a fixed random sample if ``limit`` is given."""
    lines = (corpora / "polnear-silver" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    if limit is not None:
        lines = random.Random(0).sample(lines, min(limit, len(lines)))
    articles = []
    for row in map(json.loads, lines):
        path = corpora / "polnear" / "data" / split / "text" / f"{row['doc']}.txt"
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        reference = [(start, end) for start, end in row["sentences"]]
        annotations = corpora / "polnear" / "data" / split / "attributions"
        events = read_events(min(annotations.glob(f"{row['doc']}_*.ann")), text)
        articles.append((text, joined_quotations(text, reference, events)))
    return articles


def joined_quotations(text: str, reference: Bounds, events: list[Event]) -> Bounds:
    """The reference without the cuts behind a quotation whose attribution goes on behind them."""
    wrong = {
        match.end()
        for match in _QUOTED.finditer(text)
        if any(goes_over(event, match.end()) for event in events)
    }
    joined: Bounds = []
    for start, end in reference:
        if start in wrong and joined:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def goes_over(event: Event, cut: int) -> bool:
    """Return true if a content touches the text before ``cut``, and its source or cue follows ``cut``."""
    pieces = [*event.roles.get("source", ()), *event.roles.get("cue", ())]
    follows = any(cut <= start < cut + _SPEAKER_REACH for start, _ in pieces)
    return follows and any(start < cut <= end + 4 for start, end in event.roles.get("content", ()))


def repaired(text: str, sentences: Bounds) -> Bounds:
    """The reference cut at line ends, with opening quotes and list marks given back to what they open."""
    fixed: Bounds = []
    torn_from: int | None = None
    for start, end in sentences:
        for line in _LINE.finditer(text, start, end):
            left, right = line.span() if torn_from is None else (torn_from, line.end())
            torn_from = None
            if torn := _TORN_QUOTE.search(text[left:right]):
                torn_from = left + torn.start()
                right = left + len(text[left:torn_from].rstrip())
            elif _LIST_MARK.fullmatch(text, left, right) and text[right : right + 1] in (
                " ",
                "\xa0",
            ):
                torn_from, right = left, left
            if left < right:
                fixed.append((left, right))
    return fixed


def trimmed(text: str, found: Bounds) -> Bounds:
    """``found`` without outer whitespace and without empty pieces."""
    pieces = ((start, end, text[start:end]) for start, end in found)
    return [
        (end - len(p.lstrip()), start + len(p.rstrip())) for start, end, p in pieces if p.strip()
    ]


def score(articles: list[tuple[str, Bounds]], split: Callable[[str], Bounds]) -> dict[str, float]:
    """F1 of whole sentences and of inner sentence ends in per cent, and sentences per second."""
    sentence, boundary, as_is = [0, 0, 0], [0, 0, 0], [0, 0, 0]
    seconds, count = 0.0, 0
    for text, reference in articles:
        began = time.perf_counter()
        found = split(text)
        seconds += time.perf_counter() - began
        count += len(found)
        found, fixed = trimmed(text, found), repaired(text, reference)
        for tally, a, b in (
            (sentence, set(found), set(fixed)),
            (as_is, set(found), set(reference)),
            (boundary, {end for _, end in found[:-1]}, {end for _, end in fixed[:-1]}),
        ):
            tally[0] += len(a & b)
            tally[1] += len(a)
            tally[2] += len(b)
    f1 = [200 * both / (a + b) for both, a, b in (sentence, boundary, as_is)]
    return {"sentence": f1[0], "boundary": f1[1], "as is": f1[2], "speed": count / seconds}


def ways_to_use(splitter: ParagraphSplitter) -> dict[str, ParagraphSplitter]:
    """The library alone, within ``split_sentences``, and there without quotes and parentheses."""
    return {
        "alone": splitter,
        "by paragraph, tidied": lambda text: split_sentences(text, splitter),
        "the same, marks hidden": lambda text: split_sentences(
            text, lambda part: splitter(without_marks(part))
        ),
    }


def footprint(name: str) -> str:
    """Version, installed size, import time and direct dependencies of a distribution."""
    files = importlib.metadata.files(name) or []
    size = sum(f.size or 0 for f in files) / 1e6
    code = f"import time; t = time.perf_counter(); import {MODULES.get(name, name)}; print(time.perf_counter() - t)"
    seconds = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
    needs = [
        re.split(r"[^\w.-]", r)[0]
        for r in importlib.metadata.requires(name) or []
        if "extra ==" not in r
    ]
    return f"{importlib.metadata.version(name)} | {size:.1f} | {seconds * 1000:.0f} | {', '.join(needs) or 'none'}"


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
    args = parser.parse_args()
    articles = read_articles(args.corpora, args.split, args.articles)
    print(
        f"{len(articles)} articles of {args.split}, {sum(len(s) for _, s in articles)} reference sentences\n"
    )
    print(
        "| splitter | used | sentence F1 | boundary F1 | sentence F1, reference as is | sentences/s |"
        "\n|---|---|---|---|---|---|"
    )
    details = []
    for name, make in SPLITTERS.items():
        if importlib.util.find_spec(name) is None:
            details.append(f"| {name} | not installed | | | |")
            continue
        try:
            splitter = make(importlib.import_module(name))
        except LookupError:
            details.append(f"| {name} | its data is not installed | | | |")
            continue
        for way, split in ways_to_use(splitter).items():
            print_row(name, way, score(articles, split))
        details.append(f"| {name} | {footprint(name)} |")
    print_row("**claimstance**", "as shipped", score(articles, split_sentences))
    print("\n| splitter | version | installed MB | import ms | needs |\n|---|---|---|---|---|")
    print("\n".join(details))


def print_row(name: str, way: str, figures: dict[str, float]) -> None:
    """Print one row of the table of figures."""
    f1 = " | ".join(f"{figures[key]:.2f}" for key in ("sentence", "boundary", "as is"))
    print(f"| {name} | {way} | {f1} | {figures['speed']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
