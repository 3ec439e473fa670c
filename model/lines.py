"""The lines of text files, with a word for each that is none."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from claimstance.model.errors import InputError

_CHUNK = 1 << 20


def checked_lines(path: Path, longest: int | None = None) -> Iterator[str | InputError]:
    """The lines of a UTF-8 text file, without their ends (LF or CR LF; no other character ends a line).

    In place of a line that is binary, not UTF-8, or of more bytes than ``longest`` there is an error that names it. No
    more than ``longest`` bytes are held at a time.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(-1 if longest is None else longest + 1):
                number += 1
                yield _checked(raw, f"{path}, line {number}", number == 1, longest)
                if longest is not None and len(raw) > longest and not raw.endswith(b"\n"):
                    _skip_line(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def _checked(raw: bytes, where: str, first: bool, longest: int | None) -> str | InputError:
    if longest is not None and len(raw) > longest:
        return InputError(f"{where}: expected a line of at most {longest:,} bytes, found a longer one")
    if b"\0" in raw:
        return InputError(f"{where}: expected UTF-8 text, found a binary file (a NUL byte)")
    try:
        return raw.decode("utf-8-sig" if first else "utf-8").rstrip("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        return InputError(f"{where}: expected UTF-8 text, found {error.reason} (byte {error.start + 1} of the line)")


def _skip_line(file: BinaryIO) -> None:
    while chunk := file.readline(_CHUNK):
        if chunk.endswith(b"\n"):
            return
