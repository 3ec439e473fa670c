"""Running an exported model with onnxruntime, without torch."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from claimstance.model.bundled import BUNDLED_MODELS, DEFAULT_MODEL
from claimstance.model.config import CONFIG_FILE, TOKENIZER_FILE, ModelConfig
from claimstance.model.decoding.tags import Floats
from claimstance.model.encoding import Ints
from claimstance.model.errors import ModelError
from claimstance.model.io.hub import fetch, is_hub_name
from claimstance.model.labels import OPINION_HEADS, ROLES, SENTENCE_TASKS, bio
from claimstance.model.onnx.graph_file import check_self_contained
from claimstance.model.onnx.manifest import (
    ENCODER_FILE,
    LINK_FILE,
    MANIFEST_FILE,
    STANCE_FILE,
    check_files,
    encoder_files,
    sha256,
)
from claimstance.model.predictor import Predictor
from claimstance.model.windows import WindowBuilder

# The operator that this fusion inserts is several times slower than the two that it replaces.
DISABLED_OPTIMIZERS = ["SkipLayerNormFusion"]


def model_folder(model: Path | str | None) -> Path:
    """Return the folder of a model.

    Args:
        model: ``small`` or ``base``, a folder, or a name on the Hugging Face hub; ``DEFAULT_MODEL`` if ``None``.

    Raises:
        ModelError: if the hub has no such model, or cannot be reached.
    """
    if model is None:
        model = DEFAULT_MODEL
    if str(model) in BUNDLED_MODELS:
        return BUNDLED_MODELS[str(model)]
    if not Path(model).exists() and is_hub_name(model):
        return fetch(Path(model).as_posix())
    return Path(model)


class OnnxBackend:
    """Run the files that ``claimstance.model.onnx.export`` writes (a ``Backend``).

    A call has one window: nothing is padded, and int8 activations, whose scale depends on the batch, do not depend on
    other windows. A call runs on one thread: simultaneous calls use several cores better than one call that is divided
    among them (``docs/performance.md``).

    Raises:
        ModelError: if a file cannot be run, or does not fit the configuration.
    """

    def __init__(
        self, folder: Path, config: ModelConfig, files: Sequence[str] = (ENCODER_FILE,)
    ) -> None:
        """Load the encoder.

        Args:
            folder: the model folder.
            config: the model's configuration.
            files: the files of the encoder, in the order in which they run.
        """
        self._folder = folder
        self._config = config
        self._sessions: dict[str, ort.InferenceSession] = {}  # file → its session
        # These sessions are loaded at once, since calls may come from several threads.
        self._encoder_sessions = {name: self._session(name) for name in files}

        path = self._folder / ENCODER_FILE
        outputs = self._encoder_sessions[ENCODER_FILE].get_outputs()
        declared = {node.name: node.shape for node in outputs}
        for name in ("hidden", *self._label_counts):
            if name not in declared:
                raise ModelError(
                    f"{path}: expected the output '{name}', found {', '.join(declared) or 'none'}"
                )
        for task, label_count in self._label_counts.items():
            size = declared[task][-1] if declared[task] else None
            # A dimension that is not fixed has a name in place of a size.
            if isinstance(size, int) and size != label_count:
                raise ModelError(
                    f"{path}: expected {label_count} logits of '{task}', one for each of its labels in "
                    f"{CONFIG_FILE}, found {size}"
                )

    def _session(self, name: str) -> ort.InferenceSession:
        """Return the session of a file; the heads' are loaded when the first article needs them."""
        if name in self._sessions:
            return self._sessions[name]
        check_self_contained(self._folder / name)

        options = ort.SessionOptions()
        # onnxruntime also has a format of its own, which check_self_contained does not understand.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        try:
            session = ort.InferenceSession(
                str(self._folder / name),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=DISABLED_OPTIMIZERS,
            )
        # The exceptions of onnxruntime have no common base class.
        except Exception as error:
            raise ModelError(
                f"{self._folder / name}: not a model that onnxruntime reads: {error}"
            ) from None
        self._sessions[name] = session
        return session

    def read(self, ids: Ints, segments: Ints, sentences: Ints) -> dict[str, Floats]:
        """Run the network; ``Backend`` documents the arrays."""
        values: dict[str, Ints | Floats] = {
            "input_ids": ids,
            "segments": segments,
            "sentences": sentences,
        }
        output: dict[str, Floats] = {}
        for file, session in self._encoder_sessions.items():
            # An encoder without segments has no such input. Later files need values of earlier ones.
            inputs = {node.name for node in session.get_inputs()}
            feed = {name: value for name, value in values.items() if name in inputs}
            names = [node.name for node in session.get_outputs()]
            output = dict(zip(names, self._run(file, session, feed), strict=True))
            values |= output
        for task, label_count in self._label_counts.items():
            shape: tuple[int, ...] = (1, ids.shape[1], label_count)
            if task in SENTENCE_TASKS:
                shape = (len(sentences), label_count)
            self._check_logits(ENCODER_FILE, task, output[task], shape)
        return output

    def stance(self, hidden: Floats, holders: Ints, targets: Ints, sentences: Ints) -> Floats:
        """Run the network; ``Backend`` documents the arrays."""
        feed = {
            "hidden": hidden,
            "holders": holders,
            "targets": targets,
            "pair_sentences": sentences,
        }
        logits = self._run(STANCE_FILE, self._session(STANCE_FILE), feed)[0]
        shape = (len(holders), len(self._config.labels["stance"]))
        return self._check_logits(STANCE_FILE, "logits", logits, shape)

    def link(self, hidden: Floats, cues: Ints, spans: Ints) -> Floats:
        """Run the network; ``Backend`` documents the arrays."""
        feed = {"hidden": hidden, "cues": cues, "linked": spans}
        logits = self._run(LINK_FILE, self._session(LINK_FILE), feed)[0]
        return self._check_logits(LINK_FILE, "logits", logits, (len(cues), 2))

    @cached_property
    def _label_counts(self) -> dict[str, int]:
        """Return task → number of its labels or tags, for the logits among the outputs of the encoder."""
        labels = self._config.labels
        counts = {task: len(labels[task]) for task in SENTENCE_TASKS if task in self._config.tasks}
        if "attribution" in self._config.tasks:
            counts["attribution"] = len(bio(ROLES))
        if "entity" in self._config.tasks:
            counts["entity"] = len(bio(labels["entity"]))
        for name in self._config.opinion_heads:
            counts[name] = len(bio((OPINION_HEADS[name],)))
        return counts

    def _run(self, name: str, session: ort.InferenceSession, feed: dict[str, Any]) -> list[Any]:
        """Return the outputs of a session, in order."""
        try:
            return list(session.run(None, feed))
        # The exceptions of onnxruntime have no common base class.
        except Exception as error:
            raise ModelError(f"{self._folder / name}: cannot be run: {error}") from None

    def _check_logits(self, name: str, output: str, logits: Any, shape: tuple[int, ...]) -> Floats:
        """Return ``logits``, or raise ``ModelError`` if they have another shape or type, or are not finite."""
        path = self._folder / name
        actual_shape = getattr(logits, "shape", None)
        if actual_shape != shape or not np.issubdtype(logits.dtype, np.floating):
            raise ModelError(
                f"{path}: expected floating-point numbers of shape {shape} as '{output}', found "
                f"{getattr(logits, 'dtype', type(logits).__name__)} of shape {actual_shape}"
            )
        if not np.isfinite(logits).all():
            raise ModelError(
                f"{path}: expected finite numbers as '{output}', found infinity or NaN"
            )
        return np.asarray(logits)


def model_sha256(folder: Path) -> str:
    """Return the sha256 of an exported model: that of its manifest, which changes with each of its files."""
    return sha256(folder / MANIFEST_FILE)


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_predictor(
    model: Path | str | None = None, threads: int | None = None
) -> tuple[Predictor, str]:
    """Load a model; return a predictor and the model's sha256 (see ``model_sha256``).

    Args:
        model: see ``model_folder``.
        threads: the number of windows that are encoded at the same time; that of the cores if ``None``.

    Raises:
        ModelError: naming the file that is missing or altered.
    """
    folder = model_folder(model)
    files = check_files(folder)
    config = ModelConfig.load(folder)
    required = [CONFIG_FILE, TOKENIZER_FILE, ENCODER_FILE]
    if "stance" in config.tasks:
        required.append(STANCE_FILE)
    if "attribution" in config.tasks:
        required.append(LINK_FILE)
    for name in required:
        if name not in files:
            raise ModelError(
                f"{folder / MANIFEST_FILE}: expected the sha256 of {name} among its files, found none"
            )

    windows = WindowBuilder.from_file(folder / TOKENIZER_FILE, config.max_tokens)
    # A larger id would make the encoder read past its table of embeddings.
    vocabulary_size = config.encoder.get("vocab_size")
    largest = max(windows.tokenizer.get_vocab(with_added_tokens=True).values())
    if vocabulary_size is not None and largest >= vocabulary_size:
        raise ModelError(
            f"{folder / TOKENIZER_FILE}: expected token ids below {vocabulary_size}, the number of tokens that "
            f"the encoder has vectors for, found {largest}"
        )

    backend = OnnxBackend(folder, config, encoder_files(files))
    return Predictor(config, windows, backend, threads or cores()), model_sha256(folder)
