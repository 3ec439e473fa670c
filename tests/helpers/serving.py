"""Share requests, responses and a slow tagger among tests of the server."""

import os
import re
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from claimstance.model.encoding import CancelledError
from helpers.program import PROGRAM

for needed in ("fastapi", "prometheus_client", "starlette.testclient", "uvicorn"):
    pytest.importorskip(needed, reason="needs the extra 'serve'")

JSON = {"content-type": "application/json"}
RECORD = {
    "id": "1",
    "doc_id": "d",
    "text": "He said that Amsel left.",
    "stances": [{"holder": "He", "target": "Amsel"}],
}


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
        self.begin, self.go, self.begun, self.stopped = (
            tagger.begin,
            threading.Event(),
            threading.Event(),
            False,
        )

    def __call__(self, article, targets, stop, neutral=False):
        finish = self.begin(article, targets, stop, neutral)
        self.begun.set()

        def wait():
            while not self.go.wait(0.01):
                if stop():
                    self.stopped = True
                    raise CancelledError
            return finish()

        return wait


class Running:
    """A server that listens at ``host`` and ``port``."""

    def __init__(self, url):
        self.url = url
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port

    def ask(self, method, path, body=None, headers=JSON):
        """Status, headers and body of an answer, by a connection of its own."""
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body, headers if body is not None else {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def connect(self):
        """A bare connection."""
        return socket.create_connection((self.host, self.port), timeout=60)

    def figure(self, name):
        """A figure of those that it tells of itself."""
        return figure(self.ask("GET", "/metrics")[2].decode(), name)


class Process(Running):
    """A server in a process of its own."""

    def __init__(self, *options, program=PROGRAM, **environment):
        self.process = subprocess.Popen(
            [*program, "serve", "--port", "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.told = False
        first = self.process.stderr.readline()
        assert first.startswith("listening on http://"), first
        super().__init__(first.split()[2])

    def stop(self, how=signal.SIGTERM):
        """Tell it to stop, once."""
        if not self.told:
            self.process.send_signal(how)
        self.told = True

    def end(self):
        """Wait for it to end: its exit code, and what it said."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def process(*options, **more):
    """A server in a process of its own, which at the end stops as it is told and has said nothing."""
    running = Process(*options, **more)
    try:
        yield running
        if running.process.poll() is None:
            running.stop()
        assert running.end() == (0, "")
    finally:
        running.process.kill()
        running.process.communicate()
