"""test/golden/data/activations.json: the activation layers' reprs, gradients at corners, and PReLU behind BatchNorm, from PyTorch.

    python3 scripts/golden/activations.py > test/golden/data/activations.json
"""

import json
import sys

import torch
from torch import nn

LAYERS = [
    *[(name, {}) for name in "Sigmoid Tanh LeakyReLU GELU SiLU ELU PReLU Softplus Hardtanh ReLU6 LogSigmoid Mish".split()],
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("LeakyReLU", {"negative_slope": 1e-5}),
    ("GELU", {"approximate": "tanh"}),
    ("ELU", {"alpha": 0.5}),
    ("PReLU", {"num_parameters": 4, "init": -0.5}),
    ("Softplus", {"beta": 2.0, "threshold": 5.5}),
    ("Hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("GLU", {"dim": 1}),
    *[("Softmax", {"dim": dim}) for dim in (0, 1, -1)],
    *[("LogSoftmax", {"dim": dim}) for dim in (0, 1, -1)],
]

INPUT = [[[-3.0, -0.5, 0.0], [0.25, 1.0, 7.0], [-1.0, 6.0, 2.0], [30.0, -25.0, 0.75]]] * 2

# name, JavaScript's arguments behind x, x, function
CORNERS = [
    ("sqrt", [], [0.0, 4.0, 1e-40], torch.sqrt),
    ("std", [], [3.0, 3.0, 3.0], torch.std),
    ("std", [{"dim": 0, "correction": 0}], [2.0, 2.0], lambda x: x.std(0, correction=0)),
    ("clamp", [{"min": -1, "max": 2}], [-1.5, -1.0, 0.0, 2.0, 2.5], lambda x: x.clamp(-1, 2)),
    ("clamp", [{"min": 1, "max": 1}], [0.5, 1.0, 1.5], lambda x: x.clamp(1, 1)),
    ("clamp", [{"min": 0}], [-0.5, 0.0, 1.5], lambda x: x.clamp(min=0)),
    ("clamp", [{"max": 0}], [-0.5, 0.0, 1.5], lambda x: x.clamp(max=0)),
    ("hardtanh", [], [-1.0, 0.5, 1.0], nn.functional.hardtanh),
    ("relu6", [], [0.0, 3.0, 6.0], nn.functional.relu6),
]


def text(values):
    """Numbers, or the names of those that JSON has not."""
    return [value if abs(value) < float("inf") else str(value) for value in values]


def layer(name, options):
    made = getattr(nn, name)(**options).double()
    x = torch.tensor(INPUT, dtype=torch.float64, requires_grad=True)
    y = made(x)
    y.sum().backward()
    return {
        "name": name,
        "options": options,
        "repr": repr(made),
        "state": {key: value.tolist() for key, value in made.state_dict().items()},
        "output": y.flatten().tolist(),
        "gradient": x.grad.flatten().tolist(),
        "weightGradient": made.weight.grad.tolist() if name == "PReLU" else None,
    }


def behind_norm(shape, slopes, training):
    size, channels = torch.Size(shape).numel(), shape[1]
    x = torch.sin(torch.arange(size, dtype=torch.float64) * 0.37 + 1).reshape(shape).requires_grad_()
    norm, behind = nn.BatchNorm1d(channels).double(), nn.PReLU(slopes).double()
    with torch.no_grad():
        norm.weight.copy_(torch.arange(channels) * 0.5 - 0.75)
        norm.bias.copy_(torch.arange(channels) * 0.25 - 0.25)
        norm.running_mean.fill_(0.125)
        norm.running_var.fill_(0.75)
        behind.weight.copy_(torch.tensor([0.25, -0.5, 0.0, 1.5])[:slopes])
    y = behind(norm.train(training)(x))
    y.backward(torch.cos(torch.arange(size, dtype=torch.float64) * 0.11).reshape(shape))
    tensors = {
        "output": y, "gradient": x.grad, "weight": norm.weight.grad, "bias": norm.bias.grad,
        "slopes": behind.weight.grad, "mean": norm.running_mean, "variance": norm.running_var,
    }
    values = {key: value.flatten().tolist() for key, value in tensors.items()}
    return {"shape": shape, "count": slopes, "training": training, **values}


def corner(name, arguments, values, function):
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    function(x).sum().backward()
    return {"name": name, "arguments": arguments, "x": values, "gradient": text(x.grad.tolist())}



json.dump(
    {
        "input": INPUT,
        "layers": [layer(*each) for each in LAYERS],
        "corners": [corner(*each) for each in CORNERS],
        "behindNorm": [
            behind_norm(shape, slopes, training)
            for shape in ([5, 4], [3, 4, 3], [2, 4, 33])
            for slopes in (1, 4)
            for training in (True, False)
        ],
    },
    sys.stdout,
)
