"""The folder of a long run: one run at a time, nothing half-written left, nothing of anybody else's touched.

A run holds a lock on a file in its folder, which the system takes from it when it ends, however it ends. The lock also
tells whether the folder is still the one that was begun in: a disk that is pulled out may leave an empty one.

What a killed run leaves is known by what the file of the lock says, never by the look of a name. It has a random token,
which ends the names of all files that are not whole yet, and the name and the sha256 of the part that gets its name
next: between that and the moment when the manifest tells of the part, nothing else says that it is the run's.
"""

import os
import re
import secrets
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from claimstance.inference.writers.text import sync_folder
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.onnx.manifest import sha256

MANIFEST = "manifest.json"
PART = re.compile(r"part-[0-9]{5,}\.[a-z]+")
_LOCK = ".lock"


def part_name(number: int, suffix: str) -> str:
    """The name of a part.

    >>> part_name(7, "jsonl")
    'part-00007.jsonl'
    """
    return f"part-{number:05}.{suffix}"


@dataclass(frozen=True)
class _LockLine:
    """The one line in the file of a lock.

    It has a fixed length, so that it is replaced in one write that leaves no moment without a token.

    Attributes:
        token: ends the names of files that are not whole yet.
        part: the name of the part that was last made whole, ``-`` before the first.
        sha256: of that part.
    """

    token: str
    part: str = "-"
    sha256: str = "-"

    LENGTH = 200
    _PATTERN = re.compile(rb"\d+ ([0-9a-f]{32}) (\S+) ([0-9a-f]{64}|-) *\n")

    @classmethod
    def parse(cls, data: bytes) -> "_LockLine | None":
        """Return the line that ``data`` is; ``None`` if it is something else."""
        match = cls._PATTERN.fullmatch(data)
        return None if match is None else cls(*(group.decode("ascii") for group in match.groups()))

    def to_bytes(self) -> bytes:
        """Return the line, with the process that holds the lock for those who come later."""
        line = f"{os.getpid()} {self.token} {self.part} {self.sha256}"
        return line.ljust(self.LENGTH - 1).encode("ascii") + b"\n"


@contextmanager
def hold(path: Path) -> Iterator["RunFolder"]:
    """The folder, made if need be, which no other run gets until this ends.

    Raises:
        ConfigError: if something is in it that no run has written, or a link has the name of a file of the run.
        ClaimstanceError: if another run has it, or it cannot be written to.
    """
    lock = path / _LOCK
    try:
        _make(path)
        _check_is_regular(lock)
        _check_is_regular(path / MANIFEST)
        _check_is_ours(path)
        # The flag closes the moment between the check and this; the file keeps what is in it until the lock is held.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(lock, flags, 0o666)
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        _take(descriptor, path)
        line = _read_line(descriptor, lock)
        try:
            _write_line(descriptor, line)
            sync_folder(path)
        except OSError as error:
            raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
        yield RunFolder(path, descriptor, line)
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def _check_is_regular(path: Path) -> None:
    """Raise ``ConfigError`` if a name that a run writes to stands for a link, a folder or a device."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    raise ConfigError(
        f"--out: expected a file at '{path}', found {kinds.get(stat.S_IFMT(mode), 'a device')}"
    )


def _check_is_ours(path: Path) -> None:
    names = sorted(file.name for file in path.iterdir())
    others = [
        name
        for name in names
        if not name.startswith(".") and name != MANIFEST and not PART.fullmatch(name)
    ]
    if MANIFEST not in names:  # a part without a manifest may be anyone's
        others = [name for name in names if not name.startswith(".")]
    if others:
        raise _other(path / others[0])


def _other(file: Path) -> ConfigError:
    return ConfigError(
        f"--out: expected an empty folder, or that of an earlier run, found '{file}', which no run wrote"
    )


def _take(descriptor: int, path: Path) -> None:
    """Take the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise ClaimstanceError(
            f"{path}: another run{_holder(descriptor)} is writing to it"
        ) from None
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be locked: {error.strerror}") from None


def _holder(descriptor: int) -> str:
    try:
        return f" (process {int(_read_all(descriptor).partition(b' ')[0])})"
    except (OSError, ValueError):
        return ""


def _read_all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LockLine.LENGTH + 1)


def _read_line(descriptor: int, lock: Path) -> _LockLine:
    """Return what an earlier run left in the file of the lock, or a new line where it is empty.

    Raises:
        ConfigError: if it has anything else in it: it is somebody's file.
    """
    data = _read_all(descriptor)
    if not data:
        return _LockLine(secrets.token_hex(16))
    line = _LockLine.parse(data)
    if line is None:
        raise _other(lock)
    return line


def _write_line(descriptor: int, line: _LockLine) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, line.to_bytes())
    os.fsync(descriptor)


class RunFolder:
    """A folder that this run holds."""

    def __init__(self, path: Path, descriptor: int, line: _LockLine) -> None:
        self.path = path
        self._descriptor = descriptor
        self._line = line

    def check(self) -> None:
        """Raise ``ClaimstanceError`` if the folder was taken away, or another one has its name."""
        try:
            if os.path.samestat((self.path / _LOCK).lstat(), os.fstat(self._descriptor)):
                return
        except OSError:
            pass
        raise ClaimstanceError(f"{self.path}: taken away while it was written to")

    @contextmanager
    def create(self, name: str) -> Iterator[TextIO]:
        """Open a file that gets its name once it is whole and on the disk, as the name is when this ends.

        A part gets no name that another file has; the manifest replaces the one before.

        Raises:
            ClaimstanceError: if it cannot be written.
        """
        path = self.path / name
        temporary = self.path / f".{name}.{self._line.token}"
        try:
            try:
                with temporary.open("x", encoding="utf-8", newline="") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                if name != MANIFEST:
                    if os.path.lexists(path):
                        raise ClaimstanceError(f"{path}: written by another program meanwhile")
                    self._line = replace(self._line, part=name, sha256=sha256(temporary))
                    _write_line(self._descriptor, self._line)
                temporary.replace(path)
                sync_folder(self.path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise ClaimstanceError(
                f"{path}: cannot be written: {error.strerror or error}"
            ) from None

    def unfinished(self, parts: Collection[str]) -> list[str]:
        """Return the names of the files that a killed run left.

        Args:
            parts: the names of those that the manifest tells.

        Raises:
            ConfigError: for a part that is neither told nor what a killed run left.
        """
        left = []
        for name in sorted(file.name for file in self.path.iterdir()):
            if name.startswith(".") and name.endswith(f".{self._line.token}"):
                left.append(name)
            elif PART.fullmatch(name) and name not in parts:
                if name != self._line.part or not is_whole(self.path / name, self._line.sha256):
                    raise _other(self.path / name)
                left.append(name)
        return left

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of the run.

        Raises:
            ClaimstanceError: if one cannot be removed.
        """
        file = self.path
        try:
            for name in names:
                file = self.path / name
                file.unlink(missing_ok=True)
            sync_folder(self.path)
        except OSError as error:
            raise ClaimstanceError(f"{file}: cannot be removed: {error.strerror}") from None


def is_whole(path: Path, digest: str) -> bool:
    """Return whether a part is there as it was written: a file with this sha256."""
    try:
        return path.is_file() and sha256(path) == digest
    except OSError:
        return False
