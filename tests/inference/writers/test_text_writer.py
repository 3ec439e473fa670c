"""Test writers of text: complete files or none, stable columns, and unchanged text."""

import csv
import io
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from claimstance.inference.results import Label, Sentence, Stance, TaggedArticle, ranking
from claimstance.inference.writers.text import CsvWriter, JsonlWriter, open_output
from claimstance.model.article.spans import Attribution, Entity, Span
from claimstance.model.errors import ClaimstanceError

TEXT = 'He said,\n"it, too, is 🧿".\r\nShe left.'
SOURCE, CUE, CONTENT = (
    Span(start, end, TEXT[start:end], ((start, end),)) for start, end in ((0, 2), (3, 7), (10, 23))
)


@pytest.fixture
def article():
    claim = Label("claim", 0.91234567, {"no_claim": 0.08765433, "claim": 0.91234567})
    worth = Label("no", 0.75, {"yes": 0.25, "no": 0.75})
    source = Span(0, 2, "He", ((0, 2),), "Carl Amsel")
    stance = {
        "label": "favor",
        "probability": 0.7,
        "probabilities": {"against": 0.3, "favor": 0.7},
        "sentence": 0,
    }
    return TaggedArticle(
        "d",
        None,
        TEXT,
        {"name": "m", "version": "1", "sha256": "0"},
        [
            Sentence(
                0,
                0,
                25,
                TEXT[:25],
                claim,
                worth,
                [Attribution(source, CUE, CONTENT, 0.9), Attribution(SOURCE, None, None, 0.5)],
                [Entity(0, 2, "He", "PERSON", 0.9)],
                [
                    Stance("Carl Amsel", "rail", **stance, holder_span=source),
                    Stance(None, "it", **stance, target_span=CONTENT, abstained=True),
                ],
            ),
            Sentence(1, 27, 36, TEXT[27:]),
        ],
        [],
    )


def rows(article, kind):
    file = io.StringIO(newline="")
    CsvWriter(file, kind).write(article)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def test_each_sentence_has_a_row(article):
    first, second = rows(article, "sentences")
    assert first == {
        "doc_id": "d",
        "index": "0",
        "start": "0",
        "end": "25",
        "text": TEXT[:25],
        "claim": "claim",
        "claim_probability": "0.9123",
        "check_worthy_probability": "0.25",
        "subjective_probability": "",
        "sources": "Carl Amsel | He",
        "cues": "said",
        "contents": CONTENT.text,
        "entities": "He (PERSON)",
        "meta": "",
    }
    assert second == {
        **dict.fromkeys(first, ""),
        "doc_id": "d",
        "index": "1",
        "start": "27",
        "end": "36",
        "text": "She left.",
    }


def test_each_stance_has_a_row(article):
    first, second = rows(article, "stances")
    assert first == {
        "doc_id": "d",
        "sentence": "0",
        "holder": "Carl Amsel",
        "target": "rail",
        "label": "favor",
        "probability": "0.7",
        "abstained": "False",
        "holder_start": "0",
        "holder_end": "2",
        "target_start": "",
        "target_end": "",
        "text": TEXT[:25],
        "meta": "",
    }
    columns = ("holder", "holder_start", "holder_end", "target_start", "target_end")
    assert [second[name] for name in columns] == ["", "", "", "10", "23"]
    assert second["abstained"] == "True"


def test_each_article_is_a_line_of_json(article):
    file = io.StringIO()
    JsonlWriter(file).write(article)
    JsonlWriter(file).write(article)
    first, second, remainder = file.getvalue().split("\n")
    assert (first, remainder) == (second, "")
    assert "🧿" in first
    data = json.loads(first)
    assert data["text"] == TEXT
    assert data["sentences"][0]["claim"]["probability"] == 0.9123
    assert data["sentences"][1]["attributions"] is None


def test_ranking_is_the_probability_of_the_positive_label():
    assert ranking({"no": 0.2, "yes": 0.8}) == ranking({"yes": 0.8, "no": 0.2}) == 0.8
    assert ranking({"low": 0.2, "high": 0.8}) == 0.8


def test_output_without_a_path_is_standard_output(capsys):
    with open_output(None) as file:
        file.write("x")
    assert capsys.readouterr().out == "x"


def test_a_file_appears_complete_with_its_folders_and_line_ends(tmp_path):
    path = tmp_path / "new" / "out.csv"
    with open_output(path) as file:
        file.write("a\r\nü\n")
        assert not path.exists()
    assert path.read_bytes() == "a\r\nü\n".encode()
    assert os.listdir(path.parent) == ["out.csv"]  # noqa: PTH208


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, ClaimstanceError])
def test_a_failure_keeps_the_existing_file(tmp_path, error):
    def fail():
        with open_output(path) as file:
            file.write("half")
            file.flush()
            raise error

    path = tmp_path / "out.jsonl"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(error):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_of_one_line(tmp_path):
    with (
        pytest.raises(
            ClaimstanceError, match=r"out\.jsonl: cannot be written: No space left on device$"
        ),
        open_output(tmp_path / "out.jsonl"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_has_the_usual_permissions(tmp_path):
    path, ordinary_file = tmp_path / "a", tmp_path / "b"
    ordinary_file.touch()
    with open_output(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary_file.stat().st_mode)


def test_a_folder_as_output_is_an_error_at_once(tmp_path):
    with (
        pytest.raises(ClaimstanceError, match=r"cannot be written: Is a directory$"),
        open_output(tmp_path),
    ):
        pytest.fail("the work was begun")


def test_a_path_below_a_file_is_an_error_at_once(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(ClaimstanceError, match=r"out: cannot be written: "),
        open_output(tmp_path / "file" / "out"),
    ):
        pytest.fail("the work was begun")


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not hold the superuser"
)
def test_a_read_only_folder_is_an_error_at_once(tmp_path):
    tmp_path.chmod(0o500)
    with (
        pytest.raises(ClaimstanceError, match=r"cannot be written: Permission denied$"),
        open_output(tmp_path / "out"),
    ):
        pytest.fail("the work was begun")
    tmp_path.chmod(0o700)


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    with open_output(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_to_not_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with open_output(Path(path)) as file:
            file.write("x")
        assert os.read(reader, 9) == b"x"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
