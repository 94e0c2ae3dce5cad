# PyTorch's side of bench/training-steps.ts: one JSON command a line on stdin, one JSON answer a line on stdout.
import json
import sys
import time

import torch
from models import M5, PointNet, SpamNet
from torch.nn import functional as F


def waves(*shape):
    count = 1
    for size in shape:
        count *= size
    index = torch.arange(count, dtype=torch.float64)
    return (index * index).sin().float().reshape(shape)


def classes(count, most):
    return (torch.arange(count) * 7919) % most


def of(name):
    """A function that makes one training step."""
    torch.manual_seed(0)
    if name == "PointNet":
        model, x, t = PointNet(), waves(256, 2, 96), classes(256, 10)
        optimizer = torch.optim.Adam(model.parameters())
        loss_of = lambda: F.cross_entropy(model(x), t)
    elif name == "M5":
        model, x, t = M5(), waves(128, 1, 8000), classes(128, 35)
        optimizer = torch.optim.Adam(model.parameters())
        loss_of = lambda: F.nll_loss(model(x), t)
    else:
        model, x = SpamNet(), classes(64 * 1024, 257).reshape(64, 1024)
        t = classes(64, 2).float().reshape(64, 1)
        optimizer = torch.optim.AdamW(model.parameters())
        loss_of = lambda: F.binary_cross_entropy_with_logits(model(x), t)

    def step():
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


step = None
for line in sys.stdin:
    command = json.loads(line)
    answer = {}
    if command["do"] == "hello":
        answer = {"version": torch.__version__}
    elif command["do"] == "model":
        step = of(command["name"])
    else:
        torch.set_num_threads(command["threads"])
        start = time.perf_counter()
        for _ in range(command["steps"]):
            step()
        answer = {"ms": 1000 * (time.perf_counter() - start) / command["steps"]}
    print(json.dumps(answer), flush=True)
