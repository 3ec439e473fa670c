"""Check that a model folder with a manipulated file gives an error that names the file, never a traceback."""

import json
import os
import shutil
from contextlib import suppress

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from tokenizers import Tokenizer

from claimstance.inference import Tagger
from claimstance.model.config import ModelConfig
from claimstance.model.errors import ModelError
from claimstance.model.onnx.manifest import check_files, read_manifest, sha256

TEXT = "Senator Carl Amsel said that the harbour tax is theft. Critics blamed Runa Salt."
JUNK = [
    *[None, True, 0, -1, 7, 2**70, 1.5, "", "x", "9" * 400, [], {}, [[]], ["a"], {"a": "b"}],
    *[{"a": []}, float("nan"), float("inf"), [None] * 3, [1.5] * 3],
]


@pytest.fixture
def folder(model, tmp_path):
    """Return a copy of a model to damage."""
    return shutil.copytree(
        model, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors")
    )


def agree(folder):
    """Update the manifest to the files of the folder."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"] = {name: sha256(folder / name) for name in manifest["files"]}
    path.write_text(json.dumps(manifest), encoding="utf-8")


def tag(folder):
    """Tag a text with all tasks of a model."""
    return Tagger.from_pretrained(folder, threads=1).tag(TEXT, ["Runa Salt", "the harbour"])


def refusal(folder):
    """Return the message of the error that refuses a model, which names the folder."""
    with pytest.raises(ModelError) as error:
        tag(folder)
    assert str(folder) in str(error.value)
    return str(error.value)


def paths_in(value, path=()):
    """Yield the path of a JSON value and of every value in it, as keys and indices."""
    yield path
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        items = ()
    for key, item in items:
        yield from paths_in(item, (*path, key))


def put(data, path, value):
    """Return a copy of a JSON value with another value at a path."""
    if not path:
        return value
    changed = json.loads(json.dumps(data))
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return changed


# The configuration


def test_any_value_in_the_configuration_is_read_or_refused(folder):
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["temperatures"], data["biases"] = {"claim": 1.5}, {"link": 0.5, "claim.claim": 0.1}
    data["thresholds"], data["conformal"] = {"claim.claim": 0.5}, {"claim": 0.5}
    data["abstain_below"] = {"stance": 0.9}
    count = 0
    for keys in paths_in(data):
        for junk in JUNK:
            path.write_text(json.dumps(put(data, keys, junk)), encoding="utf-8")
            with suppress(ModelError):
                ModelConfig.load(folder)
                count += 1
    assert 0 < count < 500  # of about 1,100: most are refused


@pytest.mark.parametrize(
    "keys",
    [
        ("encoder", "hidden_size"),
        ("encoder", "vocab_size"),
        ("encoder", "max_position_embeddings"),
        ("labels", "claim"),
        ("labels", "claim", 0),
        ("labels", "stance"),
        ("labels", "entity"),
        ("max_tokens",),
        ("tasks",),
        ("temperatures",),
        ("biases",),
        ("thresholds",),
        ("abstain_below",),
        ("conformal",),
    ],
)
def test_a_valid_configuration_is_used_or_refused_with_its_model(folder, keys):
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    values = [
        *[7, 8, 9, 500, 8192, 2**31, "a", ["a"], ["a", "b"], ["a", "b", "c", "d", "e"]],
        *[["claim"], ["stance"], ["attribution"], ["subjective", "entity"]],
        *[{"claim": 1}, {"claim": 0.001, "stance": 1000}, {"claim.claim": 1, "link": 1000}],
        *[{"source": -1000, "content": 1000}, {"stance": 0, "claim.no_claim": 0}, {"x.y.z": 1}],
    ]
    for value in values:
        path.write_text(json.dumps(put(data, keys, value)), encoding="utf-8")
        agree(folder)
        with suppress(ModelError):
            json.dumps(tag(folder).to_dict(), allow_nan=False)


def test_more_labels_than_logits_are_refused_when_the_model_is_loaded(folder):
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(put(data, ("labels", "claim"), ["a", "b", "c"])), encoding="utf-8")
    agree(folder)
    with pytest.raises(ModelError) as error:
        Tagger.from_pretrained(folder)
    assert str(error.value) == (
        f"{folder / 'reader.onnx'}: expected 3 logits of 'claim', one for each of its labels "
        "in config.json, found 2"
    )


def test_a_window_longer_than_the_encoder_is_an_error_when_it_is_used(folder):
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "max_tokens": 1000}), encoding="utf-8")
    agree(folder)
    tagger = Tagger.from_pretrained(folder, threads=1)
    tagger.tag(TEXT)
    with pytest.raises(ModelError, match=r"reader\.onnx: cannot be run: "):
        tagger.tag(TEXT * 100)


# The manifest


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        ((), []),
        (("files",), []),
        (("files", "config.json"), []),
        (("files", "reader.onnx"), []),
        (("precision",), ["", "x", "9" * 400]),
    ],
)
def test_any_value_in_the_manifest_is_refused(folder, keys, allowed):
    path = folder / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    for junk in JUNK:
        if junk in allowed:
            continue
        path.write_text(json.dumps(put(data, keys, junk)), encoding="utf-8")
        assert refusal(folder).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the manifest: expected JSON, found EOF"),
        ("{", "the manifest: expected JSON, found EOF"),
        ("[]", "the manifest: expected an object, found []"),
        ("null", "the manifest: expected an object, found None"),
        ("[" * 100_000, "the manifest: expected JSON, found recursion limit exceeded"),
        ('{"files": ' + '{"a":' * 50_000, "the manifest: expected JSON, found recursion limit"),
        ('{"files": ["reader.onnx"]}', "files: expected an object, found ['reader.onnx']"),
        ('{"files": {}}', "files: expected at least 1 item, found {}"),
        ('{"file": {}}', "files: expected a value, found none"),
        ('{"files": {"reader.onnx": 7}}', "files.reader.onnx: expected a string, found 7"),
        (
            '{"files": {"reader.onnx": "abc"}}',
            "files.reader.onnx: expected a sha256 in hexadecimal digits, found 'abc'",
        ),
        *(
            (json.dumps({"files": {name: "0" * 64}}), "expected the name of a file of the model")
            for name in ("", ".", "..", "../a", "/etc/passwd", "a/b", "a\\b", "a\0", "a\n", "é")
        ),
        (json.dumps({"files": {"a" * 300: "0" * 64}}), "expected the name of a file of the model"),
    ],
)
def test_an_invalid_manifest_is_refused(folder, content, message):
    path = folder / "manifest.json"
    path.write_text(content, encoding="utf-8")
    error_message = refusal(folder)
    assert error_message.startswith(f"{path}: ")
    assert message in error_message


def test_a_manifest_that_is_no_file_is_refused(folder):
    path = folder / "manifest.json"
    path.unlink()
    os.mkfifo(path)
    assert refusal(folder) == f"{path}: expected a regular file, found something else"
    path.unlink()
    path.mkdir()
    assert refusal(folder) == f"{path}: expected a regular file, found something else"


def test_the_manifest_has_precision_and_files(folder):
    manifest = read_manifest(folder / "manifest.json")
    assert manifest.precision == "float32"
    assert manifest.files == check_files(folder)


# The tokenizer


def change_tokenizer(folder, change):
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    agree(folder)


@pytest.mark.parametrize("token", ["said", "[UNK]", "##s"])
@pytest.mark.parametrize("number", [500, 5000, 2**31])
def test_token_ids_past_the_vocabulary_are_refused(folder, token, number):
    """Keep the number of tokens, but give one of them an id without a vector in the encoder."""
    change_tokenizer(folder, lambda data: data["model"]["vocab"].update({token: number}))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.get_vocab_size() <= 500
    assert refusal(folder) == (
        f"{folder / 'tokenizer.json'}: expected token ids below 500, the number of tokens that the "
        f"encoder has vectors for, found {number}"
    )


def test_token_ids_past_an_undeclared_vocabulary_are_an_error_when_they_are_used(folder):
    change_tokenizer(folder, lambda data: data["model"]["vocab"].update(said=5000))
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["encoder"]["vocab_size"]
    path.write_text(json.dumps(data), encoding="utf-8")
    agree(folder)
    assert f"{folder / 'reader.onnx'}: cannot be run: " in refusal(folder)


def test_a_tokenizer_without_an_unknown_token_is_refused(folder):
    change_tokenizer(folder, lambda data: data["model"].update(unk_token="none"))
    with pytest.raises(ModelError, match="the tokenizer cannot read a text"):
        Tagger.from_pretrained(folder, threads=1).tag("Žđþ said 漢字.")


@pytest.mark.parametrize("key", ["model", "normalizer", "pre_tokenizer", "added_tokens", "version"])
def test_any_value_in_the_tokenizer_is_read_or_refused(folder, key):
    original = (folder / "tokenizer.json").read_text(encoding="utf-8")
    for junk in JUNK:
        (folder / "tokenizer.json").write_text(original, encoding="utf-8")
        change_tokenizer(folder, lambda data, junk=junk: data.update({key: junk}))
        with suppress(ModelError):
            tag(folder)


# The graphs


def change_graph(folder, name, change):
    graph = onnx.load(folder / name)
    change(graph.graph)
    onnx.save(graph, folder / name)
    agree(folder)


@pytest.mark.parametrize("name", ["reader.onnx", "stance.onnx", "link.onnx"])
@pytest.mark.parametrize("reverse", [False, True])
def test_weights_in_other_files_are_refused(folder, name, reverse):
    """Check as well an entry with its value before its key, which the program once overlooked."""
    graph = onnx.load(folder / name)
    onnx.save(
        graph,
        folder / name,
        save_as_external_data=True,
        location="elsewhere",
        size_threshold=0,
    )
    if reverse:
        written = onnx.load(folder / name, load_external_data=False)
        content = (folder / name).read_bytes()
        entry = b"\x0a\x08location\x12\x09elsewhere"
        assert entry in content
        reversed_entry = b"\x12\x09elsewhere\x0a\x08location"
        (folder / name).write_bytes(content.replace(entry, reversed_entry))
        # onnx reads both orders.
        assert onnx.load(folder / name, load_external_data=False) == written
    agree(folder)
    assert (folder / "elsewhere").exists()
    assert refusal(folder) == (
        f"{folder / name}: expected all of its weights in it, found some in other "
        "files (external data)"
    )


@pytest.mark.parametrize("name", ["reader.onnx", "stance.onnx", "link.onnx"])
def test_a_graph_in_the_format_of_onnxruntime_itself_is_refused(folder, name):
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
    shutil.move(folder / "optimized.ort", folder / name)
    agree(folder)
    assert f"{folder / name}: not a model that onnxruntime reads" in refusal(folder)


def test_a_graph_without_an_output_is_refused(folder):
    def drop(graph):
        outputs = [output for output in graph.output if output.name != "claim"]
        del graph.output[:]
        graph.output.extend(outputs)

    change_graph(folder, "reader.onnx", drop)
    assert f"{folder / 'reader.onnx'}: expected the output 'claim', found " in refusal(folder)


@pytest.mark.parametrize(
    ("name", "output"),
    [("reader.onnx", "claim"), ("reader.onnx", "entity"), ("stance.onnx", "logits")],
)
@pytest.mark.parametrize("difference", ["shape", "type", "not finite"])
def test_a_graph_with_other_outputs_is_refused(folder, name, output, difference):
    """Append a node that changes an output, whatever the graph declares."""

    def change(graph):
        for node in graph.node:
            node.output[:] = ["before" if tensor == output else tensor for tensor in node.output]
            node.input[:] = ["before" if tensor == output else tensor for tensor in node.input]
        if difference == "shape":
            graph.node.append(onnx.helper.make_node("Shape", ["before"], ["sizes"]))
            graph.node.append(onnx.helper.make_node("ConstantOfShape", ["flat"], [output]))
            flat = onnx.numpy_helper.from_array(np.array([3, 1, 4], dtype=np.int64), "flat")
            graph.initializer.append(flat)
        elif difference == "type":
            graph.node.append(onnx.helper.make_node("Cast", ["before"], [output], to=7))
        else:
            graph.node.append(onnx.helper.make_node("Mul", ["before", "inf"], [output]))
            value = onnx.numpy_helper.from_array(np.array(np.inf, dtype=np.float32), "inf")
            graph.initializer.append(value)
        for declared in graph.output:
            if declared.name == output:
                kind = 7 if difference == "type" else 1
                declared.CopyFrom(onnx.helper.make_tensor_value_info(output, kind, None))

    change_graph(folder, name, change)
    message = refusal(folder)
    assert message.startswith(f"{folder / name}: expected ")
    assert f"'{output}'" in message


def test_a_graph_with_other_inputs_is_refused(folder):
    def rename(graph):
        graph.input[0].name = "words"
        for node in graph.node:
            node.input[:] = ["words" if tensor == "input_ids" else tensor for tensor in node.input]

    change_graph(folder, "reader.onnx", rename)
    assert f"{folder / 'reader.onnx'}: cannot be run: " in refusal(folder)


# Training that starts from the folder


@pytest.mark.slow
@pytest.mark.parametrize("junk", [None, "x", [], {}, -1, 0, 1.5, True, [None], {"a": []}])
def test_training_reads_or_refuses_any_value_of_the_encoder(folder, junk):
    from claimstance.model.network import ClaimStanceModel

    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    for key in data["encoder"]:
        path.write_text(json.dumps(put(data, ("encoder", key), junk)), encoding="utf-8")
        agree(folder)
        with suppress(ModelError):
            ClaimStanceModel.from_pretrained(folder)


def test_training_does_not_read_weights_in_other_files(folder):
    from claimstance.model.onnx.import_weights import load_onnx_weights

    graph = onnx.load(folder / "stance.onnx")
    onnx.save(
        graph, folder / "stance.onnx", save_as_external_data=True, location="x", size_threshold=0
    )
    agree(folder)
    with pytest.raises(ModelError, match=r"stance\.onnx: expected all of its weights in it"):
        load_onnx_weights(folder)
