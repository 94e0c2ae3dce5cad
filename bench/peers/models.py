# The models of examples/ in PyTorch, layer by layer the same, and M5 (Dai et al. 2016).
import torch
from torch import nn


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        widths, layers = [2, 64, 64, 128, 256], []
        for before, width in zip(widths, widths[1:]):
            layers += [nn.Conv1d(before, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
        self.shared = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(256, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, points):
        return self.head(self.shared(points).amax(2))


class SpamNet(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.embedding = nn.Embedding(257, 16, padding_idx=0)
        layers = []
        for before, kernel in [(16, 7), (width, 5), (width, 3)]:
            conv = nn.Conv1d(before, width, kernel, stride=2, padding=kernel // 2, bias=False)
            layers += [conv, nn.BatchNorm1d(width), nn.ReLU()]
        self.features = nn.Sequential(*layers, nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(width, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(width, 1),
        )

    def forward(self, symbols):
        return self.head(self.features(self.embedding(symbols).transpose(1, 2)))


class TableNet(nn.Module):
    def __init__(self, sizes, numbers=5):
        super().__init__()
        widths = [min(16, round(1.6 * size**0.56)) for size in sizes]
        self.embeddings = nn.ModuleList([nn.Embedding(s, w) for s, w in zip(sizes, widths)])
        for each in self.embeddings:
            nn.init.normal_(each.weight, 0, 0.05)
        self.dropout = nn.Dropout(0.1)
        self.scale = nn.BatchNorm1d(numbers)
        self.layers = nn.Sequential(
            nn.Linear(sum(widths) + numbers, 64, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(64, 32, bias=False),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(32, 1),
        )

    def forward(self, codes, numbers):
        vectors = [embedding(codes[:, i]) for i, embedding in enumerate(self.embeddings)]
        categories = self.dropout(torch.cat(vectors, 1))
        return self.layers(torch.cat([categories, self.scale(numbers)], 1))


class M5(nn.Module):
    def __init__(self, classes=35, width=32):
        super().__init__()

        def block(before, after, kernel, stride=1):
            conv = nn.Conv1d(before, after, kernel, stride=stride)
            return [conv, nn.BatchNorm1d(after), nn.ReLU(), nn.MaxPool1d(4)]

        self.features = nn.Sequential(
            *block(1, width, 80, 16),
            *block(width, width, 3),
            *block(width, 2 * width, 3),
            *block(2 * width, 2 * width, 3),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
        )
        self.fc1 = nn.Linear(2 * width, classes)

    def forward(self, waves):
        return torch.log_softmax(self.fc1(self.features(waves)), 1)
