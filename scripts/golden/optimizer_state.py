"""Writes test/golden/data/optimizer-state.json: the state dicts of PyTorch's SGD, Adam and AdamW after two
steps, as plain JSON and as a file of torch.save, and the parameters after that and after each of two more steps; of
RMSprop, Adagrad and NAdam in float32 too.

    python scripts/golden/optimizer_state.py              (needs PyTorch for CPU; the tests do not)
    python scripts/golden/optimizer_state.py CASES.json   (loads what ours wrote into PyTorch's optimisers)

One seeded generator. Two groups, and a parameter that has no gradient in the first step: the counts of
steps differ. The reverse fails unless PyTorch's optimisers go on as the cases say.
"""

import base64
import io
import json
import pathlib
import random
import sys

import torch

torch.set_num_threads(1)
FILE = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data" / "optimizer-state.json"
SHAPES = [[2, 3], [3], [1, 2]]
CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.01, "betas": [0.8, 0.95]}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3}),
]
MORE = [
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.8, "centered": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.3}),
    ("NAdam", {"lr": 0.02, "weight_decay": 0.1}),
]
dice = random.Random(20261128)


def numbers(shape):
    count = 1
    for size in shape:
        count *= size
    return torch.tensor([dice.uniform(-2, 2) for _ in range(count)], dtype=torch.float64).reshape(shape)


def optimizer(name, options, parameters):
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.02}]
    return getattr(torch.optim, name)(groups, **options)


def step(optimizer, parameters, gradients):
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = None if gradient is None else torch.tensor(gradient, dtype=parameter.dtype)
    optimizer.step()
    return [parameter.tolist() for parameter in parameters]


def plain(value):
    return value.tolist() if isinstance(value, torch.Tensor) else value


def saved(value):
    to = io.BytesIO()
    torch.save(value, to)
    return base64.b64encode(to.getvalue()).decode()


def write():
    cases = []
    each_case = [(dtype, *case) for dtype in ("float32", "float64") for case in CASES]
    for dtype_name, name, options in each_case + [("float32", *case) for case in MORE]:
        dtype = getattr(torch, dtype_name)
        parameters = [torch.nn.Parameter(numbers(shape).to(dtype)) for shape in SHAPES]
        made = optimizer(name, options, parameters)
        gradients = [[numbers(shape).to(dtype).tolist() for shape in SHAPES] for _ in range(4)]
        gradients[0][1] = None
        for each in gradients[:2]:
            start = step(made, parameters, each)
        state = json.loads(json.dumps(made.state_dict(), default=plain))
        file = saved({"epoch": 2, "optimizer": made.state_dict()})
        after = [step(made, parameters, each) for each in gradients[2:]]
        case = {"name": name, "dtype": dtype_name, "options": options, "start": start, "state": state, "file": file}
        cases.append(case | {"gradients": gradients[2:], "after": after})
    FILE.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")


def check(file):
    for case in json.loads(pathlib.Path(file).read_text()):
        dtype = getattr(torch, case["dtype"])
        parameters = [torch.nn.Parameter(torch.tensor(each, dtype=dtype)) for each in case["start"]]
        made = optimizer(case["name"], {"lr": 9}, parameters)
        made.load_state_dict(torch.load(io.BytesIO(base64.b64decode(case["file"])))["optimizer"])
        for gradients, after in zip(case["gradients"], case["after"]):
            for got, expected in zip(step(made, parameters, gradients), after):
                torch.testing.assert_close(torch.tensor(got), torch.tensor(expected))
        print(case["name"], case["dtype"], "goes on as evenkeel did")


if len(sys.argv) > 1:
    check(sys.argv[1])
else:
    write()
