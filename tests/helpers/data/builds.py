"""Write small files, and make settings, for builds of datasets."""

import random

from claimstance.model.record import write_jsonl
from claimstance.training.data.config import DataConfig

WORDS = (
    "bridge",
    "harbor",
    "mayor",
    "vote",
    "tax",
    "school",
    "river",
    "budget",
    "union",
    "plan",
    "storm",
    "wage",
)


def sentences(count, seed=0):
    """Return sentences of random words."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=9)) + f" {i}." for i in range(count)]


def table(folder, name, rows, header="text,label"):
    """Write a table in CSV and return its path."""
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def jsonl(folder, name, records):
    """Write records as lines of JSON and return the path of the file."""
    with (folder / name).open("w", encoding="utf-8") as file:
        write_jsonl(records, file)
    return str(folder / name)


def settings(*sources, **options):
    """Return the configuration of a dataset with these sources."""
    return DataConfig(path="unused", sources=list(sources), **options)


SHORT = {
    "a table": (
        "x.csv",
        "doc_id,text,label\n" + "".join(f"h{i},Rain again {i},claim\n" for i in range(6)),
    ),
    "records": (
        "x.jsonl",
        "".join(
            f'{{"id": "h{i}:0", "doc_id": "h{i}", "start": 0, "text": "Dam {i} opens", "claim": "claim"}}\n'
            for i in range(6)
        ),
    ),
    "spans": (
        "x.jsonl",
        "".join(
            f'{{"text": "Hale {i} won", "spans": [{{"start": 0, "end": 4, "label": "source"}}], "answer": "accept"}}\n'
            for i in range(6)
        ),
    ),
    "tokens": ("x.conll", "".join(f"-DOCSTART- O\n\nHale{i} B-PER\nwon O\n\n" for i in range(6))),
}
