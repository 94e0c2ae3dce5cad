"""Writes test/golden/data/checkpoints/: files of PyTorch and of Python's safetensors, and what is in them.

    python scripts/golden/checkpoints.py                  (needs PyTorch for CPU and safetensors)
    python scripts/golden/checkpoints.py --people         (only people/: files as PyTorch users have them)
    python scripts/golden/checkpoints.py --verify FILE    (that a file evenkeel saved is the model)

expected.json has the versions, the input and output of the model in evaluation, and every tensor of
every file as its little-endian bytes. All but the keys of legacy storages, which are addresses, comes out
the same each time. corpus.json has headers of every kind, right and wrong, and what
the reference implementation (safetensors.deserialize) says of each.
"""

import argparse
import base64
import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import io
import json
import pathlib
import pickle
import pickletools
import struct
import sys

import numpy as np
import safetensors
import safetensors.torch
import torch

torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "data" / "checkpoints"
INPUTS, HIDDEN, OUTPUTS, ROWS = 4, 8, 3, 5


def network(dtype=torch.float32):
    return torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN),
        torch.nn.BatchNorm1d(HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, OUTPUTS),
    ).to(dtype)


def encode(tensor):
    """{ dtype, shape, bytes }: the dtype is what evenkeel makes of it, the bytes are base64."""
    kinds = {
        torch.float16: torch.float32,
        torch.bfloat16: torch.float32,
        torch.uint32: torch.int64,
        torch.uint64: torch.int64,
    }
    own = (torch.float32, torch.float64, torch.int32, torch.int64)
    wide = tensor.detach().to(
        tensor.dtype if tensor.dtype in own else kinds.get(tensor.dtype, torch.int32)
    )
    # torch turns the one NaN of half into another on the way; numpy keeps its bits
    half = tensor.detach().numpy().astype(np.float32) if tensor.dtype == torch.float16 else None
    numbers = np.ascontiguousarray(wide.numpy() if half is None else half)
    return {
        "dtype": str(numbers.dtype),
        "shape": list(tensor.shape),
        "bytes": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }


def versions(state):
    found = getattr(state, "_metadata", {})
    return {path: about["version"] for path, about in found.items() if "version" in about}


# ---- Files ----------------------------------------------------------------------------------------


def trained():
    torch.manual_seed(20260726)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(12):
        x = torch.randn(16, INPUTS) * 2 + 1
        loss = torch.nn.functional.cross_entropy(model(x), (x.sum(1) > 4).long() + (x[:, 0] > 1).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    return model, optimizer


def numbers():
    """One tensor of each element type, with the values at its edges."""
    halves = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 2.0**-24, 2.0**-14, 0.1, float("inf"), float("nan")])
    state = collections.OrderedDict()
    state["half"] = halves.half()
    state["bfloat16"] = torch.tensor([0.0, -0.0, 1.0, 3.3895e38, 1e-40, -0.1, float("-inf")]).bfloat16()
    state["double"] = torch.tensor([[0.1, -1e300], [5e-324, float("nan")]], dtype=torch.float64)
    state["float"] = torch.tensor([0.1, 1e-45, float("-inf")])
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        dtype = getattr(torch, name)
        limits = torch.iinfo(dtype)
        most = min(limits.max, 2**63 - 1)
        state[name] = torch.tensor([limits.min, 0, 1, most], dtype=torch.int64).to(dtype)
    state["bool"] = torch.tensor([True, False, True])
    state["scalar"] = torch.tensor(7)
    state["empty"] = torch.zeros(0, 3)
    return state


def views():
    """Tensors that are not their storage: turned, sliced, expanded, shared, tied."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    halves = torch.arange(6, dtype=torch.float16)
    state = collections.OrderedDict()
    state["base"] = base
    state["again"] = base
    state["flat"] = base.reshape(-1)
    state["turned"] = base.t()
    state["row"] = base[1]
    state["rows"] = base[1:3]
    state["column"] = base[:, 2]
    state["every other"] = base[::2, 1::2]
    state["expanded"] = torch.tensor([1.0, 2.0]).expand(3, 2)
    state["part of a half"] = halves[2:5]
    state["channels last"] = torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    return state


def python2(state, path):
    """The legacy format as Python 2 wrote it: byte strings for text, OrderedDict(list of pairs)."""

    class Pickler(pickle.Pickler):
        def __init__(self, file):
            super().__init__(file, protocol=2)
            self.storages = {}

        def persistent_id(self, obj):
            if not isinstance(obj, torch.storage.TypedStorage):
                return None
            key = str(1000 + len(self.storages))
            self.storages[key] = obj
            return ("storage", getattr(torch, obj.pickle_storage_type()), key, "cpu", obj.size(), None)

        def reducer_override(self, obj):
            if isinstance(obj, collections.OrderedDict):
                items = [[key, value] for key, value in obj.items()]
                return (collections.OrderedDict, (items,)) + ((vars(obj),) if vars(obj) else ())
            if isinstance(obj, torch.Tensor):
                args = (obj._typed_storage(), obj.storage_offset(), tuple(obj.size()), obj.stride())
                return torch._utils._rebuild_tensor_v2, (*args, False, collections.OrderedDict())
            return NotImplemented

    def bytestrings(data):
        out, ops = b"", list(pickletools.genops(data))
        for (op, arg, at), end in zip(ops, [at for _, _, at in ops[1:]] + [len(data)]):
            text = arg.encode() if op.name == "BINUNICODE" else b""
            out += b"U" + bytes([len(text)]) + text if op.name == "BINUNICODE" else data[at:end]
        return out

    stream = io.BytesIO()
    pickler = Pickler(stream)
    pickler.dump(state)
    keys = sorted(pickler.storages)
    with open(path, "wb") as file:
        for part in (torch.serialization.MAGIC_NUMBER, 1001, {"little_endian": True}):
            file.write(pickle.dumps(part, protocol=2))
        file.write(bytestrings(stream.getvalue()))
        file.write(bytestrings(pickle.dumps(keys, protocol=2)))
        for key in keys:
            storage = pickler.storages[key]
            file.write(struct.pack("<q", storage.size()) + bytes(storage._untyped_storage.tolist()))


def write_files():
    FOLDER.mkdir(parents=True, exist_ok=True)
    model, optimizer = trained()
    state = model.state_dict()
    old = collections.OrderedDict((k, v) for k, v in state.items() if "num_batches" not in k)
    old._metadata = collections.OrderedDict((path, {"version": 1}) for path in state._metadata)
    legacy = {"_use_new_zipfile_serialization": False}

    safetensors.torch.save_file(state, FOLDER / "model.safetensors", metadata={"format": "pt"})
    torch.save(state, FOLDER / "model.pt")
    torch.save(state, FOLDER / "model.pth", **legacy)
    torch.save(state, FOLDER / "protocol4.pt", pickle_protocol=4)
    torch.save(state, FOLDER / "protocol5.pth", pickle_protocol=5, **legacy)
    python2(state, FOLDER / "python2.pth")
    torch.save(
        {"epoch": 12, "model": state, "optimizer": optimizer.state_dict(), "best": 0.5, "ema": {"model": state}},
        FOLDER / "checkpoint.pt",
    )
    torch.save(dict(model.named_parameters()), FOLDER / "parameters.pt")
    torch.save(old, FOLDER / "version1.pth", **legacy)
    safetensors.torch.save_file(numbers(), FOLDER / "numbers.safetensors")
    torch.save(numbers(), FOLDER / "numbers.pt")
    torch.save(views(), FOLDER / "views.pt")
    torch.save(views(), FOLDER / "views.pth", **legacy)

    assert all(torch.equal(v, torch.load(FOLDER / "python2.pth", weights_only=False)[k]) for k, v in state.items())

    x = torch.randn(ROWS, INPUTS)
    double = network(torch.float64)
    double.load_state_dict(state)
    with torch.no_grad():
        content = {
            "torch": torch.__version__,
            "safetensors": safetensors.__version__,
            "sizes": [INPUTS, HIDDEN, OUTPUTS],
            "input": encode(x),
            "output": encode(double.eval()(x.double())),
            "output32": encode(model(x)),
            "magnitude": encode(magnitude(double, x.double())),
            "model": {"tensors": {k: encode(v) for k, v in state.items()}, "versions": versions(state)},
            "version1": {"tensors": {k: encode(v) for k, v in old.items()}, "versions": versions(old)},
            "parameters": {"tensors": {k: encode(v) for k, v in model.named_parameters()}, "versions": {}},
            "numbers": {"tensors": {k: encode(v) for k, v in numbers().items()}, "versions": {}},
            "views": {"tensors": {k: encode(v) for k, v in views().items()}, "versions": {}},
        }
    write("expected", content)


def magnitude(model, x):
    """What the output is the sum of, in absolute values: errors are a few 2^-24 of this."""
    first, bn, _, last = model
    value = x.abs() @ first.weight.abs().t() + first.bias.abs()
    scale = bn.weight.abs() / (bn.running_var + bn.eps).sqrt()
    value = (value + bn.running_mean.abs()) * scale + bn.bias.abs()
    return value @ last.weight.abs().t() + last.bias.abs()


def write(name, content):
    text = json.dumps(content, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n")
    print(f"{name}.json: {len(text)} bytes")


# ---- Files as people have them ----------------------------------------------------------------------


class Config:
    """A class of somebody's own."""

    def __init__(self):
        self.rate = 0.1


class Meter:
    """One that says itself how it is pickled."""

    def __reduce__(self):
        return (Meter, (), {"sum": 3.0}, iter([1, 2]), iter([("a", 1)]))

    def __setstate__(self, state):
        pass

    def extend(self, items):
        pass

    def append(self, item):
        pass

    def __setitem__(self, key, value):
        pass


class Slotted:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = 0.1


class Named:
    """Made anew with arguments by name."""

    def __new__(cls, *, rate):
        return super().__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"rate": 0.1}


@dataclasses.dataclass
class Options:
    rate: float = 0.1


class Mode(enum.Enum):
    TRAIN = 1


Point = collections.namedtuple("Point", "x y")


def strangers():
    """What people keep beside a state dict, and the name that stands for it in the pickle."""
    return {
        "numpy-scalar": (np.float64(0.5), "numpy._core.multiarray.scalar"),
        "numpy-array": (np.arange(3), "numpy._core.multiarray._reconstruct"),
        "numpy-dtype": (np.dtype("float32"), "numpy.dtype"),
        "namespace": (argparse.Namespace(lr=0.1, arch="resnet50"), "argparse.Namespace"),
        "datetime": (datetime.datetime(2026, 7, 26, 12, 30), "datetime.datetime"),
        "timedelta": (datetime.timedelta(seconds=3), "datetime.timedelta"),
        "path": (pathlib.PurePosixPath("/data/run"), f"{pathlib.PurePosixPath.__module__}.PurePosixPath"),
        "defaultdict": (collections.defaultdict(list, {"loss": [0.5]}), "collections.defaultdict"),
        "deque": (collections.deque([1, 2], maxlen=3), "collections.deque"),
        "decimal": (decimal.Decimal("0.1"), "decimal.Decimal"),
        "partial": (functools.partial(int, base=2), "functools.partial"),
        "function": (torch.nn.functional.relu, "torch.nn.functional.relu"),
        "class": (torch.nn.Linear, "torch.nn.modules.linear.Linear"),
        "object": (Config(), "__main__.Config"),
        "reduced-object": (Meter(), "__main__.Meter"),
        "slotted-object": (Slotted(), "__main__.Slotted"),
        "object-by-name": (Named(rate=0.1), "__main__.Named"),
        "dataclass": (Options(), "__main__.Options"),
        "enum": (Mode.TRAIN, "__main__.Mode"),
        "namedtuple": (Point(1, 2), "__main__.Point"),
        "module": (torch.nn.Linear(1, 1), "torch.nn.modules.linear.Linear"),
        "sparse-tensor": (torch.eye(2).to_sparse(), "torch._utils._rebuild_sparse_tensor"),
    }


def protocols(name):
    """Objects made anew by name need protocol 4; before it, torch.save's 2 is what files have."""
    return 4 if name in ("object-by-name",) else 2


def write_people():
    """people/: each stranger beside a state dict and inside of one; the usual wrappers; odd entries."""
    folder = FOLDER / "people"
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"w": torch.tensor([1.0, 2.0, 3.0])}
    for name, (value, _) in strangers().items():
        saved = {"model": weights, "beside": [value], "inside": {**weights, "x": value}}
        torch.save(saved, folder / f"{name}.pt", pickle_protocol=protocols(name))
        legacy = {"_use_new_zipfile_serialization": False}
        if name in ("numpy-scalar", "namespace"):
            torch.save(saved, folder / f"{name}.pth", **legacy)

    model, optimizer = trained()
    state = model.state_dict()
    small = collections.OrderedDict((k, v) for k, v in state.items() if k.startswith("1."))
    torch.save(
        {
            "epoch": 90,
            "arch": "resnet50",
            "state_dict": small,
            "best_acc1": torch.tensor(76.1),
            "optimizer": optimizer.state_dict(),
            "scheduler": {"last_epoch": 90},
        },
        folder / "imagenet.pt",
    )
    torch.save({"model": {"module": small}, "ema": {"module": small, "decay": 0.9}}, folder / "nested.pt")
    torch.save(torch.nn.Sequential(torch.nn.BatchNorm1d(2)), folder / "whole-module.pt")
    tagged = torch.tensor([4.0, 5.0])
    tagged.note = "with an attribute"
    odd = collections.OrderedDict(small)
    odd["1.num_batches_tracked"] = 12
    odd.update(
        {
            "tagged": tagged,
            "none": None,
            "epoch": 3,
            "large": 2**80,
            "rate": 0.1,
            "flag": True,
            "text": "resnet",
            "bytes": b"abc",
            "dtype": torch.float16,
            "size": torch.Size([2, 3]),
            "list": [1, 2],
            "dict": {"lr": 0.1},
            "1._extra_state": {"amax": torch.tensor([1.0]), "steps": 3},
        }
    )
    torch.save(odd, folder / "others.pt")
    content = {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "strangers": {name: called for name, (_, called) in strangers().items()},
        "state": {k: encode(v) for k, v in small.items()},
    }
    text = json.dumps(content, indent=1)
    (folder / "people.json").write_text(text + "\n")
    print(f"people/: {len(list(folder.iterdir()))} files, {sum(f.stat().st_size for f in folder.iterdir())} bytes")


# ---- Headers --------------------------------------------------------------------------------------


def file_of(header, data=b"\0" * 4):
    text = header if isinstance(header, bytes) else header.encode()
    return len(text).to_bytes(8, "little") + text + data


def one(shape="[1]", offsets="[0,4]", dtype='"F32"', name='"a"', more=""):
    return f'{{{name}:{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}{more}}}}}'


def two(second, first="[0,4]"):
    entry = '"%s":{"dtype":"F32","shape":[1],"data_offsets":%s}'
    return "{" + entry % ("a", first) + "," + entry % ("b", second) + "}"


def with_metadata(text):
    return '{"__metadata__":' + text + "," + one()[1:]


def corpus():
    good = one()
    yield "one tensor", file_of(good)
    # the frame
    yield "nothing", b""
    yield "seven bytes", b"\0" * 7
    yield "no header", (0).to_bytes(8, "little")
    yield "a header past the end", (len(good) + 5).to_bytes(8, "little") + good.encode() + b"\0" * 4
    yield "a header length of 2^64 - 1", b"\xff" * 8 + good.encode() + b"\0" * 4
    yield "a header length of 2^63", (2**63).to_bytes(8, "little") + good.encode() + b"\0" * 4
    yield "a header over 100,000,000 bytes", (100_000_001).to_bytes(8, "little") + good.encode() + b"\0" * 4
    yield "an empty object", file_of("{}", b"")
    yield "an array", file_of("[]", b"")
    yield "a byte order mark", file_of(b"\xef\xbb\xbf" + good.encode())
    yield "bytes that are not UTF-8", file_of(one(name='"a\udcff"').encode(errors="surrogateescape"))
    yield "a surrogate in UTF-8", file_of(b'{"\xed\xa0\x80":' + good.encode()[5:])
    yield "a blank first", file_of(" " + good)
    yield "a new line last", file_of(good + "\n")
    yield "blanks of every kind between", file_of(good.replace(":", " :\t").replace(",", "\r,\n"))
    yield "a vertical tab", file_of(good.replace(":", "\x0b:"))
    yield "a NUL last", file_of(good + "\0")
    yield "two objects", file_of(good + "{}")
    yield "an object that does not end", file_of(good[:-1])
    yield "a string that does not end", file_of('{"a')
    yield "a comma too many", file_of(good[:-1] + ",}")
    yield "a name without quotes", file_of(good.replace('"a"', "a"))
    # the data
    yield "a hole", file_of(two("[8,12]"), b"\0" * 12)
    yield "a hole first", file_of(one(offsets="[4,8]"), b"\0" * 8)
    yield "an overlap", file_of(two("[2,6]"), b"\0" * 8)
    yield "the same bytes twice", file_of(two("[0,4]"))
    yield "reversed offsets", file_of(one(offsets="[4,0]"))
    yield "one offset", file_of(one(offsets="[4]"))
    yield "three offsets", file_of(one(offsets="[0,4,8]"))
    yield "offsets as an object", file_of(one(offsets='{"start":0,"end":4}'))
    yield "a span too short", file_of(one(offsets="[0,3]"), b"\0" * 3)
    yield "data missing", file_of(good, b"\0" * 3)
    yield "data left over", file_of(good, b"\0" * 5)
    yield "no data at all", file_of(good, b"")
    yield "tensors out of order", file_of(two("[0,4]", first="[4,8]"), b"\0" * 8)
    yield "float32 from an odd byte on", file_of(
        '{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' + one(offsets="[1,5]")[1:], b"\7\0\0\x80\x3f"
    )
    # numbers
    yield "2.0", file_of(one(shape="[1.0]"))
    yield "2e0", file_of(one(shape="[1e0]"))
    yield "-0", file_of(one(offsets="[-0,4]"))
    yield "a number in quotes", file_of(one(shape='["1"]'))
    yield "a negative number", file_of(one(shape="[-1]"))
    yield "01", file_of(one(shape="[01]"))
    yield "+1", file_of(one(shape="[+1]"))
    yield "NaN", file_of(one(shape="[NaN]"))
    yield "null as a size", file_of(one(shape="[null]"))
    yield "sizes in sizes", file_of(one(shape="[[1]]"))
    yield "a product past 2^64", file_of(one(shape="[4294967296,4294967296,4294967296]"))
    yield "a product past 2^64 before a zero", file_of(one(shape="[4294967296,4294967296,0]", offsets="[0,0]"), b"")
    yield "a product below 2^64 before a zero", file_of(one(shape="[1073741824,1073741824,0]", offsets="[0,0]"), b"")
    yield "a size past 2^64", file_of(one(shape="[18446744073709551616]"))
    yield "a size past 2^53 beside a zero", file_of(one(shape="[0,9007199254740993]", offsets="[0,0]"), b"")
    yield "an offset past 2^53", file_of(one(offsets="[0,9007199254740993]"))
    yield "a scalar", file_of(one(shape="[]"))
    yield "no elements", file_of(one(shape="[0,3]", offsets="[0,0]"), b"")
    yield "64 dimensions", file_of(one(shape="[" + ",".join(["1"] * 64) + "]"))
    yield "65 dimensions", file_of(one(shape="[" + ",".join(["1"] * 65) + "]"))
    # types and fields
    yield "an unknown dtype", file_of(one(dtype='"F31"'))
    yield "a dtype in lower case", file_of(one(dtype='"f32"'))
    yield "a dtype of 8-bit floats", file_of(one(dtype='"F8_E4M3"', shape="[4]"))
    yield "a dtype of complex numbers", file_of(one(dtype='"C64"', offsets="[0,8]"), b"\0" * 8)
    yield "a dtype that is a number", file_of(one(dtype="32"))
    yield "a dtype as an object", file_of(one(dtype='{"F32":null}'))
    yield "a uint64 past 2^63", file_of(one(dtype='"U64"', offsets="[0,8]"), b"\xff" * 8)
    yield "no dtype", file_of('{"a":{"shape":[1],"data_offsets":[0,4]}}')
    yield "no shape", file_of('{"a":{"dtype":"F32","data_offsets":[0,4]}}')
    yield "no offsets", file_of('{"a":{"dtype":"F32","shape":[1]}}')
    yield "null for a tensor", file_of('{"a":null}', b"")
    yield "a tensor as an array", file_of('{"a":["F32",[1],[0,4]]}')
    yield "an unknown field", file_of(one(more=',"x":"y"'))
    yield "an unknown field of any JSON", file_of(one(more=',"x":{"y":[1.5e-3,null,true,{}],"z":[]}'))
    yield "NaN in an unknown field", file_of(one(more=',"x":NaN'))
    yield "1e999 in an unknown field", file_of(one(more=',"x":1e999'))
    yield "nested 125 deep", file_of(one(more=',"x":' + "[" * 125 + "]" * 125))
    yield "nested 126 deep", file_of(one(more=',"x":' + "[" * 126 + "]" * 126))
    yield "a field twice", file_of(one(more=',"shape":[1]'))
    yield "an unknown field twice", file_of(one(more=',"x":1,"x":1'))
    # names and metadata
    yield "a name twice", file_of(two("[0,4]").replace('"b"', '"a"'))
    yield "an empty name", file_of(one(name='""'))
    yield "the name __proto__", file_of(one(name='"__proto__"'))
    yield "a name with escapes", file_of(one(name='"\\u00e9\\ud83d\\ude00\\n\\/"'))
    yield "half a surrogate pair", file_of(one(name='"\\ud800"'))
    yield "surrogates the wrong way round", file_of(one(name='"\\ude00\\ud83d"'))
    yield "an escape that JSON does not know", file_of(one(name='"\\x41"'))
    yield "an escape cut short", file_of(one(name='"\\u00e"'))
    yield "a control character", file_of(one(name='"a\x01"'))
    yield "a delete character", file_of(one(name='"a\x7f"'))
    yield "metadata", file_of(with_metadata('{"format":"pt","__proto__":"x"}'))
    yield "empty metadata", file_of(with_metadata("{}"))
    yield "null for metadata", file_of(with_metadata("null"))
    yield "a number in metadata", file_of(with_metadata('{"epoch":1}'))
    yield "an object in metadata", file_of(with_metadata('{"epoch":{}}'))
    yield "null in metadata", file_of(with_metadata('{"epoch":null}'))
    yield "an array for metadata", file_of(with_metadata("[]"))
    yield "metadata twice", file_of(with_metadata('{},"__metadata__":{}'))
    yield "a key of metadata twice", file_of(with_metadata('{"a":"1","a":"2"}'))


def verdict(content):
    try:
        safetensors.deserialize(content)
        return "accepts"
    except safetensors.SafetensorError:
        return "rejects"


def write_corpus():
    cases = [
        {"name": name, "bytes": base64.b64encode(content).decode("ascii"), "reference": verdict(content)}
        for name, content in corpus()
    ]
    write("corpus", {"safetensors": safetensors.__version__, "cases": cases})


# ---- The other way round --------------------------------------------------------------------------


def verify(path):
    """A file that evenkeel saved: every bit of every tensor, and what the model computes with them on this machine."""
    expected = json.loads((FOLDER / "expected.json").read_text())
    state = safetensors.torch.load_file(path)
    own = safetensors.torch.load_file(FOLDER / "model.safetensors")
    assert state.keys() == own.keys(), sorted(state)
    for name, tensor in own.items():
        assert encode(state[name]) == encode(tensor), name
    shape, data = expected["input"]["shape"], base64.b64decode(expected["input"]["bytes"])
    x = torch.from_numpy(np.frombuffer(data, np.float32).reshape(shape).copy())
    outputs = []
    for each in (state, own):
        model = network()
        model.load_state_dict(each)
        with torch.no_grad():
            outputs.append(encode(model.eval()(x)))
    assert outputs[0] == outputs[1], outputs
    print(f"ok: {len(state)} tensors, output equal to the last bit, torch {torch.__version__}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--verify"] and len(sys.argv) == 3:
        verify(sys.argv[2])
    elif sys.argv[1:] == ["--people"]:
        write_people()
    elif len(sys.argv) == 1:
        write_files()
        write_people()
        write_corpus()
    else:
        sys.exit(__doc__)
