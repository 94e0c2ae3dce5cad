"""Writes what the tests of the training loop compare with: PyTorch's schedulers, optimisers, gradient norms and losses.

    python scripts/golden/loop.py [schedulers] [optimizers] [losses]       (needs PyTorch for CPU; the tests do not)

Each part has a generator of its own, seeded: one may be written again alone.
"""

import base64
import json
import pathlib
import random
import struct
import sys

import torch
from torch.optim import lr_scheduler

torch.set_num_threads(1)
DATA = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data"
STEPS = 200
STOP = 77


def write(name, content):
    text = json.dumps({"torch": torch.__version__} | content, default=plain)
    # JSON has no infinity: a best value that is none yet.
    (DATA / f"{name}.json").write_text(text.replace("-Infinity", "null").replace(": Infinity", ": null") + "\n")


def plain(value):
    return value.tolist() if isinstance(value, torch.Tensor) else value


def f64(numbers):
    return {"f64": base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()}


# ---- Schedulers -----------------------------------------------------------------------------------

CAMEL = {
    "step_size": "stepSize", "start_factor": "startFactor", "end_factor": "endFactor", "total_iters": "totalIters",
    "T_max": "tMax", "eta_min": "etaMin", "T_0": "t0", "T_mult": "tMult", "max_lr": "maxLr", "total_steps": "totalSteps",
    "pct_start": "pctStart", "anneal_strategy": "annealStrategy", "cycle_momentum": "cycleMomentum",
    "base_momentum": "baseMomentum", "max_momentum": "maxMomentum", "div_factor": "divFactor",
    "final_div_factor": "finalDivFactor", "three_phase": "threePhase", "threshold_mode": "thresholdMode",
    "base_lr": "baseLr", "step_size_up": "stepSizeUp", "step_size_down": "stepSizeDown",
    "min_lr": "minLr", "steps_per_epoch": "stepsPerEpoch",
}  # fmt: skip

# Each case: the optimiser, and schedulers that are stepped one after another (chained).
SCHEDULERS = [
    ("SGD", [("StepLR", {"step_size": 30, "gamma": 0.5})]),
    ("SGD", [("MultiStepLR", {"milestones": [20, 50, 50, 120], "gamma": 0.3})]),
    ("SGD", [("ExponentialLR", {"gamma": 0.97})]),
    ("SGD", [("LinearLR", {})]),
    ("SGD", [("LinearLR", {"start_factor": 0.1, "end_factor": 0.4, "total_iters": 60})]),
    ("SGD", [("CosineAnnealingLR", {"T_max": 200})]),
    ("SGD", [("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.001})]),
    ("SGD", [("CosineAnnealingLR", {"T_max": 1})]),
    ("SGD", [("CosineAnnealingWarmRestarts", {"T_0": 30})]),
    ("SGD", [("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 2, "eta_min": 0.002})]),
    ("SGD", [("OneCycleLR", {"max_lr": [0.4, 0.1], "total_steps": 200})]),
    ("Adam", [("OneCycleLR", {"max_lr": 0.3, "epochs": 20, "steps_per_epoch": 10, "pct_start": 0.45})]),
    ("SGD", [("OneCycleLR", {"max_lr": 0.3, "total_steps": 201, "anneal_strategy": "linear", "three_phase": True,
                             "base_momentum": 0.7, "max_momentum": [0.9, 0.8], "div_factor": 10, "final_div_factor": 50})]),
    ("SGD", [("OneCycleLR", {"max_lr": 0.3, "total_steps": 230, "cycle_momentum": False})]),
    ("SGD", [("LambdaLR", {"lambda": "rsqrt"})]),
    ("Adam", [("ReduceLROnPlateau", {"factor": 0.5, "patience": 4})]),
    ("SGD", [("ReduceLROnPlateau", {"mode": "max", "factor": 0.3, "patience": 2, "threshold": 0.05, "threshold_mode": "abs",
                                    "cooldown": 3, "min_lr": [0.001, 0.0005]})]),
    ("SGD", [("SequentialLR", {"milestones": [10, 60], "schedulers": [
        ("LinearLR", {"start_factor": 0.01, "total_iters": 10}), ("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.0005}),
        ("ExponentialLR", {"gamma": 0.99})]})]),
    ("SGD", [("SequentialLR", {"milestones": [15, 100], "schedulers": [
        ("LinearLR", {"start_factor": 0.2, "total_iters": 15}), ("CosineAnnealingWarmRestarts", {"T_0": 20, "T_mult": 2}),
        ("StepLR", {"step_size": 7, "gamma": 0.9})]})]),
    ("SGD", [("ConstantLR", {})]),
    ("SGD", [("ConstantLR", {"factor": 0.2, "total_iters": 90})]),
    ("SGD", [("MultiplicativeLR", {"lambda": "factor"})]),
    ("SGD", [("CyclicLR", {"base_lr": 0.01, "max_lr": [0.3, 0.1], "step_size_up": 17})]),
    ("Adam", [("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": 0.3, "step_size_up": 10, "step_size_down": 25, "mode": "triangular2",
                            "base_momentum": 0.7, "max_momentum": 0.95})]),
    ("SGD", [("CyclicLR", {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 20, "mode": "exp_range", "gamma": 0.98, "cycle_momentum": False})]),
    ("SGD", [("ChainedScheduler", {"schedulers": [("ConstantLR", {"factor": 0.1, "total_iters": 20}), ("ExponentialLR", {"gamma": 0.99})]})]),
    ("Adam", [("ChainedScheduler", {"schedulers": [("LinearLR", {"total_iters": 30}), ("StepLR", {"step_size": 40, "gamma": 0.5}), ("ConstantLR", {})]})]),
    ("SGD", [("SequentialLR", {"milestones": [12], "schedulers": [("ConstantLR", {"factor": 0.25, "total_iters": 30}), ("ConstantLR", {"factor": 0.5, "total_iters": 80})]})]),
    ("SGD", [("MultiplicativeLR", {"lambda": "factor"}), ("ConstantLR", {"total_iters": 100})]),
    ("SGD", [("ExponentialLR", {"gamma": 0.99}), ("StepLR", {"step_size": 25, "gamma": 0.5})]),
    ("Adam", [("CosineAnnealingLR", {"T_max": 60, "eta_min": 1e-4}), ("LinearLR", {"start_factor": 0.3, "total_iters": 40}),
              ("MultiStepLR", {"milestones": [90], "gamma": 0.2})]),
]  # fmt: skip


def scheduled(name):
    parameters = [torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2)]
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.02}]
    momentum = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(torch.optim, name)(groups, lr=0.1, **momentum)


def rsqrt(epoch):
    return 1 / (1 + epoch) ** 0.5


def factor(epoch):
    return 1 - 1 / (10 + epoch)


def scheduler(optimizer, name, options):
    if name == "MultiplicativeLR":
        return lr_scheduler.MultiplicativeLR(optimizer, factor)
    if name == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler([scheduler(optimizer, *member) for member in options["schedulers"]])
    if name == "LambdaLR":
        return lr_scheduler.LambdaLR(optimizer, rsqrt)
    if name == "SequentialLR":
        members = [scheduler(optimizer, *member) for member in options["schedulers"]]
        return lr_scheduler.SequentialLR(optimizer, members, options["milestones"])
    return getattr(lr_scheduler, name)(optimizer, **options)


def ours(name, options):
    if "schedulers" in options:
        members = [{"name": member, "options": ours(member, each)} for member, each in options["schedulers"]]
        return {**options, "schedulers": members}
    return {} if "lambda" in options else {CAMEL.get(key, key): value for key, value in options.items()}


def in_force(optimizer):
    rates = [group["lr"] for group in optimizer.param_groups]
    return rates + [group["betas"][0] if "betas" in group else group["momentum"] for group in optimizer.param_groups]


def schedulers():
    dice = random.Random(20261129)
    metrics = [1 / (1 + 0.05 * step) + dice.uniform(-0.05, 0.05) for step in range(STEPS)]
    cases = []
    for name, chain in SCHEDULERS:
        optimizer = scheduled(name)
        made = [scheduler(optimizer, *each) for each in chain]
        values = in_force(optimizer)
        stopped = None
        for step in range(STEPS):
            optimizer.step()
            for each in made:
                if isinstance(each, lr_scheduler.ReduceLROnPlateau):
                    each.step(metrics[step])
                else:
                    each.step()
            values += in_force(optimizer)
            if step + 1 == STOP:
                states = [each.state_dict() for each in made]
                stopped = json.loads(json.dumps({"optimizer": optimizer.state_dict(), "schedulers": states}, default=plain))
        chain = [{"name": each, "options": ours(each, options)} for each, options in chain]
        cases.append({"optimizer": name, "chain": chain, "values": f64(values), "stopped": stopped})
    # Fractions of epochs, and epochs out of order.
    optimizer = scheduled("SGD")
    restarts = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=3, T_mult=2, eta_min=0.01)
    epochs = [0, 0.25, 1.5, 2.999, 3, 8.5, 9, 20.75, 21, 100.125, 4, 0.5]
    values = []
    for epoch in epochs:
        restarts.step(epoch)
        values += in_force(optimizer)[:2]
    restarts.step()
    values += in_force(optimizer)[:2]
    write("schedulers", {"steps": STEPS, "stop": STOP, "metrics": metrics, "cases": cases,
                         "fractions": {"epochs": epochs, "values": values}})  # fmt: skip


# ---- Optimisers -----------------------------------------------------------------------------------

SHAPES = [[2, 3], [3], [1, 2]]
NAMES = {
    "weightDecay": "weight_decay", "momentumDecay": "momentum_decay", "decoupledWeightDecay": "decoupled_weight_decay",
    "lrDecay": "lr_decay", "initialAccumulatorValue": "initial_accumulator_value",
}  # fmt: skip
OPTIMIZERS = [
    ("RMSprop", {"lr": 0.02}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "weightDecay": 0.1, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "centered": True, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.95, "centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lrDecay": 0.2, "weightDecay": 0.05, "initialAccumulatorValue": 0.3, "eps": 1e-4}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.02}),
    ("NAdam", {"lr": 0.02, "betas": [0.8, 0.95], "weightDecay": 0.2, "momentumDecay": 0.1}),
    ("NAdam", {"lr": 0.02, "weightDecay": 0.3, "decoupledWeightDecay": True, "maximize": True, "eps": 1e-4}),
    ("LARS", {"lr": 0.5, "trustCoefficient": 0.01}),
    ("LARS", {"lr": 0.5, "trustCoefficient": 0.02, "weightDecay": 0.1, "momentum": 0.8}),
    ("LARS", {"lr": 0.5, "trustCoefficient": 0.02, "weightDecay": 0.1, "excludeOneDimensional": False, "maximize": True}),
]  # fmt: skip


class LARS(torch.optim.Optimizer):
    """You, Gitman & Ginsburg 2017, algorithm 1, with the rate where PyTorch's SGD has it."""

    def __init__(self, params, lr, weight_decay=0.0, momentum=0.9, trust=1e-3, exclude=True, maximize=False):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "trust": trust,
                                  "exclude": exclude, "maximize": maximize})  # fmt: skip

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                u = -p.grad if group["maximize"] else p.grad
                if not (group["exclude"] and p.ndim <= 1):
                    u = u + group["weight_decay"] * p
                    weight, update = p.norm(), u.norm()
                    if weight > 0 and update > 0:
                        u = u * (group["trust"] * weight / update)
                state = self.state[p]
                state["mu"] = group["momentum"] * state.get("mu", torch.zeros_like(p)) + u
                p -= group["lr"] * state["mu"]


def optimizer_of(name, options, parameters):
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.03}]
    if name == "LARS":
        names = NAMES | {"trustCoefficient": "trust", "excludeOneDimensional": "exclude"}
        return LARS(groups, **{names.get(key, key): value for key, value in options.items()})
    return getattr(torch.optim, name)(groups, **{NAMES.get(key, key): value for key, value in options.items()})


def optimizers():
    dice = random.Random(20261130)

    def numbers(shape):
        count = 1
        for size in shape:
            count *= size
        return torch.tensor([dice.uniform(-2, 2) for _ in range(count)], dtype=torch.float64).reshape(shape)

    cases = []
    for dtype_name in ("float32", "float64"):
        dtype = getattr(torch, dtype_name)
        torch.set_default_dtype(dtype)  # counts of steps and products are of this type
        for name, options in OPTIMIZERS:
            parameters = [torch.nn.Parameter(numbers(shape).to(dtype)) for shape in SHAPES]
            start = [parameter.tolist() for parameter in parameters]
            made = optimizer_of(name, options, parameters)
            gradients = [[numbers(shape).to(dtype).tolist() for shape in SHAPES] for _ in range(6)]
            gradients[0][1] = None
            after, state = [], None
            for step, each in enumerate(gradients):
                for parameter, gradient in zip(parameters, each):
                    parameter.grad = None if gradient is None else torch.tensor(gradient, dtype=dtype)
                made.step()
                after.append([parameter.tolist() for parameter in parameters])
                if step == 2:
                    state = json.loads(json.dumps(made.state_dict(), default=plain))
            case = {"name": name, "dtype": dtype_name, "options": options, "start": start, "gradients": gradients}
            cases.append(case | {"after": after} | ({} if name == "LARS" else {"state": state}))
    torch.set_default_dtype(torch.float32)

    norms = []
    for size, kind in [(3.0, 2.0), (0.5, 2.0), (1.5, 1.0), (0.75, float("inf")), (1e9, 2.0)]:
        parameters = [torch.nn.Parameter(numbers(shape)) for shape in SHAPES]
        for parameter in parameters[:2]:
            parameter.grad = numbers(list(parameter.shape))
        before = [None if each.grad is None else each.grad.tolist() for each in parameters]
        norm = torch.nn.utils.clip_grad_norm_(parameters, size, norm_type=kind).item()
        after = [None if each.grad is None else each.grad.tolist() for each in parameters]
        norms.append({"maxNorm": size, "normType": "Infinity" if kind == float("inf") else kind, "before": before,
                      "norm": norm, "after": after})  # fmt: skip
    write("optimizers-more", {"cases": cases, "norms": norms})


# ---- Losses ---------------------------------------------------------------------------------------

F = torch.nn.functional


def losses():
    dice = random.Random(20261201)

    def numbers(shape, low=-4.0, high=4.0):
        """float32 numbers in float64: both dtypes get the same."""
        count = 1
        for size in shape:
            count *= size
        values = [dice.uniform(low, high) for _ in range(count)]
        return torch.tensor(values, dtype=torch.float32).double().reshape(shape)

    def distribution(shape, dim=1):
        return torch.softmax(numbers(shape), dim).float().double()

    labels = torch.tensor([2, 0, -100, 1, 2, 0])
    whole = torch.tensor([2, 0, 1, 1, 2, 0])
    places = torch.tensor([[0, 2, 1, -100], [2, 2, 0, 1]])
    x, w = [6, 3], {"weight": numbers([3], 0.2, 2.0)}
    cases = [
        # function, tensors that get gradients, other arguments, options
        ("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [numbers([5, 3], -30, 30), numbers([5, 3], 0, 1)], [], {}),
        ("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [numbers([5, 3]), numbers([5, 3], 0, 1)], [],
         {"weight": numbers([5, 3], 0.1, 2), "pos_weight": numbers([3], 0.5, 4)}),
        ("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits,
         [torch.tensor([0.0, 700.0, -700.0, 40.0, -1e-3]).double(), torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0]).double()], [], {}),
        ("binaryCrossEntropy", F.binary_cross_entropy, [numbers([5, 3], 0.01, 0.99), numbers([5, 3], 0, 1)], [], {"weight": numbers([3], 0.1, 2)}),
        ("l1Loss", F.l1_loss, [numbers([4, 3]), numbers([4, 3])], [], {}),
        ("smoothL1Loss", F.smooth_l1_loss, [numbers([4, 3]), numbers([4, 3])], [], {"beta": 1.5}),
        ("smoothL1Loss", F.smooth_l1_loss, [numbers([4, 3]), numbers([4, 3])], [], {"beta": 0.0}),
        ("huberLoss", F.huber_loss, [numbers([4, 3]), numbers([4, 3])], [], {"delta": 0.75}),
        ("mseLoss", F.mse_loss, [numbers([4, 3]), numbers([4, 3])], [], {}),
        ("klDiv", F.kl_div, [numbers([4, 3], -5, 0), distribution([4, 3])], [], {}),
        ("klDiv", F.kl_div, [numbers([4, 3], -5, 0), numbers([4, 3], -5, 0)], [], {"log_target": True}),
        ("nllLoss", F.nll_loss, [numbers(x, -5, 0)], [labels], {}),
        ("nllLoss", F.nll_loss, [numbers(x, -5, 0)], [whole], w | {"ignore_index": 1}),
        ("nllLoss", F.nll_loss, [numbers([2, 3, 4], -5, 0)], [places], w),
        ("crossEntropy", F.cross_entropy, [numbers(x)], [labels], {}),
        ("crossEntropy", F.cross_entropy, [numbers(x)], [labels], w),
        ("crossEntropy", F.cross_entropy, [numbers(x)], [labels], {"label_smoothing": 0.2}),
        ("crossEntropy", F.cross_entropy, [numbers(x)], [whole], w | {"label_smoothing": 0.3, "ignore_index": 0}),
        ("crossEntropy", F.cross_entropy, [numbers([2, 3, 4])], [places], w | {"label_smoothing": 0.1}),
        ("crossEntropy", F.cross_entropy, [numbers(x), distribution(x)], [], {}),
        ("crossEntropy", F.cross_entropy, [numbers(x), distribution(x)], [], w | {"label_smoothing": 0.25}),
        ("crossEntropy", F.cross_entropy, [numbers([2, 3, 4]), distribution([2, 3, 4])], [], w),
        ("cosineEmbeddingLoss", F.cosine_embedding_loss, [numbers([6, 4]), numbers([6, 4])], [torch.tensor([1, -1, 1, -1, -1, 1])], {"margin": 0.1}),
        ("tripletMarginLoss", F.triplet_margin_loss, [numbers([6, 4]), numbers([6, 4]), numbers([6, 4])], [], {"margin": 2.0}),
        ("tripletMarginLoss", F.triplet_margin_loss, [numbers([6, 4]), numbers([6, 4]), numbers([6, 4])], [], {"margin": 3.0, "swap": True, "p": 1}),
        ("cosineSimilarity", F.cosine_similarity, [numbers([3, 4, 2]), numbers([3, 4, 2])], [], {"dim": -2}),
        ("cosineSimilarity", F.cosine_similarity, [(numbers([3, 4]) * 1e-3).float().double(), numbers([3, 4])], [], {"eps": 0.01}),
    ]  # fmt: skip
    names = {"pos_weight": "posWeight", "log_target": "logTarget", "ignore_index": "ignoreIndex", "label_smoothing": "labelSmoothing"}
    written = []
    for name, function, tensors, others, options in cases:
        reductions = {"cosineSimilarity": [None], "klDiv": ["mean", "batchmean", "sum", "none"]}.get(name, ["mean", "sum", "none"])
        runs = []
        for reduction in reductions:
            leaves = [each.clone().requires_grad_() for each in tensors]
            keywords = options if reduction is None else options | {"reduction": reduction}
            y = function(*leaves, *others, **keywords)
            outer = numbers(list(y.shape))
            y.backward(outer)
            runs.append({"reduction": reduction, "value": y.detach(), "outer": outer, "gradients": [each.grad for each in leaves]})
        shaped = [{"shape": list(each.shape), "data": each.flatten()} for each in tensors]
        ours = {names.get(key, key): value for key, value in options.items()}
        written.append({"name": name, "tensors": shaped, "others": [each.flatten() for each in others],
                        "outer": [list(each.shape) for each in others], "options": ours, "runs": runs})  # fmt: skip
    write("losses", {"cases": written})


if __name__ == "__main__":
    for part in sys.argv[1:] or ["schedulers", "optimizers", "losses"]:
        globals()[part]()
