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
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claimstance.inference.articles.sources import Columns, files_of
from claimstance.inference.jobs.folder import MANIFEST, PART, RunFolder
from claimstance.inference.tagger import Tagger
from claimstance.inference.writers.formats import Format, Rows
from claimstance.model.errors import ClaimstanceError, ConfigError, printable, shorten

_KIND: Final = "claimstance tag"
#: What results come from beside the model: other versions may give other last digits, other sentences.
_PROGRAM = ("claimstance", "onnxruntime", "tokenizers", "sentencex")
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Part(BaseModel):
    """A part that is done.

    Attributes:
        file: its name in the folder.
        sha256: of the file.
        articles: how many are in it.
        errors: of what could not be read among them, a line each.
        read: the sha256 of what was read for it, see ``claimstance.inference.jobs.run``.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    file: Annotated[str, Field(pattern=rf"^{PART.pattern}$")]
    sha256: _Sha256
    articles: Annotated[int, Field(ge=0)]
    errors: list[str]
    read: _Sha256


class _Saved(BaseModel):
    """The manifest as its file has it; ``articles`` and ``failed``, sums for a reader, are not read."""

    model_config = ConfigDict(strict=True)

    kind: Literal["claimstance tag"]
    program: dict[str, Any]
    model: dict[str, Any]
    options: dict[str, Any]
    inputs: list[dict[str, Any]]
    complete: bool
    parts: dict[Annotated[int, Field(ge=0)], Part]


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

    def save(self, folder: RunFolder) -> None:
        """Write it in place of the one that is there.

        Names of files need not be UTF-8, as JSON is: they are written as errors show them.

        Raises:
            ClaimstanceError: if it cannot be written.
        """
        saved = {
            "kind": _KIND,
            **self.settings,
            "inputs": [
                {**state, "path": printable(state["path"])} for state in self.settings["inputs"]
            ],
            "complete": self.complete,
            "articles": self.articles,
            "failed": self.failed,
            "parts": {
                str(number): self.parts[number].model_dump() for number in sorted(self.parts)
            },
        }
        with folder.create(MANIFEST) as file:
            file.write(json.dumps(saved, indent=1, ensure_ascii=False) + "\n")


def load_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; ``None`` if there is none.

    Raises:
        ConfigError: if it is not one of a run, which is then not to be touched.
        ClaimstanceError: if it cannot be read.
    """
    path = folder / MANIFEST
    try:
        saved = _Saved.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClaimstanceError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise ConfigError(
            f"--out: expected an empty folder, or that of an earlier run, found '{path}', which no run "
            f"wrote: {_explain(error)}"
        ) from None
    settings = saved.model_dump(include={"program", "model", "options", "inputs"})
    return Manifest(settings, saved.parts, saved.complete)


def _explain(error: ValidationError) -> str:
    """Return the first problem of a manifest as ``field: expected …, found …``."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return f"expected JSON, found {first['ctx']['error']}"
    field = ".".join(str(key) for key in first["loc"]) or "the file"
    if first["type"] == "missing":
        return f"{field}: expected a value, found none"
    wanted = first["msg"].removeprefix("Input should be ")
    return f"{field}: expected {wanted}, found {shorten(repr(first['input']))}"


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
