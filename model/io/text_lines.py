"""The lines of text files, with an error in place of each line that is not text."""

from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import InputError
from claimstance.model.io.files import open_regular

_CHUNK = 1 << 20  # bytes


class BadLineError(InputError):
    """Represent a line that is not text; ``raw`` has its bytes, up to the limit of ``checked_lines``."""

    def __init__(self, message: str, raw: bytes) -> None:
        super().__init__(message)
        self.raw = raw


def checked_lines(path: Path, longest: int | None = None) -> Iterator[str | BadLineError]:
    """Yield the lines of a UTF-8 text file, without their ends (LF or CR LF; no other character ends a line).

    A line that is binary, not UTF-8, or longer than ``longest`` bytes is replaced by an error that names it. At most
    ``longest`` bytes are in memory at a time.

    Raises:
        InputError: if the file cannot be read, or is a pipe or a device.
    """
    limit = -1 if longest is None else longest + 1
    try:
        with open_regular(path) as file:
            line_number = 0
            while raw := file.readline(limit):
                line_number += 1
                where = f"{path}, line {line_number}"
                if longest is not None and len(raw) > longest:
                    yield BadLineError(
                        f"{where}: expected a line of at most {longest:,} bytes, found a longer one",
                        raw,
                    )
                    # The rest of the line is skipped.
                    while raw and not raw.endswith(b"\n"):
                        raw = file.readline(_CHUNK)
                    continue

                if b"\0" in raw:
                    problem = "a binary file (a NUL byte)"
                    yield BadLineError(f"{where}: expected UTF-8 text, found {problem}", raw)
                    continue

                try:
                    # The first line may begin with a byte order mark.
                    text = raw.decode("utf-8-sig" if line_number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    problem = f"{error.reason} (byte {error.start + 1} of the line)"
                    yield BadLineError(f"{where}: expected UTF-8 text, found {problem}", raw)
                    continue
                yield text.rstrip("\n").removesuffix("\r")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
