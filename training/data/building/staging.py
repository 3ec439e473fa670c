"""The temporary folder in which a dataset is built; the finished dataset is renamed to its final path.

A running build holds a lock in its folder. The operating system releases the lock when the process ends for
any reason, so a folder that can be locked belongs to a dead build, and the next build of the same dataset
removes it.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_LOG = logging.getLogger(__name__)
_LOCK = "building.lock"
_SUFFIX = ".build"
_OLD, _NEW = "old", "new"


class StagingFolder:
    """Represent the folder of one running build.

    Attributes:
        row_store: where the rows are stored during the build.
        new: where the dataset is written.
    """

    def __init__(self, folder: Path, out: Path) -> None:
        self.row_store = folder / "rows"
        self.new = folder / _NEW
        self._old = folder / _OLD
        self._out = out

    def publish(self) -> None:
        """Move the new dataset to its final path, replacing an older one."""
        # If the process ends between the two renames, the next build restores the older dataset.
        if self._out.exists():
            self._out.rename(self._old)
        self.new.rename(self._out)


@contextmanager
def staging_folder(out: Path) -> Iterator[StagingFolder]:
    """Create a folder beside ``out`` that is removed at the end, and clean up after killed builds."""
    prefix = f".{out.name}."
    out.parent.mkdir(parents=True, exist_ok=True)
    for earlier in out.parent.iterdir():
        is_build = earlier.name.startswith(prefix) and earlier.name.endswith(_SUFFIX)
        earlier_lock = earlier / _LOCK
        if not is_build or not earlier_lock.is_file():
            continue
        # A build that is still running holds the lock, and its folder stays.
        with suppress(Timeout), FileLock(earlier_lock, timeout=0):
            # The killed build was about to replace the dataset.
            old = earlier / _OLD
            if old.exists() and not out.exists():
                old.rename(out)
            _LOG.warning("%s: removed the folder of a build that ended early", earlier)
            shutil.rmtree(earlier, ignore_errors=True)

    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=_SUFFIX, dir=out.parent))
    lock = FileLock(folder / _LOCK)
    try:
        with lock:
            yield StagingFolder(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
