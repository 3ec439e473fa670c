"""Provide fixtures for the tests of long runs."""

import pytest

from helpers.long_runs import IN_TWOS


@pytest.fixture
def tag(run, model):
    """Return a function that tags the corpus into the folder ``out``, two articles per part."""

    def tag_corpus(*arguments):
        return run("tag", "c.jsonl", "--model", model, "--out", "out", *IN_TWOS, *arguments)

    return tag_corpus
