"""Measure the time of each stage of a run: articles in, JSON Lines out.

    python benchmarks/stages.py [--corpora CORPORA] [--articles 120] [--operators]

The run has one thread, so that the stages follow one another and add up to the time by the clock; the table has a row
for the remainder. Articles are put together from the seeds (``articles.py``); with the folder of the public corpora,
they are PolNeAR's dev articles. ``--operators`` also prints the time of each operator of the encoder, by onnxruntime's
own profile. (The file is not called ``profile.py``, since it would hide the module of that name in the standard
library.)
"""

import argparse
import io
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import onnxruntime as ort
from articles import make_articles, polnear_articles, write_articles

from claimstance.inference import Tagger, tagger
from claimstance.inference.articles.sources import read_articles
from claimstance.inference.result_cache import ResultCache
from claimstance.inference.writers.text import JsonlWriter
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx import backend as runtime
from claimstance.model.onnx.backend import DISABLED_OPTIMIZERS, OnnxBackend
from claimstance.model.onnx.manifest import ENCODER_FILE
from claimstance.model.predictor import Predictor
from claimstance.model.windows import WindowBuilder

T = TypeVar("T")
REMAINDER = "what is left over"
#: The class or module of each function that is timed, the name of the function, and the name of the stage.
STAGES: list[tuple[Any, str, str]] = [
    (tagger, "split_sentences", "split into sentences"),
    (WindowBuilder, "tokenize", "tokenize"),
    (WindowBuilder, "windows", "pack into windows"),
    (OnnxBackend, "read", "encoder, sentence heads, tags"),
    (OnnxBackend, "link", "link sources and contents to cues"),
    (OnnxBackend, "stance", "stances"),
    (Predictor, "result", "decode"),
    (Predictor, "stances", "put questions about stances together"),
    (Tagger, "_finish", "names, mentions, results"),
    (ResultCache, "get", "look for copies"),
    (ResultCache, "put", "keep for copies"),
    (JsonlWriter, "write", "write JSON Lines"),
]


class Clock:
    """Measure the seconds spent in each stage, without those of stages within it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stage, self._since = REMAINDER, time.perf_counter()

    def switch(self, stage: str) -> str:
        """Begin a stage; return the one before."""
        now = time.perf_counter()
        self.seconds[self._stage] += now - self._since
        previous, self._stage, self._since = self._stage, stage, now
        return previous

    def timed(self, stage: str, function: Callable[..., T]) -> Callable[..., T]:
        """Return a function whose time counts for a stage; an iterator becomes a list, so that its time counts too."""

        def call(*args: Any, **kwargs: Any) -> Any:
            previous = self.switch(stage)
            try:
                result = function(*args, **kwargs)
                return list(result) if isinstance(result, Iterator) else result
            finally:
                self.switch(previous)

        return call

    def timed_items(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        """Yield the items; the time of getting each counts for a stage."""
        next_item = self.timed(stage, lambda: next(items, None))
        while (item := next_item()) is not None:
            yield item


def profile(file: Path) -> tuple[Clock, float, int]:
    """Run over a file of articles; return the clock, the seconds of the run, and the number of sentences."""
    timed_tagger = Tagger.from_pretrained("small", threads=1)
    timed_tagger.tag("Warm up, said Kerry.", targets=["Kerry"])
    clock = Clock()
    for owner, name, stage in STAGES:
        setattr(owner, name, clock.timed(stage, getattr(owner, name)))
    writer, sentences = JsonlWriter(io.StringIO()), 0
    start = time.perf_counter()
    clock.switch(REMAINDER)
    clock.seconds.clear()
    articles = clock.timed_items("read files", iter(read_articles([str(file)])))
    for tagged in timed_tagger.tag_all(articles):
        writer.write(tagged)  # type: ignore[arg-type]
        sentences += len(tagged.sentences)  # type: ignore[union-attr]
    clock.switch(REMAINDER)
    return clock, time.perf_counter() - start, sentences


def operators(file: Path, folder: Path) -> Counter[str]:
    """Return the seconds of each of the encoder's operators, by onnxruntime's profile."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.enable_profiling = 1, True
    options.profile_file_prefix = str(folder / "operators")
    session = ort.InferenceSession(
        str(BUNDLED_MODELS["small"] / ENCODER_FILE),
        options,
        disabled_optimizers=DISABLED_OPTIMIZERS,
    )
    predictor, _ = runtime.load_predictor("small", threads=1)
    predictor.backend._encoder_sessions[ENCODER_FILE] = session  # type: ignore[attr-defined]
    for tagged in Tagger(predictor, "").tag_all(read_articles([str(file)])):
        assert tagged
    seconds: Counter[str] = Counter()
    for event in json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")):
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            seconds[event["args"]["op_name"]] += event["dur"] / 1e6
    return seconds


def table(seconds: Counter[str], title: str, min_share: float = 0.0) -> str:
    """Return a table of seconds and shares, the longest first, without rows below ``min_share`` of all."""
    total = sum(seconds.values())
    lines = [f"| {title} | seconds | share |", "|---|---|---|"]
    for name, duration in seconds.most_common():
        if duration >= min_share * total:
            lines.append(f"| {name} | {duration:.2f} | {100 * duration / total:.1f} % |")
    lines.append(f"| all | {total:.2f} | 100 % |")
    return "\n".join(lines)


def main() -> None:
    """Measure a run and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpora", type=Path, help="folder of the public corpora")
    parser.add_argument(
        "--articles", type=int, default=120, help="made from the seeds, without --corpora"
    )
    parser.add_argument("--operators", action="store_true", help="also the encoder's operators")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        articles = make_articles(options.articles)
        if options.corpora:
            articles = polnear_articles(options.corpora)
        file = write_articles(Path(folder) / "articles.jsonl", articles)
        # Operators come first: `profile` replaces functions for good.
        if options.operators:
            print(table(operators(file, Path(folder)), "operator", 0.005), end="\n\n")
        clock, seconds, sentences = profile(file)
    print(table(clock.seconds, "stage"))
    print(f"\n{sentences:,} sentences on one thread; the wall was {seconds:.2f} s.")


if __name__ == "__main__":
    main()
