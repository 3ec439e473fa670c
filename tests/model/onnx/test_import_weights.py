"""Test the import of weights from an exported model."""

import pytest
import torch

from claimstance.model.bundled import BUNDLED_MODELS
from claimstance.model.errors import ModelError
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.export import export
from claimstance.model.onnx.import_weights import load_onnx_weights
from claimstance.model.onnx.manifest import LINK_FILE
from claimstance.model.onnx.quantization import PerTokenLinear, apply_smoothquant
from claimstance.model.onnx.rounding import round_columns
from claimstance.model.windows import WindowBuilder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(trained):
    return ClaimStanceModel.from_pretrained(trained).state_dict()


def scales_of(folder):
    """Return the factors of an encoder's matrices, which are applied before rounding."""
    model = ClaimStanceModel.from_pretrained(folder)
    apply_smoothquant(
        model.encoder, WindowBuilder.from_json(model.tokenizer_json, model.config.max_tokens)
    )
    return {
        f"encoder.{name}.weight": 1 / module.inverse
        for name, module in model.encoder.named_modules()
        if isinstance(module, PerTokenLinear)
    }


def test_float32_weights_are_imported_exactly(trained, weights, tmp_path):
    imported = load_onnx_weights(export(trained, tmp_path, "float32"))
    assert imported.keys() == weights.keys()
    assert [name for name in weights if not torch.equal(imported[name], weights[name])] == []


def test_int8_weights_are_imported_within_half_a_step(trained, weights, tmp_path):
    imported = load_onnx_weights(export(trained, tmp_path, "int8"))
    assert imported.keys() == weights.keys()
    scales = scales_of(trained)
    for name, exact in weights.items():
        # A matrix has a step for each row, symmetric around zero; a table has one step, from its least to its greatest.
        scale = scales.get(name, torch.ones(1))
        smooth = exact * scale
        if name in scales:
            step = torch.from_numpy(round_columns(smooth.T.numpy())[1])[:, None]
        else:
            step = (exact.max() - exact.min()) / 254
        assert ((imported[name] * scale - smooth).abs() <= 0.51 * step + 1e-6).all(), name
    smoothed = [name for name, scale in scales.items() if (scale != 1).any()]
    assert len(smoothed) >= 5  # query, key, value, output, up
    assert any(not torch.equal(imported[name], weights[name]) for name in weights)


def test_a_folder_without_weights_is_loaded_from_its_onnx_files(trained, weights, tmp_path):
    model = ClaimStanceModel.from_pretrained(export(trained, tmp_path, "float32"))
    assert [
        name for name, value in model.state_dict().items() if not torch.equal(value, weights[name])
    ] == []
    assert not model.training


@pytest.mark.parametrize("name", BUNDLED_MODELS)
def test_bundled_models_can_be_loaded_for_training(name):
    model = ClaimStanceModel.from_pretrained(BUNDLED_MODELS[name])
    assert {"attribution", "link", "stance", "claim"} <= model.heads.keys()


def test_heads_are_not_rounded_in_int8(weights, tmp_path, trained):
    imported = load_onnx_weights(export(trained, tmp_path, "int8"))
    assert [
        name
        for name in weights
        if name.startswith("heads.") and not torch.equal(imported[name], weights[name])
    ] == []


def test_an_altered_or_missing_graph_is_refused(trained, tmp_path):
    folder = export(trained, tmp_path, "float32")
    (folder / LINK_FILE).write_bytes(b"no graph")
    with pytest.raises(ModelError, match="the file was altered"):
        ClaimStanceModel.from_pretrained(folder)
    (folder / LINK_FILE).unlink()
    with pytest.raises(ModelError, match=LINK_FILE):
        load_onnx_weights(folder)
