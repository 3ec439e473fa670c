"""Test the server as a process: signals with requests in flight, and clients that are slow, leave, or send malformed HTTP."""

import json
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import pytest

from claimstance.inference.serving import run as running
from claimstance.inference.serving.settings import Settings
from helpers.documents import form_drawn_often
from helpers.program import soon
from helpers.serving import Process, Running, process

pytestmark = pytest.mark.slow
SENTENCE = "Senator Carl Amsel said that the harbour tax is theft. "
LONG = json.dumps([{"text": SENTENCE * 40, "targets": ["rail", "coal"]}] * 4)


def head(length, path="/v1/tag"):
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{length}\r\n\r\n"
    ).encode()


def status(connection):
    """Return the status of the response on a bare connection; ``None`` if it ends without one."""
    line = connection.recv(4096).partition(b"\r\n")[0].split()
    return int(line[1]) if line else None


def drained(connection):
    """Count the bytes that still arrive on a bare connection until it ends."""
    count = 0
    try:
        while data := connection.recv(1 << 16):
            count += len(data)
    except ConnectionResetError:
        pass
    return count


@contextmanager
def in_this_process(tagger, buffer=0, **settings):
    """Run a server in a thread, where a test can patch it; ``buffer``: size of the socket's send buffer."""
    listening, server_settings = threading.Event(), Settings(**settings)
    server = running.prepare(tagger, server_settings, listening.set)
    with running.listen(Settings(port=0)) as listener:
        if buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert listening.wait(20)
        try:
            yield Running(f"http://localhost:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


# Shutdown


def test_a_signal_during_parsing_is_obeyed_after_the_timeout(model):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        + form_drawn_often()
        + b"\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    with process("--model", model, "--timeout", "3") as server, ThreadPoolExecutor(1) as pool:
        response = pool.submit(server.ask, "POST", "/", body, headers)
        time.sleep(1.5)
        server.stop()
        assert response.result()[0] == 504
        server.process.wait(20)


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_accepted_requests_are_answered_after_a_signal(model, signal_number):
    with (
        process("--model", model, "--threads", "2", "--max-articles", "1000") as server,
        ThreadPoolExecutor(6) as pool,
    ):
        alone = server.ask("POST", "/v1/tag", LONG)
        assert alone[0] == 200
        responses = [pool.submit(server.ask, "POST", "/v1/tag", LONG) for _ in range(6)]
        with closing(server.connect()) as idle:
            soon(lambda: server.figure("claimstance_in_flight") > 4)
            server.stop(signal_number)
            answers = [task.result(60) for task in responses]
            assert [(code, body) for code, _, body in answers] == [(200, alone[2])] * 6
            assert drained(idle) == 0
    with pytest.raises(ConnectionRefusedError):
        server.connect()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", [False, True])
def test_a_second_signal_ends_the_server_at_once(model, signal_number, busy):
    server = Process("--model", model, "--threads", "2", "--max-articles", "1000")
    try:
        with (
            closing(server.connect()) as body_connection,
            closing(server.connect()) as busy_connection,
        ):
            body_connection.sendall(head("Content-Length: 100") + b"{")
            if busy:
                body = json.dumps([{"text": SENTENCE * 1000, "targets": ["rail"]}] * 10).encode()
                busy_connection.sendall(head(f"Content-Length: {len(body)}") + body)
                soon(lambda: server.figure("claimstance_in_flight") == 10)
            server.process.send_signal(signal_number)
            time.sleep(0.5)
            assert server.process.poll() is None  # a client is still being served
            server.process.send_signal(signal_number)
            start_time = time.monotonic()
            assert server.end() == (128 + signal_number, "")
            assert time.monotonic() - start_time < 2
    finally:
        server.process.kill()
        server.process.communicate()


_STUCK = """
import sys, time
from claimstance.inference.tagger import Tagger
def begin(self, article, *options):
    if "stuck" in article.text:
        time.sleep(3600)
    return original(self, article, *options)
original, Tagger.begin = Tagger.begin, begin
from claimstance.inference.cli.main import main
main()
"""


def test_an_endless_article_blocks_neither_others_nor_the_shutdown(model):
    options = ("--model", model, "--timeout", "0.5", "--max-articles", "1")
    with process(*options, program=(sys.executable, "-c", _STUCK)) as server:
        for _ in range(2):
            assert server.ask("POST", "/v1/tag", '{"text": "stuck"}')[0] == 504
            soon(lambda: server.ask("POST", "/v1/tag", '{"text": "x"}')[0] == 200)
        assert server.ask("GET", "/healthz")[0] == 200
        assert server.figure("claimstance_in_flight") == 0


def test_the_server_waits_for_a_body_in_arrival_after_a_signal(model):
    with process("--model", model) as server, closing(server.connect()) as connection:
        connection.sendall(head("Content-Length: 13") + b'{"text"')
        soon(lambda: server.ask("GET", "/healthz")[0] == 200)
        server.stop()
        time.sleep(0.6)
        connection.sendall(b': "x"}')
        assert status(connection) == 200


# Bodies


@pytest.mark.parametrize("length", ["Content-Length: 9000000000", "Transfer-Encoding: chunked"])
def test_a_body_that_is_too_long_is_refused_before_it_arrives(model, length):
    with (
        process("--model", model, "--max-body", "0.1") as server,
        closing(server.connect()) as connection,
    ):
        connection.sendall(head(length))
        # A declared length is refused at once; of a body in chunks, some are read first.
        connection.settimeout(0.01 if "chunked" in length else 10)
        sent = 0
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
        while True:
            try:
                assert status(connection) == 413
                break
            except TimeoutError:
                assert "chunked" in length
                connection.sendall(chunk)
                sent += 4096
                assert sent < 4_000_000
        assert server.ask("POST", "/v1/tag", '{"text": "x"}')[0] == 200


def test_a_client_that_sends_a_long_body_first_gets_the_refusal(model):
    with process("--model", model, "--max-body", "0.1") as server:
        code, _, body = server.ask("POST", "/v1/tag", b" " * 2_000_000)
        assert (code, json.loads(body)["status"]) == (413, 413)


# Slow and disconnected clients


def test_a_body_that_does_not_arrive_times_out(model):
    with (
        process("--model", model, "--timeout", "0.3") as server,
        closing(server.connect()) as connection,
    ):
        connection.sendall(head("Content-Length: 100") + b"{")
        assert status(connection) == 408


def test_slow_bodies_do_not_keep_others_out(model):
    """Check that other requests are answered, even from the same address."""
    with process("--model", model, "--threads", "1") as server:
        slow_connections = [server.connect() for _ in range(200)]
        for connection in slow_connections:
            connection.sendall(head("Content-Length: 1000") + b"{")
        for _ in range(3):
            for connection in slow_connections:
                with suppress(ConnectionError):
                    connection.sendall(b" ")
            assert server.ask("POST", "/v1/tag", '{"text": "x"}')[0] == 200
            assert server.ask("GET", "/readyz")[0] == 200
        for connection in slow_connections:
            connection.close()


def test_the_oldest_body_of_a_client_is_dropped(tagger, monkeypatch):
    monkeypatch.setattr("claimstance.inference.serving.bodies.MAX_PER_CLIENT", 2)
    with in_this_process(tagger) as server:
        slow_connections = [server.connect() for _ in range(3)]
        for number, connection in enumerate(slow_connections):
            connection.sendall(head("Content-Length: 13") + b'{"text"')
            soon(lambda: server.ask("GET", "/healthz")[0] == 200)
            if number == 2:
                assert status(slow_connections[0]) == 503
        for connection in slow_connections[1:]:
            connection.sendall(b': "x"}')
            assert status(connection) == 200
        for connection in slow_connections:
            connection.close()


def test_connections_without_a_request_are_closed(tagger, monkeypatch):
    monkeypatch.setattr(running, "HEAD_SECONDS", 0.4)
    with in_this_process(tagger) as server:
        idle, incomplete, reused, late = (server.connect() for _ in range(4))
        incomplete.sendall(b"POST /v1/tag HTT")
        reused.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status(reused) == 200
        reused.sendall(b"GET /heal")
        late.sendall(head("Content-Length: 13") + b'{"text"')
        time.sleep(0.8)
        # Its head was complete in time, so that the longer limit of bodies counts.
        late.sendall(b': "x"}')
        assert status(late) == 200
        assert [drained(connection) for connection in (idle, incomplete)] == [0, 0]
        assert drained(reused) < 100  # the rest of its answer
        for connection in (idle, incomplete, reused, late):
            connection.close()


def test_a_connection_is_closed_if_the_client_does_not_take_the_answer(tagger, monkeypatch):
    monkeypatch.setattr(running, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(running, "IDLE_SECONDS", 0.3)
    with in_this_process(tagger, buffer=4096) as server, closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((server.host, server.port))
        body = json.dumps({"text": SENTENCE * 1000}).encode()
        connection.sendall(head(f"Content-Length: {len(body)}") + body)
        answer = connection.recv(1000)
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        time.sleep(1.5)
        assert 0 < drained(connection) < length - 1000


def test_a_request_of_a_disconnected_client_is_cancelled(model):
    with process("--model", model, "--threads", "1", "--max-articles", "1000") as server:
        body = json.dumps([{"text": SENTENCE * 1000, "targets": ["rail", "coal"]}] * 10).encode()
        with closing(server.connect()) as connection:
            connection.sendall(head(f"Content-Length: {len(body)}") + body)
            soon(lambda: server.figure("claimstance_in_flight") == 10)
        soon(lambda: server.figure("claimstance_in_flight") == 0)
        assert server.figure("claimstance_articles_total") < 10
        assert server.figure('claimstance_requests_total{route="/v1/tag",status="499"}') == 1


def test_idle_connections_do_not_keep_others_out(model):
    with process("--model", model) as server:
        idle_connections = [server.connect() for _ in range(300)]
        assert server.ask("POST", "/v1/tag", '{"text": "x"}')[0] == 200
        for connection in idle_connections:
            connection.close()
        assert server.ask("GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100_000,
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
        head("Content-Length: -1"),
        head("Content-Length: 1\r\nContent-Length: 2"),
        head("Content-Length: ten"),
        head("Transfer-Encoding: chunked") + b"zz\r\n",
        head("Transfer-Encoding: gzip"),
        head("Content-Length: 13\r\nTransfer-Encoding: chunked")
        + b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_http_is_refused(model_server, data):
    with closing(model_server.connect()) as connection:
        try:
            connection.sendall(data)
            assert status(connection) in (400, 431, 501)
        except ConnectionError:
            pass  # closed before all data were sent
    assert model_server.ask("GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 13\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 13",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "content-length: 5\r\ntransfer-encoding: Chunked",
    ],
)
@pytest.mark.parametrize("path", ["/v1/tag", "/healthz", "/no/such/path"])
def test_a_request_with_two_lengths_closes_its_connection(model_server, headers, path):
    with closing(model_server.connect()) as connection:
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(head(headers, path) + b'd\r\n{"text": "x"}\r\n0\r\n\r\n' + smuggled)
        answers = b""
        with suppress(ConnectionResetError):
            while data := connection.recv(4096):
                answers += data
    assert answers.startswith(b"HTTP/1.1 400 ")
    assert answers.count(b"HTTP/1.1 ") == 1
    assert b"expected no transfer-encoding beside it" in answers


@pytest.fixture(scope="module")
def model_server(model):
    with process("--model", model) as server:
        yield server


# No connections to other hosts; options

_WATCHED = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        print("connection to another host:", event, arguments, file=sys.stderr)
sys.addaudithook(watch)
from claimstance.inference.cli.main import main
main()
"""


def test_the_server_opens_no_connections(model):
    with process("--model", model, program=(sys.executable, "-c", _WATCHED)) as server:
        page = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.html"\r\n\r\n'
            b'<img src="http://203.0.113.1/x"><article><p>'
            + SENTENCE.encode() * 9
            + b"</p></article>\r\n--b--"
        )
        headers = {"content-type": "multipart/form-data; boundary=b"}
        assert server.ask("POST", "/", page, headers)[0] == 200
        for path in ("/", "/openapi.json", "/readyz"):
            assert server.ask("GET", path)[0] == 200


def test_the_token_may_come_from_the_environment(model):
    with process("--model", model, "--host", "0.0.0.0", CLAIMSTANCE_TOKEN="sesame") as server:
        server.host = "127.0.0.1"
        assert server.ask("GET", "/metrics")[0] == 401
        headers = {"content-type": "application/json", "authorization": "Bearer sesame"}
        assert server.ask("POST", "/v1/tag", '{"text": "x"}', headers)[0] == 200


def test_the_option_no_token_admits_other_machines(model):
    with process("--model", model, "--host", "0.0.0.0", "--no-token") as server:
        server.host = "127.0.0.1"
        assert server.ask("GET", "/metrics")[0] == 200


def test_a_taken_port_is_an_error(run, model):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--model", model, "--port", port)
    assert (result.code, result.messages) == (
        1,
        [f"error: 127.0.0.1, port {port}: cannot be listened on: Address already in use"],
    )


def test_a_missing_extra_is_an_error_of_one_line(model):
    script = "import sys; sys.modules['fastapi'] = None; from claimstance.inference.cli.main import main; main()"
    completed = subprocess.run(
        [sys.executable, "-c", script, "serve", "--model", model],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (
        1,
        "",
        "error: this needs 'fastapi': pip install 'claimstance[serve]'\n",
    )


ARENAS = """
import ctypes, threading
from claimstance.inference.serving.run import limit_arenas

if {limited}:
    assert limit_arenas()
allocated = threading.Barrier(9)

def allocate():
    block = bytearray(100_000)
    allocated.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
allocated.wait()
libc = ctypes.CDLL(None)
stdout = ctypes.c_void_p.in_dll(libc, "stdout")
libc.malloc_info(0, stdout)
libc.fflush(stdout)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas of glibc")
@pytest.mark.parametrize("limited", [True, False])
def test_threads_share_two_arenas_of_memory(limited):
    code = ARENAS.format(limited=limited)
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    arenas = finished.stdout.count("<heap nr=")
    assert (arenas <= 2) is limited
