"""Where the time of one run goes, stage by stage: articles in, JSON Lines out.

    python benchmarks/stages.py [--corpora CORPORA] [--articles 120] [--operators]

One thread, so that the stages follow one another and add up to the wall; what is left over is told as well. Articles
are put together from the seeds (``articles.py``); with the folder of the public corpora, they are PolNeAR's dev
articles. ``--operators`` also tells where the encoder's time goes, by onnxruntime's own profile. (Not called
``profile.py``: a module of that name would stand in the way of the standard library's.)
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

import articles as made
import onnxruntime as ort

from claimstance.inference import Tagger, tagger
from claimstance.inference.articles.sources import read_articles
from claimstance.inference.result_cache import ResultCache
from claimstance.inference.writers.text import JsonlWriter
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.onnx import backend as runtime
from claimstance.model.onnx.backend import DISABLED_OPTIMIZERS, OnnxBackend
from claimstance.model.onnx.manifest import READER_FILE
from claimstance.model.predictor import Predictor
from claimstance.model.windows import WindowBuilder

T = TypeVar("T")
ELSE = "what is left over"
STAGES: list[tuple[Any, str, str]] = [
    (tagger, "split_sentences", "split into sentences"),
    (WindowBuilder, "tokenize", "tokenize"),
    (WindowBuilder, "windows", "pack into windows"),
    (OnnxBackend, "read", "encoder, sentence heads, tags"),
    (OnnxBackend, "link", "link sources and contents to cues"),
    (OnnxBackend, "stance", "stances"),
    (Predictor, "finish", "decode"),
    (Predictor, "stances", "put questions about stances together"),
    (Tagger, "_finish", "names, mentions, results"),
    (ResultCache, "get", "look for copies"),
    (ResultCache, "put", "keep for copies"),
    (JsonlWriter, "write", "write JSON Lines"),
]


class Clock:
    """The seconds spent in each stage, those of stages within it not counted."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stage, self._since = ELSE, time.perf_counter()

    def switch(self, stage: str) -> str:
        """Go over to a stage; gives the one before."""
        now = time.perf_counter()
        self.seconds[self._stage] += now - self._since
        before, self._stage, self._since = self._stage, stage, now
        return before

    def timed(self, stage: str, function: Callable[..., T]) -> Callable[..., T]:
        """The function, its time told to a stage. Lists are made of iterators, so that their time is known."""

        def call(*args: Any, **more: Any) -> Any:
            before = self.switch(stage)
            try:
                found = function(*args, **more)
                return list(found) if isinstance(found, Iterator) else found
            finally:
                self.switch(before)

        return call

    def watched(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        """The items, the time of getting each told to a stage."""
        following = self.timed(stage, lambda: next(items, None))
        while (item := following()) is not None:
            yield item


def profile(file: Path) -> tuple[Clock, float, int]:
    """The clock of a run over a file of articles, its wall in seconds and the sentences."""
    reading = Tagger.from_pretrained(threads=1)
    reading.tag("Warm up, said Kerry.", targets=["Kerry"])
    clock = Clock()
    for owner, name, stage in STAGES:
        setattr(owner, name, clock.timed(stage, getattr(owner, name)))
    writer, sentences = JsonlWriter(io.StringIO()), 0
    began = time.perf_counter()
    clock.switch(ELSE)
    clock.seconds.clear()
    for tagged in reading.tag_all(clock.watched("read files", iter(read_articles([str(file)])))):
        writer.write(tagged)  # type: ignore[arg-type]
        sentences += len(tagged.sentences)  # type: ignore[union-attr]
    clock.switch(ELSE)
    return clock, time.perf_counter() - began, sentences


def operators(file: Path, folder: Path) -> Counter[str]:
    """The seconds of each of the encoder's operators, by onnxruntime's profile."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.enable_profiling = 1, True
    options.profile_file_prefix = str(folder / "operators")
    session = ort.InferenceSession(
        str(BUNDLED_MODELS["small"] / READER_FILE), options, disabled_optimizers=DISABLED_OPTIMIZERS
    )
    predictor, _ = runtime.load_predictor(threads=1)
    predictor.backend._encoder_sessions[READER_FILE] = session  # type: ignore[attr-defined]
    for tagged in Tagger(predictor, "").tag_all(read_articles([str(file)])):
        assert tagged
    found: Counter[str] = Counter()
    for event in json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")):
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            found[event["args"]["op_name"]] += event["dur"] / 1e6
    return found


def table(seconds: Counter[str], title: str, least: float = 0.0) -> str:
    """Seconds and shares, the longest first; what has less than ``least`` of all is left out."""
    total = sum(seconds.values())
    lines = [f"| {title} | seconds | share |", "|---|---|---|"]
    lines += [
        f"| {name} | {one:.2f} | {100 * one / total:.1f} % |"
        for name, one in seconds.most_common()
        if one >= least * total
    ]
    return "\n".join([*lines, f"| all | {total:.2f} | 100 % |"])


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpora", type=Path, help="folder of the public corpora")
    parser.add_argument(
        "--articles", type=int, default=120, help="made from the seeds, without --corpora"
    )
    parser.add_argument("--operators", action="store_true", help="also the encoder's operators")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = made.polnear(asked.corpora) if asked.corpora else made.articles(asked.articles)
        file = made.write(Path(folder) / "articles.jsonl", rows)
        if asked.operators:  # first: what is profiled is timed no more
            print(table(operators(file, Path(folder)), "operator", 0.005), end="\n\n")
        clock, wall, sentences = profile(file)
    print(table(clock.seconds, "stage"))
    print(f"\n{sentences:,} sentences on one thread; the wall was {wall:.2f} s.")


if __name__ == "__main__":
    main()
