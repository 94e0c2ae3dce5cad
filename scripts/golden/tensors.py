"""test/golden/data/tensors.json: norms, distances, similarities that broadcast, masks, and what tensors are asked and cut to, from PyTorch in float64.

    python3 scripts/golden/tensors.py > test/golden/data/tensors.json
"""

import torch
import torch.nn.functional as F

from cases import case, finish, random

torch.manual_seed(24)

INFINITY = float("inf")
corners = torch.tensor([[0.0, 0, 0], [3, -4, 0], [-2, 2, 2], [0, 0, 1e-3]], dtype=torch.float64).float().double()
for x in (random(3, 4), corners):
    case("norm", lambda x: x.norm(), [x])
    for dim in (0, 1, -1):
        for p in (1, 2, 3, 1.5, 0.5):
            case("norm", lambda x, p=p, dim=dim: x.norm(p, dim), [x], [p, dim])
        case("largest", lambda x, dim=dim: x.norm(INFINITY, dim), [x], [{"dim": dim}])
    case("norm", lambda x: x.norm(2, 1, True), [x], [2, 1, True])
    case("norm", lambda x: x.norm(1), [x], [1])
case("norm", lambda x: torch.linalg.vector_norm(x, 2, (0, 2)), [random(2, 3, 4)], [{"dim": [0, 2]}])
case("norm", lambda x: torch.linalg.vector_norm(x, 3, (0, 2), keepdim=True), [random(2, 3, 4)], [3, {"dim": [0, 2], "keepdim": True}])
case("norm", lambda x: x.norm(dim=1), [random(2, 0)], [{"dim": 1}])

rows = random(5, 3)
for p in (1, 2, 3):
    case("cdist", lambda a, b, p=p: torch.cdist(a, b, p, compute_mode="donot_use_mm_for_euclid_dist"), [rows, random(4, 3)], [{"p": p}])
case("cdist", lambda a, b: torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist"), [rows, rows[:2]])
case("cdist", torch.cdist, [random(2, 3, 4), random(5, 4)])
case("cdist", torch.cdist, [random(2, 1, 3, 4), random(3, 2, 4)])
case("cdist", torch.cdist, [random(0, 4), random(2, 4)])

for left, right, dim in (((2, 1, 4), (3, 4), -1), ((4,), (3, 4), 1), ((2, 3, 1), (2, 1, 3), 0), ((3, 1), (3, 4), 1)):
    case("cosineSimilarity", lambda a, b, dim=dim: F.cosine_similarity(a, b, dim), [random(*left), random(*right)], [dim])

case("maskedSelect", lambda x: x.masked_select(x > 0), [random(4, 5)])
case("negativeColumns", lambda x: x.masked_select(x[0] < 0), [random(4, 5)])
case("selectedOfRow", lambda x: x.masked_select(torch.tensor([[True], [False], [True]])), [random(4)])
case("placesAbove", lambda x: (x > 0.5).nonzero(), [random(2, 3, 4)])
case("nonzero", torch.nonzero, [torch.tensor([[0.0, 2, float("nan")], [0, -0.0, 1]], dtype=torch.float64)])

for dim, index in ((0, 1), (1, -1), (-1, 0)):
    case("select", lambda x, dim=dim, index=index: x.select(dim, index), [random(3, 4)], [dim, index])
case("select", lambda x: x.select(1, 2), [random(2, 3, 4)], [1, 2])
case("select", lambda x: x[0], [random(3)], [0, 0])
case("unbind", torch.unbind, [random(3, 2)])
case("unbind", lambda x: x.unbind(1), [random(2, 3, 4)], [1])
case("unbind", lambda x: x.unbind(-1), [random(2, 3)], [{"dim": -1}])
for shape in ((2, 3), (4,), ()):
    case("t", torch.t, [random(*shape)])
case("mm", torch.mm, [random(3, 4), random(4, 2)])
case("mm", torch.mm, [random(3, 0), random(0, 2)])
case("dot", torch.dot, [random(5), random(5)])
case("dot", torch.dot, [random(0), random(0)])
case("outer", torch.outer, [random(3), random(4)])
for shape, sizes in (((2, 3), (2, 1)), ((2, 3), (3, 1, 2)), ((4,), (2, 3)), ((), (3,)), ((1, 3), (4, 2)), ((2, 1, 3), (1, 1, 1)), ((2, 3), (2, 0)), ((3,), (1, 1, 2))):
    case("repeat", lambda x, sizes=sizes: x.repeat(sizes), [random(*shape)], [list(sizes)])
for shape, sizes in (((2, 3), (2,)), ((2, 3), (3, 1, 2)), ((4,), (2, 3)), ((), (3,)), ((2, 3), ())):
    case("tile", lambda x, sizes=sizes: x.tile(sizes), [random(*shape)], [list(sizes)])
bounds = torch.tensor([-2.0, -1, -0.5, 0, 0.5, 2, 3], dtype=torch.float64)
case("clip", lambda x: x.clip(-1, 2), [bounds], [{"min": -1, "max": 2}])
case("clip", lambda x: x.clip(max=0), [bounds], [{"max": 0}])

odd = torch.tensor([[0.0, -0.0, INFINITY], [-INFINITY, float("nan"), 1e-30], [1, 2, 3]], dtype=torch.float64)
for name in ("isnan", "isinf", "isfinite"):
    case(name, getattr(torch, name), [odd])
for name in ("any", "all"):
    of = getattr(torch, name)
    case(name, of, [odd])
    for dim in (0, 1, -1):
        case(name, lambda x, of=of, dim=dim: of(x, dim), [odd], [dim])
        case(name, lambda x, of=of, dim=dim: of(x, dim, keepdim=True), [odd], [dim, True])
    case(name, lambda x, of=of: of(x, (0, 2)), [(random(3, 2, 4) > 1).double()], [[0, 2]])
    case(name, of, [random(0)])
    case(name, lambda x, of=of: of(x, 1), [random(2, 0)], [1])

halves = torch.tensor([-2.5, -1.5, -1.2, -0.5, -0.3, -0.0, 0.0, 0.3, 0.5, 0.7, 1.5, 2.5, 2.0**23 - 0.5, 2.0**23 + 1, -(2.0**22) - 0.5, 3e30, INFINITY, -INFINITY, float("nan")], dtype=torch.float64)
for name in ("floor", "ceil", "round", "trunc", "sign"):
    case(name, getattr(torch, name), [halves])
    case(name, getattr(torch, name), [random(3, 4, scale=40)])
    # Signs of zeros: 1 / -0 is -Infinity.
    case("over " + name, lambda x, name=name: 1 / getattr(torch, name)(x), [halves[2:10]])
for shape, dim in (((5,), 0), ((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((), 0), ((0, 2), 0), ((2, 0), 0)):
    case("cumsum", lambda x, dim=dim: x.cumsum(dim), [random(*shape)], [dim])

CLOSE = [
    ([1.0, 2.0], [1.0, 2.0], {}),
    ([1.0, 2.0], [1.0, 2.00001], {}),
    ([1.0, 2.0], [1.0, 2.0001], {}),
    ([0.0], [1e-9], {}),
    ([0.0], [1e-7], {}),
    ([0.0], [1e-7], {"atol": 1e-6}),
    ([100.0], [101.0], {"rtol": 0.01}),
    ([101.0], [100.0], {"rtol": 0.01}),
    ([101.0], [100.0], {"rtol": 0.0099}),
    ([INFINITY, -INFINITY], [INFINITY, -INFINITY], {}),
    ([INFINITY], [-INFINITY], {}),
    ([1.0], [INFINITY], {"atol": 1e300}),
    ([INFINITY], [1.0], {}),
    ([float("nan")], [float("nan")], {}),
    ([float("nan")], [float("nan")], {"equal_nan": True}),
    ([float("nan")], [1.0], {"equal_nan": True}),
    ([[1.0], [1.0]], [1.0, 1.0, 1.0], {}),
    ([[1.0], [2.0]], [1.0, 1.0, 1.0], {}),
]
for a, b, options in CLOSE:
    left, right = (torch.tensor(each, dtype=torch.float64) for each in (a, b))
    names = {"equalNan" if name == "equal_nan" else name: value for name, value in options.items()}
    case("allclose", lambda a, b, options=options: torch.tensor(torch.allclose(a, b, **options)), [left, right], [names])
    case("equal", lambda a, b: torch.tensor(torch.equal(a, b)), [left, right])

for start, end, steps in ((0, 1, 5), (-3, 10, 7), (2, -2, 8), (5, 9, 1), (1, 2, 0), (0.1, 0.7, 2), (-1e-3, 1e3, 11)):
    case("linspace", lambda start=start, end=end, steps=steps: torch.linspace(start, end, steps, dtype=torch.float64), [], [start, end, steps])

finish()
