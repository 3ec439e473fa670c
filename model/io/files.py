"""Open what may be read to its end: regular files, not pipes and devices, which may never end."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from claimstance.model.errors import InputError

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_regular(path: Path) -> None:
    """Raise ``InputError`` for a pipe, a socket or a device.

    Raises:
        OSError: if there is nothing.
    """
    _check_kind(path, path.stat().st_mode)


def open_regular(path: Path) -> BinaryIO:
    """Return a regular file, opened for reading bytes; links to one count as one.

    Opening never waits, as that of a pipe to which nobody writes does.

    Raises:
        InputError: for a pipe, a socket or a device.
        OSError: as ``open`` does, also for a folder.
    """
    check_regular(path)
    # Something else may lie there by now: opened without waiting, it is looked at again.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    file = open(os.open(path, flags), "rb")  # noqa: PTH123, SIM115 - a descriptor, which the caller closes
    try:
        _check_kind(path, os.fstat(file.fileno()).st_mode)
    except InputError:
        file.close()
        raise
    return file


def _check_kind(path: Path, mode: int) -> None:
    if kind := _KINDS.get(stat.S_IFMT(mode)):
        raise InputError(
            f"{path}: expected a file, found {kind}, which may never end: save what it gives as a "
            "file first (tag reads plain text from standard input as well, as -)"
        )
