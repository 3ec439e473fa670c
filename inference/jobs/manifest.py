"""The manifest of a long run: what is done with what, and which parts of it are done.

Inputs are known by the names, sizes and times of their files, which costs no reading. That alone would miss a file that
was changed and kept both. So each part has a sha256 of what was read for it, too: a run that goes on reads its inputs
from the beginning anyway, and sees whether they still say what was tagged. Paths are told, not compared: a corpus may
be moved. Nothing in it depends on when, how often or with how many threads the run went on.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from claimstance.inference.articles.sources import Columns, files_of
from claimstance.inference.jobs.folder import MANIFEST
from claimstance.inference.tagger import Tagger
from claimstance.inference.writers.formats import Format, Rows
from claimstance.inference.writers.text import open_output
from claimstance.model.errors import ClaimstanceError, ConfigError, shorten

_KIND = "claimstance tag"
#: What results come from beside the model: other versions may give other last digits, other sentences.
_PROGRAM = ("claimstance", "onnxruntime", "tokenizers", "sentencex")


@dataclass(frozen=True)
class Part:
    """A part that is done.

    Attributes:
        file: its name in the folder.
        sha256: of the file.
        articles: how many are in it.
        errors: of what could not be read among them, a line each.
        read: the sha256 of what was read for it, see ``claimstance.inference.jobs.run``.
    """

    file: str
    sha256: str
    articles: int
    errors: list[str]
    read: str


@dataclass
class Manifest:
    """What a run is (``settings``), and how far it is.

    Attributes:
        settings: program, model, options and inputs, as JSON has them.
        parts: number → part that is done.
        complete: whether all are.
    """

    settings: dict[str, Any]
    parts: dict[int, Part]
    complete: bool = False

    @property
    def articles(self) -> int:
        """How many are tagged."""
        return sum(part.articles for part in self.parts.values())

    @property
    def failed(self) -> int:
        """How many inputs and lines could not be read."""
        return sum(len(part.errors) for part in self.parts.values())

    def save(self, folder: Path) -> None:
        """Write it in place of the one that is there.

        Raises:
            ClaimstanceError: if it cannot be written.
        """
        told = {
            "kind": _KIND,
            **self.settings,
            "complete": self.complete,
            "articles": self.articles,
            "failed": self.failed,
            "parts": {str(number): asdict(self.parts[number]) for number in sorted(self.parts)},
        }
        with open_output(folder / MANIFEST, durable=True) as file:
            # In ASCII: a path may have bytes that are no UTF-8, and is to be the same when it is read again.
            file.write(json.dumps(told, indent=1) + "\n")


def load_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; ``None`` if there is none.

    Raises:
        ConfigError: if it is not one of a run, which is then not to be touched.
        ClaimstanceError: if it cannot be read.
    """
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_bytes())
        if told.pop("kind") != _KIND:
            raise ValueError
        parts = {int(number): Part(**part) for number, part in told.pop("parts").items()}
        complete = told.pop("complete")
        return Manifest(
            {name: told[name] for name in ("program", "model", "options", "inputs")},
            parts,
            complete,
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClaimstanceError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            f"--out: expected an empty folder, or that of an earlier run, found '{path}', which no run "
            "wrote"
        ) from None


def settings_of(
    inputs: Sequence[str],
    tagger: Tagger,
    targets: Sequence[str],
    chosen: Format,
    rows: Rows,
    columns: Columns,
    size: int,
) -> dict[str, Any]:
    """All that results depend on, as JSON has it."""
    libraries = (*_PROGRAM, "pyarrow") if chosen is Format.parquet else _PROGRAM
    return {
        "program": {name: metadata.version(name) for name in libraries},
        "model": tagger.model,
        "options": {
            "targets": list(targets),
            "format": chosen.value,
            "rows": None if chosen is Format.jsonl else rows.value,
            "columns": asdict(columns),
            "articles_per_part": size,
        },
        "inputs": state_of(inputs),
    }


def state_of(inputs: Sequence[str]) -> list[dict[str, Any]]:
    """What can be known of files and folders without reading them."""
    states = []
    for name in inputs:
        digest, count, size = hashlib.sha256(), 0, 0
        for called, path in files_of(name):
            try:
                found = path.stat()
            except OSError:  # a link to nothing, say: reading tells of it
                digest.update(f"{json.dumps(called)} not there\n".encode())
                continue
            digest.update(f"{json.dumps(called)} {found.st_size} {found.st_mtime_ns}\n".encode())
            count, size = count + 1, size + found.st_size
        states.append(
            {"path": name, "files": count, "bytes": size, "names_sizes_times": digest.hexdigest()}
        )
    return states


def changes(then: dict[str, Any], now: dict[str, Any]) -> str | None:
    """The first thing in which two ``settings`` differ, in words; ``None`` if there is none."""
    return next(_changes(then, now, ""), None)


def _changes(then: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        where = now.get("path", where)
        for name in [name for name in {**then, **now} if name != "path"]:
            yield from _changes(then.get(name), now.get(name), f"{where} {name}".strip())
    elif where == "inputs":
        yield from _changes(len(then), len(now), "number of inputs")
        for one, other in zip(then, now, strict=True):
            yield from _changes(one, other, where)
    elif then != now:
        yield f"{where}: {_told(then)} then, {_told(now)} now"


def _told(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False), 40)
