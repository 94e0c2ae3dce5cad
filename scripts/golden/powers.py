"""test/golden/data/powers.json: x^p of two tensors at every corner, and its gradients, from PyTorch in float64.

    python scripts/golden/powers.py > test/golden/data/powers.json
"""

import json

import torch

INFINITY = float("inf")
NAN = float("nan")
BASES = [-INFINITY, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, INFINITY, NAN]
EXPONENTS = [-INFINITY, -3.0, -2.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, INFINITY, NAN]


def said(value):
    """JSON has neither infinity, NaN nor -0."""
    text = str(value)
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN", "-0.0": "-0"}.get(text, value)


def written(tensor):
    return [said(value) for value in tensor.detach().flatten().tolist()]


bases = torch.tensor([[x] * len(EXPONENTS) for x in BASES], dtype=torch.float64, requires_grad=True)
exponents = torch.tensor([EXPONENTS] * len(BASES), dtype=torch.float64, requires_grad=True)
result = bases.pow(exponents)
result.backward(torch.ones_like(result))
print(json.dumps({
    "torch": torch.__version__, "bases": [said(x) for x in BASES], "exponents": [said(p) for p in EXPONENTS],
    "result": written(result), "ofBases": written(bases.grad), "ofExponents": written(exponents.grad),
}))  # fmt: skip
