"""Cases of functions: inputs, other arguments as JavaScript has them, PyTorch's results and gradients in float64.

Each names a function of `functional`. Inputs are float32 values, so that one case serves both dtypes. The gradients are
those of a weighted sum of the result. test/helpers/golden-cases.ts reads them.
"""

import base64
import json
import sys

import torch


def encoded(values):
    return {"f64": base64.b64encode(values.detach().double().contiguous().numpy().tobytes()).decode()}


def random(*shape, scale=2.0, shift=0.0):
    return (torch.randn(shape) * scale + shift).float().double()


def positive(*shape):
    return (torch.rand(shape) * 3 + 0.1).float().double()


def weights(y):
    return torch.sin(1.7 * torch.arange(y.numel(), dtype=torch.float64) + 0.6).reshape(y.shape)


CASES = []


def case(name, function, inputs, arguments=(), integers=False, many=False):
    """`arguments`: what follows the tensors in JavaScript; `many`: the tensors are one array."""
    leaves = [each.clone().requires_grad_(True) for each in inputs]
    result = function(*leaves)
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    floating = [each for each in outputs if each.is_floating_point()]
    total = sum((weights(each) * torch.where(torch.isfinite(each), each, torch.zeros_like(each))).sum() for each in floating)
    gradients = []
    if floating and floating[0].requires_grad:
        grads = torch.autograd.grad(total, leaves, allow_unused=True)
        gradients = [encoded(torch.zeros_like(l) if g is None else g) for l, g in zip(leaves, grads)]
    CASES.append(
        {
            "name": name,
            "many": many,
            "inputs": [{"shape": list(each.shape), "data": encoded(each)} for each in inputs],
            "arguments": list(arguments),
            "outputs": [
                {"shape": list(each.shape), "data": encoded(each)}
                if each.is_floating_point()
                else {"shape": list(each.shape), "integers": each.flatten().long().tolist()}
                for each in outputs
            ],
            "gradients": gradients,
        }
    )


def finish():
    """Writes the cases to standard output."""
    json.dump({"torch": torch.__version__, "cases": CASES}, sys.stdout, indent=None, separators=(",", ":"))
    sys.stdout.write("\n")
