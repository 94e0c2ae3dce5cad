"""Writes test/golden/data/*.json: what PyTorch computes, for the golden tests to compare with.

    python scripts/golden/make.py            (needs PyTorch for CPU; the tests themselves do not)

Reproducible: every number comes from one seeded generator, and torch runs on one thread. Each file
records the version of torch. Arrays are base64 of their little-endian bytes, {"f32": "..."} or
{"f64": "..."}, with shapes beside them.

The expected values are torch's float64 results from the inputs as they are: inputs of a float32 case
are float32 numbers, converted exactly. "torch32" holds what torch's float32 kernels give for the same
case: a check of the meaning, with a wider tolerance, not of the digits.
"""

import base64
import itertools
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
GENERATOR = torch.Generator().manual_seed(20260726)
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data"
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def array(tensor):
    """A tensor as {"f32"|"f64": base64 of its bytes}; None stays None."""
    if tensor is None:
        return None
    numbers = np.ascontiguousarray(tensor.detach().numpy())
    kind = {"float32": "f32", "float64": "f64"}[str(numbers.dtype)]
    data = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
    return {kind: base64.b64encode(data).decode("ascii")}


def normal(shape, dtype, scale=1.0):
    return torch.randn(shape, generator=GENERATOR, dtype=torch.float64).mul(scale).to(dtype)


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"torch": torch.__version__, **content}, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n")
    print(f"{name}.json: {len(text)} bytes")


# ---- BatchNorm ------------------------------------------------------------------------------------

LAYERS = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d, 5: torch.nn.BatchNorm3d}
AFFINE = {"both": {}, "none": {"affine": False}, "weight": {"bias": False}}
SHAPES_NC = [(2, 1), (2, 7), (5, 17), (16, 7), (3, 1), (2, 17)]
SHAPES_NCL = [(2, 7, 1), (1, 17, 3), (3, 1, 5), (4, 7, 3), (2, 17, 5), (1, 1, 5)]
OTHERS = [  # shape as torch has it, layout the case is stored in
    ((3, 7, 5), "NLC"),
    ((2, 1, 3), "NLC"),
    ((2, 17, 1), "NLC"),
    ((2, 7, 3, 5), "NCL"),
    ((1, 3, 2, 2), "NCL"),
    ((2, 5, 3, 3), "NLC"),
    ((2, 3, 2, 3, 2), "NCL"),
    ((1, 17, 1, 2, 3), "NLC"),
]
TRAINING_STEPS = 3


def batch(shape, dtype):
    """Channels with means from -8 to 8 and deviations from 1/4 to 4."""
    channels = (1, -1) + (1,) * (len(shape) - 2)
    mean = torch.linspace(-8, 8, shape[1], dtype=torch.float64).reshape(channels)
    deviation = 2.0 ** torch.linspace(-2, 2, shape[1], dtype=torch.float64).reshape(channels)
    return (mean + deviation * normal(shape, torch.float64)).to(dtype)


def last(tensor):
    return tensor.movedim(1, -1).contiguous()


def run_batchnorm(case, inputs, parameters, dtype, layout):
    """Training steps, then one in evaluation; gradients of each step on their own."""
    shape = inputs[0][0].shape
    layer = LAYERS[len(shape)](
        shape[1],
        eps=case["eps"],
        momentum=case["momentum"],
        track_running_stats=case["track"],
        dtype=dtype,
        **AFFINE[case["affine"]],
    )
    stored = last if layout == "NLC" else (lambda tensor: tensor)
    with torch.no_grad():
        for name, value in parameters.items():
            getattr(layer, name).copy_(value)
    steps = []
    for i, (x, dy) in enumerate(inputs):
        layer.train(i < TRAINING_STEPS)
        layer.zero_grad()
        x = x.to(dtype, copy=True).requires_grad_()
        y = layer(x)
        y.backward(dy.to(dtype))
        tracked = layer.num_batches_tracked
        steps.append(
            {
                "y": array(stored(y)),
                "dx": array(stored(x.grad)),
                "dweight": array(layer.weight.grad if layer.weight is not None else None),
                "dbias": array(layer.bias.grad if layer.bias is not None else None),
                "runningMean": array(layer.running_mean),
                "runningVar": array(layer.running_var),
                "numBatchesTracked": 0 if tracked is None else int(tracked),
            }
        )
    return steps


def batchnorm():
    inputs, cases = {}, []

    def add(shape, layout, dtype_name, affine, track, momentum, eps):
        dtype = DTYPES[dtype_name]
        key = f"{dtype_name} {layout} {list(shape)}"
        if key not in inputs:
            steps = [(batch(shape, dtype), normal(shape, dtype)) for _ in range(TRAINING_STEPS + 1)]
            parameters = {"weight": normal(shape[1], dtype), "bias": normal(shape[1], dtype, 2.0)}
            inputs[key] = (steps, parameters)
        steps, parameters = inputs[key]
        present = {"both": ["weight", "bias"], "none": [], "weight": ["weight"]}[affine]
        parameters = {name: parameters[name] for name in present}
        case = {"inputs": key, "affine": affine, "track": track, "momentum": momentum, "eps": eps}
        case["steps"] = run_batchnorm(case, steps, parameters, torch.float64, layout)
        if dtype == torch.float32:
            case["torch32"] = run_batchnorm(case, steps, parameters, torch.float32, layout)
        cases.append(case)

    # Every combination, for both ranks and dtypes; the shapes take turns.
    combinations = list(itertools.product(AFFINE, [True, False], [0.1, None, 0.0, 1.0]))
    for dtype_name in DTYPES:
        for shapes in (SHAPES_NC, SHAPES_NCL):
            for i, (affine, track, momentum) in enumerate(combinations):
                shape = shapes[(i + i // len(shapes)) % len(shapes)]
                add(shape, "NCL", dtype_name, affine, track, momentum, 1e-5)
        for i, (shape, layout) in enumerate(OTHERS):
            affine = list(AFFINE)[i % 3]
            add(shape, layout, dtype_name, affine, i % 4 != 3, [0.1, None][i % 2], [1e-5, 1e-3][i % 2])

    stored = {}
    for key, (steps, parameters) in inputs.items():
        order = last if " NLC " in key else (lambda tensor: tensor)
        stored[key] = {
            "dtype": key.split(" ")[0],
            "layout": key.split(" ")[1],
            "shape": list(order(steps[0][0]).shape),
            "channels": steps[0][0].shape[1],
            "weight": array(parameters["weight"]),
            "bias": array(parameters["bias"]),
            "x": [array(order(x)) for x, _ in steps],
            "dy": [array(order(dy)) for _, dy in steps],
        }
    write("batchnorm", {"trainingSteps": TRAINING_STEPS, "inputs": stored, "cases": cases})


# ---- Linear, ReLU, losses -------------------------------------------------------------------------


def gradients(function, inputs, dy):
    """The float64 result of function(*inputs) and the gradients of the inputs under dy."""
    leaves = [None if x is None else x.double().requires_grad_() for x in inputs]
    y = function(*leaves)
    y.backward(dy.double())
    return y, [None if leaf is None else leaf.grad for leaf in leaves]


def linear_cases(dtype_name):
    dtype = DTYPES[dtype_name]
    for shape, out, bias in [((2, 3), 4, True), ((1, 1), 1, False), ((3, 5, 17), 7, True), ((16, 33), 10, False)]:
        x, w = normal(shape, dtype), normal((out, shape[-1]), dtype)
        b = normal(out, dtype) if bias else None
        dy = normal((*shape[:-1], out), dtype)
        y, (dx, dw, db) = gradients(F.linear, [x, w, b], dy)
        yield {
            "dtype": dtype_name, "shape": list(shape), "out": out,
            "x": array(x), "weight": array(w), "bias": array(b), "dy": array(dy),
            "y": array(y), "dx": array(dx), "dweight": array(dw), "dbias": array(db),
        }  # fmt: skip


def relu_cases(dtype_name):
    dtype = DTYPES[dtype_name]
    x, dy = normal((5, 7), dtype), normal((5, 7), dtype)
    x[0, :5] = torch.tensor([0.0, 1e-38, -1e-38, float("inf"), float("-inf")], dtype=dtype)
    x[1, 0] = float("nan")
    y, (dx,) = gradients(F.relu, [x], dy)
    yield {"dtype": dtype_name, "shape": [5, 7], "x": array(x), "dy": array(dy), "y": array(y), "dx": array(dx)}


def cross_entropy_cases(dtype_name):
    dtype = DTYPES[dtype_name]
    for rows, classes, reduction, ignore, scale in [
        (4, 3, "mean", -100, 1.0),
        (17, 10, "sum", -100, 4.0),
        (9, 5, "mean", 2, 1.0),
        (9, 5, "sum", 0, 1.0),
        (3, 2, "mean", -1, 300.0),  # probabilities that underflow
        (1, 1, "mean", -100, 1.0),
    ]:
        x = normal((rows, classes), dtype, scale)
        targets = torch.randint(0, classes, (rows,), generator=GENERATOR)
        if ignore < 0:
            targets[rows // 2] = ignore if rows > 1 else 0
        dy = torch.tensor(1.5, dtype=dtype)
        y, (dx,) = gradients(
            lambda z: F.cross_entropy(z, targets, reduction=reduction, ignore_index=ignore), [x], dy
        )
        yield {
            "dtype": dtype_name, "shape": [rows, classes], "reduction": reduction, "ignoreIndex": ignore,
            "logits": array(x), "targets": targets.tolist(), "dy": 1.5, "y": y.item(), "dx": array(dx),
        }  # fmt: skip


def mse_cases(dtype_name):
    dtype = DTYPES[dtype_name]
    for shape, reduction in [((3, 4), "mean"), ((2, 3, 5), "sum"), ((1,), "mean")]:
        a, b = normal(shape, dtype), normal(shape, dtype)
        dy = torch.tensor(0.75, dtype=dtype)
        y, (da, db) = gradients(lambda p, t: F.mse_loss(p, t, reduction=reduction), [a, b], dy)
        yield {
            "dtype": dtype_name, "shape": list(shape), "reduction": reduction,
            "prediction": array(a), "target": array(b), "dy": 0.75, "y": y.item(),
            "dprediction": array(da), "dtarget": array(db),
        }  # fmt: skip


def layers():
    makers = {"linear": linear_cases, "relu": relu_cases, "crossEntropy": cross_entropy_cases, "mse": mse_cases}
    write("layers", {name: [case for dtype in DTYPES for case in make(dtype)] for name, make in makers.items()})


# ---- Optimisers -----------------------------------------------------------------------------------

OPTIMIZERS = [  # options as evenkeel spells them
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 0.5, "weightDecay": 0.1}),
    ("SGD", {"lr": 0.1, "weightDecay": 0.2, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": [0.8, 0.95], "eps": 1e-4, "weightDecay": 0.1}),
    ("Adam", {"lr": 0.1, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "betas": [0.7, 0.9], "weightDecay": 0.3}),
]
PYTHON_NAMES = {"weightDecay": "weight_decay"}


def optimizers():
    cases = []
    for (name, options), dtype_name in itertools.product(OPTIMIZERS, DTYPES):
        start, grads = normal(19, DTYPES[dtype_name]), [normal(19, DTYPES[dtype_name]) for _ in range(5)]
        parameter = torch.nn.Parameter(start.double().clone())
        keywords = {PYTHON_NAMES.get(key, key): value for key, value in options.items()}
        optimizer = getattr(torch.optim, name)([parameter], **({"lr": 1e-3} | keywords))
        after = []
        for grad in grads:
            parameter.grad = grad.double().clone()
            optimizer.step()
            after.append(array(parameter.detach().clone()))
        cases.append(
            {"name": name, "dtype": dtype_name, "options": options, "start": array(start),
             "gradients": [array(grad) for grad in grads], "after": after}
        )  # fmt: skip
    write("optimizers", {"cases": cases})


# ---- A training run -------------------------------------------------------------------------------

SIZES = {"batch": 12, "inputs": 5, "hidden": 7, "classes": 3}
OPTIONS = {"lr": 0.1, "momentum": 0.9}
STEPS = 10


def network():
    return torch.nn.Sequential(
        torch.nn.Linear(SIZES["inputs"], SIZES["hidden"]),
        torch.nn.BatchNorm1d(SIZES["hidden"]),
        torch.nn.ReLU(),
        torch.nn.Linear(SIZES["hidden"], SIZES["classes"]),
    ).double()


def train(start, batches, held_out, nudge):
    model = network()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(start[name] * (1 + nudge.get(name, 0.0)))
    optimizer = torch.optim.SGD(model.parameters(), **OPTIONS)
    steps = []
    for x, targets in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), targets)
        loss.backward()
        optimizer.step()
        steps.append((loss.detach(), {key: value.clone() for key, value in model.state_dict().items()}))
    model.eval()
    return steps, model(held_out).detach()


def training():
    shapes = {name: parameter.shape for name, parameter in network().named_parameters()}
    start = {name: normal(shape, torch.float64, 0.5) for name, shape in shapes.items()}
    batches = [
        (
            normal((SIZES["batch"], SIZES["inputs"]), torch.float64),
            torch.randint(0, SIZES["classes"], (SIZES["batch"],), generator=GENERATOR),
        )
        for _ in range(STEPS)
    ]
    held_out = normal((4, SIZES["inputs"]), torch.float64)
    steps, output = train(start, batches, held_out, {})

    # How much the run magnifies an error: the largest change of anything when every start value is
    # moved by a relative 1e-9, over 1e-9. The tests' tolerance is a multiple of it.
    size = 1e-9
    nudge = {name: size * normal(shape, torch.float64) for name, shape in shapes.items()}
    moved, moved_output = train(start, batches, held_out, nudge)
    change = [(output - moved_output).abs().max()]
    for (_, a), (_, b) in zip(steps, moved):
        change += [(a[key] - b[key]).abs().max() for key in a if a[key].is_floating_point()]
    write(
        "training",
        {
            **SIZES, "options": OPTIONS, "amplification": max(c.item() for c in change) / size,
            "start": {name: array(value) for name, value in start.items()},
            "batches": [{"x": array(x), "targets": t.tolist()} for x, t in batches],
            "steps": [
                {
                    "loss": loss.item(),
                    "state": {
                        key: array(value) if value.is_floating_point() else int(value)
                        for key, value in state.items()
                    },
                }
                for loss, state in steps
            ],
            "heldOut": array(held_out), "output": array(output),
        },
    )  # fmt: skip


if __name__ == "__main__":
    batchnorm()
    layers()
    optimizers()
    training()
