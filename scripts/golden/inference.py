"""Writes test/golden/data/inference.json: what PyTorch's fuse_linear_bn_eval gives, what the layers give
in evaluation, and torchvision's FrozenBatchNorm2d by its formula.

    python scripts/golden/inference.py       (needs PyTorch for CPU; the tests themselves do not)

Everything is computed in float64 from the inputs as they are, as in make.py. fuse_linear_bn_eval cannot
fold a BatchNorm without weight or bias (it fails on None): there the formula stands in, and the case says
so ("by": "formula"). With one channel and no linear bias its bias has shape [1]; it is written out.
"""

import itertools

import torch
from torch.nn.utils.fusion import fuse_linear_bn_eval

from make import AFFINE, DTYPES, array, normal, write

ROWS, INPUTS, OUTPUTS = 4, 5, 3
EPS = 1e-3


def positive(size, dtype):
    return (0.1 + normal(size, torch.float64).square()).to(dtype)


def norm(channels, affine, dtype):
    """A BatchNorm1d with statistics and parameters, in evaluation."""
    layer = torch.nn.BatchNorm1d(channels, eps=EPS, dtype=dtype, **AFFINE[affine]).eval()
    with torch.no_grad():
        layer.running_mean.copy_(normal(channels, dtype, 2.0))
        layer.running_var.copy_(positive(channels, dtype))
        for parameter in layer.parameters():
            parameter.copy_(normal(channels, dtype))
    return layer


def formula(linear, bn):
    """W' and b' with 1 and 0 for what is absent."""
    scale = (1.0 if bn.weight is None else bn.weight) * torch.rsqrt(bn.running_var + bn.eps)
    bias = (0.0 if linear.bias is None else linear.bias) - bn.running_mean
    bias = bias * scale + (0.0 if bn.bias is None else bn.bias)
    created = False if linear.bias is None else linear.bias.requires_grad
    return linear.weight * scale.unsqueeze(-1), bias, [linear.weight.requires_grad, created]


def fold_case(dtype_name, has_bias, affine, channels, weight_grad, bias_grad):
    dtype = DTYPES[dtype_name]
    linear = torch.nn.Linear(INPUTS, OUTPUTS, bias=has_bias, dtype=dtype).eval()
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.copy_(normal(parameter.shape, dtype))
    bn = norm(channels, affine, dtype)
    x = normal((ROWS, INPUTS) if channels > 1 else (ROWS, 1, INPUTS), dtype, 3.0)
    case = {
        "dtype": dtype_name, "channels": channels, "affine": affine, "eps": EPS, "shape": list(x.shape),
        "x": array(x),
        "linear": {"weight": array(linear.weight), "bias": array(linear.bias)},
        "requiresGrad": [weight_grad, bias_grad],
        "bn": {key: array(getattr(bn, key)) for key in ["weight", "bias", "running_mean", "running_var"]},
    }  # fmt: skip
    linear, bn, x = linear.double(), bn.double(), x.double()
    linear.weight.requires_grad_(weight_grad)
    if has_bias:
        linear.bias.requires_grad_(bias_grad)
    if affine == "both":
        fused = fuse_linear_bn_eval(linear, bn)
        weight, bias = fused.weight, fused.bias
        flags, by = [weight.requires_grad, bias.requires_grad], "torch"
    else:
        weight, bias, flags = formula(linear, bn)
        by = "formula"
    expected = {"weight": array(weight), "bias": array(bias.expand(OUTPUTS)), "requiresGrad": flags}
    return {**case, "by": by, "y": array(bn(linear(x))), "folded": expected}


def fold():
    cases = itertools.product(AFFINE, DTYPES, [OUTPUTS, 1])
    flags = itertools.cycle(itertools.product([True, False], repeat=2))
    return [
        fold_case(dtype, has_bias, affine, channels, weight_grad, bias_grad)
        for (affine, dtype, channels), (weight_grad, bias_grad) in zip(cases, flags)
        for has_bias in [True, False]
    ]


def frozen_case(dtype_name, shape):
    """torchvision.ops.FrozenBatchNorm2d.forward: x * scale + (bias - running_mean * scale)."""
    dtype = DTYPES[dtype_name]
    channels = shape[1]
    state = {"weight": normal(channels, dtype), "bias": normal(channels, dtype),
             "running_mean": normal(channels, dtype, 2.0), "running_var": positive(channels, dtype)}  # fmt: skip
    x, dy = normal(shape, dtype, 3.0), normal(shape, dtype)
    wide = {key: value.double().reshape((1, -1) + (1,) * (len(shape) - 2)) for key, value in state.items()}
    input = x.double().requires_grad_()
    scale = wide["weight"] * (wide["running_var"] + EPS).rsqrt()
    y = input * scale + (wide["bias"] - wide["running_mean"] * scale)
    y.backward(dy.double())
    return {
        "dtype": dtype_name, "shape": list(shape), "eps": EPS,
        "state": {key: array(value) for key, value in state.items()},
        "x": array(x), "dy": array(dy), "y": array(y), "dx": array(input.grad),
    }  # fmt: skip


def frozen():
    shapes = [(1, 3), (5, 17), (2, 7, 3), (1, 1, 1)]
    return [frozen_case(dtype, shape) for dtype in DTYPES for shape in shapes]


if __name__ == "__main__":
    write("inference", {"fold": fold(), "frozen": frozen()})
