"""A graph that keeps a tensor in another file is refused, wherever the tensor stands and however it is written."""

import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper

from claimstance.model.errors import ModelError
from claimstance.model.onnx.graph_file import MESSAGES, check_self_contained


def tensor(location="elsewhere", **fields):
    made = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if location is not None:
        del made.float_data[:]
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value=location)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def graph(node=(), initializer=(), sparse=()):
    return helper.make_graph(
        list(node), "g", [], [], list(initializer), sparse_initializer=list(sparse)
    )


def node(**attributes):
    made = helper.make_node("Identity", ["a"], ["b"])
    for name, value in attributes.items():
        attribute = made.attribute.add(name=name)
        field = getattr(attribute, name)
        if name in ("tensors", "graphs", "sparse_tensors"):
            field.append(value)
        else:
            field.CopyFrom(value)
    return made


def sparse(**parts):
    made = onnx.SparseTensorProto()
    for name, value in parts.items():
        getattr(made, name).CopyFrom(value)
    return made


def model(body=None):
    return helper.make_model(body or graph(initializer=[tensor(None)]))


def in_function(**attributes):
    made = model()
    made.functions.append(
        helper.make_function("d", "f", ["a"], ["b"], [node(**attributes)], made.opset_import)
    )
    return made


def in_function_attribute():
    made = model()
    function = made.functions.add(name="f", domain="d")
    default = function.attribute_proto.add(name="t", type=AttributeProto.TENSOR)
    default.t.CopyFrom(tensor())
    return made


def in_training(part):
    made = model()
    getattr(made.training_info.add(), part).CopyFrom(graph(initializer=[tensor()]))
    return made


EXTERNAL = {
    "initializer": model(graph(initializer=[tensor()])),
    "the last of many": model(graph(initializer=[tensor(None)] * 20 + [tensor()])),
    "sparse values": model(graph(sparse=[sparse(values=tensor(), indices=tensor(None))])),
    "sparse indices": model(graph(sparse=[sparse(values=tensor(None), indices=tensor())])),
    "attribute": model(graph([node(t=tensor())])),
    "attribute list": model(graph([node(tensors=tensor())])),
    "sparse attribute": model(graph([node(sparse_tensor=sparse(values=tensor()))])),
    "sparse attribute list": model(graph([node(sparse_tensors=sparse(indices=tensor()))])),
    "subgraph": model(graph([node(g=graph(initializer=[tensor()]))])),
    "subgraph list": model(graph([node(graphs=graph(initializer=[tensor()]))])),
    "deep": model(graph([node(g=graph([node(g=graph([node(t=tensor())]))]))])),
    "function": in_function(t=tensor()),
    "function's subgraph": in_function(g=graph(initializer=[tensor()])),
    "function's default": in_function_attribute(),
    "training, initialization": in_training("initialization"),
    "training, algorithm": in_training("algorithm"),
    "memory of the process": model(graph(initializer=[tensor("*/_ORT_MEM_ADDR_/*")])),
    "absolute": model(graph(initializer=[tensor("/etc/passwd")])),
    "above": model(graph(initializer=[tensor("../../secret")])),
    "a location without the flag": model(graph(initializer=[tensor(data_location=0)])),
}
FLAG_ALONE = model(graph(initializer=[tensor(None, data_location=TensorProto.EXTERNAL)]))


def refused(tmp_path, content):
    path = tmp_path / "reader.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        check_self_contained(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value)


@pytest.mark.parametrize("name", EXTERNAL)
def test_external_data_is_detected_in_every_kind_of_tensor(tmp_path, name):
    assert "(external data)" in refused(tmp_path, EXTERNAL[name].SerializeToString())


def test_the_flag_of_external_data_alone_is_detected(tmp_path):
    assert "(external data)" in refused(tmp_path, FLAG_ALONE.SerializeToString())


def field(number, content):
    """A length-delimited field, as protobuf writes it."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value, length=1):
    digits = []
    while value or len(digits) < length:
        digits.append(value & 0x7F)
        value >>= 7
    return bytes([*(digit | 0x80 for digit in digits[:-1]), digits[-1]])


KEY, VALUE = field(1, b"location"), field(2, b"elsewhere")


@pytest.mark.parametrize(
    "written",
    [
        field(13, KEY + VALUE),
        field(13, VALUE + KEY),  # the value before the key
        field(13, VALUE + field(1, b"other") + KEY),  # the last key counts
        field(13, VALUE + field(9, b"unknown") + KEY),
        bytes([13 << 3 | 2]) + varint(len(KEY + VALUE), length=5) + KEY + VALUE,
        varint(13 << 3 | 2, length=4) + varint(len(KEY + VALUE)) + KEY + VALUE,
        field(13, b""),
        field(13, field(1, b"offset") + field(2, b"0")),
        bytes([14 << 3]) + varint(1),
        bytes([14 << 3]) + varint(1, length=9),
        bytes([14 << 3]) + varint(1 << 32 | 1),  # protobuf keeps the lower half
        bytes([14 << 3]) + varint(0) + bytes([14 << 3]) + varint(1),
    ],
)
def test_external_data_is_detected_in_any_encoding(tmp_path, written):
    initializer = field(8, b"w") + written
    content = field(7, field(5, initializer))
    assert "(external data)" in refused(tmp_path, content)
    # A second field of the graph is merged with the first.
    assert "(external data)" in refused(tmp_path, field(7, b"") + content)
    assert "(external data)" in refused(tmp_path, content + field(7, b""))


def test_the_name_of_the_key_among_the_weights_is_no_external_data(tmp_path):
    path = tmp_path / "reader.onnx"
    weights = tensor(None)
    weights.ClearField("float_data")
    weights.raw_data = KEY + VALUE
    weights.doc_string = "location"
    path.write_bytes(model(graph(initializer=[weights])).SerializeToString())
    check_self_contained(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no model",
        b"\x00" * 100,
        EXTERNAL["deep"].SerializeToString()[:-1],
        field(1, b"x"),
        b"\x18\x00\x00\x00ORTM" + b"\x00" * 40,
    ],
)
def test_a_file_that_is_no_graph_is_refused(tmp_path, content):
    assert "not a model that onnxruntime reads" in refused(tmp_path, content)


def test_deep_nesting_is_refused(tmp_path):
    content = field(8, b"w")
    for _ in range(2000):
        content = field(1, field(5, field(6, content)))
    refused(tmp_path, field(7, content))


def test_every_way_to_a_tensor_is_followed():
    """The messages of onnx itself: a tensor in a new field of the format must not be overlooked."""
    ways, waiting, seen = set(), [onnx.ModelProto.DESCRIPTOR], set()
    while waiting:
        message = waiting.pop()
        if message.name in seen:
            continue
        seen.add(message.name)
        for described in message.fields:
            if described.message_type is not None:
                waiting.append(described.message_type)
                ways.add((message.name, described.name, described.number))
    holders = {"TensorProto"}
    types = {
        (message.name, described.name): described.message_type.name
        for message in (getattr(onnx, name).DESCRIPTOR for name in seen if hasattr(onnx, name))
        for described in message.fields
        if described.message_type is not None
    }
    while grown := {m for (m, _), kind in types.items() if kind in holders} - holders:
        holders |= grown
    expected = {way for way in ways if types.get(way[:2]) in holders}
    followed = {
        (message, name, number)
        for message, fields in MESSAGES.items()
        for name, number, kind, _ in fields
        if kind != "int32" and message != "TensorProto"
    }
    assert followed == expected
