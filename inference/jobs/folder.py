"""The folder of a long run: one run at a time, nothing half-written left, nothing of anybody else's touched.

A run holds a lock on a file in its folder, which the system takes from it when it ends, however it ends. The lock also
tells whether the folder is still the one that was begun in: a disk that is pulled out may leave an empty one.
"""

import os
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from claimstance.inference.writers.text import sync_folder
from claimstance.model.errors import ClaimstanceError, ConfigError

MANIFEST = "manifest.json"
_LOCK = ".lock"
_PART = re.compile(r"part-\d{5,}\.[a-z]+")
_UNFINISHED = re.compile(
    rf"\.(?:{_PART.pattern}|{re.escape(MANIFEST)})\.\w+"
)  # what a killed run was writing


def part_name(number: int, suffix: str) -> str:
    """The name of a part.

    >>> part_name(7, "jsonl")
    'part-00007.jsonl'
    """
    return f"part-{number:05}.{suffix}"


@contextmanager
def hold(path: Path) -> Iterator["RunFolder"]:
    """The folder, made if need be, which no other run gets until this ends.

    Raises:
        ConfigError: if something is in it that no run has written.
        ClaimstanceError: if another run has it, or it cannot be written to.
    """
    try:
        _make(path)
        _must_be_ours(path)
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        _take(descriptor, path)
        yield RunFolder(path, descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def _must_be_ours(path: Path) -> None:
    names = sorted(file.name for file in path.iterdir())
    others = [
        name
        for name in names
        if not name.startswith(".") and name != MANIFEST and not _PART.fullmatch(name)
    ]
    if MANIFEST not in names:  # a part without a manifest may be anyone's
        others = [name for name in names if not name.startswith(".")]
    if others:
        raise ConfigError(
            f"--out: expected an empty folder, or that of an earlier run, found '{path / others[0]}'"
        )


def _take(descriptor: int, path: Path) -> None:
    """Take the lock and write into it who has it, for those who come later."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except (BlockingIOError, PermissionError):
        raise ClaimstanceError(f"{path}: another run{_holder(path)} is writing to it") from None
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be locked: {error.strerror}") from None


def _holder(path: Path) -> str:
    try:
        return f" (process {int((path / _LOCK).read_bytes())})"
    except (OSError, ValueError):
        return ""


class RunFolder:
    """A folder that this run holds."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def check(self) -> None:
        """Raise ``ClaimstanceError`` if the folder was taken away, or another one has its name."""
        try:
            if os.path.samestat((self.path / _LOCK).stat(), os.fstat(self._descriptor)):
                return
        except OSError:
            pass
        raise ClaimstanceError(f"{self.path}: taken away while it was written to")

    def sweep(self, keep: Collection[str]) -> None:
        """Remove parts that are not to be kept, and what a killed run was writing.

        Raises:
            ClaimstanceError: if something cannot be removed.
        """
        for file in sorted(self.path.iterdir()):
            if _UNFINISHED.fullmatch(file.name) or (
                _PART.fullmatch(file.name) and file.name not in keep
            ):
                try:
                    file.unlink()
                except OSError as error:
                    raise ClaimstanceError(f"{file}: cannot be removed: {error.strerror}") from None
