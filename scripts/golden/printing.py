"""Writes test/golden/data/printing.json: how PyTorch prints twenty random tensors and some edge cases.

    python scripts/golden/printing.py        (needs PyTorch for CPU; the tests themselves do not)

The body is what stands between `tensor(` and the first of dtype, size or the closing parenthesis: the
words behind it differ on purpose (`dtype=int64`, `shape=[2, 0]`).
"""

import json
import pathlib
import random

import torch

TARGET = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data" / "printing.json"
DTYPES = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32, "int64": torch.int64}


def body(values):
    text = torch._tensor_str._tensor_str(values, len("tensor("))
    return text


def number(value):
    """JSON has no NaN and no infinity, and JavaScript no integers past 2^53 - 1."""
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    return value if value == value and abs(value) != float("inf") else str(value)


def case(name, values):
    dtype = next(key for key, each in DTYPES.items() if each == values.dtype)
    return {
        "name": name,
        "dtype": dtype,
        "shape": list(values.shape),
        "values": [number(each) for each in values.reshape(-1).tolist()],
        "body": body(values),
    }


def drawn(rng, i):
    """A shape of 0 to 4 dimensions, a kind of values, and here and there a NaN or an infinity."""
    rank = rng.choice([0, 1, 1, 2, 2, 3, 4])
    shape = [rng.randint(1, 9) for _ in range(rank)]
    if i % 5 == 0:
        shape = rng.choice([[1001], [40, 30], [12, 10, 11], [2, 600], [700, 2]])
    dtype = DTYPES[rng.choice(["float32", "float32", "float32", "float64", "int32", "int64"])]
    if not dtype.is_floating_point:
        return torch.randint(-(10 ** rng.randint(1, 6)), 10 ** rng.randint(1, 6), shape, dtype=dtype)
    values = torch.randn(shape, dtype=dtype) * 10.0 ** rng.randint(-6, 9)
    if rng.random() < 0.4:
        values = values.round()
    if rng.random() < 0.3:
        values = values.clone()
        values.reshape(-1)[0] = rng.choice([float("nan"), float("inf"), float("-inf"), 0.0])
    return values


def main():
    torch.manual_seed(20)
    rng = random.Random(20)
    cases = [case(f"random {i}", drawn(rng, i)) for i in range(20)]
    inf, nan = float("inf"), float("nan")
    edges = {
        "ties go to the even digit": [0.03125, 0.09375, 0.28125, -0.03125, 1.0],
        "ties in scientific notation": [1.000005e10, 1.000015e10, 1.0, 32768.5],
        "nothing finite": [nan, inf, -inf, 0.0, -0.0],
        "whole numbers with nan": [1.0, nan, -20.0, inf],
        "minus zero": [-0.0, 0.5],
        "small": [1e-5, 2e-5],
        "large and whole": [123456789.0, 1.0],
        "1e8": [1e8],
        "one of 1000 to 1": [1000.0, 1.0],
        "one of 1001 to 1": [1001.0, 1.0],
        "subnormal": [1e-45, 1.0],
        "a long line": [i / 7 for i in range(40)],
    }
    cases += [case(name, torch.tensor(values)) for name, values in edges.items()]
    cases.append(case("1000 elements", torch.arange(1000, dtype=torch.float32)))
    cases.append(case("1001 elements", torch.arange(1001, dtype=torch.float32)))
    cases.append(case("int64 to the last digit", torch.tensor([2**62 + 1, -5])))
    cases.append(case("no elements", torch.zeros(0)))
    cases.append(case("no rows", torch.zeros(2, 0)))
    TARGET.write_text(json.dumps(cases, indent=0) + "\n")


main()
