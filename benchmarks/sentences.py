"""Compare the sentence splitters that are installed with the sentence bounds of PolNeAR's CoreNLP files.

    python benchmarks/sentences.py CORPORA [--split dev] [--articles N]

CORPORA holds ``polnear/`` and ``polnear-silver/``. The reference is machine-made, not gold: its sentences run over
paragraph ends, and opening quotes belong to the sentence before. Both are repaired for the main figures; another column
has the figure against the reference as it is.
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


def _sentencex(module: Any) -> ParagraphSplitter:
    def split(text: str) -> Bounds:
        boundaries = module.get_sentence_boundaries("en", text)
        return [(boundary["start_index"], boundary["end_index"]) for boundary in boundaries]

    return split


def _nupunkt(module: Any) -> ParagraphSplitter:
    return lambda text: list(module.sent_spans(text))


def _blingfire(module: Any) -> ParagraphSplitter:
    return lambda text: module.text_to_sentences_and_offsets(text)[1]


def _spacy(module: Any) -> ParagraphSplitter:
    pipeline = module.blank("en")
    pipeline.add_pipe("sentencizer")
    return lambda text: [(span.start_char, span.end_char) for span in pipeline(text).sents]


def _pysbd(module: Any) -> ParagraphSplitter:
    segmenter = module.Segmenter("en", clean=False, char_span=True)
    return lambda text: [(span.start, span.end) for span in segmenter.segment(text)]


def _syntok(module: Any) -> ParagraphSplitter:
    analyze = importlib.import_module("syntok.segmenter").analyze

    def split(text: str) -> Bounds:
        bounds = []
        for paragraph in analyze(text):
            for tokens in paragraph:
                first, last = tokens[0], tokens[-1]
                bounds.append((first.offset, last.offset + len(last.value)))
        return bounds

    return split


def _nltk(module: Any) -> ParagraphSplitter:
    # Raises LookupError if its data is not installed.
    tokenizer = importlib.import_module("nltk.tokenize.punkt").PunktTokenizer("english")
    return lambda text: list(tokenizer.span_tokenize(text))


#: Name of a distribution → makes a splitter from its module.
SPLITTERS: dict[str, Callable[[Any], ParagraphSplitter]] = {
    "sentencex": _sentencex,
    "nupunkt": _nupunkt,
    "blingfire": _blingfire,
    "syntok": _syntok,
    "spacy": _spacy,
    "pysbd": _pysbd,
    "nltk": _nltk,
}

#: Modules to import for the import time, if the top-level module loads nothing.
MODULES = {"syntok": "syntok.segmenter"}


def read_articles(corpora: Path, split: str, limit: int | None) -> list[tuple[str, Bounds]]:
    """Return texts with their reference sentences; a fixed random sample if ``limit`` is given."""
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
    """Return the reference without cuts after a quotation whose attribution continues after the cut."""
    wrong_cuts = set()
    for match in _QUOTED.finditer(text):
        if any(goes_over(event, match.end()) for event in events):
            wrong_cuts.add(match.end())
    joined: Bounds = []
    for start, end in reference:
        if start in wrong_cuts and joined:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def goes_over(event: Event, cut: int) -> bool:
    """Return whether a content touches the text before ``cut``, and its source or cue follows ``cut``."""
    pieces = [*event.roles.get("source", ()), *event.roles.get("cue", ())]
    follows = any(cut <= start < cut + _SPEAKER_REACH for start, _ in pieces)
    return follows and any(start < cut <= end + 4 for start, end in event.roles.get("content", ()))


def repaired(text: str, sentences: Bounds) -> Bounds:
    """Return the reference with cuts at line ends, and with opening quotes and list marks in the next sentence."""
    repaired_bounds: Bounds = []
    torn_start: int | None = None  # of a quote or mark that belongs to the next line
    for sentence_start, sentence_end in sentences:
        for line in _LINE.finditer(text, sentence_start, sentence_end):
            start, end = line.span()
            if torn_start is not None:
                start = torn_start
            torn_start = None
            torn_quote = _TORN_QUOTE.search(text[start:end])
            if torn_quote:
                torn_start = start + torn_quote.start()
                end = start + len(text[start:torn_start].rstrip())
            elif _LIST_MARK.fullmatch(text, start, end) and text[end : end + 1] in (" ", "\xa0"):
                torn_start, end = start, start
            if start < end:
                repaired_bounds.append((start, end))
    return repaired_bounds


def trimmed(text: str, bounds: Bounds) -> Bounds:
    """Return bounds without outer whitespace, and without pieces that are empty then."""
    trimmed_bounds = []
    for start, end in bounds:
        piece = text[start:end]
        if piece.strip():
            trimmed_bounds.append((end - len(piece.lstrip()), start + len(piece.rstrip())))
    return trimmed_bounds


class _Tally:
    """Count items that are predicted, that are gold, and that are both."""

    def __init__(self) -> None:
        self.n_correct = self.n_predicted = self.n_gold = 0

    def add(self, predicted: set[Any], gold: set[Any]) -> None:
        self.n_correct += len(predicted & gold)
        self.n_predicted += len(predicted)
        self.n_gold += len(gold)

    @property
    def f1(self) -> float:
        """Return F1 in per cent."""
        return 200 * self.n_correct / (self.n_predicted + self.n_gold)


def score(articles: list[tuple[str, Bounds]], split: Callable[[str], Bounds]) -> dict[str, float]:
    """Return F1 of whole sentences and of inner sentence ends in per cent, and sentences per second."""
    sentences, boundaries, as_is = _Tally(), _Tally(), _Tally()
    seconds, count = 0.0, 0
    for text, reference in articles:
        started = time.perf_counter()
        bounds = split(text)
        seconds += time.perf_counter() - started
        count += len(bounds)
        predicted, gold = trimmed(text, bounds), repaired(text, reference)
        sentences.add(set(predicted), set(gold))
        as_is.add(set(predicted), set(reference))
        # The end of the text is no boundary between sentences.
        boundaries.add({end for _, end in predicted[:-1]}, {end for _, end in gold[:-1]})
    return {
        "sentence": sentences.f1,
        "boundary": boundaries.f1,
        "as is": as_is.f1,
        "speed": count / seconds,
    }


def ways_to_use(splitter: ParagraphSplitter) -> dict[str, ParagraphSplitter]:
    """Return the library alone, within ``split_sentences``, and there without quotes and parentheses."""

    def split_without_marks(paragraph: str) -> Bounds:
        return splitter(without_marks(paragraph))

    return {
        "alone": splitter,
        "by paragraph, tidied": lambda text: split_sentences(text, splitter),
        "the same, marks hidden": lambda text: split_sentences(text, split_without_marks),
    }


def footprint(name: str) -> str:
    """Return version, installed size, import time and direct dependencies of a distribution, as cells of a table."""
    files = importlib.metadata.files(name) or []
    megabytes = sum(file.size or 0 for file in files) / 1e6
    module = MODULES.get(name, name)
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    # In new processes, since a module is imported once in each; the fastest is the least disturbed.
    command = [sys.executable, "-c", code]
    seconds = min(float(subprocess.check_output(command)) for _ in range(3))
    dependencies = [
        re.split(r"[^\w.-]", requirement)[0]
        for requirement in importlib.metadata.requires(name) or []
        if "extra ==" not in requirement
    ]
    version = importlib.metadata.version(name)
    return (
        f"{version} | {megabytes:.1f} | {seconds * 1000:.0f} | {', '.join(dependencies) or 'none'}"
    )


def main() -> None:
    """Score the installed splitters and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument(
        "--articles", type=int, help="a random sample of so many articles (default: all)"
    )
    options = parser.parse_args()
    articles = read_articles(options.corpora, options.split, options.articles)
    n_sentences = sum(len(reference) for _, reference in articles)
    print(f"{len(articles)} articles of {options.split}, {n_sentences} reference sentences\n")
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
