"""Test the storage of rows, the worker processes and the staging folder of a build."""

import logging
import os
import pickle
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.building import workers
from claimstance.training.data.building.row_store import RaggedArray, RowStore
from claimstance.training.data.building.staging import staging_folder
from claimstance.training.data.building.workers import Workers, serve


@pytest.fixture
def spool(tmp_path):
    store = RowStore(tmp_path / "spool")
    yield store
    store.close()


def ragged(*rows):
    values = [value for row in rows for value in row]
    return RaggedArray(
        np.array(values, dtype=np.uint64), np.array([len(row) for row in rows], np.int32)
    )


def listed(column):
    return [row.tolist() for row in np.split(column.values, column.starts[1:-1])]


def test_lines_come_back_in_any_order(spool):
    lines = [f"line {number} {'é' * (number % 7)}".encode() for number in range(2500)]
    spool.append(lines[:2000], {"n": np.arange(2000, dtype=np.int32)})
    spool.append(lines[2000:], {"n": np.arange(2000, 2500, dtype=np.int32)})
    assert spool.count == 2500
    for rows in ([0, 1, 2], [2499, 0, 3, 3], list(range(2500)), list(range(2499, -1, -7)), []):
        assert list(spool.lines(np.array(rows, dtype=np.int64))) == [lines[row] for row in rows]
    assert spool.column("n").tolist() == list(range(2500))


def test_rows_can_be_added_while_others_are_read(spool):
    spool.append([b"one", b"two"], {})
    lines = spool.lines(np.array([0, 1]))
    assert next(lines) == b"one"
    spool.append([b"three"], {})
    assert list(lines) == [b"two"]
    assert list(spool.lines(np.array([2, 0]))) == [b"three", b"one"]


def test_several_values_for_a_row(spool):
    spool.append([b"", b""], {"v": ragged([1, 2], [])})
    spool.append([b""], {"v": ragged([3, 4, 5])})
    column = spool.ragged("v")
    assert listed(column) == [[1, 2], [], [3, 4, 5]]
    assert column.rows.tolist() == [0, 0, 2, 2, 2]
    assert listed(column.take(np.array([2, 1, 0, 0]))) == [[3, 4, 5], [], [1, 2], [1, 2]]
    assert spool.values("v", column.starts[[0, 2]], column.sizes[[0, 2]]).tolist() == [
        1,
        2,
        3,
        4,
        5,
    ]


def double(batch):
    return [2 * value for value in batch]


def refuse(batch):
    raise InputError(f"found {batch[0]}")


def end(batch):
    if os.environ.get("PYTEST_OF") != str(os.getpid()):
        os._exit(3)
    return batch


def test_results_keep_the_order_of_batches_in_any_number_of_processes(monkeypatch):
    monkeypatch.setattr(workers, "INLINE_ROWS", 10)
    batches = [list(range(n, n + 4)) for n in range(0, 80, 4)]
    expected = [double(batch) for batch in batches]
    for count in (1, 2):
        with Workers(count) as pool:
            assert list(pool.map(double, iter(batches))) == expected
            assert list(pool.map(double, iter(batches[:1]))) == expected[:1]


def test_an_error_in_another_process_is_raised_here(monkeypatch):
    monkeypatch.setattr(workers, "INLINE_ROWS", 0)
    with pytest.raises(InputError, match="found 7"), Workers(2) as pool:
        list(pool.map(refuse, [[7]]))


def test_the_work_of_a_process_that_ends_is_done_in_this_one(monkeypatch, caplog):
    monkeypatch.setattr(workers, "INLINE_ROWS", 0)
    monkeypatch.setenv("PYTEST_OF", str(os.getpid()))
    with Workers(2) as pool:
        assert list(pool.map(end, [[1], [2], [3], [4], [5], [6], [7]])) == [
            [1],
            [2],
            [3],
            [4],
            [5],
            [6],
            [7],
        ]
    assert caplog.text.count("in a single process") == 1


def test_a_worker_ends_with_its_pipe():
    out = BytesIO()
    serve(BytesIO(pickle.dumps((double, [1, 2])) + pickle.dumps((refuse, [3]))), out)
    out.seek(0)
    assert pickle.load(out) == [2, 4]
    assert str(pickle.load(out)) == "found 3"


def test_a_staging_folder_is_removed_afterwards(tmp_path):
    with staging_folder(tmp_path / "deep" / "out") as staging:
        staging.new.mkdir()
        (staging.new / "file").touch()
        staging.publish()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert (tmp_path / "deep" / "out" / "file").exists()
    with pytest.raises(ValueError, match="stop"), staging_folder(tmp_path / "deep" / "out"):
        raise ValueError("stop")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


KILLED = """
import os, signal, sys
from pathlib import Path
from claimstance.training.data.building.staging import staging_folder
with staging_folder(Path(sys.argv[1])) as staging:
    staging.row_store.mkdir()
    if sys.argv[2] == "replacing":
        Path(sys.argv[1]).rename(staging.row_store.parent / "old")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["reading", "replacing"])
def test_files_of_a_killed_build_are_removed_and_the_replaced_folder_is_restored(
    tmp_path, when, caplog
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").touch()
    (tmp_path / ".out.other").mkdir()
    (tmp_path / ".out.copy.build").mkdir()  # without a lock: from another program
    assert (
        subprocess.run([sys.executable, "-c", KILLED, str(out), when], check=False).returncode == -9
    )
    assert len(list(tmp_path.iterdir())) == (4 if when == "reading" else 3)
    with caplog.at_level(logging.WARNING), staging_folder(out):
        assert (out / "mine").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".out.copy.build",
        ".out.other",
        "out",
    ]
    assert "ended early" in caplog.text


def test_a_running_build_is_left_alone(tmp_path):
    with staging_folder(tmp_path / "out") as first:
        first.row_store.mkdir()
        with staging_folder(tmp_path / "out"):
            assert first.row_store.exists()
        assert first.row_store.exists()
