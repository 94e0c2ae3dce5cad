"""Writes test/golden/data/integers.json: what PyTorch makes of labels, places and codes (int32 and int64), and of lists with
empty tensors in torch.cat.

    python3 scripts/golden/integers.py            (needs PyTorch for CPU; the tests do not)

Whole numbers are written as text: some are beyond 2^53, and some have the bits of a NaN.
"""

import json
import pathlib
import random

import torch

FILE = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data" / "integers.json"
dice = random.Random(20261130)
SHAPE = [3, 4, 5]
SOME = {
    torch.int32: [-(2**31), -1, 0, 1, 2, 3, 2**31 - 1, 0x7F800001, 0x7FC00000],
    torch.int64: [-(2**63), -1, 0, 1, 2, 3, 2**63 - 1, 2**53, 2**53 + 1, 0x7FF0000000000001, 0x7FF8000000000000],
}


def texts(tensor):
    return {"shape": list(tensor.shape), "values": [str(int(each)) for each in tensor.flatten()]}


def drawn(dtype, shape):
    count = torch.Size(shape).numel()
    return torch.tensor([dice.choice(SOME[dtype]) for _ in range(count)], dtype=dtype).reshape(shape)


def of_integers(dtype):
    x, y = drawn(dtype, SHAPE), drawn(dtype, SHAPE)
    mask = torch.tensor([dice.randint(0, 1) for _ in range(60)]).reshape(SHAPE)
    holds = mask.bool()
    found = {
        "where": torch.where(holds, x, y),
        "where row": torch.where(holds, x, y[0, 0]),
        "where number": torch.where(holds, -100, x),
        "masked_fill": x.masked_fill(holds, -100),
        "index_select": x.index_select(1, torch.tensor([3, 0, 0])),
        "stack": torch.stack([x, y], 1),
        "cat": torch.cat([x, y], 2),
    }
    indices = {}
    for dim in range(3):
        index = torch.tensor([dice.randrange(SHAPE[dim]) for _ in range(60)]).reshape(SHAPE)[:, :, :3]
        indices[dim] = texts(index)
        found[f"gather {dim}"] = x.gather(dim, index)
        for name in ("max", "min"):
            found[f"{name} {dim}"], found[f"{name} {dim} indices"] = getattr(x, name)(dim)
        found[f"argmax {dim}"], found[f"argmin {dim}"] = x.argmax(dim), x.argmin(dim, keepdim=True)
        for descending in (False, True):
            key = f"sort {dim} {str(descending).lower()}"
            found[key], found[f"{key} indices"] = x.sort(dim=dim, descending=descending, stable=True)
        found[f"topk {dim}"] = x.topk(2, dim).values
    for dims in ([0], [0, 2], [1, 2], [0, 1, 2]):
        found[f"amax {dims}".replace(" ", "")], found[f"amin {dims}".replace(" ", "")] = x.amax(dims), x.amin(dims, keepdim=True)
    found["max"], found["min"], found["argmax"], found["argmin"] = x.max(), x.min(), x.argmax(), x.argmin()
    given = {"x": texts(x), "y": texts(y), "mask": texts(mask), "indices": indices}
    return given | {"found": {key: texts(value) for key, value in found.items()}}


LISTS = [
    ([[0], [2, 3]], 0), ([[2, 3], [0]], 1), ([[2, 3], [0], [2, 1]], -1), ([[0], [0], [2, 3]], -2), ([[0]], 0), ([[0], [0]], 1),
    ([[0], [4]], 0), ([[0], [2, 3]], 2), ([[0, 3], [2, 4]], 0), ([[0, 0], [2, 4]], 0), ([[0], []], 0), ([[2], [1, 0]], 0),
    ([[0], [2, 3, 1], [2, 3, 2]], 2),
]  # fmt: skip


def of_list(shapes, dim):
    """The result, and the gradient of each by 1, 2, 3, …; or that it is refused."""
    tensors = [torch.arange(torch.Size(shape).numel()).float().reshape(shape).add(10 * i).requires_grad_() for i, shape in enumerate(shapes)]
    try:
        y = torch.cat(tensors, dim)
    except (IndexError, RuntimeError):
        return {"shapes": shapes, "dim": dim, "refused": True}
    y.backward(torch.arange(1, y.numel() + 1).float().reshape(y.shape))
    gradients = [texts(each.grad) for each in tensors]
    return {"shapes": shapes, "dim": dim, "refused": False, "found": texts(y.detach()), "gradients": gradients}


content = {
    "torch": torch.__version__,
    "integers": {"int32": of_integers(torch.int32), "int64": of_integers(torch.int64)},
    "lists": [of_list(*each) for each in LISTS],
}
FILE.write_text(json.dumps(content, separators=(",", ":")) + "\n")
