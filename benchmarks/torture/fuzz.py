"""Check that any input, however damaged, gives a right answer or a clear error, in bounded time and memory.

Inputs are made from a seed: files and requests that were whole, with bytes, fields and values cut, changed and put in,
and texts of strange characters. Each kind says below what it is read by and what has to hold. Two processes take the
inputs in runs of a hundred; one input may take ten seconds, a process four gigabytes. A crash, a hang or an answer that
is wrong is told with the seed of its run and its number in it: ``FUZZED[kind](random.Random(seed), folder)``.
"""

import copy
import json
import os
import random
import resource
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import outcomes
from damage import MARKUP, damaged, replaced, strange_text
from outcomes import must
from page import part, survived
from pydantic import TypeAdapter, ValidationError

from claimstance.inference import Tagger
from claimstance.inference.serving.form_fields import parse_form
from claimstance.inference.serving.problems import Refusal
from claimstance.inference.serving.requests import Articles, Records, read_json
from claimstance.model.config import ModelConfig
from claimstance.model.errors import ClaimstanceError, InputError
from claimstance.model.io.validation import first_problem
from claimstance.model.labels import ROLES, SENTENCE_TASKS, bio
from claimstance.model.onnx.backend import BUNDLED, TOKENIZER_FILE
from claimstance.model.predictor import Predictor
from claimstance.model.record import parse_record, read_jsonl
from claimstance.model.text.sentences import split_sentences
from claimstance.model.windows import WindowBuilder
from claimstance.training.load_config import load_config

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
MEMORY_DISK = Path("/dev/shm")  # of Linux: files there cost no disk
SECONDS, MEMORY = 10, 4 << 30  # of an input; of a process, in bytes
RUN, TASKS = 100, 500  # inputs a task; tasks for the same processes


Task = tuple[str, str, int]  # kind, seed, inputs


def article_files(rng: random.Random, room: Path) -> None:
    """Text, CSV, TSV and JSON Lines, damaged: articles that can be written, or an error of one line."""
    name, data = rng.choice(_samples())
    path = room / f"a{rng.randrange(10**9)}-{name}"
    path.write_bytes(
        damaged(data, rng) if rng.random() < 0.9 else rng.randbytes(rng.randrange(300))
    )
    _articles(path)


def pages(rng: random.Random, room: Path) -> None:
    """HTML, damaged or put together from tags at random."""
    path = room / "a.html"
    if rng.random() < 0.5:
        body = "".join(
            rng.choice(MARKUP) if rng.random() < 0.7 else strange_text(rng, 8)
            for _ in range(rng.randrange(30))
        )
        path.write_text(f"<html><body>{body}", encoding="utf-8", errors="replace")
    else:
        path.write_bytes(damaged(rng.choice(_pages()), rng))
    _articles(path)


def binaries(rng: random.Random, room: Path) -> None:
    """PDF, Word and Parquet, damaged."""
    suffix, data = rng.choice(_binaries())
    path = room / f"a{suffix}"
    path.write_bytes(damaged(data, rng))
    _articles(path)


def exports(rng: random.Random, room: Path) -> None:
    """Annotation exports, damaged: records, or an error with the file's name."""
    sample = rng.choice(_exports())
    place = room / sample.parent.name
    shutil.rmtree(place, ignore_errors=True)
    if sample.parent.parent.name == "brat":
        shutil.copytree(sample.parent, place)  # files that go together
    place.mkdir(exist_ok=True)
    path = place / sample.name
    path.write_bytes(_with_other_values(sample, rng) or damaged(sample.read_bytes(), rng))
    outcomes.records(path, rng.random() < 0.5)


def records(rng: random.Random, _: Path) -> None:
    """Records as JSON has them, with parts replaced: the record, or an error of a line."""
    data = copy.deepcopy(rng.choice(_records()))
    for _unused in range(rng.randint(1, 3)):
        replaced(data, rng)
    try:
        record = parse_record(data, "row 7")
    except InputError as error:
        must("row 7" in str(error), f"an error that names no row: {error}")
    else:
        must(
            parse_record(json.loads(record.to_json()), "again") == record,
            "another record when written and read",
        )


def requests(rng: random.Random, _: Path) -> None:
    """Bodies of requests to the server, damaged: what was asked, or a refusal."""
    parse, body = rng.choice(_bodies())
    try:
        parse(damaged(body, rng) if rng.random() < 0.7 else _other_json(body, rng))
    except Refusal as refusal:
        must(400 <= refusal.status_code < 500, f"status {refusal.status_code}")
    except ValidationError as error:
        field, detail = first_problem(error.errors())
        must(len(f"{field}: {detail}") < 2000, "an error of more than 2,000 characters")


def texts(rng: random.Random, _: Path) -> None:
    """Texts of strange characters: sentences in order, without overlap, none blank."""
    text, last = strange_text(rng), 0
    for start, end in split_sentences(text):
        must(
            last <= start < end <= len(text) and bool(text[start:end].strip()),
            f"a sentence at {start} to {end}",
        )
        last = end


def decoding(rng: random.Random, _: Path) -> None:
    """Such texts, read by a network that says anything: every offset holds, and JSON can be written."""
    text = strange_text(rng, 120)
    tagger = _tagger()
    tagger._predictor.backend.rng = np.random.default_rng(rng.randrange(2**32))  # type: ignore[attr-defined]
    tagged = tagger.tag(text, [strange_text(rng, 4) + "x"] if rng.random() < 0.3 else ())
    json.dumps(tagged.to_dict(), allow_nan=False).encode()
    for sentence in tagged.sentences:
        spans: list[Any] = [sentence, *(sentence.entities or ())]
        spans += [
            one
            for found in sentence.attributions or ()
            for one in (found.source, found.cue, found.content)
            if one
        ]
        spans += [
            one
            for found in sentence.stances
            for one in (found.holder_span, found.target_span)
            if one
        ]
        for span in spans:
            must(text[span.start : span.end] == span.text, f"an offset that does not hold: {span}")


def configs(rng: random.Random, room: Path) -> None:
    """Configurations, damaged: one, or an error of the program's own."""
    path = room / "config.yaml"
    path.write_bytes(
        damaged(
            (ROOT / "configs" / rng.choice(("default", "quickstart", "tiny")))
            .with_suffix(".yaml")
            .read_bytes(),
            rng,
        )
    )
    load_config(path)


#: Kind → what reads an input of it, and how many of a million are of it, by what one costs.
FUZZED: dict[str, tuple[Callable[[random.Random, Path], None], int]] = {
    "records": (records, 330_000),
    "requests": (requests, 330_000),
    "texts": (texts, 150_000),
    "article files": (article_files, 100_000),
    "decoding": (decoding, 40_000),
    "annotation exports": (exports, 30_000),
    "pages": (pages, 12_000),
    "configurations": (configs, 5_000),
    "PDF, Word, Parquet": (binaries, 3_000),
}


def _articles(path: Path) -> None:
    outcomes.articles(path)
    path.unlink()


@cache
def _samples() -> list[tuple[str, bytes]]:
    return [
        ("a.txt", "Title\nHe said so. Émile left.".encode()),
        ("a.csv", b'id,text,outlet\n1,"He said ""no"".",Courier\n2,She left.,\n'),
        ("a.tsv", b"id\ttext\n1\tHe left.\n"),
        (
            "a.jsonl",
            b'{"text": "He left.", "meta": {"n": [1, {"a": null}]}}\n{"text": "B", "id": 7}\n',
        ),
    ]


@cache
def _pages() -> list[bytes]:
    return [path.read_bytes() for path in sorted((DATA / "articles").glob("*.htm*"))]


@cache
def _binaries() -> list[tuple[str, bytes]]:
    import io
    import sys

    import pyarrow
    import pyarrow.parquet

    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.documents import docx, pdf

    lines = ["Levee Inquiry", "He said that nobody signed for it, and left the in-", "quiry."]
    table = io.BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.table({"text": ["He left."] * 50, "n": list(range(50))}), table
    )
    return [(".pdf", pdf(lines, lines)), (".docx", docx(*lines)), (".parquet", table.getvalue())]


@cache
def _exports() -> list[Path]:
    return sorted(
        path
        for path in DATA.rglob("*")
        if path.is_file() and not {"broken", "articles"} & {*path.parts}
    )


def _with_other_values(sample: Path, rng: random.Random) -> bytes | None:
    """A JSON file with parts of it replaced, half of the time; ``None`` otherwise."""
    if sample.suffix != ".json" or rng.random() < 0.5:
        return None
    data = json.loads(sample.read_text(encoding="utf-8-sig"))
    replaced(data, rng)
    return json.dumps(data).encode()


@cache
def _records() -> list[dict[str, Any]]:
    return [json.loads(record.to_json()) for record in read_jsonl(ROOT / "seeds" / "records.jsonl")]


@cache
def _bodies() -> list[tuple[Callable[[bytes], Any], bytes]]:
    article = {
        "text": "Kerry said no. 🚲",
        "title": "T",
        "id": "a",
        "targets": ["Kerry"],
        "meta": {"n": 1},
    }
    form = (
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nHe left.\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nHe left.\r\n--x--\r\n'
    )
    articles, records = TypeAdapter(Articles), TypeAdapter(Records)
    return [
        (lambda body: articles.validate_python(read_json(body)), json.dumps(article).encode()),
        (
            lambda body: articles.validate_python(read_json(body)),
            json.dumps([article] * 2).encode(),
        ),
        (
            lambda body: records.validate_python(read_json(body)),
            json.dumps(_records()[:2]).encode(),
        ),
        (lambda body: records.validate_python(read_json(body)), json.dumps(_records()[3]).encode()),
        (lambda body: list(parse_form("multipart/form-data; boundary=x", body)), form),
    ]


def _other_json(body: bytes, rng: random.Random) -> bytes:
    if body.startswith(b"--"):
        return damaged(body, rng)
    data = json.loads(body)
    replaced(data, rng)
    return json.dumps(data).encode()


class _Anything:
    """A network that says anything."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def read(self, ids: Any, segments: Any, sentences: Any) -> dict[str, Any]:
        shape, labels = (
            ids.shape[1],
            ModelConfig.load(BUNDLED).labels if not hasattr(self, "labels") else self.labels,
        )
        self.labels = labels
        found = {
            "hidden": self.rng.normal(size=(1, shape, 4)),
            "attribution": self._logits(1, shape, len(bio(ROLES))),
            "entity": self._logits(1, shape, len(bio(labels["entity"]))),
        }
        return {
            **found,
            **{task: self._logits(len(sentences), len(labels[task])) for task in SENTENCE_TASKS},
        }

    def stance(self, hidden: Any, holders: Any, targets: Any, sentences: Any) -> Any:
        return self._logits(len(holders), 3)

    def link(self, hidden: Any, cues: Any, spans: Any) -> Any:
        return self._logits(len(cues), 2)

    def _logits(self, *shape: int) -> Any:
        return self.rng.normal(scale=10.0 ** self.rng.integers(-1, 4), size=shape)


@cache
def _tagger() -> Tagger:
    config = ModelConfig.load(BUNDLED)
    config.max_tokens = 32  # many windows, and sentences in pieces
    return Tagger(
        Predictor(config, WindowBuilder.from_file(BUNDLED / TOKENIZER_FILE, 32), _Anything()), ""
    )


def _prepare() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _late)


def _late(*_: Any) -> None:
    raise TimeoutError(f"no answer within {SECONDS} seconds")


def run(kind: str, seed: str, count: int = RUN) -> list[str]:
    """Return the failures among so many inputs of a kind, each with the seed that repeats it."""
    function, wrong = FUZZED[kind][0], []
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as folder:
        for number in range(count):
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                function(random.Random(f"{seed} {number}"), Path(folder))
            except ClaimstanceError:
                pass  # clear, or its kind would have looked into it
            except Exception as error:
                wrong.append(
                    f"{kind}, seed '{seed} {number}': {type(error).__name__}: {str(error)[:200]}"
                )
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    return wrong


def _tasks(seed: int, million: float) -> Iterator[Task]:
    for kind, (_, count) in FUZZED.items():
        count = round(count * million)
        for begin in range(0, count, RUN):
            yield kind, f"{seed} {kind} {begin}", min(RUN, count - begin)


def _done(tasks: list[Task], workers: int | None = None) -> list[tuple[Task, list[str]]]:
    """Return each task's failures. If a process dies, its tasks run again in one process each, to find the culprit."""
    try:
        with ProcessPoolExecutor(workers or os.cpu_count(), initializer=_prepare) as pool:
            return list(
                zip(tasks, pool.map(run, *zip(*tasks, strict=True), chunksize=4), strict=True)
            )
    except BrokenProcessPool:
        if len(tasks) == 1:
            return [
                (
                    tasks[0],
                    [f"{tasks[0][0]}, among those of seed '{tasks[0][1]}': the process died"],
                )
            ]
        return [found for task in tasks for found in _done([task], 1)]


def measure(seed: int, million: float = 1.0) -> dict[str, Any]:
    """The part of the figures that is about damaged input: ``million`` times a million inputs."""
    began, tried, wrong = time.monotonic(), Counter[str](), {kind: list[str]() for kind in FUZZED}
    tasks = sorted(_tasks(seed, million), key=lambda task: random.Random(task[1]).random())
    for begin in range(0, len(tasks), TASKS):
        for (kind, _, count), found in _done(tasks[begin : begin + TASKS]):
            tried[kind] += count
            wrong[kind] += found
            print(*(f"fuzz: {one}" for one in found), sep="\n", end="\n" * bool(found), flush=True)
        print(
            f"fuzz: {sum(tried.values()):,} inputs, {sum(map(len, wrong.values()))} wrong",
            flush=True,
        )
    rows = [
        survived(
            f"damaged input: {kind}",
            tried[kind] - len(wrong[kind]),
            wrong[kind],
            function.__doc__ or "",
        )
        for kind, (function, _) in FUZZED.items()
    ]
    everything = [each for found in wrong.values() for each in found]
    rows.append(
        survived(
            "damaged input: all",
            sum(tried.values()) - len(everything),
            everything[:3],
            f"seed {seed}",
        )
    )
    about = (
        f"{sum(tried.values()):,} inputs in {time.monotonic() - began:,.0f} s, none of which may crash, hang "
        "(10 s) or give a wrong answer. `benchmarks/torture/fuzz.py`."
    )
    return part(about, rows)
