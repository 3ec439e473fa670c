"""The files of an exported model and its manifest, which lists them with their sha256."""

import hashlib
import re
from collections.abc import Container
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from claimstance.model.errors import ModelError
from claimstance.model.io.small_files import read_small_file
from claimstance.model.io.validation import describe, first_problem

ENCODER_FILE = "reader.onnx"  # the encoder and the heads that need only its output
#: The first layers of a large encoder, whose last ones are in ``ENCODER_FILE``; numbered from 1.
ENCODER_PART_FILE = "encoder-{}.onnx"
STANCE_FILE = "stance.onnx"
LINK_FILE = "link.onnx"
MANIFEST_FILE = "manifest.json"

_CHUNK = 1 << 20  # bytes


def _check_name(name: str) -> str:
    """Return ``name``; raise ``ValueError`` if it is no plain file name."""
    if not re.fullmatch(r"\w[\w.-]{0,199}", name, re.ASCII):
        raise ValueError(f"expected the name of a file of the model, found {describe(name)}")
    return name


def _check_digest(digest: str) -> str:
    """Return ``digest``; raise ``ValueError`` if it is no hexadecimal sha256."""
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"expected a sha256 in hexadecimal digits, found {describe(digest)}")
    return digest


_FileName = Annotated[str, AfterValidator(_check_name)]
_Digest = Annotated[str, AfterValidator(_check_digest)]


class Manifest(BaseModel):
    """Represent the content of ``manifest.json``.

    Attributes:
        precision: the precision of the encoder's weights.
        files: file name → sha256, for every file of the model.
    """

    model_config = ConfigDict(strict=True)

    precision: str = "int8"
    files: dict[_FileName, _Digest] = Field(min_length=1)


def read_manifest(path: Path) -> Manifest:
    """Return the content of a manifest, without a check of the files that it lists.

    Raises:
        ModelError: naming the key, the expectation and the value found.
    """
    try:
        return Manifest.model_validate_json(read_small_file(path))
    except FileNotFoundError:
        raise ModelError(
            f"{path.parent}: expected a trained, exported model, found no {MANIFEST_FILE} "
            "(write one with `claimstance export`)"
        ) from None
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        field, problem = first_problem(error.errors(), Manifest)
        raise ModelError(f"{path}: {field or 'the manifest'}: {problem}") from None


def check_files(folder: Path) -> dict[str, str]:
    """Return file name → sha256 of an exported model, after comparing every file with the manifest.

    Raises:
        ModelError: naming the file that is missing or altered.
    """
    if not folder.is_dir():
        actual = "a file" if folder.exists() else "nothing"
        raise ModelError(f"{folder}: expected a model folder, found {actual}")
    manifest = folder / MANIFEST_FILE
    if _is_foreign_link(manifest):
        raise ModelError(f"{manifest}: expected a file, found a link")

    files = read_manifest(manifest).files
    for name, expected in files.items():
        path = folder / name
        problem = None
        if _is_foreign_link(path):
            problem = "a link"
        elif not path.exists():
            problem = "nothing"
        elif not path.is_file():
            problem = "something else"
        if problem is not None:
            raise ModelError(
                f"{folder}: expected the file {name}, which its manifest lists, found {problem}"
            )

        try:
            digest = sha256(path)
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror or error}") from None
        if digest != expected:
            raise ModelError(
                f"{path}: expected sha256 {expected[:12]}…, found {digest[:12]}…: the file was altered"
            )
    return files


def encoder_files(files: Container[str]) -> list[str]:
    """Return the files of the encoder among those of a model, in the order in which they run."""
    names: list[str] = []
    while (name := ENCODER_PART_FILE.format(len(names) + 1)) in files:
        names.append(name)
    return [*names, ENCODER_FILE]


def sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _is_foreign_link(path: Path) -> bool:
    """Return whether a path is a link that does not belong to the hub's cache: it could lead anywhere.

    The cache of the Hugging Face hub links ``snapshots/COMMIT/FILE`` to ``blobs/DIGEST``.
    """
    if not path.is_symlink():
        return False
    snapshots = path.parent.resolve().parent
    is_cached = (
        snapshots.name == "snapshots" and path.resolve().parent == snapshots.parent / "blobs"
    )
    return not is_cached
