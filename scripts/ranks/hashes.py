# PyTorch's DistributedDataParallel on the models and the data of scripts/ranks/hashes-program.mjs, on gloo: one line of JSON,
# with the sha256 of the parameters, which are written into a file. By scripts/ranks-hashes.mjs.
import hashlib
import json
import os
import sys
import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

plan = json.loads(sys.argv[1])
ROWS, FEATURES, HIDDEN, CLASSES = (plan[name] for name in ("rows", "features", "hidden", "classes"))


def values(count, seed, scale):
    """In [-scale, scale): the same numbers as those of the program."""
    at = (torch.arange(1, count + 1, dtype=torch.int64) + seed) * 2654435761 % 2**32
    at = (at ^ (at >> 15)) * 2246822519 % 2**32
    at = at ^ (at >> 13)
    return ((at.double() / 2**31 - 1) * scale).float()


def run(rank, size, file):
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=size)
    norm = (lambda channels: []) if plan["model"] == "MLP" else (lambda channels: [nn.BatchNorm1d(channels)])
    if plan["model"].startswith("Conv1d"):
        begin, wide, channels = [nn.Unflatten(1, (2, FEATURES // 2)), nn.Conv1d(2, 6, 3, padding=1)], 3 * FEATURES, 6
    else:
        begin, wide, channels = [nn.Linear(FEATURES, HIDDEN)], HIDDEN, HIDDEN
    middle = [nn.Linear(wide, HIDDEN), *norm(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES)]
    model = nn.Sequential(*begin, *norm(channels), nn.ReLU(), nn.Flatten(), *middle)
    with torch.no_grad():
        for seed, layer in enumerate(each for each in model if isinstance(each, (nn.Linear, nn.Conv1d))):
            shape = layer.weight.shape
            fan = shape.numel() // shape[0]
            layer.weight.copy_(values(shape.numel(), 1000 * (seed + 1), fan**-0.5).view(shape))
            layer.bias.zero_()
    x = values(ROWS * FEATURES, 0, 1.0).view(ROWS, FEATURES)
    y = torch.arange(ROWS) * 7 % CLASSES
    replica = DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=plan["lr"], momentum=plan["momentum"])
    batch, step = plan["batch"], 0
    share = batch // size
    while step < plan["steps"]:
        for at in range(0, ROWS, batch):
            rows = slice(at + rank * share, at + (rank + 1) * share)
            loss = nn.functional.cross_entropy(replica(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step == plan["steps"]:
                break
    if rank == 0:
        data = torch.cat([each.detach().flatten() for each in model.parameters()]).numpy().tobytes()
        found = {"torch": torch.__version__, "hash": hashlib.sha256(data).hexdigest()}
        with open(plan["out"], "wb") as out:
            out.write(data)
        print(json.dumps(found), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        # Forked: a python that a script starts is not always found again by its own path.
        given = (plan["processes"], f"{folder}/store")
        mp.start_processes(run, given, plan["processes"], start_method="fork")
