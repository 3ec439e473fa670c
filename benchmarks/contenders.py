"""Run one contender of the speed comparison: this project, or the code that its users would write without it.

    python benchmarks/contenders.py NAME FILE        (started by benchmarks/speed.py)

A process prepares itself, prints ``ready``, and runs once for every line that it receives. It answers with JSON:
``seconds`` of the run by the clock and ``peak`` memory of the process so far, in MB; some answer more, such as
``processor``, the seconds that all of its threads were at work. The preparation (loading, warming up) is not timed. The
heads of the other programs are random: they cost as much as trained ones.
"""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
COLD_TARGETS = ("Orvane", "Lissant", "Salt", "Draycott", "Stroem")
WARM, STEPS = 3, 25  # steps of training before the timing starts, and steps that are timed
SIZE = 2048  # rows and columns of the limit's matrices
PRODUCTS = 10  # matrix products for each core in a round
#: Runs a contender once; returns its measurements.
Run = Callable[[], dict[str, float]]


def sentences_of(file: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the sentences of a file of articles, and pairs of a sentence and a target that this project asks about.

    The other programs get both for nothing: splitting sentences and choosing targets is not timed.
    """
    from claimstance.inference import Tagger
    from claimstance.inference.articles.sources import read_articles

    texts, pairs = [], []
    for tagged in Tagger.from_pretrained("small").tag_all(read_articles([str(file)]), neutral=True):
        for sentence in tagged.sentences:  # type: ignore[union-attr]
            texts.append(sentence.text)
            targets = dict.fromkeys(stance.target for stance in sentence.stances)
            pairs += [(sentence.text, target) for target in targets]
    return texts, pairs


def claimstance(file: Path, targets: tuple[str, ...] = (), model: str = "small") -> Run:
    """Return a whole run of this project: every task for the articles of a file, written as JSON Lines.

    Every entity is a target unless ``targets`` are given.
    """
    from claimstance.inference import Tagger
    from claimstance.inference.articles.sources import read_articles
    from claimstance.inference.writers.text import JsonlWriter, open_output

    def run() -> dict[str, float]:
        # A tagger remembers the articles that it has read, so each run has a new one.
        tagger = Tagger.from_pretrained(model)
        tagger.tag("Warm.")
        with tempfile.TemporaryDirectory() as folder:
            start, processor_start = time.perf_counter(), time.process_time()
            with open_output(Path(folder) / "out.jsonl") as out:
                writer = JsonlWriter(out)
                for tagged in tagger.tag_all(read_articles([str(file)]), targets):
                    writer.write(tagged)  # type: ignore[arg-type]
            return {
                "seconds": time.perf_counter() - start,
                "processor": time.process_time() - processor_start,
            }

    return run


def limit(file: Path) -> Run:
    """Return a multiplication of float32 matrices: all cores at work, each on products of its own.

    ``gflops`` is of one core, in GFLOP for each second of processor time: the median of the products.
    Threads that share a product would wait for one another, longer if the machine has other work.
    """
    import torch

    pairs = [(torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)) for _ in range(THREADS)]

    def multiply(pair: tuple[torch.Tensor, torch.Tensor]) -> float:
        start = time.thread_time()
        torch.matmul(*pair)
        return time.thread_time() - start

    def run() -> dict[str, float]:
        start = time.perf_counter()
        with ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            durations = list(pool.map(multiply, pairs * PRODUCTS))
        return {
            "seconds": time.perf_counter() - start,
            "processor": sum(durations),
            "gflops": 2 * SIZE**3 / statistics.median(durations) / 1e9,
        }

    return run


def pipelines(file: Path, best: bool = False) -> Run:
    """Return a run of transformers pipelines: one for each task of sentences, and one for pairs with targets.

    Args:
        file: the articles.
        best: whether the inputs are sorted by length and read in batches of 32.
    """
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.set_num_threads(THREADS)
    texts, pairs = sentences_of(file)
    with tempfile.TemporaryDirectory() as folder:
        save_heads(Path(folder))
        options = {"batch_size": 32} if best else {}
        read = load_pipelines(Path(folder), **options)
    if best:
        texts.sort(key=len)
        pairs.sort(key=lambda pair: len(pair[0]) + len(pair[1]))

    def run() -> dict[str, float]:
        start = time.perf_counter()
        json.dumps(read(texts, pairs), default=str)
        return {
            "seconds": time.perf_counter() - start,
            "sentences": len(texts),
            "pairs": len(pairs),
        }

    return run


def load_pipelines(
    folder: Path, **options: Any
) -> Callable[[list[str], list[tuple[str, str]]], list[Any]]:
    """Return a function that reads sentences, and pairs of a sentence and a target, with the models of a folder."""
    from transformers import pipeline

    classifiers = {
        name: pipeline("text-classification", model=str(folder / name), device="cpu", **options)
        for name in ("claim", "check_worthy", "stance")
    }
    tagger = pipeline("token-classification", model=str(folder / "tokens"), device="cpu", **options)

    def read(texts: list[str], pairs: list[tuple[str, str]]) -> list[Any]:
        questions = [{"text": text, "text_pair": target} for text, target in pairs]
        return [
            list(classifiers["claim"](texts)),
            list(classifiers["check_worthy"](texts)),
            list(tagger(texts)),
            list(classifiers["stance"](questions)),
        ]

    return read


def save_heads(folder: Path) -> None:
    """Save models with the same encoder and random heads, a folder each, like fine-tuned models of a user."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
        AutoTokenizer,
    )

    from claimstance.model.io.encoders import locate

    encoder = locate(ENCODER)
    model_classes = {"tokens": AutoModelForTokenClassification}
    for name, count in (("claim", 2), ("check_worthy", 2), ("stance", 3), ("tokens", 7)):
        model_class = model_classes.get(name, AutoModelForSequenceClassification)
        model_class.from_pretrained(encoder, num_labels=count).save_pretrained(folder / name)
        AutoTokenizer.from_pretrained(encoder).save_pretrained(folder / name)


def cold(file: Path, folder: Path) -> None:
    """Read one article from a cold start through transformers; its targets are the names in its sentences."""
    from claimstance.model.text.mentions import find_mentions
    from claimstance.model.text.sentences import split_sentences

    text = file.read_text(encoding="utf-8")
    texts = [text[start:end] for start, end in split_sentences(text)]
    pairs = [
        (sentence, name)
        for sentence in texts
        for name in COLD_TARGETS
        if find_mentions(name, sentence)
    ]
    json.dumps(load_pipelines(folder)(texts, pairs), default=str)


def sentence_transformers(file: Path) -> Run:
    """Return a run of a sentence encoder with a logistic regression for each of the three tasks of whole sentences."""
    import torch
    from sentence_transformers import SentenceTransformer

    from claimstance.model.io.encoders import locate

    torch.set_num_threads(THREADS)
    texts, _ = sentences_of(file)
    encoder = SentenceTransformer(locate(ENCODER), device="cpu")
    heads = [_regression() for _ in range(3)]

    def run() -> dict[str, float]:
        start = time.perf_counter()
        vectors = encoder.encode(texts, show_progress_bar=False)
        for head in heads:
            head.predict_proba(vectors)
        return {"seconds": time.perf_counter() - start}

    return run


def setfit(file: Path) -> Run:
    """Return a run of a SetFit model for each of the three tasks of whole sentences."""
    import torch
    from sentence_transformers import SentenceTransformer
    from setfit import SetFitModel

    from claimstance.model.io.encoders import locate

    torch.set_num_threads(THREADS)
    texts, _ = sentences_of(file)
    models = [
        SetFitModel(
            model_body=SentenceTransformer(locate(ENCODER), device="cpu"), model_head=_regression()
        )
        for _ in range(3)
    ]

    def run() -> dict[str, float]:
        start = time.perf_counter()
        for model in models:
            model.predict_proba(texts, show_progress_bar=False)
        return {"seconds": time.perf_counter() - start}

    return run


def _regression() -> Any:
    """Return a logistic regression that is fitted to random vectors of the encoder's size."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    vectors = np.random.default_rng(7).normal(size=(100, 384))
    return LogisticRegression().fit(vectors, np.arange(100) % 2)


def training(_: Path) -> Run:
    """Return ``STEPS`` steps of training as ``claimstance train`` does it: every task, on the seed records repeated."""
    import torch
    from transformers import TrainerCallback

    from claimstance.model.labels import DEFAULT_LABELS
    from claimstance.training.config import Config
    from claimstance.training.fine_tuning import train as program
    from claimstance.training.fine_tuning import trainer

    torch.set_num_threads(THREADS)
    records = _records()
    collate = trainer.collate
    token_count = 0

    def count_and_collate(batch: Any, pad: int) -> Any:
        nonlocal token_count
        token_count += sum(map(len, batch))
        return collate(batch, pad)

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Measure from the end of step ``WARM`` to the end of the last step."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == WARM:
                self.start, self.token_start = time.perf_counter(), token_count
            if state.global_step == WARM + STEPS:
                self.seconds = time.perf_counter() - self.start
                self.tokens = token_count - self.token_start
                control.should_training_stop = True

    trainer.collate = count_and_collate
    # The export that follows training is left out.
    program.export = lambda folder, **_: folder

    def run() -> dict[str, float]:
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            config = Config.model_validate(
                {
                    "output": folder,
                    "data": {"path": folder},
                    "model": {"encoder": ENCODER},
                    "training": {"epochs": 1, "precision": "bfloat16", "tokens_per_batch": 2048},
                }
            )
            program.train(config, {"train": records}, DEFAULT_LABELS, callbacks=[clock])
        return {"seconds": clock.seconds, "tokens": clock.tokens}

    return run


def run_classification(_: Path) -> Run:
    """Return the training of a classifier of the same sentences with the defaults of transformers' example.

    These are batches of 8, sentences padded to 128 tokens, float32, and AdamW.
    """
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
    )
    from transformers.utils import logging

    from claimstance.model.io.encoders import locate

    logging.set_verbosity_error()
    torch.set_num_threads(THREADS)
    encoder = locate(ENCODER)
    texts = [record.text for record in _records()][: 8 * (WARM + STEPS)]
    encoded = AutoTokenizer.from_pretrained(encoder)(
        texts, padding="max_length", truncation=True, max_length=128
    )
    rows = [
        {"input_ids": ids, "attention_mask": mask, "labels": number % 2}
        for number, (ids, mask) in enumerate(
            zip(encoded["input_ids"], encoded["attention_mask"], strict=True)
        )
    ]
    tokens = sum(map(sum, encoded["attention_mask"]))

    def run() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=2)
            arguments = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=8,
                num_train_epochs=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=True,
            )
            trainer = Trainer(model=model, args=arguments, train_dataset=rows)  # type: ignore[arg-type]
            start = time.perf_counter()
            trainer.train()
        return {"seconds": time.perf_counter() - start, "tokens": tokens}

    return run


def _records() -> list[Any]:
    """Return the seed records thirty times over, each copy an article of its own."""
    from claimstance.model.record import read_jsonl

    seeds = list(read_jsonl(Path(__file__).parent.parent / "seeds" / "records.jsonl"))
    return [
        record.model_copy(update={"id": f"{copy}/{record.id}", "doc_id": f"{copy}/{record.doc_id}"})
        for copy in range(30)
        for record in seeds
    ]


#: Name on the command line → prepares the contender for a file of articles.
CONTENDERS: dict[str, Callable[[Path], Run]] = {
    "claimstance": claimstance,
    "claimstance, base": partial(claimstance, model="base"),
    "limit": limit,
    "pipelines": pipelines,
    "pipelines, best": lambda file: pipelines(file, best=True),
    "sentence-transformers": sentence_transformers,
    "setfit": setfit,
    "training": training,
    "run_classification": run_classification,
}


def answer(run: Run) -> None:
    """Print ``ready``, then run for every line of standard input and print the measurements."""
    print("ready", flush=True)
    units_per_megabyte = 2**20 if sys.platform == "darwin" else 1024
    for _ in sys.stdin:
        measurements = run()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units_per_megabyte
        print(json.dumps({**measurements, "peak": peak}), flush=True)


def main() -> None:
    """Run the contender that the command line names."""
    name, file, *targets = sys.argv[1:]
    if name == "save":
        save_heads(Path(file))
    elif name == "cold":
        cold(Path(file), Path(targets[0]))
    elif targets:
        answer(claimstance(Path(file), tuple(targets)))
    else:
        answer(CONTENDERS[name](Path(file)))


if __name__ == "__main__":
    main()
