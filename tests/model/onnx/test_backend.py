"""Check that an incomplete or damaged model folder is refused with the file and the reason."""

import json
import shutil
import subprocess
import sys

import onnx
import pytest
import torch
from tokenizers import Tokenizer

from claimstance.model.errors import ModelError
from claimstance.model.labels import OPINION_HEADS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.manifest import check_files, sha256
from claimstance.model.torch_backend import torch_predictor
from helpers.tiny import exported

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(trained, tmp_path):
    """Return a copy of a trained model to damage."""
    return shutil.copytree(
        trained, tmp_path / "model", ignore=shutil.ignore_patterns("checkpoints")
    )


def rewrite(folder, name, change):
    """Change a JSON file of the model, and update the manifest."""
    path = folder / name
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    agree(folder)


def agree(folder):
    """Update the manifest to the files of the folder."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"] = {
        name: sha256(folder / name) for name in manifest["files"] if (folder / name).exists()
    }
    path.write_text(json.dumps(manifest), encoding="utf-8")


def refused(folder, load=load_predictor):
    """Return the message of the error that refuses a model."""
    with pytest.raises(ModelError) as error:
        load(folder)
    return str(error.value)


def test_a_complete_folder_is_loaded(folder):
    predictor, digest = load_predictor(folder, threads=1)
    assert digest == sha256(folder / "manifest.json")  # the manifest lists the sha256 of every file
    assert set(check_files(folder)) >= {
        "reader.onnx",
        "stance.onnx",
        "link.onnx",
        "config.json",
        "tokenizer.json",
    }
    predictions = predictor.read(["Dockers said the port would close."])
    assert predictions.probabilities["claim"].shape == (1, 2)


@pytest.mark.parametrize(
    "name", ["reader.onnx", "stance.onnx", "link.onnx", "config.json", "tokenizer.json"]
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert (
        refused(folder)
        == f"{folder}: expected the file {name}, which its manifest lists, found nothing"
    )
    agree(folder)  # the manifest does not list it either
    missing = f"expected the sha256 of {name} among its files, found none"
    assert (f"with {name}: No such file" if name == "config.json" else missing) in refused(folder)


@pytest.mark.parametrize("name", ["reader.onnx", "stance.onnx", "config.json", "tokenizer.json"])
def test_an_altered_file_is_named(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b" ")
    message = refused(folder)
    assert message.startswith(f"{folder / name}: expected sha256 ")
    assert message.endswith("the file was altered")
    assert sha256(folder / name)[:12] in message


def test_a_link_is_refused(folder):
    (folder / "reader.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "reader.onnx").symlink_to(folder.parent / "elsewhere.onnx")
    assert (
        refused(folder)
        == f"{folder}: expected the file reader.onnx, which its manifest lists, found a link"
    )


def test_a_file_outside_is_refused(folder):
    shutil.copy(folder / "link.onnx", folder.parent / "outside.onnx")
    manifest = folder / "manifest.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    data["files"]["../outside.onnx"] = sha256(folder.parent / "outside.onnx")
    manifest.write_text(json.dumps(data), encoding="utf-8")
    assert refused(folder).endswith(
        "expected the name of a file of the model, found '../outside.onnx'"
    )


def test_a_manifest_that_is_a_link_is_refused(folder):
    (folder / "manifest.json").rename(folder.parent / "elsewhere.json")
    (folder / "manifest.json").symlink_to(folder.parent / "elsewhere.json")
    assert refused(folder) == f"{folder / 'manifest.json'}: expected a file, found a link"


def test_a_model_that_was_not_exported_is_refused(folder):
    (folder / "manifest.json").unlink()
    message = "expected a trained, exported model, found no manifest.json (write one with `claimstance export`)"
    assert message in refused(folder)


def test_a_path_that_is_no_folder_is_refused(folder):
    assert refused(folder / "none") == f"{folder / 'none'}: expected a model folder, found nothing"
    assert (
        refused(folder / "config.json")
        == f"{folder / 'config.json'}: expected a model folder, found a file"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c.update(format=2),
            "expected format 1, which this program reads, found 2: update claimstance",
        ),
        (lambda c: c.update(format="new"), "expected format 1"),
        (lambda c: c.pop("tasks"), "tasks: expected a value, found none"),
        (lambda c: c.update(labels=[]), "labels: expected an object, found []"),
        (lambda c: c.pop("encoder"), "encoder: expected a value, found none"),
        (
            lambda c: c.update(temperature={}),
            "unknown key 'temperature'. Did you mean 'temperatures'?",
        ),
        (lambda c: c["tasks"].append("stances"), "unknown task 'stances'. Did you mean 'stance'?"),
        (
            lambda c: c["labels"].pop("claim"),
            "expected the label names of 'claim' under 'labels', found none",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(folder, change, message):
    rewrite(folder, "config.json", change)
    for load in (load_predictor, ClaimStanceModel.from_pretrained):
        error_message = refused(folder, load)
        assert error_message.startswith(f"{folder / 'config.json'}: ")
        assert message in error_message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "config.json: expected JSON, found"),
        (b"\xff\xfe{", "config.json: expected JSON, found"),
        (b"[]", "config.json: expected an object, found []"),
    ],
)
def test_a_configuration_that_is_no_json_is_refused(folder, content, message):
    (folder / "config.json").write_bytes(content)
    agree(folder)
    assert message in refused(folder)


def test_a_broken_tokenizer_is_refused(folder):
    rewrite(folder, "tokenizer.json", lambda data: data.update(model={"type": "none"}))
    assert f"{folder / 'tokenizer.json'}: expected a tokenizer, found" in refused(folder)


@pytest.mark.parametrize("name", ["reader.onnx", "stance.onnx"])
def test_a_file_that_is_no_model_is_refused(folder, name):
    (folder / name).write_bytes(b"no model")
    agree(folder)
    with pytest.raises(ModelError, match=f"{name}: not a model that onnxruntime reads"):
        load_predictor(folder)[0].backend.stance(*[None] * 4)


def test_weights_in_other_files_are_refused(folder):
    graph = onnx.load(folder / "reader.onnx")
    onnx.save(
        graph,
        folder / "reader.onnx",
        save_as_external_data=True,
        location="elsewhere",
        size_threshold=0,
    )
    agree(folder)
    assert refused(folder) == (
        f"{folder / 'reader.onnx'}: expected all of its weights in it, found some "
        "in other files (external data)"
    )


@pytest.mark.parametrize("domain", ["", "com.example"])
def test_unknown_operators_are_named(folder, domain):
    graph = onnx.load(folder / "reader.onnx")
    graph.graph.node[-1].op_type, graph.graph.node[-1].domain = "RunAnything", domain
    if domain:
        graph.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    onnx.save(graph, folder / "reader.onnx")
    agree(folder)
    error_message = refused(folder)
    assert error_message.startswith(
        f"{folder / 'reader.onnx'}: not a model that onnxruntime reads: "
    )
    assert "RunAnything" in error_message


def test_a_tokenizer_with_more_tokens_than_the_encoder_is_refused(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    tokenizer.add_tokens(["onemore"])
    tokenizer.save(str(folder / "tokenizer.json"))
    agree(folder)
    assert refused(folder) == (
        f"{folder / 'tokenizer.json'}: expected token ids below {size}, the number of tokens that "
        f"the encoder has vectors for, found {size}"
    )


def test_a_pickle_is_not_read(folder, tmp_path):
    """Check that weights in another format than safetensors are not read, whatever the name of the file."""
    (folder / "model.safetensors").unlink()
    (folder / "manifest.json").unlink()
    torch.save({"a": torch.zeros(1)}, folder / "pytorch_model.bin")
    assert "no manifest.json" in refused(folder, ClaimStanceModel.from_pretrained)
    torch.save({"a": torch.zeros(1)}, folder / "model.safetensors")
    assert "expected a whole model folder" in refused(folder, ClaimStanceModel.from_pretrained)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: [(folder / f).unlink() for f in ("model.safetensors", "manifest.json")],
            "no manifest.json",
        ),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"{}"),
            "expected a whole model folder: ",
        ),
        (
            lambda folder: (folder / "tokenizer.json").write_bytes(b"\xff"),
            "expected a whole model folder: 'utf-8'",
        ),
        (
            lambda folder: rewrite(
                folder, "config.json", lambda c: c["encoder"].update(num_hidden_layers=3)
            ),
            "expected weights and a config.json that fit each other, found",
        ),
        (
            lambda folder: rewrite(
                folder, "config.json", lambda c: c["labels"]["claim"].append("maybe")
            ),
            "expected weights and a config.json that fit each other, found",
        ),
        (
            lambda folder: rewrite(folder, "config.json", lambda c: c["encoder"].pop("model_type")),
            "expected weights and a config.json that fit each other, found 'model_type'",
        ),
        (
            lambda folder: rewrite(
                folder, "config.json", lambda c: c["encoder"].update(model_type="none")
            ),
            "expected weights and a config.json that fit each other, found",
        ),
    ],
)
def test_damaged_weights_are_refused(folder, damage, message):
    damage(folder)
    error_message = refused(folder, ClaimStanceModel.from_pretrained)
    assert error_message.startswith(str(folder))
    assert message in error_message


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("mpnet", {}),
        ("deberta-v2", {"relative_attention": True, "position_biased_input": False}),
        ("roberta", {}),
        ("distilbert", {"dim": 32, "hidden_dim": 32, "n_heads": 2, "n_layers": 1}),
    ],
)
def test_other_families_of_encoders_are_restored(kind, settings, tokenizer_json, tmp_path):
    from transformers import AutoConfig, AutoModel

    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    if "dim" in settings:  # DistilBERT has other names for its sizes
        sizes = {}
    config = AutoConfig.for_model(kind, vocab_size=500, pad_token_id=1, **sizes, **settings)
    AutoModel.from_config(config).save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    model = ClaimStanceModel.from_encoder(str(tmp_path / "encoder"), {"max_tokens": 32})
    model.save_pretrained(tmp_path / "model")
    restored = ClaimStanceModel.from_pretrained(tmp_path / "model")
    assert restored.config.hidden_size == 32
    weights = model.state_dict()
    assert all(weights[name].equal(value) for name, value in restored.state_dict().items())


def test_running_a_model_needs_no_torch(trained):
    code = (
        "import sys; from claimstance.model.onnx.backend import load_predictor\n"
        f"predictor, _ = load_predictor({str(trained)!r})\n"
        "reading = predictor.read(['Dockers said no.'])\n"
        "from claimstance.model.predictor import StanceQuery\n"
        "assert predictor.stances(reading, [StanceQuery(0, None, (0, 7)), StanceQuery(0, None, 'pay')]).shape == (2, 3)\n"
        "print(*sorted({'torch', 'transformers', 'datasets', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, ""), result.stderr


def test_the_heads_that_find_holders_and_targets_are_exported(tiny_encoder):
    folder = exported(tiny_encoder, ("entity", "stance"), opinion_spans=True)
    texts = ["Senator Moss criticized the tax.", "Dockers said no."]
    predictor, _ = load_predictor(folder, threads=1)
    expected = torch_predictor(ClaimStanceModel.from_pretrained(folder)).read(texts).opinions
    assert predictor.read(texts).opinions == expected
    assert set(expected) == set(OPINION_HEADS)
    assert any(expected.values())
