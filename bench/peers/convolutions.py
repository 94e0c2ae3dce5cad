# PyTorch's side of bench/alone/convolutions.ts: one JSON command a line on stdin, one JSON answer a line on stdout.
import json
import sys
import time

import torch
import torch.nn.functional as F


def waves(shape):
    count = 1
    for size in shape:
        count *= size
    return torch.arange(count, dtype=torch.float64).mul(0.37).sin().float().reshape(shape)


def calls(shape, weight, options):
    """The forward and the backward of a convolution."""
    x, w, b = (waves(size).requires_grad_() for size in (shape, weight, weight[:1]))
    y = F.conv1d(x, w, b, **options)
    dy = waves(list(y.shape))

    def forward():
        with torch.no_grad():
            F.conv1d(x, w, b, **options)

    def backward():
        torch.autograd.grad(y, [x, w, b], dy, retain_graph=True)

    return {"forward": forward, "backward": backward}


of = None
for line in sys.stdin:
    command = json.loads(line)
    answer = {"version": torch.__version__}
    if command["do"] == "shape":
        of = calls(command["shape"], command["weight"], command["options"])
    elif command["do"] == "turn":
        torch.set_num_threads(command["threads"])
        call = of[command["pass"]]
        call()
        times = []
        end = time.perf_counter() + command["ms"] / 1e3
        while len(times) < 5 or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            times.append(1e6 * (time.perf_counter() - start))
        answer = {"times": times}
    print(json.dumps(answer), flush=True)
