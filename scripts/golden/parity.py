"""Writes test/parity/data/*.json: what PyTorch computes for the inputs of its own tests.

    python scripts/golden/parity.py          (needs PyTorch for CPU; the tests themselves do not)

module-info.json has the eight inputs that PyTorch's module tests give BatchNorm1d, op-info.json the
samples that its operator tests give batch_norm. Shapes and options are PyTorch's, the numbers are ours:
seeded, with weights, biases and running statistics that are not the initial ones, because those would
hide an operand that is left out. Expected values are float64, as in make.py.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from make import DTYPES, array, normal

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "parity" / "data"

MODULES = [  # name, shape, evenkeel's options
    ("affine", (4, 10), {}),
    ("3d_input", (4, 5, 3), {}),
    ("affine_simple_average", (4, 10), {"eps": 1e-3, "momentum": None}),
    ("not_affine", (4, 10), {"eps": 1e-3, "momentum": 0.3, "affine": False}),
    ("not_tracking_stats", (4, 10), {"eps": 1e-3, "momentum": 0.3, "affine": True, "trackRunningStats": False}),
    ("3d_input_not_affine", (4, 5, 3), {"eps": 1e-3, "momentum": 0.3, "affine": False}),
    ("zero_batch", (0, 5, 9), {"eps": 1e-3, "momentum": 0.3, "affine": False}),
    ("affine_not_bias", (4, 10), {"bias": False}),
]
PYTHON_NAMES = {"trackRunningStats": "track_running_stats"}

OPS = [  # shape, options; each with running statistics, weight and bias where there is a channel
    ((5, 5, 5), {"training": True, "momentum": 0.5, "eps": 0.6}),
    ((3, 2, 4), {"training": False, "momentum": -1.2}),
    ((3, 1), {"training": True, "momentum": 0.0}),
    ((0,), {"training": True}),
    ((0,), {"training": False}),
    ((3, 2, 3, 4), {"training": True, "momentum": -1.0, "eps": 0.5}),
    ((3, 2, 3, 4), {"training": False, "momentum": -1.0, "eps": 0.5}),
    ((2, 1), {}),
    ((2, 1), {"training": True}),
    ((2, 1), {"training": False}),
]
NO_STATISTICS = ((1, 2, 3), {"training": True})


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"torch": torch.__version__, **content}, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n")
    print(f"{name}.json: {len(text)} bytes")


def positive(shape, dtype):
    return normal(shape, torch.float64).abs().add(0.25).to(dtype)


def gradient(leaf):
    return array(None if leaf is None else leaf.grad)


def run_module(options, training, x, dy, state):
    options = {PYTHON_NAMES.get(key, key): value for key, value in options.items()}
    layer = torch.nn.BatchNorm1d(x.shape[1], **options).double().train(training)
    present = layer.state_dict()
    layer.load_state_dict({key: value.double() for key, value in state.items() if key in present}, strict=False)
    leaf = x.to(torch.float64, copy=True).requires_grad_()
    y = layer(leaf)
    y.backward(dy.double())
    counter = layer.num_batches_tracked
    return {
        "y": array(y), "dx": array(leaf.grad), "dweight": gradient(layer.weight), "dbias": gradient(layer.bias),
        "runningMean": array(layer.running_mean), "runningVar": array(layer.running_var),
        "numBatchesTracked": 0 if counter is None else int(counter),
    }  # fmt: skip


def module_info():
    cases = []
    for dtype_name, dtype in DTYPES.items():
        for name, shape, options in MODULES:
            x, dy = normal(shape, dtype, 3.0), normal(shape, dtype)
            c = shape[1]
            state = {
                "weight": normal(c, dtype), "bias": normal(c, dtype),
                "running_mean": normal(c, dtype), "running_var": positive(c, dtype),
            }  # fmt: skip
            cases.append(
                {
                    "name": name, "dtype": dtype_name, "shape": list(shape), "options": options,
                    "x": array(x), "dy": array(dy), "state": {key: array(value) for key, value in state.items()},
                    "train": run_module(options, True, x, dy, state),
                    "eval": run_module(options, False, x, dy, state),
                }
            )  # fmt: skip
    reprs = {}
    for name, shape, options in MODULES:
        options = {PYTHON_NAMES.get(key, key): value for key, value in options.items()}
        reprs[name] = repr(torch.nn.BatchNorm1d(shape[1], **options))
    write("module-info", {"reprs": reprs, "cases": cases})


def op_case(dtype_name, shape, options, with_statistics):
    dtype = DTYPES[dtype_name]
    c = shape[1] if len(shape) > 1 else 0
    x, dy = normal(shape, dtype, 3.0), normal(shape, dtype)
    mean = normal(c, dtype).abs() if with_statistics else None
    variance = positive(c, dtype) if with_statistics else None
    weight, bias = (normal(c, dtype), normal(c, dtype)) if with_statistics and c > 0 else (None, None)
    double = [None if each is None else each.to(torch.float64, copy=True) for each in (mean, variance, weight, bias)]
    leaves = [None if each is None else each.clone().requires_grad_() for each in (x.double(), *double[2:])]
    y = F.batch_norm(leaves[0], double[0], double[1], leaves[1], leaves[2], **options)
    y.backward(dy.double())
    return {
        "dtype": dtype_name, "shape": list(shape), "options": options, "x": array(x), "dy": array(dy),
        "runningMean": array(mean), "runningVar": array(variance), "weight": array(weight), "bias": array(bias),
        "y": array(y), "dx": array(leaves[0].grad), "dweight": gradient(leaves[1]), "dbias": gradient(leaves[2]),
        "runningMeanAfter": array(double[0]), "runningVarAfter": array(double[1]),
    }  # fmt: skip


def op_info():
    cases = []
    for dtype_name in DTYPES:
        cases += [op_case(dtype_name, shape, options, True) for shape, options in OPS]
        cases.append(op_case(dtype_name, *NO_STATISTICS, False))
    write("op-info", {"cases": cases})


if __name__ == "__main__":
    module_info()
    op_info()
