"""What tests of the server share: what they send and read, and a tagger that takes its time."""

import re
import threading
import time

import pytest

for needed in ("fastapi", "prometheus_client", "starlette.testclient", "uvicorn"):
    pytest.importorskip(needed, reason="needs the extra 'serve'")

from claimstance.model.reader import StoppedError  # noqa: E402

JSON = {"content-type": "application/json"}
RECORD = {"id": "1", "doc_id": "d", "text": "He said that Amsel left.",
          "stances": [{"holder": "He", "target": "Amsel"}]}


def soon(is_so, seconds=20):
    """Wait until something is so, which somebody else brings about; gives it."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)
    return found


def problem(response):
    """Status, field and detail of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert told["title"]
    assert set(told) <= {"status", "title", "detail", "field"}
    return told["status"], told.get("field"), told["detail"]


def figure(text, name):
    """A figure of those that the server tells of itself."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return None if found is None else float(found.group(1))


class Slow:
    """In place of a tagger's ``begin``: gives nothing until it is let go or told to stop."""

    def __init__(self, tagger):
        self.begin, self.go, self.begun, self.stopped = tagger.begin, threading.Event(), threading.Event(), False

    def __call__(self, article, targets, stop):
        finish = self.begin(article, targets, stop)
        self.begun.set()

        def wait():
            while not self.go.wait(0.01):
                if stop():
                    self.stopped = True
                    raise StoppedError
            return finish()

        return wait
