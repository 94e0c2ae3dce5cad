# PyTorch's side of bench/showcases.ts: trains the model of an example on the same data in the same way, and prints one
# JSON object. Arguments: the example, the folder with its data, threads, epochs to run, epochs of the schedule, and where
# to save the state dict (may be left out).
import copy
import json
import sys
import time

import torch
from models import PointNet, SpamNet, TableNet
from torch import nn

name, folder, threads, epochs, planned = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
torch.set_num_threads(threads)
torch.manual_seed(0)
with open(f"{folder}/data.json") as file:
    about = json.load(file)


def read(key):
    shape, dtype = about["arrays"][key]["shape"], getattr(torch, about["arrays"][key]["dtype"])
    count = 1
    for size in shape:
        count *= size
    return torch.from_file(f"{folder}/{key}", size=count, dtype=dtype).clone().reshape(shape)


train, test = [read(f"train{i}") for i in range(about["tensors"])], [read(f"test{i}") for i in range(about["tensors"])]
count = len(train[0])


def batches(size, drop_last):
    order = torch.randperm(count)
    for start in range(0, count, size):
        indices = order[start : start + size]
        if drop_last and len(indices) < size:
            return
        yield [each[indices] for each in train]


def auc(scores, labels):
    """How often a positive sample has the higher score; ties count half."""
    positive, negative = scores[labels == 1].double(), scores[labels == 0].double()
    order = negative.sort().values
    below, upto = torch.searchsorted(order, positive), torch.searchsorted(order, positive, right=True)
    return ((below + upto).double().mean() / 2 / len(negative)).item()


@torch.no_grad()
def evaluate(model, inputs, size=100):
    model.eval()
    return torch.cat([model(*[each[at : at + size] for each in inputs]) for at in range(0, len(inputs[0]), size)])


@torch.no_grad()
def recalibrated(model):
    """A copy whose running statistics are those of the training set."""
    model = copy.deepcopy(model)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.reset_running_stats()
            layer.momentum = None
    model.train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
    for at in range(0, count - 1, 256):
        model(*[each[at : at + 256] for each in train[:-1]])
    return model


def pointnet():
    model = PointNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3], 0.1)

    def accuracy(model):
        return (evaluate(model, test[:-1]).argmax(1) == test[-1]).float().mean().item()

    def epoch():
        for points, labels in batches(256, False):
            loss = nn.functional.cross_entropy(model(points), labels.long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        schedule.step()

    return model, epoch, lambda: {"running": accuracy(model), "recalibrated": accuracy(recalibrated(model))}


def decayed(model, decay):
    """Weights of products decay; biases, and what BatchNorm learns, do not."""
    weights = [each for each in model.parameters() if each.ndim > 1]
    others = [each for each in model.parameters() if each.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0}]


def spam():
    model = SpamNet()
    optimizer = torch.optim.AdamW(decayed(model, 0.01), lr=0.004)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.004, total_steps=planned * (count // 64))

    def accuracy(logits):
        return ((logits > 0) == (test[-1] == 1)).float().mean().item()

    def epoch():
        for symbols, labels in batches(64, True):
            loss = nn.functional.binary_cross_entropy_with_logits(model(symbols), labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
            loss.item()

    def examine():
        logits = evaluate(model, test[:-1])
        exact = evaluate(recalibrated(model), test[:-1])
        return {"running": accuracy(logits), "recalibrated": accuracy(exact), "auc": auc(logits, test[-1])}

    return model, epoch, examine


def birdstrikes():
    validation = [read(f"validation{i}") for i in range(about["tensors"])]
    model = TableNet(about["sizes"])
    optimizer = torch.optim.AdamW(decayed(model, 0.05), lr=0.001)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, planned)
    damaged = train[-1].mean()
    weight = ((1 - damaged) / damaged).reshape(1)

    def epoch():
        for codes, numbers, labels in batches(128, True):
            loss = nn.functional.binary_cross_entropy_with_logits(model(codes, numbers), labels, pos_weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        schedule.step()

    return model, epoch, lambda: {
        "validation": auc(evaluate(model, validation[:-1], 500), validation[-1]),
        "auc": auc(evaluate(model, test[:-1], 500), test[-1]),
    }


model, epoch, examine = {"pointnet": pointnet, "spam": spam, "birdstrikes": birdstrikes}[name]()
history = []
for _ in range(epochs):
    model.train()
    start = time.perf_counter()
    epoch()
    seconds = time.perf_counter() - start
    history.append({"seconds": seconds, **examine()})
if len(sys.argv) > 6:
    torch.save(model.state_dict(), sys.argv[6])
print(json.dumps({"version": torch.__version__, "threads": threads, "epochs": history}))
