"""Writes test/golden/data/architectures/: for each of architecture_models.py a checkpoint of PyTorch, and what comes of it.

    python3 scripts/golden/architectures.py

NAME.pt is what `torch.save(model.state_dict(), …)` writes: random weights, running statistics that three batches have
moved. NAME.json has inputs, and in float64 what PyTorch computes of both: the outputs in evaluation, then one training
step: outputs, loss, gradients, and the whole state after the optimiser.

`moved` beside each result says how far roundings can move it: the largest change, in units of one rounding, over DRAWS
runs in which every weight, every output of a layer and every gradient of a layer's input is off by up to one rounding of
its largest value.
"""

import base64
import json
import pathlib

import numpy as np
import torch

from architecture_models import MODELS

torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data" / "architectures"
DRAWS = 8
ROUNDING = 2.0**-40
"""Small enough that nothing passes a corner, large enough to stand out of float64's own roundings."""
MOST = 16
"""Roundings that a float32 step of PyTorch's own may be off by, in units of `moved`; a seed where it is more is not taken."""

OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-3}),
    "Adam": (torch.optim.Adam, {"lr": 0.01, "eps": 1e-3}),
    "AdamW": (torch.optim.AdamW, {"lr": 0.01, "eps": 1e-3, "weight_decay": 0.1}),
}


def spread(tensor, generator):
    """Off by up to one rounding of the largest value."""
    noise = torch.rand(tensor.shape, generator=generator, dtype=torch.float64).to(tensor.dtype) * 2 - 1
    return tensor + noise * ROUNDING * tensor.abs().max() if tensor.numel() else tensor


def disturb(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(spread(parameter, generator))
    for module in model.modules():
        if next(module.children(), None) is not None:
            continue
        module.register_forward_hook(lambda _, __, y: spread(y, generator))
        module.register_full_backward_hook(lambda _, gradients, __: tuple(spread_gradient(g, generator) for g in gradients))


def spread_gradient(gradient, generator):
    return gradient if gradient is None or not gradient.is_floating_point() else spread(gradient, generator)


def results(make, state, run, inputs, optimizer, dtype, seed=None):
    """Everything that is compared, by name."""
    model = make().to(dtype)
    model.load_state_dict(state)
    if seed is not None:
        disturb(model, seed)
    given = [each.to(dtype) if each.is_floating_point() else each for each in inputs]
    found = {}
    with torch.no_grad():
        for i, y in enumerate(run(model.eval(), *given)[0]):
            found[f"evaluated {i}"] = y
    outputs, loss = run(model.train(), *given)
    found.update({f"trained {i}": y for i, y in enumerate(outputs)})
    found["loss"] = loss
    kind, options = OPTIMIZERS[optimizer]
    learned = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    steps = kind(learned.values(), **options)
    loss.backward()
    found.update({f"gradient {name}": p.grad.clone() for name, p in learned.items() if p.grad is not None})
    steps.step()
    found.update({f"after {name}": each.clone() for name, each in model.state_dict().items()})
    return {name: each.detach().double() for name, each in found.items()}


def moved_statistics(model, run, make_inputs):
    model.train()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm1d) and module.affine:
            if module.weight.requires_grad:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            if module.bias.requires_grad:
                torch.nn.init.normal_(module.bias, std=0.3)
    with torch.no_grad():
        for _ in range(3):
            run(model, *[each() for each in make_inputs])


def encode(tensor):
    kind = {"f64": np.float64, "f32": np.float32}["f64" if tensor.dtype == torch.float64 else "f32"]
    name = "f64" if kind is np.float64 else "f32"
    return {name: base64.b64encode(np.ascontiguousarray(tensor.numpy(), dtype=kind).tobytes()).decode()}


def write(index, name, make, run, make_inputs):
    optimizer = list(OPTIMIZERS)[index % len(OPTIMIZERS)]
    for seed in range(100 * index, 100 * index + 100):
        torch.manual_seed(seed)
        model = make()
        moved_statistics(model, run, make_inputs)
        state = {key: value.clone() for key, value in model.state_dict().items()}
        inputs = [each() for each in make_inputs]
        want = results(make, state, run, inputs, optimizer, torch.float64)
        moved = dict.fromkeys(want, 0.0)
        for draw in range(DRAWS):
            other = results(make, state, run, inputs, optimizer, torch.float64, draw)
            for key, value in other.items():
                moved[key] = max(moved[key], ((value - want[key]).abs().max() / ROUNDING).item())
        single = results(make, state, run, inputs, optimizer, torch.float32)
        worst = max(off(single[key], want[key], moved[key]) for key in want)
        if worst <= MOST:
            break
        print(f"{name}: seed {seed} is off by {worst:.3g}")
    else:
        raise SystemExit(f"{name}: no seed is within {MOST}")
    torch.save(model.state_dict(), FOLDER / f"{name}.pt")
    content = {
        "torch": torch.__version__,
        "optimizer": optimizer,
        "options": {{"weight_decay": "weightDecay"}.get(key, key): value for key, value in OPTIMIZERS[optimizer][1].items()},
        "inputs": [
            {"shape": list(each.shape), **(encode(each) if each.is_floating_point() else {"integers": each.flatten().tolist()})}
            for each in inputs
        ],
        "results": {
            key: {"shape": list(value.shape), "moved": float(f"{moved[key]:.3g}"), **encode(value)} for key, value in want.items()
        },
    }
    text = json.dumps(content, separators=(",", ":")) + "\n"
    (FOLDER / f"{name}.json").write_text(text)
    parameters = sum(each.numel() for each in model.parameters())
    size = len(text) + (FOLDER / f"{name}.pt").stat().st_size
    print(f"{name}: {parameters} parameters, {size} bytes, float32 of PyTorch off by {worst:.2f}")


def off(got, want, moved):
    error = (got - want).abs().max().item()
    unit = moved * 2.0**-24 + want.abs().max().item() * 2.0**-24
    return error / unit if unit > 0 else (0.0 if error == 0 else float("inf"))


FOLDER.mkdir(parents=True, exist_ok=True)
for index, (name, (make, run, make_inputs)) in enumerate(MODELS.items()):
    write(index, name, make, run, make_inputs)
