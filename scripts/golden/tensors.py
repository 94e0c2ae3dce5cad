"""test/golden/data/tensors.json: norms, distances, similarities that broadcast, and masks, from PyTorch in float64.

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

finish()
