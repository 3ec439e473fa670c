"""The folder in which a dataset is built, beside the one where it is to be: what is there is renamed when it is whole.

While a build runs, it holds a lock in its folder, which the system takes from it when it ends, however it ends. So a
folder whose lock can be taken is a dead build's, and is removed by the next build of the same dataset.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_LOG = logging.getLogger(__name__)
_LOCK = "building.lock"
_SUFFIX = ".build"
_OLD, _NEW = "old", "new"


class Workplace:
    """A build's own folder."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.spool = folder / "spool"
        self.new = folder / _NEW
        self._old = folder / _OLD
        self._out = out

    def publish(self) -> None:
        """Put what is in ``new`` where the dataset is to be, in place of what is there."""
        if self._out.exists():
            self._out.rename(self._old)
        self.new.rename(self._out)


@contextmanager
def workplace(out: Path) -> Iterator[Workplace]:
    """A new folder beside ``out``, removed at the end, with what builds of ``out`` that were killed left there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    _clear(out)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=_SUFFIX, dir=out.parent))
    lock = FileLock(folder / _LOCK)
    try:
        with lock:
            yield Workplace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear(out: Path) -> None:
    for folder in out.parent.iterdir():
        if (
            folder.name.startswith(f".{out.name}.")
            and folder.name.endswith(_SUFFIX)
            and (folder / _LOCK).is_file()
        ):
            try:
                with FileLock(folder / _LOCK, timeout=0):
                    _remove(folder, out)
            except Timeout:
                continue  # that build is still running


def _remove(folder: Path, out: Path) -> None:
    """Remove a dead build's folder; a dataset that it was about to replace goes back to where it was."""
    if (folder / _OLD).exists() and not out.exists():
        (folder / _OLD).rename(out)
    _LOG.warning(
        "%s: removed, since the build that it belonged to was ended before it was done", folder
    )
    shutil.rmtree(folder, ignore_errors=True)
