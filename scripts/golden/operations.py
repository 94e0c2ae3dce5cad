"""test/golden/data/operations.json: arithmetic, reductions, shapes, indexing and activations, from PyTorch in float64.

Each case names a function of `functional`, its inputs and the other arguments as JavaScript has them, and PyTorch's
result and gradients for a weighted sum of the result. Inputs are float32 values, so that one case serves both dtypes.

    python3 scripts/golden/operations.py > test/golden/data/operations.json
"""

import math

import torch
import torch.nn.functional as F

from cases import case, finish, positive, random

torch.manual_seed(20)


PAIRS = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((), (2, 3)), ((2, 3), (1,)), ((0, 3), (3,))]
for name in ("add", "sub", "mul", "div", "maximum", "minimum"):
    for left, right in PAIRS:
        a, b = random(*left), random(*right)
        if name == "div":
            b = b.sign() * (b.abs() + 0.5).float().double()
        case(name, getattr(torch, name), [a, b])
for name, right in (("add", 0.5), ("sub", 0.5), ("mul", -2.5), ("div", 4)):
    case(name, lambda x, name=name, right=right: getattr(torch, name)(x, right), [random(3, 4)], [right])
for name in ("neg", "exp", "abs", "sigmoid", "tanh"):
    case(name, getattr(torch, name), [torch.cat([random(40), torch.zeros(1, dtype=torch.float64)])])
for name in ("log", "log1p", "sqrt", "rsqrt"):
    case(name, getattr(torch, name), [positive(40)])
for p in (0, 1, 2, 3, -1, 0.5, 1.5, -2):
    case("pow", lambda x, p=p: x.pow(p), [positive(12)], [p])
for p in (2, 3, -2):
    case("pow", lambda x, p=p: x.pow(p), [-positive(12)], [p])
border = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0, 0.5], dtype=torch.float64)
case("clamp", lambda x: x.clamp(-1, 1), [border], [{"min": -1, "max": 1}])
case("clamp", lambda x: x.clamp(min=0), [border], [{"min": 0}])
case("clamp", lambda x: x.clamp(max=1), [border], [{"max": 1}])
case("clamp", lambda x: x.clamp(2, 1), [border], [{"min": 2, "max": 1}])
x = torch.cat([random(60, scale=3), border])
case("gelu", F.gelu, [x])
case("gelu", lambda x: F.gelu(x, approximate="tanh"), [x], [{"approximate": "tanh"}])
case("silu", F.silu, [x])
case("leakyRelu", F.leaky_relu, [x])
case("leakyRelu", lambda x: F.leaky_relu(x, 0.2), [x], [{"negativeSlope": 0.2}])
case("elu", F.elu, [x])
case("elu", lambda x: F.elu(x, 0.5), [x], [{"alpha": 0.5}])
case("softplus", F.softplus, [x * 10])
case("softplus", lambda x: F.softplus(x, 2, 5), [x], [{"beta": 2, "threshold": 5}])
case("hardtanh", F.hardtanh, [x])
case("hardtanh", lambda x: F.hardtanh(x, -2, 0.5), [x], [{"minVal": -2, "maxVal": 0.5}])
case("relu6", F.relu6, [x * 3])
case("logSigmoid", F.logsigmoid, [x * 10])
case("mish", F.mish, [x])
case("glu", F.glu, [random(3, 4, 6)])
case("glu", lambda x: F.glu(x, 1), [random(3, 4, 6)], [{"dim": 1}])
case("prelu", F.prelu, [random(4, 3, 5), random(3)])
case("prelu", F.prelu, [random(4, 3), random(1)])
case("prelu", F.prelu, [random(7), random(1)])
for dim in (0, 1, 2, -1):
    case("softmax", lambda x, dim=dim: F.softmax(x, dim), [random(3, 5, 4)], [{"dim": dim}])
    case("logSoftmax", lambda x, dim=dim: F.log_softmax(x, dim), [random(3, 5, 4, scale=20)], [{"dim": dim}])
DIMS = [None, 0, 1, -1, [0, 2], [1, 2], [0, 1, 2]]
for name, function in (("sum", torch.sum), ("mean", torch.mean), ("amax", torch.amax), ("amin", torch.amin), ("logsumexp", torch.logsumexp), ("var", torch.var), ("std", torch.std)):
    for dim in DIMS:
        for keepdim in (False, True):
            options = {} if dim is None else {"dim": dim}
            if keepdim:
                options["keepdim"] = True
            every = [0, 1, 2] if dim is None else dim
            case(name, lambda x, every=every, keepdim=keepdim, function=function: function(x, dim=every, keepdim=keepdim), [random(3, 4, 5)], [options])
case("var", lambda x: x.var(dim=1, correction=0), [random(3, 4)], [{"dim": 1, "correction": 0}])
case("std", lambda x: x.std(dim=1, correction=0), [random(3, 4)], [{"dim": 1, "correction": 0}])
ties = torch.tensor([[1.0, 5, 5, 2], [7, 7, 7, 7], [0, -1, -1, 0]], dtype=torch.float64)
for name, function in (("max", torch.max), ("min", torch.min)):
    for dim in (0, 1):
        case(name, lambda x, dim=dim, function=function: tuple(function(x, dim=dim)), [ties], [{"dim": dim}])
        case(name, lambda x, dim=dim, function=function: tuple(function(x, dim=dim, keepdim=True)), [random(3, 4)], [{"dim": dim, "keepdim": True}])
    case(name, lambda x, function=function: function(x), [ties])
case("amax", lambda x: x.amax(1), [ties], [{"dim": 1}])
case("argmax", lambda x: x.argmax(), [random(3, 4)])
case("argmax", lambda x: x.argmax(0), [random(3, 4)], [{"dim": 0}])
case("argmin", lambda x: x.argmin(1, keepdim=True), [random(3, 4)], [{"dim": 1, "keepdim": True}])
for dim in (0, 1, -1):
    for descending in (False, True):
        case("sort", lambda x, dim=dim, descending=descending: tuple(torch.sort(x, dim=dim, descending=descending, stable=True)), [random(4, 5, 3)], [{"dim": dim, "descending": descending}])
    for largest in (True, False):
        case("topk", lambda x, dim=dim, largest=largest: tuple(torch.topk(x, 2, dim=dim, largest=largest)), [random(4, 5, 3)], [2, {"dim": dim, "largest": largest}])
case("transpose", lambda x: x.transpose(0, 1), [random(2, 3)], [0, 1])
case("transpose", lambda x: x.transpose(-1, 0), [random(2, 3, 4)], [-1, 0])
case("transpose", lambda x: x.transpose(1, 2), [random(5, 37, 41)], [1, 2])
case("permute", lambda x: x.permute(2, 0, 1), [random(2, 3, 4)], [[2, 0, 1]])
case("permute", lambda x: x.permute(3, 1, 0, 2), [random(2, 3, 4, 5)], [[3, 1, 0, 2]])
case("squeeze", lambda x: x.squeeze(), [random(1, 3, 1)])
case("squeeze", lambda x: x.squeeze(1), [random(1, 3, 1)], [1])
case("squeeze", lambda x: x.squeeze(-1), [random(1, 3, 1)], [-1])
case("unsqueeze", lambda x: x.unsqueeze(1), [random(2, 3)], [1])
case("unsqueeze", lambda x: x.unsqueeze(-1), [random(2, 3)], [-1])
case("expand", lambda x: x.expand(4, -1, 3), [random(2, 1)], [[4, -1, 3]])
case("flip", lambda x: x.flip(0, 2), [random(2, 3, 4)], [[0, 2]])
case("flip", lambda x: x.flip(1), [random(2, 3, 4)], [1])
case("narrow", lambda x: x.narrow(1, 1, 2), [random(2, 4, 3)], [1, 1, 2])
case("narrow", lambda x: x.narrow(0, -2, 1), [random(3, 2)], [0, -2, 1])
case("narrow", lambda x: x.narrow(0, 1, 0), [random(3, 2)], [0, 1, 0])
case("split", lambda x: x.split(2, 1), [random(2, 5)], [2, {"dim": 1}])
case("split", lambda x: x.split([1, 4], -1), [random(2, 5)], [[1, 4], {"dim": -1}])
case("chunk", lambda x: x.chunk(3), [random(7, 2)], [3])
case("chunk", lambda x: x.chunk(4, 1), [random(2, 6)], [4, {"dim": 1}])
case("cat", lambda *x: torch.cat(x), [random(2, 3), random(1, 3), random(0, 3)], many=True)
case("cat", lambda *x: torch.cat(x, -1), [random(2, 3), random(2, 1)], [{"dim": -1}], many=True)
case("stack", lambda *x: torch.stack(x), [random(2, 3), random(2, 3)], many=True)
case("stack", lambda *x: torch.stack(x, -1), [random(2, 3), random(2, 3)], [{"dim": -1}], many=True)
case("pad", lambda x: F.pad(x, (1, 2)), [random(2, 3)], [[1, 2]])
case("pad", lambda x: F.pad(x, (1, 0, 2, 3), value=7), [random(2, 3)], [[1, 0, 2, 3], {"value": 7}])
case("pad", lambda x: F.pad(x, (-1, 2)), [random(2, 4)], [[-1, 2]])
for mode in ("reflect", "replicate", "circular"):
    case("pad", lambda x, mode=mode: F.pad(x, (2, 1), mode=mode), [random(2, 3, 4)], [[2, 1], {"mode": mode}])
for left, right in (((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((0, 3), (3, 4))):
    case("matmul", torch.matmul, [random(*left), random(*right)])
case("bmm", torch.bmm, [random(3, 2, 4), random(3, 4, 5)])
index = [2, 0, 2]
case("indexSelect", lambda x: x.index_select(1, torch.tensor(index)), [random(2, 3, 2)], [1, index])
case("indexSelect", lambda x: x.index_select(0, torch.tensor([], dtype=torch.long)), [random(2, 3)], [0, []])
case("normalize", F.normalize, [random(3, 4)])
case("normalize", lambda x: F.normalize(x, dim=-1), [random(3, 4, 5)], [{"dim": -1}])
case("normalize", lambda x: F.normalize(x, p=1, dim=0), [random(3, 4)], [{"p": 1, "dim": 0}])
case("normalize", lambda x: F.normalize(x, p=3.0), [random(3, 4)], [{"p": 3}])
case("normalize", F.normalize, [torch.cat([random(2, 4), torch.zeros(1, 4, dtype=torch.float64)])])

# Comparisons, masks and places: the mask or index is the last argument, as nested arrays (test/golden/operations.test.ts).
unequal = (torch.tensor([[1.0, 2.0, 2.0], [0.0, -3.0, math.nan]], dtype=torch.float64), torch.tensor([2.0, 2.0, -3.0], dtype=torch.float64))
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    case(name, getattr(torch, name), list(unequal))
    case(name, lambda x, name=name: getattr(torch, name)(x, 2), [unequal[0]], [2])
mask = [[1, 0, 0], [0, 1, 1]]
for left, right in (((2, 3), (2, 3)), ((2, 3), ()), ((1, 3), (2, 1)), ((4, 2, 3), (3,))):
    case("where", lambda a, b: torch.where(torch.tensor(mask) != 0, a, b), [random(*left), random(*right)], [mask])
case("maskedFill", lambda x: x.masked_fill(torch.tensor(mask) != 0, -7), [random(2, 3)], [-7, mask])
case("maskedFill", lambda x: x.masked_fill(torch.tensor(mask) != 0, math.pi), [random(4, 2, 3)], [math.pi, mask])
for dim, index in (
    (0, [[0, 2, 1, 1]]),
    (0, [[2, 2, 2, 0], [0, 1, 2, 0], [2, 2, 1, 0], [0, 0, 0, 0]]),
    (1, [[3, 3, 0], [1, 0, 2], [0, 0, 0]]),
    (-1, [[0, 1, 2, 3, 3, 3], [3, 2, 1, 0, 0, 0]]),
):
    case("gather", lambda x, dim=dim, index=index: x.gather(dim, torch.tensor(index)), [random(3, 4)], [dim, index])
case("gather", lambda x: x.gather(1, torch.tensor([[[1, 0], [1, 1]], [[2, 2], [0, 2]]])), [random(2, 3, 2)], [1, [[[1, 0], [1, 1]], [[2, 2], [0, 2]]]])
for dim in (0, 1, -1):
    case("indexAdd", lambda x, source, dim=dim: x.index_add(dim, torch.tensor([2, 0, 2]), source), [random(3, 3), random(3, 3)], [dim, [2, 0, 2]])
case("indexAdd", lambda x, source: x.index_add(1, torch.tensor([1, 1, 1, 0]), source), [random(2, 3, 2), random(2, 4, 2)], [1, [1, 1, 1, 0]])
case("oneHot", lambda: F.one_hot(torch.tensor([2, 0, 1, 2])), [], [[2, 0, 1, 2]])
case("oneHot", lambda: F.one_hot(torch.tensor([2, 0]), 5), [], [[2, 0], 5])
for options in ({}, {"dim": 0}, {"dim": 1, "descending": True}):
    case("argsort", lambda x, options=options: torch.argsort(x, stable=True, **options), [ties], [options])
case("topk", lambda x: tuple(each.narrow(1, 0, 3) for each in torch.sort(x, dim=1, descending=True, stable=True)), [ties], [3, {"dim": 1}])
case("flatten", lambda x: x.flatten(), [random(2, 3, 4)])
case("flatten", lambda x: x.flatten(1), [random(2, 3, 4)], [{"startDim": 1}])
case("flatten", lambda x: x.flatten(0, -2), [random(2, 3, 4)], [{"startDim": 0, "endDim": -2}])
case("reshape", lambda x: x.reshape(4, -1), [random(2, 3, 4)], [[4, -1]])

finish()
