"""Test encoders that are exported in several files."""

import json

import numpy as np
import onnx
import pytest
import torch
from transformers import AutoConfig, AutoModel

from claimstance.model.errors import ModelError
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.onnx.manifest import MANIFEST_FILE, check_files, encoder_files

pytestmark = pytest.mark.slow
TEXTS = ["The mayor said that the harbour was safe.", "Nobody believed him."]


@pytest.fixture(scope="module", params=["bert", "mpnet", "roberta"])
def model_path(request, tokenizer_json, tmp_path_factory):
    """Return the folder of an untrained model with four layers."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(3)
    config = AutoConfig.for_model(
        request.param,
        vocab_size=1000,
        pad_token_id=1,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
    )
    AutoModel.from_config(config).save_pretrained(folder / "encoder")
    (folder / "encoder" / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    settings = {"max_tokens": 32, "tasks": ("attribution", "claim", "stance")}
    model = ClaimStanceModel.from_encoder(str(folder / "encoder"), settings)
    # Equal tensors, such as new biases, would be exported as one.
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.02)
    model.save_pretrained(folder / "model")
    return folder / "model"


def export_in_parts(source, folder, precision, count):
    """Export with the limit to the size of a file that divides the encoder into ``count`` files."""
    traced = 4 * sum(
        weight.numel() for weight in ClaimStanceModel.from_pretrained(source).parameters()
    )
    size = traced if precision == "float32" else traced // 4
    return export(source, folder, precision, max_file_bytes=size // count)


@pytest.mark.parametrize("precision", ["float32", "int8", "int8-compact"])
def test_an_encoder_in_several_files_computes_the_same(model_path, precision, tmp_path):
    single = export(model_path, tmp_path / "single", precision)
    divided = export_in_parts(model_path, tmp_path / "divided", precision, 3)
    assert encoder_files(check_files(single)) == ["reader.onnx"]
    names = encoder_files(check_files(divided))
    assert names[:2] == ["encoder-1.onnx", "encoder-2.onnx"]
    assert names[-1] == "reader.onnx"

    ids = np.array([[2, 17, 9, 31, 8, 40, 3]])
    sentences = np.array([[0, 1, 3], [0, 3, 6]])
    expected, actual = (
        load_predictor(folder)[0].backend.read(ids, np.zeros_like(ids), sentences)
        for folder in (single, divided)
    )
    assert {"hidden", "attribution", "claim"} <= expected.keys() == actual.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(actual[name], values, atol=1e-5)


def test_each_layer_has_one_operator_for_attention(model_path, tmp_path):
    folder = export(model_path, tmp_path, "float32")
    operators = [node.op_type for node in onnx.load(folder / "reader.onnx").graph.node]
    assert operators.count("MultiHeadAttention") == 4
    assert "Softmax" not in operators


def test_an_exported_encoder_computes_the_same_as_transformers(model_path, tmp_path):
    folder = export(model_path, tmp_path, "float32")
    ids = np.array([[2, 17, 9, 31, 8, 40, 3, 25, 11]])
    sentences = np.array([[0, 1, 3], [0, 3, 8]])
    actual = load_predictor(folder)[0].backend.read(ids, np.zeros_like(ids), sentences)["hidden"]
    with torch.inference_mode():
        tensor = torch.from_numpy(ids)
        expected = ClaimStanceModel.from_pretrained(model_path).encode(
            tensor, torch.ones_like(tensor), torch.zeros_like(tensor)
        )
    np.testing.assert_allclose(actual, expected.numpy(), atol=2e-5)


def test_each_large_weight_is_in_one_file(model_path, tmp_path):
    folder = export_in_parts(model_path, tmp_path, "float32", 3)
    weights: list[str] = []
    for name in encoder_files(check_files(folder)):
        graph = onnx.load(folder / name).graph
        large = [tensor.name for tensor in graph.initializer if np.prod(tensor.dims) > 100]
        assert large
        weights += large
    assert len(weights) == len(set(weights))


@pytest.mark.parametrize("precision", ["float32", "int8", "int8-compact"])
def test_weights_of_several_files_are_imported(model_path, precision, tmp_path):
    single = export(model_path, tmp_path / "single", precision)
    divided = export_in_parts(model_path, tmp_path / "divided", precision, 3)
    expected = ClaimStanceModel.from_pretrained(single).state_dict()
    actual = ClaimStanceModel.from_pretrained(divided).state_dict()
    assert expected.keys() == actual.keys()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_export_in_one_file_removes_the_files_of_an_earlier_export(model_path, tmp_path):
    export_in_parts(model_path, tmp_path, "float32", 3)
    export(model_path, tmp_path, "float32")
    assert not list(tmp_path.glob("encoder-*"))
    load_predictor(tmp_path)


def test_a_missing_part_is_an_error(model_path, tmp_path):
    folder = export_in_parts(model_path, tmp_path, "float32", 3)
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    del manifest["files"]["encoder-1.onnx"]
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"reader.onnx: cannot be run: "):
        load_predictor(folder)[0].read(TEXTS)


def test_an_encoder_with_too_few_layers_is_not_divided(model_path, tmp_path):
    with pytest.raises(
        ModelError, match="an encoder of at least 5 layers to divide into 5 files, found 4"
    ):
        export_in_parts(model_path, tmp_path, "float32", 4.4)
