"""Export of a trained model to files for onnxruntime."""

import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from claimstance.model.config import TOKENIZER_FILE, ModelConfig
from claimstance.model.errors import ConfigError, unknown
from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.attention import exported_attention, replace_mpnet_attention
from claimstance.model.onnx.manifest import (
    ENCODER_FILE,
    ENCODER_PART_FILE,
    LINK_FILE,
    MANIFEST_FILE,
    STANCE_FILE,
    check_files,
    encoder_files,
    sha256,
)
from claimstance.model.onnx.quantization import (
    COMPACT_STEP,
    COMPACT_TABLE_STEP,
    apply_smoothquant,
    compact_heads,
    compute_hessians,
    quantize,
)
from claimstance.model.onnx.split import split_graph

OPSET = 17
PRECISIONS = ("int8", "int8-compact", "float32")


class _EncoderWithHeads(nn.Module):
    """Combine the encoder with the heads that need only its output."""

    def __init__(self, model: ClaimStanceModel) -> None:
        super().__init__()
        self.model = model
        self.tasks = [task for task in model.heads if task not in ("stance", "link")]

    def forward(self, input_ids: Tensor, segments: Tensor, sentences: Tensor) -> tuple[Tensor, ...]:
        hidden = self.model.encode(input_ids, torch.ones_like(input_ids), segments)
        outputs = [hidden]
        for task in self.tasks:
            head = self.model.heads[task]
            if task in SENTENCE_TASKS:
                outputs.append(head(hidden, sentences))
            else:
                outputs.append(head(hidden))
        return tuple(outputs)


def export(
    source: Path | str,
    folder: Path | str | None = None,
    precision: str = "int8",
    frozen: Path | None = None,
    max_file_bytes: int | None = None,
    quantization_texts: Sequence[str] = (),
) -> Path:
    """Export a model folder and return the folder with the files.

    Files are written into a temporary folder and moved into place, the manifest last: an interrupted export is never
    taken for a complete one.

    Args:
        source: the model folder.
        folder: the folder to write into; ``source`` if ``None``.
        precision: the precision of the encoder: ``int8`` (dynamic, a scale per output channel), ``int8-compact`` (with
            coarser steps, and the heads in int8 as well, for files that compress better) or ``float32``.
        frozen: the folder of an earlier export with that precision, from which only the stance head differs: the
            other files are copied. Exported again from int8 weights, they would be rounded twice.
        max_file_bytes: the number of bytes up to which the encoder is one file, and which none of its files exceeds by
            much; one file of any size if ``None``.
        quantization_texts: sentences in the order of their documents, with which ``int8-compact`` loses less (see
            ``rounding.round_by_gptq``).

    Raises:
        ConfigError: for another precision.
        ModelError: if the model folder cannot be loaded, or its encoder cannot be divided into such files.
    """
    if precision not in PRECISIONS:
        raise ConfigError(unknown("precision", precision, PRECISIONS))
    source = Path(source)
    folder = Path(folder or source)
    folder.mkdir(parents=True, exist_ok=True)

    attention = exported_attention(ModelConfig.load(source).encoder.get("model_type", ""))
    model = ClaimStanceModel.from_pretrained(source, attention)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as temporary_folder:
        temporary = Path(temporary_folder)
        if frozen:
            frozen_files = check_files(frozen)
            for name in (*encoder_files(frozen_files), LINK_FILE):
                if name in frozen_files:
                    shutil.copyfile(frozen / name, temporary / name)
            _export_heads(model, temporary, precision, ["stance"])
        else:
            _export_encoder(model, temporary, precision, max_file_bytes, quantization_texts)
            _export_heads(model, temporary, precision, ["stance", "link"])
        model.config.save(temporary)
        (temporary / TOKENIZER_FILE).write_text(model.tokenizer_json, encoding="utf-8")

        files = {}
        for path in sorted(temporary.iterdir()):
            if path.suffix in (".onnx", ".json"):
                files[path.name] = sha256(path)

        # Without the old manifest, the folder counts as incomplete until the new one is in place.
        (folder / MANIFEST_FILE).unlink(missing_ok=True)
        for old in folder.glob(ENCODER_PART_FILE.format("*")):
            old.unlink()
        for name in files:
            shutil.move(temporary / name, folder / name)
        manifest = json.dumps({"precision": precision, "files": files}, indent=2) + "\n"
        (temporary / MANIFEST_FILE).write_text(manifest, encoding="utf-8")
        shutil.move(temporary / MANIFEST_FILE, folder / MANIFEST_FILE)
    return folder


def _export_encoder(
    model: ClaimStanceModel,
    folder: Path,
    precision: str,
    max_file_bytes: int | None,
    quantization_texts: Sequence[str],
) -> None:
    """Write the encoder and the heads that need only its output, in one or several files.

    The model's encoder is changed on the way.
    """
    replace_mpnet_attention(model.encoder)
    if precision != "float32":
        apply_smoothquant(model.encoder, model.windows)
    is_compact = precision == "int8-compact"
    hessians = None
    if is_compact and quantization_texts:
        hessians = compute_hessians(model.encoder, model.windows, quantization_texts)
    module = _EncoderWithHeads(model)
    input_ids = torch.tensor([[1, 2, 3, 4, 5, 6]])
    example = (input_ids, torch.zeros_like(input_ids), torch.tensor([[0, 1, 3], [0, 3, 5]]))
    axes: dict[str, dict[int, str]] = {"sentences": {0: "sentences"}}
    for name in ("input_ids", "segments", "hidden", *module.tasks):
        axes[name] = {0: "sentences"} if name in SENTENCE_TASKS else {1: "tokens"}
    traced = folder / "traced.float32"
    inputs = ["input_ids", "segments", "sentences"]
    _trace(module, example, traced, inputs, ["hidden", *module.tasks], axes)

    file_count = 1
    if max_file_bytes is not None:
        bytes_of_weight = 4 if precision == "float32" else 1
        file_count = math.ceil(traced.stat().st_size / 4 * bytes_of_weight / max_file_bytes)
    names = [ENCODER_PART_FILE.format(number) for number in range(1, file_count)] + [ENCODER_FILE]
    paths = [folder / name for name in names]
    float32_paths = [path.with_suffix(".float32") for path in paths]
    if file_count == 1:
        traced.replace(float32_paths[0])
    else:
        split_graph(traced, float32_paths)
    for float32_path, path in zip(float32_paths, paths, strict=True):
        if precision == "float32":
            float32_path.replace(path)
        elif is_compact:
            quantize(float32_path, path, COMPACT_STEP, hessians, COMPACT_TABLE_STEP)
            compact_heads(path)
        else:
            quantize(float32_path, path)


def _export_heads(
    model: ClaimStanceModel, folder: Path, precision: str, heads: Sequence[str]
) -> None:
    """Write a file for each of ``heads``, which have further inputs, if the model has it."""
    hidden = torch.zeros(1, 6, model.config.hidden_size)
    span = torch.tensor([[0, 1, 3], [0, 2, 2]])
    for head, file, inputs in (
        ("stance", STANCE_FILE, ["holders", "targets", "pair_sentences"]),
        ("link", LINK_FILE, ["cues", "linked"]),
    ):
        if head not in heads or head not in model.heads:
            continue
        example = (hidden, *[span] * len(inputs))
        axes = {"hidden": {1: "tokens"}, "logits": {0: "spans"}}
        for name in inputs:
            axes[name] = {0: "spans"}
        _trace(model.heads[head], example, folder / file, ["hidden", *inputs], ["logits"], axes)
        if precision == "int8-compact":
            compact_heads(folder / file)


def _trace(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    """Write the graph of a module.

    Args:
        module: the module, which is put into evaluation mode.
        example: inputs to trace it with.
        path: the file to write.
        inputs: the names of the inputs, in order.
        outputs: the names of the outputs, in order.
        axes: input or output → the axes of variable length, by their number.
    """
    with warnings.catch_warnings():
        # The tracing exporter is deprecated and warns about each Python branch that it fixes. The alternative needs
        # another package and writes graphs whose attention onnxruntime does not fuse.
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
