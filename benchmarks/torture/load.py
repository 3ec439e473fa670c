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
from articles import articles

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
    """Status (0: none came), seconds since it was asked, and whether it says when to come again."""

    status: int
    seconds: float
    retry: bool


class Server:
    """A server in a process of its own."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        assert self.process.stderr
        found = re.search(r":(\d+)/", self.process.stderr.readline())
        if not found:
            raise SystemExit(f"the server did not start: ended with {self.process.wait()}")
        self.port = int(found.group(1))
        # What it says is read, so that it does not wait for a reader.
        self._ear = threading.Thread(target=self.process.stderr.read)
        self._ear.start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self._ear.join()
        self.process.__exit__(None, None, None)

    @property
    def memory(self) -> float:
        """Resident megabytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20


async def ask(port: int, body: bytes, path: str = "/v1/tag") -> Answer:
    """Ask once, on a new connection."""
    began, found = time.perf_counter(), b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            method = "POST" if body else "GET"
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            found = await reader.read()
        finally:
            writer.close()
    except OSError:
        pass
    head = found.partition(b"\r\n\r\n")[0].lower()
    status = int(head[9:12]) if head.startswith(b"http/1.") and head[9:12].isdigit() else 0
    return Answer(status, time.perf_counter() - began, b"\r\nretry-after:" in head)


def bodies(seed: int) -> Iterator[bytes]:
    """Articles, none like another."""
    while True:
        for one in articles(1000, sentences=SENTENCES, seed=seed):
            yield json.dumps({"text": one["text"], "title": one["title"]}).encode()
        seed += 1


async def in_turn(port: int, asked: Iterator[bytes], count: int) -> list[Answer]:
    """One after another."""
    return [await ask(port, next(asked)) for _ in range(count)]


async def capacity(
    port: int, asked: Iterator[bytes], seconds: float, clients: int = cores() + 1
) -> float:
    """Articles a second, asked by so many clients as soon as each is answered."""
    end = time.perf_counter() + seconds

    async def client() -> int:
        done = 0
        while time.perf_counter() < end:
            done += (await ask(port, next(asked))).status == 200
        return done

    return sum(await asyncio.gather(*(client() for _ in range(clients)))) / seconds


async def crowd(
    port: int, asked: Iterator[bytes], rate: float, seconds: float, rng: random.Random
) -> list[Answer]:
    """Ask at random moments, so many times a second on average, whether those before were answered or not."""
    tasks, at, end = [], time.perf_counter(), time.perf_counter() + seconds
    while at < end:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        tasks.append(asyncio.ensure_future(ask(port, next(asked))))
        at += rng.expovariate(rate)
    return list(await asyncio.gather(*tasks))


async def trouble(port: int, rng: random.Random) -> None:
    """Until it is cancelled: clients that are slow, that leave, and that speak no HTTP."""
    head = b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"

    async def one() -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            kind = rng.randrange(4)
            if kind == 0:
                for byte in head[:90]:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(1)
            elif kind == 1:
                writer.write(head)
                for _ in range(90):
                    writer.write(b" ")
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
            tasks.add(task := asyncio.ensure_future(one()))
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(rng.expovariate(5))
    finally:
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def idle(port: int, count: int) -> AsyncIterator[int]:
    """Connections on which nothing is said; gives how many there are."""
    held = []
    try:
        for _ in range(count):
            held.append(await asyncio.open_connection("127.0.0.1", port))  # noqa: PERF401 — those there are, are closed
        yield len(held)
    finally:
        for _, writer in held:
            writer.close()


async def watch(server: Server, found: list[float]) -> None:
    """The server's memory, every second, until it is cancelled."""
    while True:
        found.append(server.memory)
        await asyncio.sleep(1)


async def loaded(
    server: Server, seed: int, seconds: float, settled: float, connections: int
) -> list[Row]:
    """The rows of so many seconds of trouble."""
    asked, rng = bodies(seed), random.Random(f"{seed} load")
    await in_turn(server.port, asked, 10)  # warm
    median = statistics.median(one.seconds for one in await in_turn(server.port, asked, 60))
    rate = 2 * await capacity(server.port, asked, min(20.0, seconds))
    memory: list[float] = []
    async with idle(server.port, connections) as idling:
        others = [
            asyncio.ensure_future(watch(server, memory)),
            asyncio.ensure_future(trouble(server.port, rng)),
        ]
        answers = await crowd(server.port, asked, rate, seconds, rng)
        for one in others:
            one.cancel()
    after = await ask(server.port, next(asked))
    ending = asyncio.ensure_future(crowd(server.port, asked, rate, 1.0, rng))
    await asyncio.sleep(0.5)
    held = [asyncio.ensure_future(ask(server.port, next(asked))) for _ in range(4)]
    await asyncio.sleep(0.05)  # they are let in, or refused, by now
    server.process.send_signal(signal.SIGTERM)
    last = [*await asyncio.gather(*held)]
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
    count = Counter(one.status for one in answers)
    good = [one for one in answers if one.status == 200 or (one.status == 503 and one.retry)]
    accepted = sorted(one.seconds for one in answers if one.status == 200)
    p99 = accepted[int(0.99 * (len(accepted) - 1))]
    told = ", ".join(
        f"{number:,} × {status or 'no answer'}" for status, number in sorted(count.items())
    )
    answered = sum(one.status in (200, 503) for one in last)
    return [
        measured(
            "server: answers that are 200, or 503 with Retry-After",
            100 * len(good) / len(answers),
            "%",
            len(answers),
            100,
            "higher",
            f"{told}; {rate:.0f} articles a second came",
        ),
        measured(
            "server: 99th percentile of those let in ÷ median unloaded",
            p99 / median,
            "×",
            len(accepted),
            5,
            note=f"{1000 * p99:.0f} ms; {1000 * median:.0f} ms",
        ),
        measured(
            "server: memory, greatest beyond least once it had settled",
            max(memory) - min(memory),
            "MB",
            len(memory),
            50,
            note=f"{max(memory):.0f} MB at most",
        ),
        measured(
            "server: let in when SIGTERM came, and answered",
            answered,
            "requests",
            len(last),
            len(last),
            "higher",
            f"exit code {code}",
        ),
        measured(
            "server: idle connections held meanwhile",
            idling,
            "connections",
            idling,
            IDLE,
            "higher",
            f"and clients that were slow, left, or spoke no HTTP; afterwards an article got {after.status}",
        ),
    ]


def measure(seed: int, seconds: float = SECONDS) -> dict[str, Any]:
    """The part of the figures that is about a server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Server() as server:
        rows = asyncio.run(loaded(server, seed, seconds, SETTLED, IDLE))
    about = (
        f"`claimstance serve`, defaults, on loopback, client and server on the same cores; articles of "
        f"{SENTENCES} sentences at twice what it can do, for {seconds:.0f} s; seed {seed}. "
        "`benchmarks/torture/load.py`."
    )
    return part(about, rows)
