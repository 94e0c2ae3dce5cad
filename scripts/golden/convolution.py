"""test/golden/data/convolution.json: convolutions, pooling, norms by sample and interpolation, from PyTorch in float64.

    python3 scripts/golden/convolution.py > test/golden/data/convolution.json
"""

import torch
import torch.nn.functional as F

from cases import case, finish, random

torch.manual_seed(21)


def camel(options):
    names = {"output_padding": "outputPadding", "ceil_mode": "ceilMode", "count_include_pad": "countIncludePad",
             "scale_factor": "scaleFactor", "align_corners": "alignCorners"}
    return {names.get(name, name): value for name, value in options.items()}


def conv(n, c, out, k, l, bias=True, **options):
    groups = options.get("groups", 1)
    x = random(n, c, l) if n else random(c, l)
    weight = random(out, c // groups, k, scale=0.5)
    inputs = [x, weight] + ([random(out)] if bias else [])
    more = [camel(options)] if bias else [None, camel(options)]
    case("conv1d", lambda x, w, b=None: F.conv1d(x, w, b, **options), inputs, more)


conv(2, 3, 4, 3, 8)
conv(2, 3, 4, 3, 8, bias=False)
conv(0, 3, 4, 3, 8)
conv(2, 3, 5, 1, 7)
conv(1, 1, 1, 1, 1)
conv(3, 4, 6, 5, 16, stride=2, padding=3)
conv(3, 4, 6, 4, 17, stride=3, padding=1, dilation=2)
conv(2, 6, 9, 3, 11, groups=3, padding=2)
conv(2, 6, 6, 3, 11, groups=6, padding=1)
conv(2, 6, 12, 5, 21, groups=6, padding=4, dilation=2, stride=1)
conv(2, 6, 6, 4, 13, groups=6, padding=1, stride=2)
conv(2, 3, 4, 3, 9, padding="same")
conv(2, 3, 4, 4, 9, padding="same", dilation=3)
conv(2, 3, 4, 4, 9, padding="valid", dilation=2)
conv(2, 3, 4, 3, 2, padding=6, dilation=3)
conv(2, 1, 8, 20, 120, stride=4, padding=2)
conv(2, 20, 33, 3, 40, padding=1)


def transposed(n, c, out, k, l, bias=True, **options):
    groups = options.get("groups", 1)
    inputs = [random(n, c, l), random(c, out // groups, k, scale=0.5)] + ([random(out)] if bias else [])
    more = [camel(options)] if bias else [None, camel(options)]
    case("convTranspose1d", lambda x, w, b=None: F.conv_transpose1d(x, w, b, **options), inputs, more)


transposed(2, 3, 4, 3, 5)
transposed(2, 3, 4, 3, 5, bias=False, stride=2)
transposed(2, 3, 4, 4, 5, stride=2, padding=1)
transposed(2, 4, 6, 3, 5, stride=3, padding=2, output_padding=2, groups=2)
transposed(2, 4, 6, 3, 5, dilation=3, output_padding=1, groups=2)
transposed(2, 4, 4, 3, 5, groups=4, padding=1)

spread = torch.arange(1, 31, dtype=torch.float64)[torch.randperm(30)]
ties = torch.tensor([1.0, 3, 3, 2, 2, 2, -1, 4, 4, 0]).double().reshape(1, 1, 10)
for options in ({}, {"stride": 1}, {"stride": 3, "padding": 1}, {"stride": 2, "dilation": 2}, {"ceil_mode": True},
                {"stride": 4, "ceil_mode": True, "padding": 1}):
    for x in (random(2, 3, 10), ties, random(3, 11)):
        case("maxPool1d", lambda x, o=options: F.max_pool1d(x, 3, **o), [x], [3, camel(options)])
    if "dilation" in options:
        continue
    for include in (True, False):
        o = {**options, "count_include_pad": include}
        case("avgPool1d", lambda x, o=o: F.avg_pool1d(x, 3, **o), [random(2, 3, 10)], [3, camel(o)])
for size in (1, 2, 3, 7, 13):
    case("adaptiveAvgPool1d", lambda x, s=size: F.adaptive_avg_pool1d(x, s), [random(2, 3, 7)], [size])
    case("adaptiveMaxPool1d", lambda x, s=size: F.adaptive_max_pool1d(x, s), [random(2, 3, 7)], [size])
nan = random(1, 2, 6)
nan[0, 0, 2] = float("nan")
case("maxPool1d", lambda x: F.max_pool1d(x, 2), [nan], [2, {}])

for shape, sizes in (((4, 6), [6]), ((2, 3, 5), [3, 5]), ((2, 3, 5), [5]), ((3, 1), [1]), ((0, 4), [4])):
    case("layerNorm", lambda x, s=sizes: F.layer_norm(x, s), [random(*shape, shift=3)], [sizes])
    case("layerNorm", lambda x, w, b, s=sizes: F.layer_norm(x, s, w, b, 0.1),
         [random(*shape), random(*sizes), random(*sizes)], [sizes, {"eps": 0.1}])
for shape, groups in (((2, 6), 2), ((2, 6, 5), 3), ((2, 6, 5), 6), ((2, 4, 3, 2), 1)):
    case("groupNorm", lambda x, g=groups: F.group_norm(x, g), [random(*shape)], [groups])
    case("groupNorm", lambda x, w, b, g=groups: F.group_norm(x, g, w, b, 0.1),
         [random(*shape), random(shape[1]), random(shape[1])], [groups, {"eps": 0.1}])
case("instanceNorm", lambda x: F.instance_norm(x), [random(2, 3, 5)])
case("instanceNorm", lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=0.1),
     [random(2, 3, 5), random(3), random(3)], [{"eps": 0.1}])

for options in ({"size": 9}, {"size": 3}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.4}):
    for mode in ({}, {"mode": "linear"}, {"mode": "linear", "align_corners": True}):
        o = {**options, **mode}
        case("interpolate", lambda x, o=o: F.interpolate(x, **o), [random(2, 3, 7)], [camel(o)])
case("interpolate", lambda x: F.interpolate(x, size=1, mode="linear", align_corners=True), [random(1, 1, 5)],
     [{"size": 1, "mode": "linear", "alignCorners": True}])

for index, padding in (([2, 0, 2, 1], None), ([1, 1, 0], 1), ([3, 0], -1), ([], None)):
    o = {} if padding is None else {"paddingIdx": padding}
    case("embedding", lambda w, i=index, p=padding: F.embedding(torch.tensor(i, dtype=torch.long), w, padding_idx=p),
         [random(4, 3)], [index, o])


def bags(index, offsets, **options):
    """A matrix of indices where there are no offsets."""
    weighted = options.pop("weighted", False)
    names = {"padding_idx": "paddingIdx", "include_last_offset": "includeLastOffset"}
    camel_case = {names.get(key, key): value for key, value in options.items()}
    place = torch.tensor(index, dtype=torch.long)
    at = None if offsets is None else torch.tensor(offsets, dtype=torch.long)
    inputs = [random(5, 3)] + ([random(*place.shape)] if weighted else [])
    case("embeddingBag",
         lambda w, f=None: F.embedding_bag(place, w, at, per_sample_weights=f, **options),
         inputs, [index, {**camel_case, **({} if offsets is None else {"offsets": offsets})}])


for mode in ("sum", "mean", "max"):
    bags([[0, 2, 2], [4, 1, 0]], None, mode=mode)
    bags([3, 0, 0, 4, 1, 2], [0, 2, 2, 5], mode=mode)
    bags([3, 0, 0, 4, 1, 2], [0, 1, 4, 6], mode=mode, include_last_offset=True)
    bags([3, 0, 1, 4, 1, 1], [0, 2, 4], mode=mode, padding_idx=1)
bags([3, 0, 0, 4], [0, 3], mode="sum", weighted=True)
bags([[0, 2, 2], [4, 1, 0]], None, mode="sum", weighted=True, padding_idx=2)


def pooled(x, lengths, correction):
    """Each sample by itself, without what is behind its length."""
    parts = [each[:, :length] for each, length in zip(x, lengths)]
    return torch.stack([torch.cat([part.mean(1), part.std(1, correction=correction)]) for part in parts])


for lengths in ([7, 7, 7], [7, 2, 4]):
    for correction in (1, 0):
        case("statisticsPooling", lambda x, l=lengths, c=correction: pooled(x, l, c), [random(3, 4, 7)],
             [{"lengths": lengths, "correction": correction}])
case("statisticsPooling", lambda x: torch.cat([x.mean(2), x.std(2)], 1), [random(2, 3, 9, shift=5)], [{}])

for k, options in ((1, {}), (1, {"stride": 2}), (3, {"padding": 1}), (4, {"padding": "same", "dilation": 2}), (3, {"groups": 2})):
    for shape in ((2, 9, 4), (9, 4)):
        case("conv1d", lambda x, w, b, o=options: F.conv1d(x.transpose(-1, -2), w, b, **o).transpose(-1, -2),
             [random(*shape), random(6, 4 // options.get("groups", 1), k, scale=0.5), random(6)], [{**options, "layout": "NLC"}])

# Pools with the places of what they take.
for options in ({}, {"stride": 1}, {"stride": 3, "padding": 1}, {"stride": 2, "dilation": 2}, {"ceil_mode": True}):
    for x in (random(2, 3, 10), ties, nan):
        case("maxPool1d", lambda x, o=options: F.max_pool1d(x, 3, **o, return_indices=True), [x],
             [3, {**camel(options), "returnIndices": True}])
for size in (1, 2, 3, 7, 13):
    case("adaptiveMaxPool1d", lambda x, s=size: F.adaptive_max_pool1d(x, s, return_indices=True),
         [random(2, 3, 7)], [size, {"returnIndices": True}])

# The layer, whose padding has values: its weight and bias are arguments.
for mode in ("zeros", "reflect", "replicate", "circular"):
    for kernel, options in ((3, {"padding": 2}), (4, {"padding": "same", "dilation": 3}), (5, {"padding": 3, "stride": 2, "groups": 2})):
        layer = torch.nn.Conv1d(4, 6, kernel, padding_mode=mode, dtype=torch.float64, **options)
        for parameter in layer.parameters():
            parameter.data = random(*parameter.shape)
        values = [parameter.flatten().tolist() for parameter in layer.parameters()]
        case("Conv1d", layer, [random(2, 4, 11)], [[4, 6, kernel], {**options, "paddingMode": mode}, *values])

finish()
