# PyTorch's side of the operations that are measured one by one: the names of bench/operations.ts.
import math

import torch
import torch.nn.functional as F


def normalized(o):
    return F.batch_norm(o.x, None, None, o.row, o.row, training=True)


OPERATIONS = {
    "neg": lambda o: -o.x,
    "abs": lambda o: o.x.abs(),
    "exp": lambda o: o.x.exp(),
    "clamp": lambda o: o.x.clamp(-1, 1),
    "relu": lambda o: F.relu(o.x),
    "addNumber": lambda o: o.x + 0.5,
    "mulNumber": lambda o: o.x * 0.5,
    "square": lambda o: o.x.pow(2),
    "sqrt": lambda o: o.x.sqrt(),
    "rsqrt": lambda o: o.x.rsqrt(),
    "log": lambda o: o.x.log(),
    "log1p": lambda o: o.x.log1p(),
    "pow": lambda o: o.x.pow(2.5),
    "cube": lambda o: o.x.pow(3),
    "reciprocal": lambda o: o.x.pow(-1),
    "sigmoid": lambda o: o.x.sigmoid(),
    "tanh": lambda o: o.x.tanh(),
    "silu": lambda o: F.silu(o.x),
    "gelu": lambda o: F.gelu(o.x),
    "geluTanh": lambda o: F.gelu(o.x, approximate="tanh"),
    "softplus": lambda o: F.softplus(o.x),
    "elu": lambda o: F.elu(o.x),
    "logSigmoid": lambda o: F.logsigmoid(o.x),
    "mish": lambda o: F.mish(o.x),
    "leakyRelu": lambda o: F.leaky_relu(o.x),
    "hardtanh": lambda o: F.hardtanh(o.x),
    "add": lambda o: o.x + o.other,
    "mul": lambda o: o.x * o.other,
    "div": lambda o: o.x / o.other,
    "maximum": lambda o: torch.maximum(o.x, o.other),
    "gt": lambda o: o.x > o.other,
    "where": lambda o: torch.where(o.mask, o.x, o.other),
    "addRow": lambda o: o.x + o.row,
    "mulColumn": lambda o: o.x * o.column,
    "normSilu": lambda o: F.silu(normalized(o)),
    "normSiluApart": lambda o: F.silu(normalized(o)),
    "normLeakyRelu": lambda o: F.leaky_relu(normalized(o)),
    "normLeakyReluApart": lambda o: F.leaky_relu(normalized(o)),
    "softmax": lambda o: F.softmax(o.x, 1),
    "logSoftmax": lambda o: F.log_softmax(o.x, 1),
    "logsumexp": lambda o: o.x.logsumexp(1),
    "sum": lambda o: o.x.sum(),
    "sumRows": lambda o: o.x.sum(1),
    "sumColumns": lambda o: o.x.sum(0),
    "sumMiddle": lambda o: o.x.reshape(8, -1, 256).sum(1),
    "meanRows": lambda o: o.x.mean(1),
    "varRows": lambda o: o.x.var(1),
    "varColumns": lambda o: o.x.var(0),
    "amaxRows": lambda o: o.x.amax(1),
    "amaxColumns": lambda o: o.x.amax(0),
    "maxRows": lambda o: o.x.max(1).values,
    "argmaxRows": lambda o: o.x.argmax(1),
    "maxPool2": lambda o: F.max_pool1d(o.x, 2),
    "maxPool4": lambda o: F.max_pool1d(o.x, 4),
    "maxPool3Stride2": lambda o: F.max_pool1d(o.x, 3, stride=2),
    "avgPool2": lambda o: F.avg_pool1d(o.x, 2),
    "avgPool4": lambda o: F.avg_pool1d(o.x, 4),
    "embedding": lambda o: F.embedding(o.index, o.x),
}


class Operands:
    def __init__(self, x, other):
        self.x = x
        self.other = other
        self.row = other[0].clone()
        self.column = other[:, :1].clone()
        self.mask = other > 0
        first = other.flatten(0, -2)[:, 0].double()
        self.index = ((first + 2) / 4 * len(first)).floor().long() % len(first)


def convolution(case, read):
    """The same of a convolution: bench/convolutions.ts says how weights are filled."""
    sizes, options = case["convolution"]["weight"], case["convolution"].get("options", {})
    x, dy = read(case["x"], case["shape"]), read(case["dy"], case["shape"]).flatten()

    def filled(shape, factor):
        count = math.prod(shape)
        return dy.repeat(-(-count // dy.numel()))[:count].reshape(shape) * factor

    weight = filled(sizes, 2.0 ** -math.ceil(math.log2(sizes[1] * sizes[2]) / 2))
    bias = filled(sizes[:1], 1)
    if case["mode"] == "operation":

        @torch.no_grad()
        def forward():
            return F.conv1d(x, weight, bias, **options)

        return forward, forward
    leaves = [each.requires_grad_() for each in (x, weight, bias)]
    y = F.conv1d(*leaves, **options)
    given = filled(y.shape, 1)

    def backward():
        for each in leaves:
            each.grad = None
        y.backward(given, retain_graph=True)

    def gradient():
        backward()
        return x.grad

    return backward, gradient


def operation(case, read):
    """The call of one operation, forward or backward, and a function that gives its output."""
    if case.get("convolution"):
        return convolution(case, read)
    run = OPERATIONS[case["operation"]]
    o = Operands(read(case["x"], case["shape"]), read(case["dy"], case["shape"]))
    if case["mode"] == "operation":

        @torch.no_grad()
        def forward():
            return run(o)

        return forward, lambda: forward().to(torch.float32)
    o.x.requires_grad_()
    y = run(o)
    given = o.other.flatten()[: y.numel()].reshape(y.shape)

    def backward():
        o.x.grad = None
        y.backward(given, retain_graph=True)

    def gradient():
        backward()
        return o.x.grad

    return backward, gradient
