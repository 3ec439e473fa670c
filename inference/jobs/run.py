"""A long run: tagging into a folder, part by part, so that an interrupted run can be resumed.

A part contains a fixed number of articles; the last one may have fewer. Inputs that could not be read
belong to the part of the article before them. Each part is written to a temporary file, renamed and
then recorded in the manifest, all of it on the disk before the next part begins. So a part in the
manifest is complete, and the next start removes parts that are not in it. A resumed run reads its
inputs from the beginning, which is fast compared with tagging, and tags only the missing parts.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from claimstance.inference.articles.sources import Article
from claimstance.inference.jobs.folder import RunFolder, is_intact, lock_folder, part_name
from claimstance.inference.jobs.manifest import (
    FinishedPart,
    Manifest,
    find_difference,
    input_states,
    load_manifest,
)
from claimstance.inference.results import ResultItem, TaggedArticle
from claimstance.inference.writers.formats import OutputFormat, RowKind, article_writer
from claimstance.model.errors import ClaimstanceError, ConfigError, InputError, printable
from claimstance.model.labels import TASKS
from claimstance.model.onnx.manifest import sha256

#: An article, or the error of one that could not be read.
InputItem = Article | ClaimstanceError
TagItems = Callable[[Iterable[InputItem]], Iterator[ResultItem]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunCallbacks:
    """Bundle the functions that a run calls.

    Attributes:
        tag: maps articles and errors to results and the same errors, in order.
        report: receives each result after it is written.
        advance: receives 1 for each item that is read, even if an earlier run tagged it.
        is_stop_requested: returns True once the run should end after the current part.
    """

    tag: TagItems
    report: Callable[[ResultItem], None]
    advance: Callable[[int], None]
    is_stop_requested: Callable[[], bool]


class LongRun:
    """Represent a run in a locked folder; see ``open_run``."""

    def __init__(self, folder: RunFolder, manifest: Manifest) -> None:
        self._folder = folder
        # Metadata of the first article, which determine the columns of all parts.
        self._first_meta: Mapping[str, Any] | None = None
        self.manifest = manifest

    def tag_missing_parts(
        self,
        items: Iterable[InputItem],
        callbacks: RunCallbacks,
        tasks: tuple[str, ...] = TASKS,
    ) -> None:
        """Tag the parts that are missing; return early after a part if a stop is requested.

        Args:
            items: all articles of the run, from the beginning.
            callbacks: the functions to call.
            tasks: the tasks of the model; columns of other tasks are omitted.

        Raises:
            ConfigError: if a finished part was made of other articles.
            InputError: if the inputs changed during the run.
            ClaimstanceError: if a file cannot be written.
        """
        if self.manifest.complete:
            return
        # Parts of an earlier run whose input has not been compared yet with what is read now.
        unchecked = dict(self.manifest.parts)
        size = self.manifest.settings["options"]["articles_per_part"]
        for number, part_items in _split_into_parts(items, size):
            part_input = _PartInput(part_items, callbacks.advance)
            finished = unchecked.pop(number, None)
            if finished is None:
                if callbacks.is_stop_requested():
                    return
                self._write_part(number, part_input, callbacks, tasks)
            elif not self._check_part(finished, part_input, callbacks):
                return
            if self._first_meta is None:
                self._first_meta = part_input.first_meta
        if unchecked:  # the inputs ended before these parts
            raise self._changed_input_error(next(iter(unchecked.values())))

        # Tagging may take days: the state of the inputs at its end must be that at its beginning.
        settings = self.manifest.settings
        paths = [state["path"] for state in settings["inputs"]]
        difference = find_difference(settings, {**settings, "inputs": input_states(paths)})
        if difference:
            raise InputError(
                f"the inputs changed while they were read ({difference}): tag them again with --restart"
            )
        self._folder.check()
        self.manifest.complete = True
        self.manifest.save(self._folder)

    def _check_part(
        self, finished: FinishedPart, part_input: "_PartInput", callbacks: RunCallbacks
    ) -> bool:
        """Read the input of a finished part again; return False if a stop was requested meanwhile.

        Raises:
            ConfigError: if the part was made of other articles.
        """
        for _ in part_input:
            if callbacks.is_stop_requested():
                return False
        # Errors are counted, since their messages are not hashed.
        state = part_input.sha256, part_input.articles, len(part_input.errors)
        if state != (finished.read, finished.articles, len(finished.errors)):
            raise self._changed_input_error(finished)
        return True

    def _changed_input_error(self, finished: FinishedPart) -> ConfigError:
        """Return the error for a finished part whose input has changed."""
        return ConfigError(
            f"--out: '{self._folder.path / finished.file}' was made of other articles than the inputs have "
            "now: name another --out, or start again with --restart"
        )

    def _write_part(
        self,
        number: int,
        part_input: "_PartInput",
        callbacks: RunCallbacks,
        tasks: tuple[str, ...],
    ) -> None:
        """Tag one part, write it and record it in the manifest."""
        options = self.manifest.settings["options"]
        output_format = OutputFormat(options["format"])
        row_kind = RowKind(options["rows"] or RowKind.sentences)
        path = self._folder.path / part_name(number, output_format.value)
        # A folder that was unplugged or removed is noticed before and after the work, not in the middle of it.
        self._folder.check()
        with (
            self._folder.create(path.name) as file,
            article_writer(output_format, row_kind, file, self._first_meta, tasks) as writer,
        ):
            for result in callbacks.tag(part_input):
                if isinstance(result, TaggedArticle):
                    writer.write(result)
                callbacks.report(result)
        self._folder.check()
        self.manifest.parts[number] = FinishedPart(
            file=path.name,
            sha256=sha256(path),
            articles=part_input.articles,
            errors=[printable(error) for error in part_input.errors],
            read=part_input.sha256,
        )
        self.manifest.save(self._folder)


@contextmanager
def open_run(out: Path, settings: Mapping[str, Any], restart: bool = False) -> Iterator[LongRun]:
    """Open the run of a folder, an earlier one or a new one, and lock the folder.

    Args:
        out: the folder, which is created if needed.
        settings: the result of ``run_settings``; an earlier run must have the same.
        restart: whether to delete an earlier run.

    Raises:
        ConfigError: if the earlier run has other settings, or the folder contains other files.
        ClaimstanceError: if another run is writing to the folder, or it cannot be written to.
    """
    with lock_folder(out) as folder:
        manifest = load_manifest(out)
        recorded = [part.file for part in manifest.parts.values()] if manifest else []
        unfinished = folder.find_unfinished(recorded)
        if restart:
            # The parts are deleted before the manifest, which identifies them as files of the run.
            folder.remove(recorded)
            manifest = None
        if manifest is None:
            manifest = Manifest(dict(settings), {})
        difference = find_difference(manifest.settings, dict(settings))
        if difference:
            raise ConfigError(
                f"--out: the run in '{out}' has other settings ({difference}): repeat them, name another "
                "--out, or start again with --restart"
            )
        manifest.settings = dict(settings)  # with the current paths of the inputs

        damaged = []
        for number, part in list(manifest.parts.items()):
            path = folder.path / part.file
            if not is_intact(path, part.sha256):
                log.warning("%s: changed since it was written: it is tagged again", path)
                damaged.append(part.file)
                del manifest.parts[number]
                manifest.complete = False
        folder.remove([*unfinished, *damaged])
        manifest.save(folder)
        yield LongRun(folder, manifest)


class _PartInput:
    """Iterate over the items of one part, and compute their sha256 in passing.

    Attributes:
        articles: the number of articles.
        errors: messages of the items that could not be read.
        first_meta: metadata of the first article.
    """

    def __init__(self, items: Iterable[InputItem], advance: Callable[[int], None]) -> None:
        self._items = items
        self._advance = advance
        self._digest = hashlib.sha256()
        self.articles = 0
        self.errors: list[str] = []
        self.first_meta: Mapping[str, Any] | None = None

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[InputItem]:
        for item in self._items:
            if isinstance(item, Article):
                self.articles += 1
                if self.first_meta is None:
                    self.first_meta = item.meta
                content = json.dumps(
                    [item.doc_id, item.title, item.text, item.warnings, dict(item.meta)]
                )
            else:
                self.errors.append(str(item))
                # The message is not hashed: it may contain a path, and inputs may be moved.
                content = "not read"
            self._digest.update(f"{content}\n".encode())
            yield item
            self._advance(1)


def _split_into_parts(
    items: Iterable[InputItem], size: int
) -> Iterator[tuple[int, Iterator[InputItem]]]:
    """Return the number and the items of each part of ``size`` articles; a part must be read before the next one."""
    articles = 0

    def part_number(item: InputItem) -> int:
        nonlocal articles
        articles += isinstance(item, Article)
        # An error belongs to the part of the article before it, or to the first part.
        return max(0, articles - 1) // size

    return groupby(items, part_number)
