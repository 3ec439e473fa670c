"""The lines of text files, with a word for each that is none."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from claimstance.model.errors import InputError
from claimstance.model.io.files import open_regular

_CHUNK = 1 << 20


class BadLineError(InputError):
    """A line that is no text; ``raw`` is what it is, up to the bytes that are held."""

    def __init__(self, message: str, raw: bytes) -> None:
        super().__init__(message)
        self.raw = raw


def checked_lines(path: Path, longest: int | None = None) -> Iterator[str | BadLineError]:
    """The lines of a UTF-8 text file, without their ends (LF or CR LF; no other character ends a line).

    In place of a line that is binary, not UTF-8, or of more bytes than ``longest`` there is an error that names it. No
    more than ``longest`` bytes are held at a time.

    Raises:
        InputError: if the file cannot be read, or is none (a pipe, a device).
    """
    try:
        with open_regular(path) as file:
            number = 0
            while raw := file.readline(-1 if longest is None else longest + 1):
                number += 1
                yield _checked(raw, f"{path}, line {number}", number == 1, longest)
                if longest is not None and len(raw) > longest and not raw.endswith(b"\n"):
                    _skip_line(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _checked(raw: bytes, where: str, first: bool, longest: int | None) -> str | BadLineError:
    if longest is not None and len(raw) > longest:
        return BadLineError(
            f"{where}: expected a line of at most {longest:,} bytes, found a longer one", raw
        )
    if b"\0" in raw:
        return BadLineError(f"{where}: expected UTF-8 text, found a binary file (a NUL byte)", raw)
    try:
        return raw.decode("utf-8-sig" if first else "utf-8").rstrip("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        found = f"{error.reason} (byte {error.start + 1} of the line)"
        return BadLineError(f"{where}: expected UTF-8 text, found {found}", raw)


def _skip_line(file: BinaryIO) -> None:
    while chunk := file.readline(_CHUNK):
        if chunk.endswith(b"\n"):
            return
