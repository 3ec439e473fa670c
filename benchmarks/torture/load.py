"""Check that a server stays up, answers and keeps its memory, at twice the load that it can serve.

``claimstance serve``, the bundled model, on loopback. Unloaded, one client asks one article after another: the median
of that is what times are compared with. As many clients as are let in (one a thread, and one more), who ask again as
soon as they are answered, tell what the server can do. Then for ten minutes articles come at twice that pace, none like
another, at random moments (a Poisson process), each on a connection of its own, whether those before were answered or
not. Meanwhile others send heads or bodies a byte a second, leave amid their request, send what is no HTTP, and hold
ten thousand idle connections. At the end a SIGTERM arrives amid the same load: whatever was let in has to be answered.
"""

import asyncio
import json
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from page import Row, measured, part

from claimstance.model.onnx.backend import cores

sys.path.insert(0, str(Path(__file__).parent.parent))
from articles import make_articles

PROGRAM = (
    sys.executable,
    "-c",
    "from claimstance.inference.cli.main import main; main()",
    "serve",
    "--port",
    "0",
)
SECONDS, SETTLED, SENTENCES, IDLE = 600.0, 60.0, 12, 10_000
MALFORMED = (
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"POST /v1/tag HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /v1/tag HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/tag HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000,
)


@dataclass(frozen=True)
class Answer:
    """Represent an answer: its status (0 without one), seconds since the request, whether it has Retry-After."""

    status: int
    seconds: float
    retry: bool


class Server:
    """Run a server in a process of its own."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert self.process.stderr
        address = re.search(r":(\d+)/", self.process.stderr.readline())
        if not address:
            raise SystemExit(f"the server did not start: ended with {self.process.wait()}")
        self.port = int(address[1])
        # The log is read, since the server would wait once the pipe is full.
        self._log_reader = threading.Thread(target=self.process.stderr.read)
        self._log_reader.start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self._log_reader.join()
        self.process.__exit__(None, None, None)

    @property
    def memory(self) -> float:
        """Return the resident memory in megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20


async def ask(port: int, body: bytes, path: str = "/v1/tag") -> Answer:
    """Send a request on a new connection; without a body, it is a GET."""
    start = time.perf_counter()
    response = b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            method = "POST" if body else "GET"
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            response = await reader.read()
        finally:
            writer.close()
    except OSError:  # counts as no answer
        pass
    head = response.partition(b"\r\n\r\n")[0].lower()
    status = 0
    if head.startswith(b"http/1.") and head[9:12].isdigit():
        status = int(head[9:12])
    return Answer(status, time.perf_counter() - start, b"\r\nretry-after:" in head)


def bodies(seed: int) -> Iterator[bytes]:
    """Yield bodies of requests with different articles, without end."""
    while True:
        for article in make_articles(1000, sentences=SENTENCES, seed=seed):
            yield json.dumps({"text": article["text"], "title": article["title"]}).encode()
        seed += 1


async def in_turn(port: int, requests: Iterator[bytes], count: int) -> list[Answer]:
    """Send requests one after another."""
    return [await ask(port, next(requests)) for _ in range(count)]


async def capacity(
    port: int, requests: Iterator[bytes], seconds: float, clients: int = cores() + 1
) -> float:
    """Return the articles per second that clients get who ask again as soon as they are answered."""
    end = time.perf_counter() + seconds

    async def client() -> int:
        done = 0
        while time.perf_counter() < end:
            done += (await ask(port, next(requests))).status == 200
        return done

    return sum(await asyncio.gather(*(client() for _ in range(clients)))) / seconds


async def crowd(
    port: int, requests: Iterator[bytes], rate: float, seconds: float, rng: random.Random
) -> list[Answer]:
    """Send ``rate`` requests per second, at random moments, without waiting for earlier answers."""
    tasks, at, end = [], time.perf_counter(), time.perf_counter() + seconds
    while at < end:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        tasks.append(asyncio.ensure_future(ask(port, next(requests))))
        at += rng.expovariate(rate)
    return list(await asyncio.gather(*tasks))


async def trouble(port: int, rng: random.Random) -> None:
    """Start clients that are slow, that leave, or that speak no HTTP, until it is cancelled."""
    head = b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"

    async def misbehave() -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            kind = rng.randrange(4)
            if kind == 0:
                for byte in head[:90]:
                    writer.write(bytes([byte]))
                    await writer.drain()  # fails once the server has closed the connection
                    await asyncio.sleep(1)
            elif kind == 1:
                writer.write(head)
                for _ in range(90):
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(1)
            elif kind == 2:
                writer.write(head + b'{"text": "He')
            else:
                writer.write(rng.choice(MALFORMED))
                await asyncio.wait_for(reader.read(), 5)
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()

    tasks: set[asyncio.Task[None]] = set()
    try:
        while True:
            task = asyncio.ensure_future(misbehave())
            tasks.add(task)  # a task that nothing refers to may be collected before its end
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(rng.expovariate(5))
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def idle(port: int, count: int) -> AsyncIterator[int]:
    """Hold connections on which nothing is sent; yield their number."""
    writers = []
    try:
        # One by one, so that those that were opened are closed if another one fails.
        for _ in range(count):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
        yield len(writers)
    finally:
        for writer in writers:
            writer.close()


async def watch(server: Server, megabytes: list[float]) -> None:
    """Record the server's memory every second, until it is cancelled."""
    while True:
        megabytes.append(server.memory)
        await asyncio.sleep(1)


async def loaded(
    server: Server, seed: int, seconds: float, settled: float, connections: int
) -> list[Row]:
    """Return the rows of so many seconds of load, and of the shutdown after it."""
    requests, rng = bodies(seed), random.Random(f"{seed} load")
    await in_turn(server.port, requests, 10)  # warm
    unloaded = await in_turn(server.port, requests, 60)
    median = statistics.median(answer.seconds for answer in unloaded)
    rate = 2 * await capacity(server.port, requests, min(20.0, seconds))
    memory: list[float] = []
    async with idle(server.port, connections) as idling:
        background = [
            asyncio.ensure_future(watch(server, memory)),
            asyncio.ensure_future(trouble(server.port, rng)),
        ]
        answers = await crowd(server.port, requests, rate, seconds, rng)
        for task in background:
            task.cancel()
    after = await ask(server.port, next(requests))
    ending = asyncio.ensure_future(crowd(server.port, requests, rate, 1.0, rng))
    await asyncio.sleep(0.5)
    accepted = [asyncio.ensure_future(ask(server.port, next(requests))) for _ in range(4)]
    await asyncio.sleep(0.05)  # they are let in, or refused, by now
    server.process.send_signal(signal.SIGTERM)
    last = [*await asyncio.gather(*accepted)]
    await ending
    code = server.process.wait(60)
    return _rows(answers, median, rate, memory[int(settled) :] or memory, after, last, code, idling)


def _rows(
    answers: list[Answer],
    median: float,
    rate: float,
    memory: list[float],
    after: Answer,
    last: list[Answer],
    code: int,
    idling: int,
) -> list[Row]:
    """Return the rows of the table from the measurements."""
    counts = Counter(answer.status for answer in answers)
    statuses = ", ".join(
        f"{number:,} × {status or 'no answer'}" for status, number in sorted(counts.items())
    )
    # A refusal is a good answer if it says when to come again.
    good = [
        answer
        for answer in answers
        if answer.status == 200 or (answer.status == 503 and answer.retry)
    ]
    accepted = sorted(answer.seconds for answer in answers if answer.status == 200)
    p99 = accepted[int(0.99 * (len(accepted) - 1))]
    answered = sum(answer.status in (200, 503) for answer in last)
    return [
        measured(
            "server: responses with status 200, or 503 with Retry-After",
            100 * len(good) / len(answers),
            "%",
            len(answers),
            100,
            "higher",
            f"{statuses}; {rate:.0f} articles a second arrived",
        ),
        measured(
            "server: 99th percentile of accepted requests ÷ median without load",
            p99 / median,
            "×",
            len(accepted),
            5,
            note=f"{1000 * p99:.0f} ms; {1000 * median:.0f} ms",
        ),
        measured(
            "server: growth of memory after the first minute",
            max(memory) - min(memory),
            "MB",
            len(memory),
            50,
            note=f"{max(memory):.0f} MB at most",
        ),
        measured(
            "server: requests accepted before SIGTERM and answered",
            answered,
            "requests",
            len(last),
            len(last),
            "higher",
            f"exit code {code}",
        ),
        measured(
            "server: idle connections during the load",
            idling,
            "connections",
            idling,
            IDLE,
            "higher",
            f"also slow and disconnected clients, and some without HTTP; afterwards an article got {after.status}",
        ),
    ]


def measure(seed: int, seconds: float = SECONDS) -> dict[str, Any]:
    """Return the figures about a server."""
    # Ten thousand connections need as many file descriptors, in both processes.
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))
    with Server() as server:
        rows = asyncio.run(loaded(server, seed, seconds, SETTLED, IDLE))
    about = (
        f"`claimstance serve` with default options on loopback, client and server on the same cores; articles of "
        f"{SENTENCES} sentences at twice the rate that the server can process, for {seconds:.0f} s; seed {seed}. "
        "`benchmarks/torture/load.py`."
    )
    return part(about, rows)
