"""Parse documents in the ways in which libraries misbehave, to test the processes that parse."""

import os
import sys
import time

from claimstance.inference.articles.article import Article
from claimstance.model.errors import InputError


def words(raw):
    """Parse a document correctly."""
    return Article(raw.doc_id, raw.data.decode(), "Title", ("a warning",), {"url": raw.url})


def process(raw):
    """Return the id of the process that parses as the text."""
    return Article(raw.doc_id, str(os.getpid()))


def paths(raw):
    """Return the search path of modules as the text."""
    return Article(raw.doc_id, "\n".join(sys.path))


def prints(raw):
    """Print output that is no reply."""
    sys.stdout.write('{"article": {}}\n')
    sys.stderr.write("warning\n")
    os.write(1, b"more\n")
    return words(raw)


def refuses(raw):
    """Refuse the document as one without words."""
    raise InputError(f"{raw.where}: expected words, found none")


def fails(raw):
    """Raise an error that no parser should raise."""
    raise KeyError(raw.doc_id)


def sleeps(raw):
    """Sleep forever."""
    while True:
        time.sleep(1)


def works(raw):
    """Compute forever within one call of a library in C."""
    return Article(raw.doc_id, str(sum(iter(int, 1))))


def takes_memory(raw):
    """Take more and more memory."""
    buffers = []
    while True:
        buffers.append(bytearray(10_000_000))


def hides_missing_memory(raw):
    """Take too much memory, and report the error as damage."""
    try:
        takes_memory(raw)
    except MemoryError:
        raise InputError(f"{raw.where}: cannot be read (unknown error)") from None


def ends(raw):
    """Abort the process, as a fault in C does."""
    os.abort()


def exits(raw):
    """Exit the process without an error."""
    os._exit(0)
