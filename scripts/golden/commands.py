"""Writes test/golden/data/commands.json: random sequences of what PyTorch's BatchNorm1d can be told, and
what it has computed and kept after each command. test/golden/commands.test.ts gives the same commands to ours.

    python scripts/golden/commands.py            (needs PyTorch for CPU; the tests do not)

float64, one thread, one seeded generator. Three commands have no name in PyTorch and stand for what a
PyTorch user would write instead: "frozen" runs the module in evaluation, "virtual" runs the concatenation
of the micro-batches for the state alone, "padded" runs the values without their padding.
"""

import json
import pathlib
import random

import torch

torch.set_num_threads(1)
FILE = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data" / "commands.json"
SEQUENCES, MOST, CHANNELS = 200, 14, 2
dice = random.Random(20261124)


def numbers(tensor):
    return None if tensor is None else tensor.detach().double().flatten().tolist()


def batch(samples):
    return [[dice.randint(-40, 40) / 4 for _ in range(CHANNELS)] for _ in range(samples)]


def state(module):
    return [numbers(module.running_mean), numbers(module.running_var), int(module.num_batches_tracked)]


def run(module, rows):
    """y and all gradients for [n, C] rows; dy counts 1, 2, 3, ..."""
    x = torch.tensor(rows, dtype=torch.float64).reshape(-1, CHANNELS).requires_grad_()
    module.zero_grad()
    y = module(x)
    if y.requires_grad:
        y.backward(torch.arange(1, y.numel() + 1, dtype=torch.float64).reshape(y.shape))
    grads = [p.grad for p in (module.weight, module.bias) if p is not None]
    return [numbers(y), numbers(x.grad), *[numbers(g) for g in grads]]


def command(module):
    """One random command, done: [name, argument, outputs or None]."""
    name = dice.choice(["forward"] * 6 + ["padded", "virtual", "frozen", "mode", "track", "momentum", "reset", "load", "affine"])
    if name == "forward":
        rows = batch(dice.choice([0, 2, 3, 5]) if module.training else dice.choice([0, 1, 2, 4]))
        return [name, rows, run(module, rows)]
    if name == "padded":
        lengths = [dice.randint(0, 3), dice.randint(1, 3), dice.randint(1, 3)]
        rows = batch(sum(lengths))
        x = torch.tensor(rows, dtype=torch.float64).reshape(1, -1, CHANNELS).transpose(1, 2).contiguous()
        return [name, [lengths, rows], [numbers(module(x)[0].t())]]
    if name == "virtual":
        parts = [batch(dice.randint(2, 4)) for _ in range(dice.randint(1, 4))]
        before = module.training
        module.train()(torch.tensor(sum(parts, []), dtype=torch.float64))
        module.train(before)
        return [name, parts, None]
    if name == "frozen":
        before, rows = module.training, batch(dice.randint(1, 3))
        outputs = run(module.eval(), rows)
        module.train(before)
        return [name, rows, outputs]
    if name == "mode":
        module.train(dice.random() < 0.7)
        return [name, module.training, None]
    if name == "track":
        module.track_running_stats = dice.random() < 0.7
        return [name, module.track_running_stats, None]
    if name == "momentum":
        module.momentum = dice.choice([0.1, 0.3, 1.0, 0.0, None])
        return [name, module.momentum, None]
    if name == "reset":
        if module.track_running_stats:
            module.reset_running_stats()
        return [name, module.track_running_stats, None]
    if name == "load":
        values, count = batch(4), dice.choice([0, 3, None] if module.track_running_stats else [0, 3])
        values[3] = [abs(v) for v in values[3]]
        keys = ["weight", "bias", "running_mean", "running_var"]
        loaded = {key: torch.tensor(value, dtype=torch.float64) for key, value in zip(keys, values)}
        if count is not None:
            loaded["num_batches_tracked"] = torch.tensor(count)
        module.load_state_dict(loaded)
        return [name, [values, count], None]
    with torch.no_grad():
        values = batch(2)
        module.weight.copy_(torch.tensor(values[0]))
        module.bias.copy_(torch.tensor(values[1]))
    return [name, values, None]


def sequence():
    eps, momentum = dice.choice([1e-5, 0.5]), dice.choice([0.1, None])
    module = torch.nn.BatchNorm1d(CHANNELS, eps=eps, momentum=momentum, dtype=torch.float64)
    steps = []
    for _ in range(dice.randint(3, MOST)):
        steps.append([*command(module), state(module)])
    return {"eps": eps, "momentum": momentum, "steps": steps}


content = {"torch": torch.__version__, "sequences": [sequence() for _ in range(SEQUENCES)]}
text = json.dumps(content, separators=(",", ":"))
FILE.write_text(text + "\n")
print(f"{FILE.name}: {len(text)} bytes, {sum(len(s['steps']) for s in content['sequences'])} commands")
