"""Test the reading of articles and records: every kind of input, and a clear message for every bad one."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from claimstance.inference.articles import DocumentFormat
from claimstance.inference.articles.plain_text import parse
from claimstance.inference.articles.sources import (
    Article,
    check_characters,
    count_articles,
    headline_of,
    read_articles,
    read_records,
)
from claimstance.model.errors import InputError

BOM = b"\xef\xbb\xbf"
FIRST_LINE = "a.jsonl, line 1: expected"
ARTICLE = f"{FIRST_LINE} a JSON object with the article's text, found"
COLUMN = f"{FIRST_LINE} a column 'text', 'body', 'content', 'article', or one that --text-column names, found"
FILES = ".txt, .html, .htm, .pdf, .docx, .jsonl, .csv, .tsv or .parquet"
SURROGATE = f"{FIRST_LINE} Unicode characters, found half of a surrogate pair,"
NOT_JSON = "text that is not JSON (Expecting value: line 1 column 1 (char 0))"


def read(name, data):
    Path(name).write_bytes(data)
    return list(read_articles([name]))


def error_messages(items):
    items = list(items)
    assert all(isinstance(item, InputError) for item in items)
    return [str(item) for item in items]


def test_text_files_have_ids_and_titles(workdir):
    assert read("a.txt", "Ünï\nEmoji 🧿.".encode()) == [Article("a", "Ünï\nEmoji 🧿.", "Ünï")]
    assert read("a.TXT", b"He left.") == [Article("a", "He left.")]
    assert read("a.b.txt", b"He left.") == [Article("a.b", "He left.")]


def test_a_byte_order_mark_is_removed(workdir):
    assert read("a.txt", BOM + b"He left.")[0].text == "He left."
    assert read("a.jsonl", BOM + b'{"text": "He left."}\r\n')[0].text == "He left."


def test_line_ends_stay_as_they_are(workdir):
    article = read("a.txt", b"Title\r\nHe left.\r\n")[0]
    assert (article.text, article.title) == ("Title\r\nHe left.\r\n", "Title")


def test_json_lines_have_ids_titles_and_metadata(workdir):
    lines = [
        {"text": "A", "doc_id": "x", "id": "y", "title": "T"},
        {"text": "B", "id": 7},
        {"text": "C\nd", "title": 3},
    ]
    data = "\n\n".join(map(json.dumps, lines)).encode()
    assert read("f.jsonl", data) == [
        Article("x", "A", "T", meta={"id": "y"}),
        Article("7", "B"),
        Article("f:5", "C\nd", "C"),
    ]


def test_standard_input_is_one_article(workdir, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BOM + "Ünï.".encode())))
    assert list(read_articles(["-"])) == [Article("stdin", "Ünï.")]


def test_folders_are_read_recursively_in_order(workdir, caplog):
    Path("in/b").mkdir(parents=True)
    for name in ("in/b/2.txt", "in/1.txt", "in/3.jsonl", "in/.hidden.txt", "in/b/._2.txt"):
        Path(name).write_text('{"text": "x"}', encoding="utf-8")
    assert [article.doc_id for article in read_articles(["in"])] == ["1", "3:1", "b/2"]
    assert caplog.messages == []


def test_skipped_files_of_a_folder_are_logged(workdir, caplog):
    Path("in").mkdir()
    for name in ("a.txt", "b.png", "c.css", "d.css", "README"):
        Path("in", name).write_text("He left.", encoding="utf-8")
    assert [article.doc_id for article in read_articles(["in"])] == ["a"]
    assert caplog.messages == [
        "in: files that are not articles left out: 2 .css, 1 .png, 1 without a suffix"
    ]


def test_a_repeated_id_gives_a_warning(workdir):
    for folder in ("x", "y"):
        Path(folder).mkdir()
        Path(folder, "a.txt").write_text("He left.", encoding="utf-8")
    first, second = read_articles(["x/a.txt", "y/a.txt"])
    assert first.warnings == ()
    assert second.warnings == ("the doc_id 'a' is an earlier article's, too",)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"ab\0c", "a.txt: expected UTF-8 text, found a binary file (a NUL byte)"),
        ("a.txt", b"ab\n\nc\xff", "a.txt, line 3: expected UTF-8 text, found invalid start byte"),
        ("a.txt", "He left.".encode("utf-16"), "a.txt: expected UTF-8 text, found UTF-16"),
        ("a.png", b"x", f"a.png: expected a file ending in {FILES}, or a folder, found '.png'"),
        ("README", b"x", f"README: expected a file ending in {FILES}, or a folder, found 'README'"),
        ("a.jsonl", b"", "a.jsonl: expected at least one article, found an empty file"),
        ("a.jsonl", b"\n \r\n", "a.jsonl: expected at least one article, found an empty file"),
        ("a.jsonl", b"ab\0c", f"{FIRST_LINE} UTF-8 text, found a binary file (a NUL byte)"),
        ("a.jsonl", b"{}", f"{COLUMN} none"),
        ("a.jsonl", b'{"words": "x", "n": 3}', f"{COLUMN} words, n"),
        ("a.jsonl", b'{"text": 5}', f"{FIRST_LINE} a text in 'text', found 5"),
        ("a.jsonl", b'{"text": null}', f"{FIRST_LINE} a text in 'text', found none"),
        ("a.jsonl", b"[1]", f"{ARTICLE} [1]"),
        ("a.jsonl", b"He left.", f"{ARTICLE} {NOT_JSON}"),
        ("a.jsonl", b'{"text": "ab\\ud83d"}', f"{SURROGATE} '\\ud83d', at character 2"),
        ("a.jsonl", b'{"text": "x", "title": "\\udc00"}', f"{SURROGATE} '\\udc00', at character 0"),
    ],
)
def test_an_unreadable_input_gives_a_message_of_one_line(workdir, name, data, message):
    assert error_messages(read(name, data)) == [message]


def test_deeply_nested_brackets_are_an_error(workdir):
    (message,) = error_messages(read("a.jsonl", b"[" * 200_000))
    assert message.startswith(ARTICLE)


def test_a_bad_line_leaves_the_others_readable(workdir):
    items = read("a.jsonl", b'{"text": "A"}\nodd\n{"text": "B"}')
    assert [getattr(item, "text", None) for item in items] == ["A", None, "B"]


def test_a_bad_file_leaves_the_others_readable(workdir):
    Path("in").mkdir()
    for name, data in (("a", b"A."), ("b", b"\xff"), ("c", b"C.")):
        Path("in", f"{name}.txt").write_bytes(data)
    assert [getattr(item, "text", None) for item in read_articles(["in"])] == ["A.", None, "C."]


def test_a_folder_without_articles_is_an_error(workdir):
    Path("in").mkdir()
    assert error_messages(read_articles(["in"])) == [
        f"in: expected files ending in {FILES}, found none"
    ]
    Path("in/a.png").write_bytes(b"x")
    assert error_messages(read_articles(["in"])) == [
        f"in: expected files ending in {FILES}, found 1 .png"
    ]


def test_errors_of_the_system_name_the_file(workdir, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(13, "Permission denied", str(path))

    Path("a.txt").write_bytes(b"x")
    monkeypatch.setattr(os, "open", refuse)
    assert error_messages(read_articles(["a.txt"])) == ["a.txt: Permission denied"]
    assert error_messages(read_articles(["gone.jsonl"])) == [
        "gone.jsonl: No such file or directory"
    ]


def test_an_unreadable_folder_is_an_error(workdir, monkeypatch):
    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", "in/shut"))
        return original(folder)

    original = os.walk
    Path("in").mkdir()
    Path("in/a.txt").write_bytes(b"x")
    monkeypatch.setattr(os, "walk", walk)
    error, article = read_articles(["in"])
    assert (str(error), article.doc_id) == ("in/shut: Permission denied", "a")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_a_file_name_that_is_not_utf8_gives_a_valid_id(workdir):
    Path(os.fsdecode(b"\xff.txt")).write_bytes(b"He left.")
    assert [article.doc_id for article in read_articles(["."])] == ["\ufffd"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv", ".html", ".png"])
def test_errors_escape_bytes_and_controls_of_file_names(workdir, suffix):
    path = os.fsdecode(b"\xff\n\x1b[31m") + suffix
    Path(path).write_bytes(b"\xff\0")
    for messages in (error_messages(read_articles([path])), error_messages(read_articles(["."]))):
        assert messages
        assert all(message.isprintable() for message in messages)
        assert suffix == ".png" or all(
            message.startswith(f"\\xff\\n\\x1b[31m{suffix}") for message in messages
        )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize(
    "suffix", [".txt", ".html", ".pdf", ".docx", ".jsonl", ".csv", ".tsv", ".parquet", ""]
)
def test_pipes_are_refused_rather_than_waited_for(workdir, suffix):
    os.mkfifo(f"a{suffix}")
    (message,) = error_messages(read_articles([f"a{suffix}"]))
    assert message.startswith(f"a{suffix}: expected a file, found a pipe, which may never end")
    assert "standard input" in message


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs devices")
@pytest.mark.parametrize(
    "suffix", [".txt", ".html", ".pdf", ".docx", ".jsonl", ".csv", ".tsv", ".parquet", ""]
)
def test_devices_are_refused_rather_than_read(workdir, suffix):
    Path(f"a{suffix}").symlink_to("/dev/zero")
    (message,) = error_messages(read_articles([f"a{suffix}"]))
    assert message.startswith(f"a{suffix}: expected a file, found a device, which may never end")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_a_folder_leaves_the_others_readable(workdir):
    Path("in").mkdir()
    os.mkfifo("in/a.txt")
    Path("in/b.txt").write_bytes(b"B.")
    error, article = read_articles(["in"])
    assert str(error).startswith("in/a.txt: expected a file, found a pipe")
    assert article.text == "B."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_records_are_not_read_from_pipes(workdir):
    os.mkfifo("r.jsonl")
    with pytest.raises(InputError, match=r"r\.jsonl: expected a file, found a pipe"):
        list(read_records(Path("r.jsonl")))


def test_a_link_to_a_file_is_a_file(workdir):
    Path("a.txt").write_bytes(b"A.")
    Path("b.txt").symlink_to("a.txt")
    assert [article.text for article in read_articles(["b.txt"])] == ["A."]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Title\nText.", "Title"),
        ("  Title \r\n\r\nText.", "Title"),
        ("He left.\nText.", None),
        ("Title", None),
        ("", None),
        ("\n", None),
        ("Who?\nText", None),
        (f"{'x' * 201}\nText", None),
        ("He said: “no”\nText", None),
    ],
)
def test_headlines_become_titles(text, title):
    assert headline_of(text) == title


def test_articles_are_counted_without_reading(workdir):
    Path("in/b").mkdir(parents=True)
    for name in ("in/1.TXT", "in/b/2.html", "in/c.png", "3.txt"):
        Path(name).write_bytes(b"x")
    assert count_articles(["in", "3.txt"]) == 3
    assert count_articles(["in", "https://courier.example/a"]) == 3
    assert count_articles(["in", "-"]) is None
    Path("in/4.jsonl").write_bytes(b"x")
    assert count_articles(["in"]) is None


def test_an_oversized_article_is_rejected(workdir, monkeypatch):
    monkeypatch.setattr(
        "claimstance.inference.articles.sources.DOCUMENTS", {".txt": DocumentFormat(parse, 10, ())}
    )
    assert error_messages(read("a.txt", b"x" * 11)) == [
        "a.txt: expected at most 10 bytes, found more"
    ]
    assert read("a.txt", b"x" * 10) == [Article("a", "x" * 10)]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 10_000_001)))
    assert error_messages(read_articles(["-"])) == [
        "standard input: expected at most 10,000,000 bytes, found more"
    ]


def test_half_surrogate_pairs_are_rejected():
    check_characters("x", "🧿", "")
    with pytest.raises(
        InputError, match=r"x: expected Unicode characters, .*'.udfff', at character 1"
    ):
        check_characters("x", "a", "a\udfff")


def test_records_may_have_labels_of_any_set(workdir):
    rows = [
        {"id": 1, "text": "A", "claim": "odd"},
        {"id": "2", "text": "B", "stances": [{"target": "x", "label": "pro"}]},
    ]
    Path("r.jsonl").write_bytes(BOM + "\r\n".join(map(json.dumps, rows)).encode())
    assert [(r.id, r.claim) for r in read_records(Path("r.jsonl"))] == [("1", "odd"), ("2", None)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "r.jsonl: expected at least one record, found an empty file"),
        (["x"], f"r.jsonl, line 1: expected a JSON object, found {NOT_JSON}"),
        (["3"], "r.jsonl, line 1: expected a JSON object, found 3"),
        (["", '{"id": "1"}'], "r.jsonl, line 2: text: expected a value, found none"),
        (
            ['{"id": "1", "text": "x"}', '{"id": "1", "text": "y"}'],
            "r.jsonl, line 2: id: expected a new id, found '1', already used in line 1",
        ),
        (
            ['{"id": "1", "text": "x", "stances": [{"holder": [[0, 2]], "target": "x"}]}'],
            "r.jsonl, line 1: stances[0].holder: expected 0 <= start < end <= 1 (the text's length), found [0, 2]",
        ),
        (
            ['{"id": "1", "text": "x", "claims": "claim"}'],
            "r.jsonl, line 1: claims: unknown key 'claims'. Did you mean 'claim'? "
            "Available: annotator, attributions, check_worthy, claim, doc_id, entities, id, meta, stances, start, subjective, "
            "text",
        ),
    ],
)
def test_errors_name_the_bad_record(workdir, lines, message):
    Path("r.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        list(read_records(Path("r.jsonl")))
    assert str(error.value) == message
