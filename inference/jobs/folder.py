"""The folder of a long run: locked by one run at a time, without half-written or foreign files.

A run locks a file in its folder; the system releases the lock when the process ends, for whatever
reason. The lock file also shows whether the folder is still the same one: a disk that is unplugged may
leave an empty folder behind.

The lock file, not the look of a name, identifies the files that a killed run left. It contains a random
token, which ends the names of all temporary files, and the name and sha256 of the next part. Between the
moment when that part gets its name and the moment when the manifest records it, nothing else shows that
it belongs to the run.
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
    """Return the name of a part.

    >>> part_name(7, "jsonl")
    'part-00007.jsonl'
    """
    return f"part-{number:05}.{suffix}"


@dataclass(frozen=True)
class _LockLine:
    """Represent the one line of a lock file.

    The line has a fixed length, so that a single write replaces it and the file always has a token.

    Attributes:
        token: the end of the names of temporary files.
        part_name: the name of the last part that was written, ``-`` before the first.
        sha256: the sha256 of that part.
    """

    token: str
    part_name: str = "-"
    sha256: str = "-"

    LENGTH = 200
    _PATTERN = re.compile(rb"\d+ ([0-9a-f]{32}) (\S+) ([0-9a-f]{64}|-) *\n")

    @classmethod
    def parse(cls, data: bytes) -> "_LockLine | None":
        """Parse the content of a lock file; return ``None`` if it is something else."""
        match = cls._PATTERN.fullmatch(data)
        if match is None:
            return None
        token, name, digest = (group.decode("ascii") for group in match.groups())
        return cls(token, name, digest)

    def to_bytes(self) -> bytes:
        """Return the line, with the id of this process for the messages of other runs."""
        line = f"{os.getpid()} {self.token} {self.part_name} {self.sha256}"
        return line.ljust(self.LENGTH - 1).encode("ascii") + b"\n"


@contextmanager
def lock_folder(path: Path) -> Iterator["RunFolder"]:
    """Create the folder if needed, and lock it against other runs.

    Raises:
        ConfigError: if it contains files that no run wrote, or a link has the name of a file of the run.
        ClaimstanceError: if another run has locked it, or it cannot be written to.
    """
    lock = path / _LOCK
    try:
        _make_folder(path)
        _check_is_regular(lock)
        _check_is_regular(path / MANIFEST)
        _check_no_foreign_files(path)
        # O_NOFOLLOW rejects a link that was created since the check. The file is not truncated before it is locked.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(lock, flags, 0o666)
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        _acquire_lock(descriptor, path)
        # Read only now: until the lock is held, another run may change the line.
        data = _read_all(descriptor)
        # The token of an earlier run stays, since it identifies the files that the run left.
        line = _LockLine.parse(data) if data else _LockLine(secrets.token_hex(16))
        if line is None:
            raise _foreign_file_error(lock)
        try:
            _write_line(descriptor, line)
            sync_folder(path)
        except OSError as error:
            raise ClaimstanceError(f"{path}: cannot be written: {error.strerror}") from None
        yield RunFolder(path, descriptor, line)
    finally:
        os.close(descriptor)


def _make_folder(path: Path) -> None:
    """Create a folder and its parents, and write their names to the disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    # The name of a folder is stored in its parent, which must reach the disk, too.
    for folder in missing:
        sync_folder(folder.parent)


def _check_is_regular(path: Path) -> None:
    """Raise ``ConfigError`` if a file that a run writes to is a link, a folder or a device."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    kind = kinds.get(stat.S_IFMT(mode), "a device")
    raise ConfigError(f"--out: expected a file at '{path}', found {kind}")


def _check_no_foreign_files(path: Path) -> None:
    """Raise ``ConfigError`` for a visible file that does not look like one of a run."""
    names = sorted(file.name for file in path.iterdir())
    has_manifest = MANIFEST in names
    for name in names:
        if name.startswith("."):
            continue
        # Without a manifest, nothing shows that a file with the name of a part belongs to a run.
        if not has_manifest or (name != MANIFEST and not PART.fullmatch(name)):
            raise _foreign_file_error(path / name)


def _foreign_file_error(file: Path) -> ConfigError:
    """Return the error for a file that no run wrote, and that must therefore not be touched."""
    return ConfigError(
        f"--out: expected an empty folder, or that of an earlier run, found '{file}', which no run wrote"
    )


def _acquire_lock(descriptor: int, path: Path) -> None:
    """Lock the file without waiting.

    Raises:
        ClaimstanceError: if another run has locked it, or the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        try:
            process_id = int(_read_all(descriptor).partition(b" ")[0])
            owner = f" (process {process_id})"
        except (OSError, ValueError):  # Windows also locks the file against reading
            owner = ""
        raise ClaimstanceError(f"{path}: another run{owner} is writing to it") from None
    except OSError as error:
        raise ClaimstanceError(f"{path}: cannot be locked: {error.strerror}") from None


def _read_all(descriptor: int) -> bytes:
    """Return the content of a lock file; a foreign file may be longer, so that it is read only in part."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LockLine.LENGTH + 1)


def _write_line(descriptor: int, line: _LockLine) -> None:
    """Replace the line of a lock file, and wait until it is on the disk."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, line.to_bytes())
    os.fsync(descriptor)


class RunFolder:
    """Represent the locked folder of a run."""

    def __init__(self, path: Path, descriptor: int, line: _LockLine) -> None:
        self.path = path
        self._descriptor = descriptor
        self._line = line

    def check(self) -> None:
        """Raise ``ClaimstanceError`` if the folder was removed, or another one has its name."""
        try:
            # The lock file that the name leads to now must be the one that is locked.
            if os.path.samestat((self.path / _LOCK).lstat(), os.fstat(self._descriptor)):
                return
        except OSError:
            pass
        raise ClaimstanceError(f"{self.path}: the folder was removed or replaced during the run")

    @contextmanager
    def create(self, name: str) -> Iterator[TextIO]:
        """Open a file that gets its name only once its content is on the disk.

        When the context ends, the name is on the disk, too. A part never replaces another file; the
        manifest replaces the earlier one.

        Raises:
            ClaimstanceError: if the file cannot be written.
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
                        raise ClaimstanceError(
                            f"{path}: another program wrote this file during the run"
                        )
                    # Recorded before the part gets its name: if the process dies between the two, the next
                    # run recognizes the part as one of its own.
                    self._line = replace(self._line, part_name=name, sha256=sha256(temporary))
                    _write_line(self._descriptor, self._line)
                temporary.replace(path)
                sync_folder(self.path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise ClaimstanceError(
                f"{path}: cannot be written: {error.strerror or error}"
            ) from None

    def find_unfinished(self, recorded: Collection[str]) -> list[str]:
        """Return the names of the files that a killed run left.

        Args:
            recorded: the names of the parts in the manifest.

        Raises:
            ConfigError: for a part that is not in the manifest and that no killed run left.
        """
        unfinished = []
        for path in sorted(self.path.iterdir()):
            name = path.name
            if name.startswith(".") and name.endswith(f".{self._line.token}"):
                unfinished.append(name)
            elif PART.fullmatch(name) and name not in recorded:
                # Only the last part may be missing from the manifest, if the run was killed between the two.
                is_last = name == self._line.part_name and is_intact(path, self._line.sha256)
                if not is_last:
                    raise _foreign_file_error(path)
                unfinished.append(name)
        return unfinished

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of the run.

        Raises:
            ClaimstanceError: if a file cannot be removed.
        """
        file = self.path  # what an error names
        try:
            for name in names:
                file = self.path / name
                file.unlink(missing_ok=True)
            sync_folder(self.path)
        except OSError as error:
            raise ClaimstanceError(f"{file}: cannot be removed: {error.strerror}") from None


def is_intact(path: Path, digest: str) -> bool:
    """Return whether the path is a file with this sha256."""
    try:
        return path.is_file() and sha256(path) == digest
    except OSError:
        return False
