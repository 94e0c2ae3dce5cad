"""test/golden/data/onnx.json: operators with inputs and outputs of the ONNX project, from Debian's package libonnx-testdata.

    apt-get download libonnx-testdata && dpkg-deb -x libonnx-testdata_*.deb unpacked
    python3 scripts/golden/onnx_testdata.py unpacked/usr/share/libonnx-testdata/data > test/golden/data/onnx.json

The package is of version 1.12.0-2, its licence is Expat (MIT). `pytorch-converted` was made by PyTorch of 2017, `node` by
ONNX's own reference in NumPy: both are independent of the PyTorch that the other golden data come from. Only what the
cases need of protobuf is read.
"""

import base64
import json
import pathlib
import struct
import sys

import numpy as np

CASES = {
    "pytorch-converted": """
        AvgPool1d AvgPool1d_stride BatchNorm1d_3d_input_eval Conv1d Conv1d_dilated Conv1d_groups Conv1d_pad1 Conv1d_pad1size1
        Conv1d_pad2 Conv1d_pad2size1 Conv1d_stride ELU Embedding Embedding_sparse GLU GLU_dim LeakyReLU
        LeakyReLU_with_negval Linear Linear_no_bias LogSoftmax MaxPool1d MaxPool1d_stride MaxPool1d_stride_padding_dilation
        PReLU_1d PReLU_1d_multiparam ReLU Sigmoid Softmax Softplus Tanh
        log_softmax_dim3 log_softmax_lastdim softmax_functional_dim3 softmax_lastdim""",
    "node": """
        averagepool_1d_default maxpool_1d_default convtranspose_1d elu elu_example leakyrelu_example
        softplus_example batchnorm_example batchnorm_epsilon batchnorm_example_training_mode batchnorm_epsilon_training_mode
        layer_normalization_2d_axis1 layer_normalization_3d_axis_negative_1_epsilon layer_normalization_3d_axis1_epsilon""",
}
TYPES = {1: np.float32, 6: np.int32, 7: np.int64, 11: np.float64}
MOST = 4096
"""Values of a tensor: a case with more is left out, and said."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of each field of a message: integers, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = {1: 8, 5: 4}[wire]
            value, at = data[at : at + size], at + size
        yield number, value


def signed(value):
    return value - 2**64 if value >= 2**63 else value


def packed(values):
    """Integers, one by one or packed."""
    found = []
    for value in values:
        if isinstance(value, int):
            found.append(signed(value))
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            found.append(signed(number))
    return found


def grouped(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def tensor(data):
    parts = grouped(data)
    kind = TYPES[parts[2][0]]
    shape = packed(parts.get(1, []))
    if 9 in parts:
        values = np.frombuffer(parts[9][0], dtype=kind)
    elif kind in (np.float32, np.float64):
        values = np.frombuffer(b"".join(parts.get(4 if kind is np.float32 else 10, [])), dtype=kind)
    else:
        values = np.array(packed(parts.get(7 if kind is np.int64 else 5, [])), dtype=kind)
    return parts.get(8, [b""])[0].decode(), values.reshape(shape)


def attribute(data):
    parts = grouped(data)
    name = parts[1][0].decode()
    if 7 in parts:
        return name, [struct.unpack("<f", each)[0] for each in parts[7]]
    if 8 in parts:
        return name, packed(parts[8])
    if 2 in parts:
        return name, struct.unpack("<f", parts[2][0])[0]
    if 4 in parts:
        return name, parts[4][0].decode()
    return name, signed(parts.get(3, [0])[0])


def node(data):
    parts = grouped(data)
    text = lambda number: [each.decode() for each in parts.get(number, [])]
    return {"op": text(4)[0], "inputs": text(1), "outputs": text(2), "attributes": dict(attribute(each) for each in parts.get(5, []))}


def encode(values):
    if values.dtype.kind == "i":
        return {"shape": list(values.shape), "integers": values.flatten().tolist()}
    name = "f32" if values.dtype == np.float32 else "f64"
    return {"shape": list(values.shape), name: base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()}


def names(messages):
    return [grouped(each)[1][0].decode() for each in messages]


def case(folder, group, name):
    graph = grouped(grouped((folder / "model.onnx").read_bytes())[7][0])
    weights = dict(tensor(each) for each in graph.get(5, []))
    given = [each for each in names(graph.get(11, [])) if each not in weights]
    data = folder / "test_data_set_0"
    read = lambda kind, i: tensor((data / f"{kind}_{i}.pb").read_bytes())[1]
    inputs = {each: read("input", i) for i, each in enumerate(given)}
    outputs = {each: read("output", i) for i, each in enumerate(names(graph[12]))}
    return {
        "name": f"{group}/{name}",
        "nodes": [node(each) for each in graph[1]],
        "values": {each: encode(value) for each, value in {**weights, **inputs}.items()},
        "outputs": {each: encode(value) for each, value in outputs.items()},
    }


def main(root):
    cases = []
    for group, listed in CASES.items():
        for name in listed.split():
            folder = root / group / f"test_{name}"
            found = case(folder, group, name)
            sizes = [np.prod(each["shape"]) for each in [*found["values"].values(), *found["outputs"].values()]]
            if max(sizes) > MOST:
                print(f"{name} has {max(sizes)} values: left out", file=sys.stderr)
                continue
            cases.append(found)
    json.dump({"package": "libonnx-testdata 1.12.0-2", "cases": cases}, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


main(pathlib.Path(sys.argv[1]))
