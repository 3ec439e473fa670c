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

for module in ("fastapi", "prometheus_client", "starlette.testclient", "uvicorn"):
    pytest.importorskip(module, reason="needs the extra 'serve'")

JSON = {"content-type": "application/json"}
RECORD = {
    "id": "1",
    "doc_id": "d",
    "text": "He said that Amsel left.",
    "stances": [{"holder": "He", "target": "Amsel"}],
}


def problem(response):
    """Return status, field and detail of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["title"]
    assert set(body) <= {"status", "title", "detail", "field"}
    return body["status"], body.get("field"), body["detail"]


def figure(text, name):
    """Return a figure from the metrics of a server, or ``None``."""
    match = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return None if match is None else float(match.group(1))


class Slow:
    """Replace a tagger's ``begin`` by one whose results wait until ``go`` is set or the request is cancelled."""

    def __init__(self, tagger):
        self.begin = tagger.begin
        self.go, self.begun = threading.Event(), threading.Event()
        self.stopped = False

    def __call__(self, article, targets, should_cancel, neutral=False):
        finish = self.begin(article, targets, should_cancel, neutral)
        self.begun.set()

        def wait():
            while not self.go.wait(0.01):
                if should_cancel():
                    self.stopped = True
                    raise CancelledError
            return finish()

        return wait


class Running:
    """Talk to a server that listens at ``host`` and ``port``."""

    def __init__(self, url):
        self.url = url
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port

    def ask(self, method, path, body=None, headers=JSON):
        """Send a request over a new connection; return status, headers and body of the response."""
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body, headers if body is not None else {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def connect(self):
        """Open a bare connection."""
        return socket.create_connection((self.host, self.port), timeout=60)

    def figure(self, name):
        """Return a figure from the metrics of the server."""
        return figure(self.ask("GET", "/metrics")[2].decode(), name)


class Process(Running):
    """Run a server in a process of its own."""

    def __init__(self, *options, program=PROGRAM, **environment):
        self.process = subprocess.Popen(
            [*program, "serve", "--port", "0", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self._is_signalled = False
        first_line = self.process.stderr.readline()
        assert first_line.startswith("listening on http://"), first_line
        super().__init__(first_line.split()[2])

    def stop(self, how=signal.SIGTERM):
        """Send a signal to the server, unless it has got one already."""
        if not self._is_signalled:
            self.process.send_signal(how)
        self._is_signalled = True

    def end(self):
        """Wait for the server to end; return its exit code and error output."""
        _, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stderr


@contextmanager
def process(*options, **settings):
    """Run a server in a process of its own; at the end stop it, and check that it printed nothing more."""
    running = Process(*options, **settings)
    try:
        yield running
        if running.process.poll() is None:
            running.stop()
        assert running.end() == (0, "")
    finally:
        running.process.kill()
        running.process.communicate()
