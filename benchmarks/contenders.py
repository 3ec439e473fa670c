"""Run one contender of the speed comparison: this project, or the code that its users would write without it.

    python benchmarks/contenders.py NAME FILE        (started by benchmarks/speed.py)

A process prepares itself, says ``ready``, and runs once for every line it is sent. It answers with JSON: ``seconds`` of
the run by the clock and ``peak`` memory of the process so far, in MB; some answer more, such as ``processor``, the
seconds that all of its threads were at work. What is prepared (loading, warming up) is not timed. Heads of the others
are random: they cost what trained ones would.
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
WARM, STEPS = 3, 25  # of training
SIZE, PRODUCTS = (
    2048,
    10,
)  # of the limit's matrices, and how many products a core multiplies in a round
Run = Callable[[], dict[str, float]]


def sentences_of(file: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The sentences of a file of articles, and each with every target that this project asks about there.

    Splitting and choosing targets is given to the others for nothing.
    """
    from claimstance.inference import Tagger
    from claimstance.inference.articles.sources import read_articles

    texts, pairs = [], []
    for tagged in Tagger.from_pretrained().tag_all(read_articles([str(file)]), neutral=True):
        for sentence in tagged.sentences:  # type: ignore[union-attr]
            texts.append(sentence.text)
            pairs += [
                (sentence.text, target)
                for target in dict.fromkeys(s.target for s in sentence.stances)
            ]
    return texts, pairs


def claimstance(file: Path, targets: tuple[str, ...] = (), model: str = "small") -> Run:
    """Everything: articles of a file in, JSON Lines out, every task, every entity a target unless some are given."""
    from claimstance.inference import Tagger
    from claimstance.inference.articles.sources import read_articles
    from claimstance.inference.writers.text import JsonlWriter, open_output

    def run() -> dict[str, float]:
        tagger = Tagger.from_pretrained(model)  # a new one each time: it would know the articles
        tagger.tag("Warm.")
        with tempfile.TemporaryDirectory() as folder:
            began, worked = time.perf_counter(), time.process_time()
            with open_output(Path(folder) / "out.jsonl") as out:
                writer = JsonlWriter(out)
                for tagged in tagger.tag_all(read_articles([str(file)]), targets):
                    writer.write(tagged)  # type: ignore[arg-type]
            return {
                "seconds": time.perf_counter() - began,
                "processor": time.process_time() - worked,
            }

    return run


def limit(file: Path) -> Run:
    """Return what multiplies float32 matrices: a product a core at a time, all cores at work.

    ``gflops`` is of one core, in GFLOP for each second of processor time: the median of the products.
    Threads that divide a product among them would wait for one another, and what they spend on that
    depends on what else the machine does.
    """
    import torch

    pairs = [(torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)) for _ in range(THREADS)]

    def multiply(pair: tuple[torch.Tensor, torch.Tensor]) -> float:
        began = time.thread_time()
        torch.matmul(*pair)
        return time.thread_time() - began

    def run() -> dict[str, float]:
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            taken = list(pool.map(multiply, pairs * PRODUCTS))
        return {
            "seconds": time.perf_counter() - began,
            "processor": sum(taken),
            "gflops": 2 * SIZE**3 / statistics.median(taken) / 1e9,
        }

    return run


def pipelines(file: Path, best: bool = False) -> Run:
    """A transformers pipeline a task, and one for stances, asked about each target; ``best``: batched and sorted."""
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()
    torch.set_num_threads(THREADS)
    texts, pairs = sentences_of(file)
    with tempfile.TemporaryDirectory() as folder:
        save_heads(Path(folder))
        read = load_pipelines(Path(folder), **({"batch_size": 32} if best else {}))
    if best:
        texts, pairs = (
            sorted(texts, key=len),
            sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1])),
        )

    def run() -> dict[str, float]:
        began = time.perf_counter()
        json.dumps(read(texts, pairs), default=str)
        return {
            "seconds": time.perf_counter() - began,
            "sentences": len(texts),
            "pairs": len(pairs),
        }

    return run


def load_pipelines(
    folder: Path, **more: Any
) -> Callable[[list[str], list[tuple[str, str]]], list[Any]]:
    """Return pipelines for sentences, and for pairs of a sentence and a target, with the models of a folder."""
    from transformers import pipeline

    labels = {
        name: pipeline("text-classification", model=str(folder / name), device="cpu", **more)
        for name in ("claim", "check_worthy", "stance")
    }
    tags = pipeline("token-classification", model=str(folder / "tokens"), device="cpu", **more)

    def read(texts: list[str], pairs: list[tuple[str, str]]) -> list[Any]:
        found = [list(labels[name](texts)) for name in ("claim", "check_worthy")] + [
            list(tags(texts))
        ]
        return [
            *found,
            list(labels["stance"]([{"text": text, "text_pair": target} for text, target in pairs])),
        ]

    return read


def save_heads(folder: Path) -> None:
    """Models with the same encoder and random heads, a folder each, as a user's own fine-tuned ones would lie there."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
        AutoTokenizer,
    )

    from claimstance.model.io.encoders import locate

    place = locate(ENCODER)
    for name, count in (("claim", 2), ("check_worthy", 2), ("stance", 3), ("tokens", 7)):
        kind = (
            AutoModelForTokenClassification
            if name == "tokens"
            else AutoModelForSequenceClassification
        )
        kind.from_pretrained(place, num_labels=count).save_pretrained(folder / name)
        AutoTokenizer.from_pretrained(place).save_pretrained(folder / name)


def cold(file: Path, folder: Path) -> None:
    """One article from a cold start through transformers; its targets are the people whom its sentences name."""
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
    """A sentence encoder and a logistic regression for each of the three tasks of whole sentences: these alone."""
    import torch
    from sentence_transformers import SentenceTransformer

    from claimstance.model.io.encoders import locate

    torch.set_num_threads(THREADS)
    texts, _ = sentences_of(file)
    encoder, heads = (
        SentenceTransformer(locate(ENCODER), device="cpu"),
        [_regression() for _ in range(3)],
    )

    def run() -> dict[str, float]:
        began = time.perf_counter()
        vectors = encoder.encode(texts, show_progress_bar=False)
        for head in heads:
            head.predict_proba(vectors)
        return {"seconds": time.perf_counter() - began}

    return run


def setfit(file: Path) -> Run:
    """A SetFit model for each of the three tasks of whole sentences: these alone."""
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
        began = time.perf_counter()
        for model in models:
            model.predict_proba(texts, show_progress_bar=False)
        return {"seconds": time.perf_counter() - began}

    return run


def _regression() -> Any:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    drawn = np.random.default_rng(7)
    return LogisticRegression().fit(drawn.normal(size=(100, 384)), np.arange(100) % 2)


def training(_: Path) -> Run:
    """Training as ``claimstance train`` does it, every task, on the seed records repeated; a run is ``STEPS`` steps."""
    import torch
    from transformers import TrainerCallback

    from claimstance.model.labels import DEFAULT_LABELS
    from claimstance.training.config import Config
    from claimstance.training.fine_tuning import train as program
    from claimstance.training.fine_tuning import trainer

    torch.set_num_threads(THREADS)
    records, collate, seen = _records(), trainer.collate, [0]

    def counted(batch: Any, pad: int) -> Any:
        seen[0] += sum(map(len, batch))
        return collate(batch, pad)

    class Clock(TrainerCallback):  # type: ignore[misc]
        """From the end of the step ``WARM`` to that of the last."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == WARM:
                self.began, self.before = time.perf_counter(), seen[0]
            if state.global_step == WARM + STEPS:
                self.seconds, self.tokens = time.perf_counter() - self.began, seen[0] - self.before
                control.should_training_stop = True

    trainer.collate = counted
    program.export = lambda folder: folder  # what comes after training is not training

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
    """A classifier of the same sentences, as transformers' example trains it unless told otherwise.

    Its defaults: batches of 8, sentences padded to 128 tokens, float32, AdamW.
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
    place = locate(ENCODER)
    texts = [record.text for record in _records()][: 8 * (WARM + STEPS)]
    encoded = AutoTokenizer.from_pretrained(place)(
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
            model = AutoModelForSequenceClassification.from_pretrained(place, num_labels=2)
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
            began = time.perf_counter()
            trainer.train()
        return {"seconds": time.perf_counter() - began, "tokens": tokens}

    return run


def _records() -> list[Any]:
    """The seed records thirty times over, each copy an article of its own."""
    from claimstance.model.record import read_jsonl

    seeds = list(read_jsonl(Path(__file__).parent.parent / "seeds" / "records.jsonl"))
    return [
        record.model_copy(update={"id": f"{copy}/{record.id}", "doc_id": f"{copy}/{record.doc_id}"})
        for copy in range(30)
        for record in seeds
    ]


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
    """Say ``ready``, then run for every line of standard input."""
    print("ready", flush=True)
    for _ in sys.stdin:
        found = run()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1024 if sys.platform != "darwin" else 2**20
        )
        print(json.dumps({**found, "peak": peak}), flush=True)


if __name__ == "__main__":
    name, file, *targets = sys.argv[1:]
    if name == "save":
        save_heads(Path(file))
    elif name == "cold":
        cold(Path(file), Path(targets[0]))
    else:
        answer(claimstance(Path(file), tuple(targets)) if targets else CONTENDERS[name](Path(file)))
