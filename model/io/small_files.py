"""Reading of small files, with protection against pipes, devices and huge files in their place."""

import errno
from pathlib import Path

MAX_BYTES = 16 << 20  # much more than any configuration or manifest has


def read_small_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: if it cannot be read, is not a regular file (a FIFO would block for ever), or has
            more than ``MAX_BYTES`` bytes.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "expected a regular file, found something else", str(path))
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"expected at most {MAX_BYTES} bytes, found more", str(path))
    return content
