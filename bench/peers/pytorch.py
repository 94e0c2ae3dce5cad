# PyTorch's side of the benchmark: one JSON command a line on stdin, one JSON answer a line on stdout.
# Turns are commanded by bench/peers/pytorch.ts, so that they interleave with ours, and timed here.
# Arrays come and go through files of raw values: the same bytes, in memory that torch allocated.
import ctypes
import json
import platform
import sys
import time

try:
    import torch
    from operations import operation
except ImportError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit(0)

DTYPES = {"float32": torch.float32, "float64": torch.float64}
WARM = torch.zeros(2**20)  # enough elements for every thread


def read(path, shape, dtype="float32"):
    count = 1
    for size in shape:
        count *= size
    kind = torch.int32 if dtype == "int32" else DTYPES[dtype]
    return torch.from_file(path, size=count, dtype=kind).clone().reshape(shape)


def batchnorm(case):
    """The call of one BatchNorm1d case, and a function that gives its output."""
    mode, shape, dtype = case["mode"], case["shape"], case["dtype"]
    last = case["layout"] == "NLC"
    x = read(case["x"], shape, dtype)
    channels = shape[2] if last else shape[1]
    bn = torch.nn.BatchNorm1d(channels, dtype=DTYPES[dtype])
    if mode in ("evaluate", "frozen"):
        bn.eval()
        bn.running_mean.copy_(read(case["runningMean"], [channels], dtype))
        bn.running_var.copy_(read(case["runningVar"], [channels], dtype))

    def forward():
        return bn(x.transpose(1, 2)).transpose(1, 2) if last else bn(x)

    if mode in ("forward", "evaluate"):

        @torch.no_grad()
        def call():
            forward()

        @torch.no_grad()
        def output():
            return forward()

        return call, output

    x.requires_grad_()
    dy = read(case["dy"], shape, dtype)
    if mode == "frozen":
        bn.requires_grad_(False)
    kept = None if mode == "forward+backward" else forward()

    def pull(y, retain):
        x.grad = bn.weight.grad = bn.bias.grad = None
        if case["sumGradient"]:
            y.sum().backward(retain_graph=retain)
        else:
            y.backward(dy, retain_graph=retain)

    def call():
        if kept is not None:
            pull(kept, True)
        else:
            pull(forward(), False)

    def output():
        call()
        return x.grad

    return call, output


def step(case):
    """The call of one whole training step, and the loss before it, without dropout."""
    batch, inputs, hidden, classes = case["shape"]
    x = read(case["x"], [batch, inputs])
    labels = read(case["labels"], [batch], "int32").long()
    weights = [
        read(case["weight1"], [hidden, inputs]),
        read(case["bias1"], [hidden]),
        read(case["weight2"], [classes, hidden]),
        read(case["bias2"], [classes]),
    ]

    def model(dropout):
        net = torch.nn.Sequential(
            torch.nn.Linear(inputs, hidden),
            torch.nn.BatchNorm1d(hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, classes),
        )
        with torch.no_grad():
            for own, given in zip([*net[0].parameters(), *net[4].parameters()], weights):
                own.copy_(given)
        return net

    net = model(case["dropout"])
    criterion = torch.nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=case["lr"], momentum=case["momentum"])

    def call():
        loss = criterion(net(x), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()

    @torch.no_grad()
    def output():
        return criterion(model(0.0)(x), labels)

    return call, output


def turn(call, calls):
    call()
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls * 1e6


def answer(command, state):
    kind = command["do"]
    if kind == "case":
        if command["mode"] in ("operation", "gradient"):
            state["call"], state["output"] = operation(command, read)
        else:
            make = step if command["mode"] == "step" else batchnorm
            state["call"], state["output"] = make(command)
        return {}
    if kind == "turn":
        if torch.get_num_threads() != command["threads"]:
            torch.set_num_threads(command["threads"])
            WARM.add_(1)  # the threads of the pool start with the first parallel loop
        return {"us": turn(state["call"], command["calls"])}
    if kind == "output":
        values = state["output"]().detach().contiguous().reshape(-1)
        with open(command["path"], "wb") as file:
            file.write(ctypes.string_at(values.data_ptr(), values.nbytes))
        return {"count": values.numel()}
    state.clear()
    return {}


state = {}
# PyTorch's own packages for x86-64 bring MKL; with another BLAS, Linear is that BLAS'.
UNUSUAL = platform.machine() in ("x86_64", "AMD64") and not torch.backends.mkl.is_available()
hello = {
    "version": torch.__version__ + (" (unusual on x86-64: built without MKL)" if UNUSUAL else ""),
    "threads": torch.get_num_threads(),
}
print(json.dumps({**hello, "python": platform.python_version()}), flush=True)
for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line), state)), flush=True)
    except Exception as error:  # the benchmark says which case it was, and goes on
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
