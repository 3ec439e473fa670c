"""Parsers that misbehave in ways in which libraries for documents do, for processes that parse."""

import os
import sys
import time

from claimstance.inference.articles.article import Article
from claimstance.model.errors import InputError


def words(raw):
    """Parse a document as it should be."""
    return Article(raw.doc_id, raw.data.decode(), "Title", ("a warning",), {"url": raw.url})


def process(raw):
    """Tell in which process it parses."""
    return Article(raw.doc_id, str(os.getpid()))


def paths(raw):
    """Tell where modules are found."""
    return Article(raw.doc_id, "\n".join(sys.path))


def prints(raw):
    """Print what is no reply."""
    sys.stdout.write('{"article": {}}\n')
    sys.stderr.write("warning\n")
    os.write(1, b"more\n")
    return words(raw)


def refuses(raw):
    """Find no document."""
    raise InputError(f"{raw.where}: expected words, found none")


def fails(raw):
    """Fail as no parser should."""
    raise KeyError(raw.doc_id)


def sleeps(raw):
    """Never be done, without working."""
    while True:
        time.sleep(1)


def works(raw):
    """Never be done, within one call of a library in C."""
    return Article(raw.doc_id, str(sum(iter(int, 1))))


def takes_memory(raw):
    """Take more and more memory."""
    taken = []
    while True:
        taken.append(bytearray(10_000_000))


def hides_missing_memory(raw):
    """Take too much memory, and tell of it as of damage."""
    try:
        takes_memory(raw)
    except MemoryError:
        raise InputError(f"{raw.where}: cannot be read (unknown error)") from None


def ends(raw):
    """End the process, as a fault in C does."""
    os.abort()


def exits(raw):
    """End the process in order."""
    os._exit(0)
