"""Check that any input, however damaged, gives a right answer or a clear error, in bounded time and memory.

A seed determines the inputs: valid files and requests in which bytes, fields and values are removed, changed and
inserted, and texts of unusual characters. The function of each kind states what has to hold. Two processes read the
inputs in runs of a hundred, within ten seconds for an input and four gigabytes for a process. A crash, a hang or a
wrong answer is reported with the seed of its run and its number in the run; ``FUZZED[kind](random.Random(seed),
folder)`` repeats it.
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
from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.config import ModelConfig
from claimstance.model.errors import ClaimstanceError, InputError
from claimstance.model.io.validation import first_problem
from claimstance.model.labels import OPINION_HEADS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.onnx.backend import TOKENIZER_FILE
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
    """Damage text, CSV, TSV and JSON Lines: the result is articles that can be written, or an error in one line."""
    name, data = rng.choice(_samples())
    path = room / f"a{rng.randrange(10**9)}-{name}"
    if rng.random() < 0.9:
        path.write_bytes(damaged(data, rng))
    else:
        path.write_bytes(rng.randbytes(rng.randrange(300)))
    _articles(path)


def pages(rng: random.Random, room: Path) -> None:
    """Damage HTML, or combine tags at random."""
    path = room / "a.html"
    if rng.random() < 0.5:
        body = ""
        for _ in range(rng.randrange(30)):
            body += rng.choice(MARKUP) if rng.random() < 0.7 else strange_text(rng, 8)
        path.write_text(f"<html><body>{body}", encoding="utf-8", errors="replace")
    else:
        samples = sorted((DATA / "articles").glob("*.htm*"))
        path.write_bytes(damaged(rng.choice(samples).read_bytes(), rng))
    _articles(path)


def binaries(rng: random.Random, room: Path) -> None:
    """Damage PDF, Word and Parquet files."""
    suffix, data = rng.choice(_binaries())
    path = room / f"a{suffix}"
    path.write_bytes(damaged(data, rng))
    _articles(path)


def exports(rng: random.Random, room: Path) -> None:
    """Damage annotation exports: the result is records, or an error with the name of the file."""
    sample = rng.choice(_exports())
    folder = room / sample.parent.name
    shutil.rmtree(folder, ignore_errors=True)
    if sample.parent.parent.name == "brat":
        shutil.copytree(sample.parent, folder)  # an export of several files
    folder.mkdir(exist_ok=True)
    path = folder / sample.name
    # Of JSON files, half have replaced values, which get further than damaged bytes.
    if sample.suffix == ".json" and rng.random() >= 0.5:
        data = json.loads(sample.read_text(encoding="utf-8-sig"))
        replaced(data, rng)
        path.write_bytes(json.dumps(data).encode())
    else:
        path.write_bytes(damaged(sample.read_bytes(), rng))
    outcomes.records(path, rng.random() < 0.5)


def records(rng: random.Random, _: Path) -> None:
    """Replace values of records in JSON: the result is the record, or an error in one line."""
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
    """Damage bodies of requests to the server: the result is a response, or a refusal."""
    parse, body = rng.choice(_bodies())
    try:
        is_form = body.startswith(b"--")
        if rng.random() < 0.7 or is_form:
            parse(damaged(body, rng))
        else:
            data = json.loads(body)
            replaced(data, rng)
            parse(json.dumps(data).encode())
    except Refusal as refusal:
        must(400 <= refusal.status_code < 500, f"status {refusal.status_code}")
    except ValidationError as error:
        field, detail = first_problem(error.errors())
        must(len(f"{field}: {detail}") < 2000, "an error of more than 2,000 characters")


def texts(rng: random.Random, _: Path) -> None:
    """Split texts of unusual characters: the sentences are in order, do not overlap, and are not blank."""
    text, last = strange_text(rng), 0
    for start, end in split_sentences(text):
        must(
            last <= start < end <= len(text) and bool(text[start:end].strip()),
            f"a sentence at {start} to {end}",
        )
        last = end


def decoding(rng: random.Random, _: Path) -> None:
    """Decode random logits on such texts: every offset is valid, and the result can be written as JSON."""
    text = strange_text(rng, 120)
    tagger = _tagger()
    tagger._predictor.backend.rng = np.random.default_rng(rng.randrange(2**32))  # type: ignore[attr-defined]
    tagged = tagger.tag(text, [strange_text(rng, 4) + "x"] if rng.random() < 0.3 else ())
    json.dumps(tagged.to_dict(), allow_nan=False).encode()
    for sentence in tagged.sentences:
        spans: list[Any] = [sentence, *(sentence.entities or ())]
        for attribution in sentence.attributions or ():
            spans += [attribution.source, attribution.cue, attribution.content]
        for stance in sentence.stances:
            spans += [stance.holder_span, stance.target_span]
        for span in spans:
            if span is None:
                continue
            must(text[span.start : span.end] == span.text, f"an offset that does not hold: {span}")


def configs(rng: random.Random, room: Path) -> None:
    """Damage configurations: the result is a configuration, or an error of this program."""
    path = room / "config.yaml"
    sample = ROOT / "configs" / f"{rng.choice(('small', 'quickstart', 'tiny'))}.yaml"
    path.write_bytes(damaged(sample.read_bytes(), rng))
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
    """Check the articles of a file, and remove it."""
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
    """Return the files of annotations of the tests."""
    files = sorted(path for path in DATA.rglob("*") if path.is_file())
    return [path for path in files if not {"broken", "articles"} & {*path.parts}]


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

    def parse_articles(body: bytes) -> Any:
        return articles.validate_python(read_json(body))

    def parse_records(body: bytes) -> Any:
        return records.validate_python(read_json(body))

    def parse_multipart(body: bytes) -> Any:
        return list(parse_form("multipart/form-data; boundary=x", body))

    return [
        (parse_articles, json.dumps(article).encode()),
        (parse_articles, json.dumps([article] * 2).encode()),
        (parse_records, json.dumps(_records()[:2]).encode()),
        (parse_records, json.dumps(_records()[3]).encode()),
        (parse_multipart, form),
    ]


class _RandomBackend:
    """Represent a network whose logits are random numbers."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self._labels = ModelConfig.load(BUNDLED_MODELS["small"]).labels

    def read(self, ids: Any, segments: Any, sentences: Any) -> dict[str, Any]:
        tokens = ids.shape[1]
        output = {
            "hidden": self.rng.normal(size=(1, tokens, 4)),
            "attribution": self._logits(1, tokens, len(bio(ROLES))),
            "entity": self._logits(1, tokens, len(bio(self._labels["entity"]))),
            **{head: self._logits(1, tokens, 3) for head in OPINION_HEADS},
        }
        for task in SENTENCE_TASKS:
            output[task] = self._logits(len(sentences), len(self._labels[task]))
        return output

    def stance(self, hidden: Any, holders: Any, targets: Any, sentences: Any) -> Any:
        return self._logits(len(holders), 3)

    def link(self, hidden: Any, cues: Any, spans: Any) -> Any:
        return self._logits(len(cues), 2)

    def _logits(self, *shape: int) -> Any:
        return self.rng.normal(scale=10.0 ** self.rng.integers(-1, 4), size=shape)


@cache
def _tagger() -> Tagger:
    config = ModelConfig.load(BUNDLED_MODELS["small"])
    config.max_tokens = 32  # many windows, and sentences in pieces
    windows = WindowBuilder.from_file(BUNDLED_MODELS["small"] / TOKENIZER_FILE, config.max_tokens)
    return Tagger(Predictor(config, windows, _RandomBackend()), "")


def _prepare() -> None:
    """Limit the memory of a process, and let an alarm end an input that takes too long."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _late)


def _late(*_: Any) -> None:
    raise TimeoutError(f"no answer within {SECONDS} seconds")


def run(kind: str, seed: str, count: int = RUN) -> list[str]:
    """Return the failures among ``count`` inputs of a kind, each with the seed that repeats it."""
    function = FUZZED[kind][0]
    failures = []
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as folder:
        for number in range(count):
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                function(random.Random(f"{seed} {number}"), Path(folder))
            except ClaimstanceError:
                pass  # a clear error; the functions check its message where that matters
            except Exception as error:
                failures.append(
                    f"{kind}, seed '{seed} {number}': {type(error).__name__}: {str(error)[:200]}"
                )
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    return failures


def _tasks(seed: int, million: float) -> Iterator[Task]:
    for kind, (_, count) in FUZZED.items():
        count = round(count * million)
        for begin in range(0, count, RUN):
            yield kind, f"{seed} {kind} {begin}", min(RUN, count - begin)


def run_tasks(tasks: list[Task], workers: int | None = None) -> list[tuple[Task, list[str]]]:
    """Return each task's failures. If a process dies, its tasks run again in one process each, to find the culprit."""
    try:
        with ProcessPoolExecutor(workers or os.cpu_count(), initializer=_prepare) as pool:
            failures = pool.map(run, *zip(*tasks, strict=True), chunksize=4)
            return list(zip(tasks, failures, strict=True))
    except BrokenProcessPool:
        if len(tasks) == 1:
            kind, seed, _ = tasks[0]
            return [(tasks[0], [f"{kind}, among those of seed '{seed}': the process died"])]
        results = []
        for task in tasks:
            results += run_tasks([task], 1)
        return results


def measure(seed: int, million: float = 1.0) -> dict[str, Any]:
    """Return the figures about ``million`` times a million damaged inputs."""
    start = time.monotonic()
    tried = Counter[str]()
    failures: dict[str, list[str]] = {kind: [] for kind in FUZZED}
    # In random order, so that processes share kinds that take long.
    tasks = sorted(_tasks(seed, million), key=lambda task: random.Random(task[1]).random())
    for begin in range(0, len(tasks), TASKS):
        for (kind, _, count), messages in run_tasks(tasks[begin : begin + TASKS]):
            tried[kind] += count
            failures[kind] += messages
            for message in messages:
                print(f"fuzz: {message}", flush=True)
        failed = sum(map(len, failures.values()))
        print(f"fuzz: {sum(tried.values()):,} inputs, {failed} wrong", flush=True)
    rows = []
    all_failures: list[str] = []
    for kind, (function, _) in FUZZED.items():
        count = tried[kind] - len(failures[kind])
        rows.append(
            survived(f"damaged input: {kind}", count, failures[kind], function.__doc__ or "")
        )
        all_failures += failures[kind]
    count = sum(tried.values()) - len(all_failures)
    rows.append(survived("damaged input: all", count, all_failures[:3], f"seed {seed}"))
    about = (
        f"{sum(tried.values()):,} inputs in {time.monotonic() - start:,.0f} s, none of which may crash, hang "
        "(10 s) or give a wrong answer. `benchmarks/torture/fuzz.py`."
    )
    return part(about, rows)
