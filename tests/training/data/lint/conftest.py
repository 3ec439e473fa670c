"""Provide fixtures that inspect records or files."""

import json

import pytest

from claimstance.training.data.codebook import load_codebook
from claimstance.training.data.lint.linter import Inspection
from claimstance.training.load_config import parse_data_config
from helpers.data.lint import TEXT


@pytest.fixture
def inspect(tmp_path, monkeypatch):
    """Return a function that inspects records (dictionaries), or files by name and content."""
    monkeypatch.chdir(tmp_path)

    def make(*records, files=None, book=None, **source):
        lines = [
            json.dumps({"id": str(i), "text": f"{TEXT} ({i})", **record})
            for i, record in enumerate(records, 1)
        ]
        files = files or {"r.jsonl": "\n".join(lines)}
        for name, content in files.items():
            (tmp_path / name).write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        labels = source.pop("labels", {})
        config = {"path": "x", "sources": [{"files": list(files), **source}], "labels": labels}
        if book is not None:
            (tmp_path / "book.yaml").write_text(book, encoding="utf-8")
        return Inspection(parse_data_config(config, "test"), book and load_codebook("book.yaml"))

    return make


@pytest.fixture
def check(inspect):
    """Return a function that lists findings, except those on label counts, which few records cannot satisfy."""

    def find(*records, **options):
        findings = inspect(*records, **options).findings()
        return [f for f in findings if f.code not in ("rare-label", "unused-label", "one-label")]

    return find
