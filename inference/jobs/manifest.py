"""The manifest of a long run: its settings, its inputs and the parts that are finished.

Inputs are identified by the names, sizes and times of their files, which needs no reading. That alone
would miss a file that changed without a new size or time. So each part also has a sha256 of its input: a
resumed run reads its inputs from the beginning anyway, and detects other content. Paths are recorded but
not compared, since a corpus may be moved. Nothing in the manifest depends on when, how often or with how
many threads the run was resumed.
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
from claimstance.inference.writers.formats import OutputFormat, RowKind
from claimstance.model.errors import ClaimstanceError, ConfigError, printable, shorten
from claimstance.model.io.files import open_regular

_KIND: Final = "claimstance tag"
#: Packages on which results depend beside the model: other versions may give other digits or sentences.
_PACKAGES = ("claimstance", "onnxruntime", "tokenizers", "sentencex")
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FinishedPart(BaseModel):
    """Represent a part that is finished.

    Attributes:
        file: its name in the folder.
        sha256: the sha256 of the file.
        articles: the number of its articles.
        errors: messages about its inputs that could not be read.
        read: the sha256 of its input, see ``claimstance.inference.jobs.run``.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    file: Annotated[str, Field(pattern=rf"^{PART.pattern}$")]
    sha256: _Sha256
    articles: Annotated[int, Field(ge=0)]
    errors: list[str]
    read: _Sha256


class _ManifestFile(BaseModel):
    """Represent the file; its keys ``articles`` and ``failed`` are sums for people and are ignored."""

    model_config = ConfigDict(strict=True)

    kind: Literal["claimstance tag"]
    program: dict[str, Any]
    model: dict[str, Any]
    options: dict[str, Any]
    inputs: list[dict[str, Any]]
    complete: bool
    parts: dict[Annotated[int, Field(ge=0)], FinishedPart]


@dataclass
class Manifest:
    """Represent the settings and the progress of a run.

    Attributes:
        settings: program, model, options and inputs, as JSON values.
        parts: finished parts by their numbers.
        complete: whether all parts are finished.
    """

    settings: dict[str, Any]
    parts: dict[int, FinishedPart]
    complete: bool = False

    @property
    def articles(self) -> int:
        """Return the number of tagged articles."""
        return sum(part.articles for part in self.parts.values())

    @property
    def failed(self) -> int:
        """Return the number of inputs and lines that could not be read."""
        return sum(len(part.errors) for part in self.parts.values())

    def save(self, folder: RunFolder) -> None:
        """Write the manifest in place of the earlier one.

        Raises:
            ClaimstanceError: if it cannot be written.
        """
        states = self.settings["inputs"]
        # JSON is UTF-8, but file names need not be: they are escaped as in messages.
        inputs = [{**state, "path": printable(state["path"])} for state in states]
        parts = {str(number): part.model_dump() for number, part in sorted(self.parts.items())}
        content = {
            "kind": _KIND,
            **self.settings,
            "inputs": inputs,
            "complete": self.complete,
            "articles": self.articles,
            "failed": self.failed,
            "parts": parts,
        }
        with folder.create(MANIFEST) as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def load_manifest(folder: Path) -> Manifest | None:
    """Load the manifest of a folder; return ``None`` if the folder has none.

    Raises:
        ConfigError: if the file is not the manifest of a run, so that the folder must not be changed.
        ClaimstanceError: if it cannot be read.
    """
    path = folder / MANIFEST
    try:
        with open_regular(path) as file:
            content = _ManifestFile.model_validate_json(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClaimstanceError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        if first["type"] == "json_invalid":
            problem = f"expected JSON, found {first['ctx']['error']}"
        elif first["type"] == "missing":
            problem = f"{field}: expected a value, found none"
        else:
            expected = first["msg"].removeprefix("Input should be ")
            problem = f"{field}: expected {expected}, found {shorten(repr(first['input']))}"
        raise ConfigError(
            f"--out: expected an empty folder, or that of an earlier run, found '{path}', which no run "
            f"wrote: {problem}"
        ) from None
    settings = content.model_dump(include={"program", "model", "options", "inputs"})
    return Manifest(settings, content.parts, content.complete)


def run_settings(
    inputs: Sequence[str],
    tagger: Tagger,
    targets: Sequence[str],
    neutral: bool,
    min_confidence: float | None,
    output_format: OutputFormat,
    row_kind: RowKind,
    columns: Columns,
    articles_per_part: int,
) -> dict[str, Any]:
    """Return everything on which the results of a run depend, as JSON values."""
    packages: tuple[str, ...] = _PACKAGES
    # The version of pyarrow may change the bytes of a part.
    if output_format is OutputFormat.parquet:
        packages = (*_PACKAGES, "pyarrow")
    return {
        "program": {name: metadata.version(name) for name in packages},
        "model": tagger.model,
        "options": {
            "targets": list(targets),
            "neutral": neutral,
            "min_confidence": min_confidence,
            "format": output_format.value,
            "rows": None if output_format is OutputFormat.jsonl else row_kind.value,
            "columns": asdict(columns),
            "articles_per_part": articles_per_part,
        },
        "inputs": input_states(inputs),
    }


def input_states(inputs: Sequence[str]) -> list[dict[str, Any]]:
    """Return the state of each file or folder, as far as it is known without reading its content."""
    states = []
    for name in inputs:
        digest = hashlib.sha256()
        count = size = 0
        for file_name, path in files_of(name):
            # Quoted, so that a line end in a name cannot look like the next file.
            quoted_name = json.dumps(file_name)
            try:
                status = path.stat()
            except OSError:  # such as a broken link, which is reported when it is read
                digest.update(f"{quoted_name} not there\n".encode())
                continue
            digest.update(f"{quoted_name} {status.st_size} {status.st_mtime_ns}\n".encode())
            count += 1
            size += status.st_size
        states.append(
            {"path": name, "files": count, "bytes": size, "names_sizes_times": digest.hexdigest()}
        )
    return states


def find_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Describe the first difference between two settings; return ``None`` if they are equal."""
    return next(_differences(old, new, ""), None)


def _differences(old: Any, new: Any, key: str) -> Iterator[str]:
    """Yield the differences between two values; ``key`` names the values in messages."""
    if isinstance(old, dict) and isinstance(new, dict):
        key = new.get("path", key)
        # The keys of both, in order. Paths may differ, since a corpus may be moved.
        for name in {**old, **new}:
            if name != "path":
                name_in_message = f"{key} {name}".strip()
                yield from _differences(old.get(name), new.get(name), name_in_message)
    elif key == "inputs":
        # find_difference asks for the first difference alone: after unequal numbers, zip is never reached.
        yield from _differences(len(old), len(new), "number of inputs")
        for old_state, new_state in zip(old, new, strict=True):
            yield from _differences(old_state, new_state, key)
    elif old != new:
        yield f"{key}: {_short_json(old)} then, {_short_json(new)} now"


def _short_json(value: Any) -> str:
    """Return a value as JSON, short enough for a message."""
    return shorten(json.dumps(value, ensure_ascii=False), 40)
