"""A check that an ONNX file refers to no other files.

A tensor of a graph can keep its values in another file ("external data"). The messages below are the part of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 that leads to tensors. Protobuf, which onnxruntime needs anyway,
parses them as it parses the complete format, so that no order or spelling of the fields can hide a tensor.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from claimstance.model.errors import ModelError

_PACKAGE = "claimstance.onnx"
#: Message → its fields: name, number, type (a message, or ``int32``), and whether it is repeated.
MESSAGES: dict[str, list[tuple[str, int, str, bool]]] = {
    "ModelProto": [
        ("graph", 7, "GraphProto", False),
        ("training_info", 20, "TrainingInfoProto", True),
        ("functions", 25, "FunctionProto", True),
    ],
    "TrainingInfoProto": [
        ("initialization", 1, "GraphProto", False),
        ("algorithm", 2, "GraphProto", False),
    ],
    "FunctionProto": [
        ("node", 7, "NodeProto", True),
        ("attribute_proto", 11, "AttributeProto", True),
    ],
    "GraphProto": [
        ("node", 1, "NodeProto", True),
        ("initializer", 5, "TensorProto", True),
        ("sparse_initializer", 15, "SparseTensorProto", True),
    ],
    "NodeProto": [("attribute", 5, "AttributeProto", True)],
    "AttributeProto": [
        ("t", 5, "TensorProto", False),
        ("g", 6, "GraphProto", False),
        ("tensors", 10, "TensorProto", True),
        ("graphs", 11, "GraphProto", True),
        ("sparse_tensor", 22, "SparseTensorProto", False),
        ("sparse_tensors", 23, "SparseTensorProto", True),
    ],
    "SparseTensorProto": [
        ("values", 1, "TensorProto", False),
        ("indices", 2, "TensorProto", False),
    ],
    "TensorProto": [
        ("external_data", 13, "StringStringEntryProto", True),
        ("data_location", 14, "int32", False),
    ],
    "StringStringEntryProto": [],
}


def check_self_contained(path: Path) -> None:
    """Raise ``ModelError`` for a graph with tensors in other files, whose paths could lead anywhere.

    Raises:
        ModelError: if the file has such a tensor, cannot be read, or is not an ONNX graph.
    """
    model = _model_class()()
    try:
        model.ParseFromString(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None
    except DecodeError as error:
        raise ModelError(f"{path}: not a model that onnxruntime reads: {error}") from None
    if not model.HasField("graph"):
        raise ModelError(f"{path}: not a model that onnxruntime reads: it has no graph")
    for tensor in _tensors(model):
        if tensor.data_location or tensor.external_data:
            raise ModelError(
                f"{path}: expected all of its weights in it, found some in other files (external data)"
            )


def _tensors(message: Any) -> Iterator[Any]:
    """Yield every tensor in a message."""
    # Protobuf rejects messages whose nesting exceeds Python's recursion limit.
    name = message.DESCRIPTOR.name
    if name == "TensorProto":
        yield message
        return
    for field, _, _, repeated in MESSAGES[name]:
        value = getattr(message, field)
        if repeated:
            for item in value:
                yield from _tensors(item)
        elif message.HasField(field):
            yield from _tensors(value)


@cache
def _model_class() -> Any:
    """Return the class of ``ModelProto``, in a pool of its own, so that onnx can be imported as well."""
    file = FileDescriptorProto(name="claimstance/onnx.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            descriptor = message.field.add(name=field, number=number)
            descriptor.label = FieldDescriptorProto.LABEL_OPTIONAL
            if repeated:
                descriptor.label = FieldDescriptorProto.LABEL_REPEATED
            if kind == "int32":
                descriptor.type = FieldDescriptorProto.TYPE_INT32
            else:
                descriptor.type = FieldDescriptorProto.TYPE_MESSAGE
                descriptor.type_name = f".{_PACKAGE}.{kind}"
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.ModelProto"))
