"""Running an exported model with onnxruntime. No torch."""

import hashlib
import json
import mmap
import os
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort

from claimstance.model.config import CONFIG_FILE, TOKENIZER_FILE, ModelConfig
from claimstance.model.decoding import Floats
from claimstance.model.errors import ModelError
from claimstance.model.hub import fetch, is_hub_name
from claimstance.model.predictor import Ints, Reader
from claimstance.model.windows import WindowBuilder

READER_FILE = "reader.onnx"
STANCE_FILE = "stance.onnx"
LINK_FILE = "link.onnx"
MANIFEST_FILE = "manifest.json"  # the sha256 of every file of the model
SLOWER = [
    "SkipLayerNormFusion"
]  # its operator takes several times what the two take that it stands for
# A tensor's entry "location" (key: field 1 of StringStringEntryProto), which only external data has.
_EXTERNAL = b"\x0a\x08location\x12"
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

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader = self._session(
            READER_FILE
        )  # now, since calls may come from several threads at once

    def _session(self, name: str) -> ort.InferenceSession:
        _check_whole(self._folder / name)
        options = ort.SessionOptions()
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
        session = self._reader
        feed = {"input_ids": ids, "segments": segments, "sentences": sentences}
        wanted = {
            node.name for node in session.get_inputs()
        }  # an encoder without segments has no such input
        names = [node.name for node in session.get_outputs()]
        return dict(
            zip(
                names,
                session.run(names, {k: v for k, v in feed.items() if k in wanted}),
                strict=True,
            )
        )

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """See ``Backend``."""
        feed = {
            "hidden": hidden,
            "holders": holders,
            "targets": targets,
            "pair_sentences": sentences,
        }
        return np.asarray(self._stance.run(None, feed)[0])

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """See ``Backend``."""
        return np.asarray(
            self._link.run(None, {"hidden": hidden, "cues": cues, "linked": spans})[0]
        )


def _check_whole(path: Path) -> None:
    """Refuse a graph with tensors that are kept in other files: paths in it could lead anywhere."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            elsewhere = data.find(_EXTERNAL) >= 0
    except (OSError, ValueError) as error:  # ValueError: it is empty
        raise ModelError(f"{path}: not a model that onnxruntime reads: {error}") from None
    if elsewhere:
        raise ModelError(
            f"{path}: expected all of its weights in it, found some that are kept in other files "
            "(external data)"
        )


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
    try:
        files: dict[str, str] = dict(json.loads(manifest.read_text(encoding="utf-8"))["files"])
    except OSError:
        raise ModelError(
            f"{folder}: expected a trained, exported model, found no {MANIFEST_FILE} "
            "(write one with `claimstance export`)"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ModelError(
            f"{manifest}: expected JSON with the sha256 of each file under 'files'"
        ) from None
    for name, expected in files.items():
        path = folder / name
        linked = path.is_symlink() and not _is_cached(path)
        if Path(name).name != name or linked or not path.is_file():
            found = "a link" if linked else "nothing" if not path.exists() else "something else"
            raise ModelError(
                f"{folder}: expected the file {name}, which its manifest lists, found {found}"
            )
        if (found := sha256(path)) != expected:
            raise ModelError(
                f"{path}: expected sha256 {expected[:12]}…, found {found[:12]}…: the file was altered"
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
    size, known = windows.tokenizer.get_vocab_size(), config.encoder.get("vocab_size")
    if known is not None and size > known:
        raise ModelError(
            f"{folder / TOKENIZER_FILE}: expected at most {known} tokens, as many as the encoder has "
            f"vectors for, found {size}"
        )
    return Reader(config, windows, OnnxBackend(folder), threads or cores()), identity(folder)
