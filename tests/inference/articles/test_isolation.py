"""Test the processes that parse documents: their results, and their end if a document takes too long."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from claimstance.inference.articles import isolation
from claimstance.inference.articles.article import Article, RawFile
from claimstance.inference.articles.isolation import (
    Limits,
    TimeLimitError,
    end_all,
    parse_in_process,
)
from claimstance.model.errors import InputError
from helpers import parsers
from helpers.documents import altered, docx, form_drawn_often

RAW = RawFile("Łena said “no” 🧿\n".encode(), "a", "a.pdf", url="https://x.example/")
SHORT = Limits(seconds=1.5)
needs_memory_limits = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems do not limit the memory of a process"
)


@pytest.fixture(autouse=True)
def no_processes():
    end_all()
    yield
    end_all()


def process_id(limits=SHORT):
    return int(parse_in_process(parsers.process, RAW, limits).text)


def test_a_process_returns_the_same_article_as_direct_parsing():
    assert parse_in_process(parsers.words, RAW) == parsers.words(RAW)


def test_a_process_is_reused_for_the_next_document():
    assert process_id() == process_id() != os.getpid()


def test_a_process_survives_the_error_of_a_document():
    before = process_id()
    with pytest.raises(InputError, match=r"^a\.pdf: expected words, found none$"):
        parse_in_process(parsers.refuses, RAW)
    assert process_id() == before


def test_bugs_are_not_reported_as_errors_of_a_document():
    with pytest.raises(RuntimeError, match="KeyError: 'a'"):
        parse_in_process(parsers.fails, RAW)


def test_output_printed_by_a_library_is_ignored(capfd):
    assert parse_in_process(parsers.prints, RAW) == parsers.words(RAW)
    assert parse_in_process(parsers.words, RAW) == parsers.words(RAW)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("parse", [parsers.sleeps, parsers.works])
def test_a_document_that_takes_too_long_is_an_error(parse):
    start = time.monotonic()
    with pytest.raises(TimeLimitError) as error:
        parse_in_process(parse, RAW, SHORT)
    assert 1.5 <= time.monotonic() - start < 10
    assert str(error.value) == (
        "a.pdf: expected a document that can be read within 1.5 seconds and 1 GB of memory, found one that "
        "takes longer: split it, or save it as plain text"
    )
    assert parse_in_process(parsers.words, RAW) == parsers.words(RAW)


@needs_memory_limits
@pytest.mark.parametrize("parse", [parsers.takes_memory, parsers.hides_missing_memory])
def test_a_document_that_takes_too_much_memory_is_an_error(parse):
    limits = Limits(memory=1 << 28)
    with pytest.raises(InputError) as error:
        parse_in_process(parse, RAW, limits)
    assert str(error.value) == (
        "a.pdf: expected a document that can be read within 120 seconds and 0.25 GB of memory, found one "
        "that needs more memory: split it, or save it as plain text"
    )
    assert parse_in_process(parsers.words, RAW, limits) == parsers.words(RAW)


@pytest.mark.parametrize("parse", [parsers.ends, parsers.exits])
def test_a_document_that_ends_its_process_leaves_the_next_readable(parse):
    with pytest.raises(InputError, match=r"^a\.pdf: .* found one at which reading breaks off"):
        parse_in_process(parse, RAW)
    assert parse_in_process(parsers.words, RAW) == parsers.words(RAW)


def test_a_process_that_was_ended_while_idle_is_replaced():
    before = process_id()
    os.kill(before, 9)
    time.sleep(0.2)
    assert process_id() != before


def test_a_process_is_replaced_after_many_documents(monkeypatch):
    monkeypatch.setattr(isolation, "_MAX_DOCUMENTS", 2)
    ids = [process_id() for _ in range(4)]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_documents_of_several_threads_do_not_mix():
    def parsed(number):
        raw = RawFile(f"document {number}".encode(), str(number), "a.pdf")
        return parse_in_process(parsers.words, raw).text

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(parsed, range(30))) == [f"document {n}" for n in range(30)]


def test_ending_all_processes_interrupts_parsing():
    errors = []

    def parse():
        try:
            parse_in_process(parsers.sleeps, RAW, Limits(seconds=60))
        except InputError as error:
            errors.append(error)

    thread = threading.Thread(target=parse)
    thread.start()
    while not isolation._busy:
        time.sleep(0.01)
    end_all()
    thread.join(10)
    assert len(errors) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
def test_a_fork_starts_its_own_processes():
    before = process_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(process_id()).encode())
        finally:
            end_all()
            os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 100)) != before
    os.close(reader)
    os.close(writer)
    assert process_id() == before


def test_a_process_inherits_the_import_path_without_the_current_folder(workdir):
    (workdir / "json.py").write_text("raise SystemExit('the wrong module')", encoding="utf-8")
    article = parse_in_process(parsers.paths, RAW)
    assert str(workdir) not in article.text.splitlines()


def test_a_packed_program_parses_in_its_own_process(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert process_id() == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_a_killed_program_leaves_no_process():
    code = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "from claimstance.inference.articles.isolation import parse_in_process\n"
        "from claimstance.inference.articles.article import RawFile\n"
        "from helpers import parsers\n"
        "print(parse_in_process(parsers.process, RawFile(b'', 'a', 'a')).text, flush=True)\n"
        "input()\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code, *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with program:
        child = int(program.stdout.readline())
        os.kill(child, 0)
        program.kill()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the process went on")


# Small documents that take libraries a long time


def many_paragraphs():
    """Return a Word document of 100 kilobytes with a million paragraphs."""
    paragraph = b"<w:p><w:r><w:t>a</w:t></w:r></w:p>"
    return altered(
        docx(),
        lambda content: [content.replace(b"<w:sectPr", paragraph * 1_000_000 + b"<w:sectPr", 1)],
    )


@pytest.mark.parametrize(
    ("suffix", "data"), [(".pdf", form_drawn_often), (".docx", many_paragraphs)]
)
def test_small_files_that_take_long_are_stopped(suffix, data):
    from claimstance.inference.articles import DOCUMENTS

    pytest.importorskip("pypdf")
    pytest.importorskip("docx")
    content = data()
    assert len(content) < 200_000
    start = time.monotonic()
    with pytest.raises(TimeLimitError):
        DOCUMENTS[suffix].read(RawFile(content, "a", f"a{suffix}"), Limits(seconds=3))
    assert time.monotonic() - start < 20


def test_plain_text_needs_no_process():
    from claimstance.inference.articles import DOCUMENTS

    assert DOCUMENTS[".txt"].read(RawFile(b"He left.", "a", "a.txt")) == Article("a", "He left.")
    assert not isolation._idle
