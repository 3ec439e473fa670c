"""Opening of regular files alone: pipes and devices may never end."""

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
    """Check that ``path`` is no pipe, socket or device.

    Raises:
        InputError: if it is one.
        OSError: if it does not exist.
    """
    _check_kind(path, path.stat().st_mode)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or a link to one, for reading bytes.

    Opening never blocks, unlike that of a pipe without a writer.

    Raises:
        InputError: for a pipe, a socket or a device.
        OSError: in the cases of ``open``, also for a folder.
    """
    check_regular(path)
    # The file may have been replaced since: it is opened without blocking, and checked again.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    file = open(os.open(path, flags), "rb")  # noqa: PTH123, SIM115 - the caller closes it
    try:
        _check_kind(path, os.fstat(file.fileno()).st_mode)
    except InputError:
        file.close()
        raise
    return file


def _check_kind(path: Path, mode: int) -> None:
    """Raise ``InputError`` if the mode of a file is that of a pipe, socket or device."""
    kind = _KINDS.get(stat.S_IFMT(mode))
    if kind is not None:
        raise InputError(
            f"{path}: expected a file, found {kind}, which may never end: save its content as a "
            "file first (tag reads plain text from standard input as well, as -)"
        )
