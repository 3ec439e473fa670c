"""From a trained model to files that onnxruntime runs: the encoder in int8 or float32, the heads in float32."""

import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from claimstance.model.config import TOKENIZER_FILE, ModelConfig
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.attention import exported_attention
from claimstance.model.onnx.backend import (
    LINK_FILE,
    MANIFEST_FILE,
    READER_FILE,
    STANCE_FILE,
    sha256,
)
from claimstance.model.onnx.quantization import even_out, quantize
from claimstance.model.windows import WindowBuilder

OPSET = 17
PRECISIONS = ("int8", "float32")


class _Reading(nn.Module):
    """The encoder and the heads that need nothing but its output."""

    def __init__(self, model: ClaimStanceModel) -> None:
        super().__init__()
        self.model = model
        self.tasks = [task for task in model.heads if task not in ("stance", "link")]

    def forward(self, input_ids: Tensor, segments: Tensor, sentences: Tensor) -> tuple[Tensor, ...]:
        hidden = self.model.encode(input_ids, torch.ones_like(input_ids), segments)
        heads = self.model.heads
        return (
            hidden,
            *(
                heads[task](hidden, sentences) if task in SENTENCE_TASKS else heads[task](hidden)
                for task in self.tasks
            ),
        )


def export(
    source: Path | str,
    folder: Path | str | None = None,
    precision: str = "int8",
    reader: Path | None = None,
) -> Path:
    """Export the model folder ``source`` into ``folder`` (itself if ``None``); returns that folder.

    ``precision`` is of the encoder: ``int8`` (dynamic, a scale per output channel) or ``float32``. ``reader`` is a file
    that an earlier export made of it with that precision: made anew, of int8 weights, it would be rounded twice. Files
    are written beside and moved into place; the manifest comes last, so that a half-written export is never taken for a
    whole one.

    Raises:
        ConfigError: for another precision.
        ModelError: if the model folder cannot be loaded.
    """
    if precision not in PRECISIONS:
        raise ConfigError(unknown("precision", precision, PRECISIONS))
    source = Path(source)
    folder = Path(folder or source)
    folder.mkdir(parents=True, exist_ok=True)
    attention = exported_attention(ModelConfig.load(source).encoder.get("model_type", ""))
    model = ClaimStanceModel.from_pretrained(source, attention)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as scratch:
        made = Path(scratch)
        if reader:
            shutil.copyfile(reader, made / READER_FILE)
        else:
            _export_reading(model, made / READER_FILE, precision)
        _export_heads(model, made)
        model.config.save(made)
        (made / TOKENIZER_FILE).write_text(model.tokenizer_json, encoding="utf-8")
        names = sorted(path.name for path in made.iterdir() if path.suffix in (".onnx", ".json"))
        manifest = {"precision": precision, "files": {name: sha256(made / name) for name in names}}
        (folder / MANIFEST_FILE).unlink(missing_ok=True)
        for name in names:
            shutil.move(made / name, folder / name)
        (made / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.move(made / MANIFEST_FILE, folder / MANIFEST_FILE)
    return folder


def _export_reading(model: ClaimStanceModel, path: Path, precision: str) -> None:
    if precision == "int8":
        even_out(
            model.encoder, WindowBuilder.from_json(model.tokenizer_json, model.config.max_tokens)
        )
    module = _Reading(model)
    ids = torch.tensor([[1, 2, 3, 4, 5, 6]])
    example = (ids, torch.zeros_like(ids), torch.tensor([[0, 1, 3], [0, 3, 5]]))
    axes: dict[str, dict[int, str]] = {
        name: {1: "tokens"} for name in ("input_ids", "segments", "hidden")
    }
    axes["sentences"] = {0: "sentences"}
    for task in module.tasks:
        axes[task] = {0: "sentences"} if task in SENTENCE_TASKS else {1: "tokens"}
    exact = path if precision == "float32" else path.with_suffix(".float32")
    _trace(
        module,
        example,
        exact,
        ["input_ids", "segments", "sentences"],
        ["hidden", *module.tasks],
        axes,
    )
    if precision == "int8":
        quantize(exact, path)


def _export_heads(model: ClaimStanceModel, folder: Path) -> None:
    hidden = torch.zeros(1, 6, model.config.hidden_size)
    span = torch.tensor([[0, 1, 3], [0, 2, 2]])
    for head, file, inputs in (
        ("stance", STANCE_FILE, ["holders", "targets", "pair_sentences"]),
        ("link", LINK_FILE, ["cues", "linked"]),
    ):
        if head in model.heads:
            axes: dict[str, dict[int, str]] = {
                "hidden": {1: "tokens"},
                **{name: {0: "spans"} for name in inputs},
            }
            _trace(
                model.heads[head],
                (hidden, *[span] * len(inputs)),
                folder / file,
                ["hidden", *inputs],
                ["logits"],
                {**axes, "logits": {0: "spans"}},
            )


def _trace(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, Any],
) -> None:
    with warnings.catch_warnings():
        # The tracing exporter is deprecated and warns of each Python branch that it settles; the alternative needs
        # one more package and writes graphs whose attention onnxruntime does not fuse.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            example,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
        )
