"""Tagging into a folder, part by part, so that a run that died goes on where it was.

A part holds so many articles, the last one fewer; what could not be read belongs to the part of the article before it.
Each is written beside, renamed and only then told in the manifest, all of it on the disk before the next is begun: what
the manifest tells is there, whole, and what it does not tell is removed by the next start. A run that goes on reads its
inputs from the beginning, which is quick beside tagging them, and tags only what no part has.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from claimstance.inference.articles.sources import Article
from claimstance.inference.jobs.folder import RunFolder, hold, is_whole, part_name
from claimstance.inference.jobs.manifest import Manifest, Part, changes, load_manifest, state_of
from claimstance.inference.jobs.signals import Stopping
from claimstance.inference.results import TaggedArticle
from claimstance.inference.writers.formats import Format, Rows, rows_writer
from claimstance.model.errors import ClaimstanceError, ConfigError, InputError, printable
from claimstance.model.labels import TASKS
from claimstance.model.onnx.manifest import sha256

Item: TypeAlias = "Article | ClaimstanceError"
Tagged: TypeAlias = "TaggedArticle | ClaimstanceError"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What is done with what is read.

    Attributes:
        tag: articles, and errors of those that could not be read → results, and these errors, in order.
        tell: is given each of them once it is written.
        advance: is called with 1 for each that is read, whether it was done before or not.
        tasks: of the model: columns that it never fills are left out.
    """

    tag: Callable[[Iterable[Item]], Iterator[Tagged]]
    tell: Callable[[Tagged], None]
    advance: Callable[[int], None]
    tasks: tuple[str, ...] = TASKS


class LongRun:
    """A run into a folder that it holds. See ``open_run``."""

    def __init__(self, folder: RunFolder, manifest: Manifest) -> None:
        self._folder = folder
        self._meta: Mapping[str, Any] | None = (
            None  # of the first article, which settles the columns
        )
        self.manifest = manifest

    def go_on(self, items: Iterable[Item], work: Work, stopping: Stopping) -> None:
        """Do what is not done yet; end after a part if it was told to stop.

        Args:
            items: what is to be tagged, all of it from the beginning.
            work: how.
            stopping: says whether it was told to stop.

        Raises:
            ConfigError: if what a part was made of is not what is read now.
            InputError: if the inputs were changed meanwhile.
            ClaimstanceError: if something cannot be written.
        """
        if self.manifest.complete:
            return
        left = dict(self.manifest.parts)
        for number, some in enumerate(
            _parted(items, self.manifest.settings["options"]["articles_per_part"])
        ):
            read = _Reading(some, work.advance)
            if number not in left:
                if stopping.signal is not None:
                    return
                self._write(number, read, work)
            elif not self._is_read_again(left.pop(number), read, stopping):
                return
            self._meta = read.meta if self._meta is None else self._meta
        for part in left.values():
            raise self._other(part)
        self._finish()

    def _is_read_again(self, part: Part, read: "_Reading", stopping: Stopping) -> bool:
        """Whether what a part was made of was read to its end, and is the same."""
        for _ in read:
            if stopping.signal is not None:
                return False
        if (read.sha256, read.articles, len(read.errors)) != (
            part.read,
            part.articles,
            len(part.errors),
        ):
            raise self._other(part)
        return True

    def _other(self, part: Part) -> ConfigError:
        return ConfigError(
            f"--out: '{self._folder.path / part.file}' was made of other articles than are read now: "
            "another --out, or --restart to begin anew"
        )

    def _write(self, number: int, read: "_Reading", work: Work) -> None:
        options = self.manifest.settings["options"]
        chosen, rows = Format(options["format"]), Rows(options["rows"] or Rows.sentences)
        path = self._folder.path / part_name(number, chosen.value)
        self._folder.check()
        with (
            self._folder.create(path.name) as file,
            rows_writer(chosen, rows, file, self._meta, work.tasks) as writer,
        ):
            for tagged in work.tag(read):
                if isinstance(tagged, TaggedArticle):
                    writer.write(tagged)
                work.tell(tagged)
        self._folder.check()
        self.manifest.parts[number] = Part(
            file=path.name,
            sha256=sha256(path),
            articles=read.articles,
            errors=[printable(error) for error in read.errors],
            read=read.sha256,
        )
        self.manifest.save(self._folder)

    def _finish(self) -> None:
        then = self.manifest.settings
        if found := changes(
            then, {**then, "inputs": state_of([one["path"] for one in then["inputs"]])}
        ):
            raise InputError(
                f"the inputs were changed while they were read ({found}): tag them again with --restart"
            )
        self._folder.check()
        self.manifest.complete = True
        self.manifest.save(self._folder)


@contextmanager
def open_run(out: Path, settings: Mapping[str, Any], restart: bool = False) -> Iterator[LongRun]:
    """The run of a folder: the one that was begun there, or a new one.

    Args:
        out: the folder, made if need be.
        settings: as ``settings_of`` gives them; those of a run that goes on have to be the same.
        restart: whether to begin anew, and remove what is there.

    Raises:
        ConfigError: for a run with other settings, or a folder with other things in it.
        ClaimstanceError: if another run is writing to the folder, or it cannot be written to.
    """
    with hold(out) as folder:
        manifest = load_manifest(out)
        parts = [] if manifest is None else [part.file for part in manifest.parts.values()]
        remains = folder.unfinished(parts)
        if restart:  # before the manifest, which says that these are the run's
            folder.remove(parts)
            manifest = None
        if manifest is None:
            manifest = Manifest(dict(settings), {})
        elif difference := changes(manifest.settings, dict(settings)):
            raise ConfigError(
                f"--out: '{out}' was begun otherwise ({difference}): as it was then, another --out, or "
                "--restart to begin anew"
            )
        manifest.settings = dict(settings)  # with the paths that inputs have now
        damaged = [
            number
            for number, part in manifest.parts.items()
            if not is_whole(out / part.file, part.sha256)
        ]
        for number in damaged:
            log.warning("%s: not what was written: done again", out / manifest.parts[number].file)
        folder.remove([*remains, *(manifest.parts.pop(number).file for number in damaged)])
        manifest.complete = manifest.complete and not damaged
        manifest.save(folder)
        yield LongRun(folder, manifest)


class _Reading:
    """What is read for a part, and in passing its sha256.

    Attributes:
        articles: how many there were.
        errors: of what could not be read.
        meta: of the first article.
    """

    def __init__(self, items: Iterable[Item], advance: Callable[[int], None]) -> None:
        self._items = items
        self._advance = advance
        self._digest = hashlib.sha256()
        self.articles = 0
        self.errors: list[str] = []
        self.meta: Mapping[str, Any] | None = None

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            if isinstance(item, Article):
                self.articles += 1
                self.meta = item.meta if self.meta is None else self.meta
                said = json.dumps(
                    [item.doc_id, item.title, item.text, item.warnings, dict(item.meta)]
                )
            else:
                self.errors.append(str(item))
                said = "not read"  # for what reason may depend on where the inputs are
            self._digest.update(f"{said}\n".encode())
            yield item
            self._advance(1)


def _parted(items: Iterable[Item], size: int) -> Iterator[Iterator[Item]]:
    """The items, so many articles at a time; each lot has to be taken before the next."""
    left = iter(items)
    ahead = [item for item in [next(left, None)] if item is not None]
    while ahead:
        yield _lot(ahead, left, size)


def _lot(ahead: list[Item], left: Iterator[Item], size: int) -> Iterator[Item]:
    articles = 0
    while ahead:
        articles += isinstance(ahead[0], Article)
        if articles > size:
            return
        yield ahead.pop()
        ahead += [item for item in [next(left, None)] if item is not None]
