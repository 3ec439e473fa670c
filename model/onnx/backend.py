"""Running an exported model with onnxruntime. No torch."""

import hashlib
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime as ort
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from claimstance.model.config import CONFIG_FILE, TOKENIZER_FILE, ModelConfig
from claimstance.model.decoding import Floats
from claimstance.model.errors import ModelError
from claimstance.model.io.hub import fetch, is_hub_name
from claimstance.model.io.small_files import read_small_file
from claimstance.model.io.validation import describe, first_problem
from claimstance.model.labels import ROLES, SENTENCE_TASKS, bio
from claimstance.model.onnx.graph_file import check_self_contained
from claimstance.model.predictor import Ints, Reader
from claimstance.model.windows import WindowBuilder

READER_FILE = "reader.onnx"
STANCE_FILE = "stance.onnx"
LINK_FILE = "link.onnx"
MANIFEST_FILE = "manifest.json"  # the sha256 of every file of the model
SLOWER = [
    "SkipLayerNormFusion"
]  # its operator takes several times what the two take that it stands for
# An editable install may show this file through a link; the model lies beside the file itself.
BUNDLED = Path(__file__).resolve().parents[1] / "bundled"


def model_folder(model: Path | str | None) -> Path:
    """The folder of a model: the bundled one's for ``None`` and ``bundled``; what is fetched for a name on the hub.

    Raises:
        ModelError: if the hub has no such model, or cannot be reached.
    """
    if model is None or str(model) == BUNDLED.name:
        return BUNDLED
    if not Path(model).exists() and is_hub_name(model):
        return fetch(Path(model).as_posix())
    return Path(model)


def sha256(path: Path) -> str:
    """The hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return (
            hashlib.file_digest(file, "sha256").hexdigest()
            if hasattr(hashlib, "file_digest")
            else (hashlib.sha256(file.read()).hexdigest())
        )


class OnnxBackend:
    """A ``Backend`` on the files that ``claimstance.model.onnx.export`` writes.

    A call has one window: nothing is padded, and int8 activations, which are scaled by what is in the batch, do not
    depend on what else is being read. A call runs on one thread: several calls at once use several cores better than
    one call that is divided among them (``docs/performance.md``).
    """

    def __init__(self, folder: Path, config: ModelConfig) -> None:
        self._folder = folder
        self._config = config
        # Loaded now, since calls may come from several threads at once.
        self._reader = self._session(READER_FILE)
        self._check_outputs()

    def _session(self, name: str) -> ort.InferenceSession:
        check_self_contained(self._folder / name)
        options = ort.SessionOptions()
        # onnxruntime has a format of its own, which the check above would not understand.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        try:
            return ort.InferenceSession(
                str(self._folder / name),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=SLOWER,
            )
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(
                f"{self._folder / name}: not a model that onnxruntime reads: {error}"
            ) from None

    @cached_property
    def _stance(self) -> ort.InferenceSession:
        return self._session(STANCE_FILE)

    @cached_property
    def _link(self) -> ort.InferenceSession:
        return self._session(LINK_FILE)

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """See ``Backend``."""
        feed = {"input_ids": ids, "segments": segments, "sentences": sentences}
        # An encoder without segments has no such input.
        inputs = {node.name for node in self._reader.get_inputs()}
        feed = {name: value for name, value in feed.items() if name in inputs}
        names = [node.name for node in self._reader.get_outputs()]
        output = dict(zip(names, self._run(READER_FILE, self._reader, feed), strict=True))
        for name, labels in self._label_counts.items():
            rows = (len(sentences),) if name in SENTENCE_TASKS else (1, ids.shape[1])
            self._check_logits(READER_FILE, name, output[name], (*rows, labels))
        return output

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """See ``Backend``."""
        feed = {
            "hidden": hidden,
            "holders": holders,
            "targets": targets,
            "pair_sentences": sentences,
        }
        logits = self._run(STANCE_FILE, self._stance, feed)[0]
        shape = (len(holders), len(self._config.labels["stance"]))
        return self._check_logits(STANCE_FILE, "logits", logits, shape)

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """See ``Backend``."""
        feed = {"hidden": hidden, "cues": cues, "linked": spans}
        logits = self._run(LINK_FILE, self._link, feed)[0]
        return self._check_logits(LINK_FILE, "logits", logits, (len(cues), 2))

    @cached_property
    def _label_counts(self) -> dict[str, int]:
        """The reader's outputs that are logits, and how many labels or tags each is about."""
        labels = self._config.labels
        counts = {task: len(labels[task]) for task in SENTENCE_TASKS if task in self._config.tasks}
        if "attribution" in self._config.tasks:
            counts["attribution"] = len(bio(ROLES))
        if "entity" in self._config.tasks:
            counts["entity"] = len(bio(labels["entity"]))
        return counts

    def _check_outputs(self) -> None:
        """Refuse a reader that does not give what the configuration says, as far as it declares it."""
        path = self._folder / READER_FILE
        declared = {node.name: node.shape for node in self._reader.get_outputs()}
        for name in ("hidden", *self._label_counts):
            if name not in declared:
                raise ModelError(
                    f"{path}: expected the output '{name}', found {', '.join(declared) or 'none'}"
                )
        for name, labels in self._label_counts.items():
            size = declared[name][-1] if declared[name] else None
            if isinstance(size, int) and size != labels:
                raise ModelError(
                    f"{path}: expected {labels} logits of '{name}', as many as {CONFIG_FILE} has "
                    f"labels for, found {size}"
                )

    def _run(self, name: str, session: ort.InferenceSession, feed: dict[str, Any]) -> list[Any]:
        try:
            return list(session.run(None, feed))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(f"{self._folder / name}: cannot be run: {error}") from None

    def _check_logits(self, name: str, output: str, logits: Any, shape: tuple[int, ...]) -> Floats:
        """Return ``logits``, unless what a graph gives is not what it declares."""
        path = self._folder / name
        found = getattr(logits, "shape", None)
        if found != shape or not np.issubdtype(logits.dtype, np.floating):
            raise ModelError(
                f"{path}: expected floating-point numbers of shape {shape} as '{output}', found "
                f"{getattr(logits, 'dtype', type(logits).__name__)} of shape {found}"
            )
        if not np.isfinite(logits).all():
            raise ModelError(f"{path}: expected finite numbers as '{output}', found others")
        return np.asarray(logits)


def _check_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w.-]{0,199}", name, re.ASCII):
        raise ValueError(f"expected the name of a file of the model, found {describe(name)}")
    return name


def _check_digest(digest: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"expected a sha256 in hexadecimal digits, found {describe(digest)}")
    return digest


class Manifest(BaseModel):
    """What an export wrote, as ``manifest.json`` has it.

    Attributes:
        precision: of the encoder's weights.
        files: the sha256 of every file of the model, by its name.
    """

    model_config = ConfigDict(strict=True)

    precision: str = "int8"
    files: dict[
        Annotated[str, AfterValidator(_check_name)], Annotated[str, AfterValidator(_check_digest)]
    ] = Field(min_length=1)


def read_manifest(path: Path) -> Manifest:
    """Return what a manifest says; its files are not looked at.

    Raises:
        ModelError: naming the key, what was expected and what was found.
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
        field, problem = first_problem(error)
        raise ModelError(f"{path}: {field or 'the manifest'}: {problem}") from None


def check_files(folder: Path) -> dict[str, str]:
    """The sha256 of each file of an exported model, verified against its manifest.

    Raises:
        ModelError: naming the file that is missing or altered.
    """
    manifest = folder / MANIFEST_FILE
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: expected a model folder, found {'a file' if folder.exists() else 'nothing'}"
        )
    if manifest.is_symlink() and not _is_cached(manifest):
        raise ModelError(f"{manifest}: expected a file, found a link")
    files = read_manifest(manifest).files
    for name, expected in files.items():
        path = folder / name
        linked = path.is_symlink() and not _is_cached(path)
        if linked or not path.is_file():
            found = "a link" if linked else "nothing" if not path.exists() else "something else"
            raise ModelError(
                f"{folder}: expected the file {name}, which its manifest lists, found {found}"
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


def identity(folder: Path) -> str:
    """The sha256 of an exported model: of its manifest, which changes with any of its files."""
    return sha256(folder / MANIFEST_FILE)


def _is_cached(link: Path) -> bool:
    """Whether a link is one of the hub's cache: from ``snapshots/COMMIT`` to ``blobs``."""
    snapshots = link.parent.resolve().parent
    return snapshots.name == "snapshots" and link.resolve().parent == snapshots.parent / "blobs"


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_reader(model: Path | str | None = None, threads: int | None = None) -> tuple[Reader, str]:
    """A reader on a model (as for ``model_folder``), and the model's sha256 (see ``identity``).

    Raises:
        ModelError: naming what is missing or altered.
    """
    folder = model_folder(model)
    files = check_files(folder)
    config = ModelConfig.load(folder)
    heads = {"stance": STANCE_FILE, "attribution": LINK_FILE}
    for name in (
        CONFIG_FILE,
        TOKENIZER_FILE,
        READER_FILE,
        *(heads[task] for task in config.tasks if task in heads),
    ):
        if name not in files:
            raise ModelError(
                f"{folder / MANIFEST_FILE}: expected the sha256 of {name} among its files, found none"
            )
    windows = WindowBuilder.from_file(folder / TOKENIZER_FILE, config.max_tokens)
    known = config.encoder.get("vocab_size")
    greatest = max(windows.tokenizer.get_vocab(with_added_tokens=True).values())
    if known is not None and greatest >= known:
        raise ModelError(
            f"{folder / TOKENIZER_FILE}: expected token ids below {known}, the number of tokens that "
            f"the encoder has vectors for, found {greatest}"
        )
    backend = OnnxBackend(folder, config)
    return Reader(config, windows, backend, threads or cores()), identity(folder)
