"""The architectures of examples/architectures in PyTorch: structure and state-dict keys of the originals, narrow.

Each row of MODELS: how the model is made, its inputs, and what is computed of them: the outputs and the loss.
"""

import collections
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

# ---- PointNet: fxia22/pointnet.pytorch ------------------------------------------------------------


class TNet(nn.Module):
    """STN3d and STNkd."""

    def __init__(self, k, widths, hidden):
        super().__init__()
        a, b, c = widths
        d, e = hidden
        self.conv1, self.conv2, self.conv3 = nn.Conv1d(k, a, 1), nn.Conv1d(a, b, 1), nn.Conv1d(b, c, 1)
        self.fc1, self.fc2, self.fc3 = nn.Linear(c, d), nn.Linear(d, e), nn.Linear(e, k * k)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm1d(a), nn.BatchNorm1d(b), nn.BatchNorm1d(c)
        self.bn4, self.bn5 = nn.BatchNorm1d(d), nn.BatchNorm1d(e)
        self.k = k

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x)))
        x = torch.max(x, 2)[0]
        x = F.relu(self.bn4(self.fc1(x)))
        x = F.relu(self.bn5(self.fc2(x)))
        x = self.fc3(x) + torch.eye(self.k, dtype=x.dtype).flatten()
        return x.view(-1, self.k, self.k)


class PointNetFeatures(nn.Module):
    def __init__(self, widths, hidden):
        super().__init__()
        a, b, c = widths
        self.stn = TNet(3, widths, hidden)
        self.conv1, self.conv2, self.conv3 = nn.Conv1d(3, a, 1), nn.Conv1d(a, b, 1), nn.Conv1d(b, c, 1)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm1d(a), nn.BatchNorm1d(b), nn.BatchNorm1d(c)
        self.fstn = TNet(a, widths, hidden)

    def forward(self, x):
        trans = self.stn(x)
        x = torch.bmm(x.transpose(2, 1), trans).transpose(2, 1)
        x = F.relu(self.bn1(self.conv1(x)))
        trans_feat = self.fstn(x)
        x = torch.bmm(x.transpose(2, 1), trans_feat).transpose(2, 1)
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return torch.max(x, 2)[0], trans, trans_feat


class PointNet(nn.Module):
    def __init__(self, k, widths, hidden):
        super().__init__()
        d, e = hidden
        self.feat = PointNetFeatures(widths, hidden)
        self.fc1, self.fc2, self.fc3 = nn.Linear(widths[2], d), nn.Linear(d, e), nn.Linear(e, k)
        self.bn1, self.bn2 = nn.BatchNorm1d(d), nn.BatchNorm1d(e)

    def forward(self, x):
        x, trans, trans_feat = self.feat(x)
        x = F.relu(self.bn1(self.fc1(x)))
        x = F.relu(self.bn2(self.fc2(x)))
        return F.log_softmax(self.fc3(x), dim=1), trans, trans_feat


def pointnet(model, points, label):
    scores, trans, trans_feat = model(points)
    apart = torch.bmm(trans_feat, trans_feat.transpose(2, 1)) - torch.eye(trans_feat.shape[1], dtype=scores.dtype)
    return [scores, trans, trans_feat], F.nll_loss(scores, label) + 0.001 * apart.norm(dim=(1, 2)).mean()


# ---- The head of DGCNN: WangYueFt/dgcnn ------------------------------------------------------------


class DGCNNHead(nn.Module):
    def __init__(self, features, emb_dims, hidden, classes):
        super().__init__()
        self.bn5 = nn.BatchNorm1d(emb_dims)
        self.conv5 = nn.Sequential(nn.Conv1d(features, emb_dims, 1, bias=False), self.bn5, nn.LeakyReLU(0.2))
        self.linear1 = nn.Linear(emb_dims * 2, hidden[0], bias=False)
        self.bn6 = nn.BatchNorm1d(hidden[0])
        self.linear2 = nn.Linear(hidden[0], hidden[1])
        self.bn7 = nn.BatchNorm1d(hidden[1])
        self.linear3 = nn.Linear(hidden[1], classes)

    def forward(self, x):
        x = self.conv5(x)
        n = x.size(0)
        x = torch.cat((F.adaptive_max_pool1d(x, 1).view(n, -1), F.adaptive_avg_pool1d(x, 1).view(n, -1)), 1)
        x = F.leaky_relu(self.bn6(self.linear1(x)), 0.2)
        x = F.leaky_relu(self.bn7(self.linear2(x)), 0.2)
        return self.linear3(x)


def dgcnn(model, features, label):
    scores = model(features)
    return [scores], F.cross_entropy(scores, label, label_smoothing=0.2)


# ---- x-vector: manojpamk/pytorch_xvectors ------------------------------------------------------------


class XVector(nn.Module):
    def __init__(self, speakers, features, width, wide, hidden):
        super().__init__()
        kernels = [(features, width, 5, 1), (width, width, 5, 2), (width, width, 7, 3), (width, width, 1, 1), (width, wide, 1, 1)]
        for i, (a, b, kernel, dilation) in enumerate(kernels, 1):
            setattr(self, f"tdnn{i}", nn.Conv1d(a, b, kernel, dilation=dilation))
            setattr(self, f"bn_tdnn{i}", nn.BatchNorm1d(b, affine=False))
        self.fc1, self.bn_fc1 = nn.Linear(2 * wide, hidden), nn.BatchNorm1d(hidden, affine=False)
        self.fc2, self.bn_fc2 = nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden, affine=False)
        self.fc3 = nn.Linear(hidden, speakers)

    def forward(self, x):
        for i in range(1, 6):
            x = getattr(self, f"bn_tdnn{i}")(F.relu(getattr(self, f"tdnn{i}")(x)))
        x = torch.cat((x.mean(dim=2), x.std(dim=2)), dim=1)
        x = self.bn_fc1(F.relu(self.fc1(x)))
        x = self.bn_fc2(F.relu(self.fc2(x)))
        return self.fc3(x)


def classifier(model, x, label):
    scores = model(x)
    return [scores], F.cross_entropy(scores, label)


# ---- ECAPA-TDNN: TaoRuijie/ECAPA-TDNN ------------------------------------------------------------


class SEModule(nn.Module):
    def __init__(self, channels, bottleneck):
        super().__init__()
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool1d(1), nn.Conv1d(channels, bottleneck, 1), nn.ReLU(), nn.Conv1d(bottleneck, channels, 1), nn.Sigmoid()
        )

    def forward(self, x):
        return x * self.se(x)


class Bottle2neck(nn.Module):
    def __init__(self, inplanes, planes, kernel, dilation, scale, bottleneck):
        super().__init__()
        width = planes // scale
        self.conv1, self.bn1 = nn.Conv1d(inplanes, width * scale, 1), nn.BatchNorm1d(width * scale)
        self.nums = scale - 1
        pad = kernel // 2 * dilation
        self.convs = nn.ModuleList(nn.Conv1d(width, width, kernel, dilation=dilation, padding=pad) for _ in range(self.nums))
        self.bns = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(self.nums))
        self.conv3, self.bn3 = nn.Conv1d(width * scale, planes, 1), nn.BatchNorm1d(planes)
        self.width = width
        self.se = SEModule(planes, bottleneck)

    def forward(self, x):
        parts = torch.split(self.bn1(F.relu(self.conv1(x))), self.width, 1)
        outputs = []
        for i in range(self.nums):
            part = parts[i] if i == 0 else outputs[-1] + parts[i]
            outputs.append(self.bns[i](F.relu(self.convs[i](part))))
        out = torch.cat([*outputs, parts[self.nums]], 1)
        return self.se(self.bn3(F.relu(self.conv3(out)))) + x


class ECAPA(nn.Module):
    def __init__(self, features, channels, wide, attention, embedding, scale, bottleneck):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(features, channels, 5, padding=2), nn.BatchNorm1d(channels)
        self.layer1 = Bottle2neck(channels, channels, 3, 2, scale, bottleneck)
        self.layer2 = Bottle2neck(channels, channels, 3, 3, scale, bottleneck)
        self.layer3 = Bottle2neck(channels, channels, 3, 4, scale, bottleneck)
        self.layer4 = nn.Conv1d(3 * channels, wide, 1)
        self.attention = nn.Sequential(
            nn.Conv1d(3 * wide, attention, 1), nn.ReLU(), nn.BatchNorm1d(attention), nn.Tanh(), nn.Conv1d(attention, wide, 1), nn.Softmax(dim=2)
        )
        self.bn5, self.fc6, self.bn6 = nn.BatchNorm1d(2 * wide), nn.Linear(2 * wide, embedding), nn.BatchNorm1d(embedding)

    def forward(self, x):
        x = self.bn1(F.relu(self.conv1(x)))
        x1 = self.layer1(x)
        x2 = self.layer2(x + x1)
        x3 = self.layer3(x + x1 + x2)
        x = F.relu(self.layer4(torch.cat((x1, x2, x3), dim=1)))
        t = x.size(-1)
        mean = x.mean(dim=2, keepdim=True).repeat(1, 1, t)
        deviation = x.var(dim=2, keepdim=True).clamp(min=1e-4).sqrt().repeat(1, 1, t)
        w = self.attention(torch.cat((x, mean, deviation), dim=1))
        mu = (x * w).sum(dim=2)
        sg = ((x**2 * w).sum(dim=2) - mu**2).clamp(min=1e-4).sqrt()
        return self.bn6(self.fc6(self.bn5(torch.cat((mu, sg), 1))))


# ---- M5: the tutorial of pytorch.org on keywords -----------------------------------------------------


class M5(nn.Module):
    def __init__(self, n_output, stride, n_channel):
        super().__init__()
        c = n_channel
        self.conv1, self.bn1, self.pool1 = nn.Conv1d(1, c, 80, stride=stride), nn.BatchNorm1d(c), nn.MaxPool1d(4)
        self.conv2, self.bn2, self.pool2 = nn.Conv1d(c, c, 3), nn.BatchNorm1d(c), nn.MaxPool1d(4)
        self.conv3, self.bn3, self.pool3 = nn.Conv1d(c, 2 * c, 3), nn.BatchNorm1d(2 * c), nn.MaxPool1d(4)
        self.conv4, self.bn4, self.pool4 = nn.Conv1d(2 * c, 2 * c, 3), nn.BatchNorm1d(2 * c), nn.MaxPool1d(4)
        self.fc1 = nn.Linear(2 * c, n_output)

    def forward(self, x):
        x = self.pool1(F.relu(self.bn1(self.conv1(x))))
        x = self.pool2(F.relu(self.bn2(self.conv2(x))))
        x = self.pool3(F.relu(self.bn3(self.conv3(x))))
        x = self.pool4(F.relu(self.bn4(self.conv4(x))))
        x = F.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return F.log_softmax(self.fc1(x), dim=2)


def m5(model, sound, label):
    scores = model(sound)
    return [scores], F.nll_loss(scores.squeeze(1), label)


# ---- A residual network for ECG: antonior92/ecg-age-prediction -------------------------------------


class ResBlock1d(nn.Module):
    def __init__(self, a, b, downsample, kernel):
        super().__init__()
        padding = lambda d: max(0, (kernel - d + 1) // 2)
        self.conv1, self.bn1 = nn.Conv1d(a, b, kernel, padding=padding(1), bias=False), nn.BatchNorm1d(b)
        self.conv2 = nn.Conv1d(b, b, kernel, stride=downsample, padding=padding(downsample), bias=False)
        self.bn2 = nn.BatchNorm1d(b)
        skip = [nn.MaxPool1d(downsample, stride=downsample)] if downsample > 1 else []
        skip += [nn.Conv1d(a, b, 1, bias=False)] if a != b else []
        self.skip_connection = nn.Sequential(*skip) if skip else None

    def forward(self, x, y):
        y = y if self.skip_connection is None else self.skip_connection(y)
        y = self.conv2(F.relu(self.bn1(self.conv1(x)))) + y
        return F.relu(self.bn2(y)), y


class ECGResNet(nn.Module):
    def __init__(self, input_dim, blocks_dim, classes, kernel):
        super().__init__()
        b, samples = blocks_dim[0]
        downsample = input_dim[1] // samples
        self.conv1 = nn.Conv1d(input_dim[0], b, kernel, stride=downsample, padding=max(0, (kernel - downsample + 1) // 2), bias=False)
        self.bn1 = nn.BatchNorm1d(b)
        self.blocks = len(blocks_dim)
        for i, (filters, length) in enumerate(blocks_dim):
            self.add_module(f"resblock1d_{i}", ResBlock1d(b, filters, samples // length, kernel))
            b, samples = filters, length
        self.lin = nn.Linear(b * samples, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x))
        y = x
        for i in range(self.blocks):
            x, y = getattr(self, f"resblock1d_{i}")(x, y)
        return self.lin(x.flatten(1))


def ecg(model, signal, disease):
    scores = model(signal)
    return [scores], F.binary_cross_entropy_with_logits(scores, disease, pos_weight=torch.tensor([2.0, 3, 1], dtype=scores.dtype))


# ---- TabNet: dreamquark-ai/tabnet, version 4 --------------------------------------------------------


class GBN(nn.Module):
    def __init__(self, width, virtual, momentum):
        super().__init__()
        self.virtual = virtual
        self.bn = nn.BatchNorm1d(width, momentum=momentum)

    def forward(self, x):
        return torch.cat([self.bn(each) for each in x.chunk(math.ceil(x.shape[0] / self.virtual), 0)], dim=0)


class GLULayer(nn.Module):
    def __init__(self, a, b, fc, **ghost):
        super().__init__()
        self.b = b
        self.fc = fc or nn.Linear(a, 2 * b, bias=False)
        self.bn = GBN(2 * b, **ghost)

    def forward(self, x):
        x = self.bn(self.fc(x))
        return x[:, : self.b] * torch.sigmoid(x[:, self.b :])


class GLUBlock(nn.Module):
    def __init__(self, a, b, count, first, shared, **ghost):
        super().__init__()
        self.first = first
        self.shared_layers = shared
        self.glu_layers = nn.ModuleList(
            GLULayer(a if i == 0 else b, b, shared[i] if shared is not None else None, **ghost) for i in range(count)
        )

    def forward(self, x):
        for i, layer in enumerate(self.glu_layers):
            x = layer(x) if self.first and i == 0 else (x + layer(x)) * math.sqrt(0.5)
        return x


class FeatTransformer(nn.Module):
    def __init__(self, a, b, shared, independent, **ghost):
        super().__init__()
        self.shared = GLUBlock(a, b, len(shared), True, shared, **ghost)
        self.specifics = GLUBlock(b, b, independent, False, None, **ghost)

    def forward(self, x):
        return self.specifics(self.shared(x))


def sparsemax(z):
    """Martins & Astudillo 2016; the threshold is differentiated as the function of the support that it is."""
    ordered = z.sort(dim=-1, descending=True)[0]
    count = torch.arange(1, z.shape[-1] + 1, dtype=z.dtype)
    support = (1 + count * ordered > ordered.cumsum(-1)).sum(-1, keepdim=True)
    threshold = (ordered.cumsum(-1).gather(-1, support - 1) - 1) / support
    return torch.clamp(z - threshold, min=0)


class AttentiveTransformer(nn.Module):
    def __init__(self, a, b, **ghost):
        super().__init__()
        self.fc, self.bn = nn.Linear(a, b, bias=False), GBN(b, **ghost)

    def forward(self, priors, x):
        return sparsemax(self.bn(self.fc(x)) * priors)


class TabNetEncoder(nn.Module):
    def __init__(self, inputs, n_d, n_a, n_steps, gamma, n_independent, n_shared, epsilon, **ghost):
        super().__init__()
        self.n_d, self.gamma, self.epsilon = n_d, gamma, epsilon
        both = n_d + n_a
        self.initial_bn = nn.BatchNorm1d(inputs, momentum=0.01)
        shared = nn.ModuleList(nn.Linear(inputs if i == 0 else both, 2 * both, bias=False) for i in range(n_shared))
        self.initial_splitter = FeatTransformer(inputs, both, shared, n_independent, **ghost)
        self.feat_transformers = nn.ModuleList(FeatTransformer(inputs, both, shared, n_independent, **ghost) for _ in range(n_steps))
        self.att_transformers = nn.ModuleList(AttentiveTransformer(n_a, inputs, **ghost) for _ in range(n_steps))

    def forward(self, x):
        x = self.initial_bn(x)
        prior, steps, loss = torch.ones_like(x), [], 0
        attention = self.initial_splitter(x)[:, self.n_d :]
        for feat, att in zip(self.feat_transformers, self.att_transformers):
            m = att(prior, attention)
            loss = loss + torch.mean(torch.sum(m * torch.log(m + self.epsilon), dim=1))
            prior = (self.gamma - m) * prior
            out = feat(m * x)
            steps.append(F.relu(out[:, : self.n_d]))
            attention = out[:, self.n_d :]
        return steps, loss / len(steps)


class TabNetNoEmbeddings(nn.Module):
    def __init__(self, inputs, outputs, **options):
        super().__init__()
        self.initial_bn = nn.BatchNorm1d(inputs, momentum=0.01)
        self.encoder = TabNetEncoder(inputs, **options)
        self.final_mapping = nn.Linear(options["n_d"], outputs, bias=False)

    def forward(self, x):
        steps, loss = self.encoder(x)
        return self.final_mapping(torch.stack(steps, dim=0).sum(dim=0)), loss


class EmbeddingGenerator(nn.Module):
    def __init__(self, categories, widths):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(a, b) for a, b in zip(categories, widths))

    def forward(self, category, x):
        return torch.cat([x] + [each(category[:, i]) for i, each in enumerate(self.embeddings)], dim=1)


class TabNet(nn.Module):
    def __init__(self, numbers, categories, widths, outputs, **options):
        super().__init__()
        self.embedder = EmbeddingGenerator(categories, widths)
        self.tabnet = TabNetNoEmbeddings(numbers + sum(widths), outputs, **options)

    def forward(self, category, x):
        return self.tabnet(self.embedder(category, x))


def tabnet(model, category, numbers, label):
    scores, sparsity = model(category, numbers)
    return [scores, sparsity], F.cross_entropy(scores, label) - 0.001 * sparsity


# ---- A tabular model: fastai ----------------------------------------------------------------------------


class TabularModel(nn.Module):
    def __init__(self, emb_szs, n_cont, out_sz, layers):
        super().__init__()
        self.embeds = nn.ModuleList(nn.Embedding(a, b) for a, b in emb_szs)
        self.bn_cont = nn.BatchNorm1d(n_cont)
        sizes = [sum(b for _, b in emb_szs) + n_cont, *layers]
        hidden = [
            nn.Sequential(nn.Linear(a, b, bias=False), nn.ReLU(), nn.BatchNorm1d(b)) for a, b in zip(sizes[:-1], sizes[1:])
        ]
        self.layers = nn.Sequential(*hidden, nn.Sequential(nn.Linear(sizes[-1], out_sz)))

    def forward(self, x_cat, x_cont):
        x = torch.cat([each(x_cat[:, i]) for i, each in enumerate(self.embeds)], 1)
        return self.layers(torch.cat([x, self.bn_cont(x_cont)], 1))


def tabular(model, category, numbers, target):
    value = model(category, numbers)
    return [value], F.smooth_l1_loss(value, target, beta=0.5)


# ---- SimSiam: facebookresearch/simsiam ---------------------------------------------------------------


class Backbone(nn.Module):
    """The encoder of the heads below: features that are there already."""

    def __init__(self, width, dim):
        super().__init__()
        self.fc = nn.Linear(width, dim)

    def forward(self, x):
        return self.fc(x)


class SimSiam(nn.Module):
    def __init__(self, width, dim, pred_dim):
        super().__init__()
        self.encoder = Backbone(width, dim)
        self.encoder.fc.bias.requires_grad = False
        self.encoder.fc = nn.Sequential(
            *(nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()),
            *(nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()),
            *(self.encoder.fc, nn.BatchNorm1d(dim, affine=False)),
        )
        self.predictor = nn.Sequential(
            nn.Linear(dim, pred_dim, bias=False), nn.BatchNorm1d(pred_dim), nn.ReLU(), nn.Linear(pred_dim, dim)
        )

    def forward(self, x1, x2):
        z1, z2 = self.encoder(x1), self.encoder(x2)
        return self.predictor(z1), self.predictor(z2), z1.detach(), z2.detach()


def simsiam(model, x1, x2):
    p1, p2, z1, z2 = model(x1, x2)
    loss = -(F.cosine_similarity(p1, z2, dim=1).mean() + F.cosine_similarity(p2, z1, dim=1).mean()) * 0.5
    return [p1, p2, z1, z2], loss


# ---- BNNeck: michuanhaohao/reid-strong-baseline; ArcFace: ronghuaiyang/arcface-pytorch ------------------------


class BNNeck(nn.Module):
    def __init__(self, in_planes, classes):
        super().__init__()
        self.bottleneck = nn.BatchNorm1d(in_planes)
        self.bottleneck.bias.requires_grad_(False)
        self.classifier = nn.Linear(in_planes, classes, bias=False)

    def forward(self, x):
        feature = self.bottleneck(x)
        return (self.classifier(feature), x) if self.training else (feature, x)


def bnneck(model, x, positive, negative, label):
    result, feature = model(x)
    loss = F.triplet_margin_loss(feature, positive, negative, margin=0.3)
    return [result], loss + F.cross_entropy(result, label, label_smoothing=0.1)


class ArcFace(nn.Module):
    """The head of an embedding: Linear, BatchNorm without scale, then the margin."""

    def __init__(self, width, embedding, classes, s, m):
        super().__init__()
        self.fc = nn.Linear(width, embedding)
        self.features = nn.BatchNorm1d(embedding)
        nn.init.constant_(self.features.weight, 1.0)
        self.features.weight.requires_grad = False
        self.margin = ArcMarginProduct(embedding, classes, s, m)

    def forward(self, x, label):
        embedding = self.features(self.fc(x))
        return embedding, self.margin(embedding, label)


class ArcMarginProduct(nn.Module):
    def __init__(self, a, b, s, m):
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(b, a)))
        self.s, self.cos_m, self.sin_m = s, math.cos(m), math.sin(m)
        self.th, self.mm = math.cos(math.pi - m), math.sin(math.pi - m) * m

    def forward(self, x, label):
        cosine = F.linear(F.normalize(x), F.normalize(self.weight))
        sine = torch.sqrt(1 - cosine**2)
        phi = cosine * self.cos_m - sine * self.sin_m
        phi = torch.where(cosine > self.th, phi, cosine - self.mm)
        hot = F.one_hot(label, cosine.shape[1])
        return (hot * phi + (1 - hot) * cosine) * self.s


def arcface(model, x, label):
    embedding, scores = model(x, label)
    return [embedding, scores], F.cross_entropy(scores, label)


# ---- VAE: the encoder and the decoder of scvi-tools ------------------------------------------------------------


class FCLayers(nn.Module):
    def __init__(self, n_in, n_out, n_layers, n_hidden):
        super().__init__()
        sizes = [n_in] + (n_layers - 1) * [n_hidden] + [n_out]
        self.fc_layers = nn.Sequential(
            collections.OrderedDict(
                (f"Layer {i}", nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b, momentum=0.01, eps=0.001), nn.ReLU()))
                for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:]))
            )
        )

    def forward(self, x):
        return self.fc_layers(x)


class Coder(nn.Module):
    def __init__(self, kind, n_in, n_out, n_layers, n_hidden):
        super().__init__()
        self.kind = kind
        setattr(self, kind, FCLayers(n_in, n_hidden, n_layers, n_hidden))
        setattr(self, f"mean_{kind}", nn.Linear(n_hidden, n_out))
        setattr(self, f"var_{kind}", nn.Linear(n_hidden, n_out))

    def forward(self, x):
        hidden = getattr(self, self.kind)(x)
        more = 1e-4 if self.kind == "encoder" else 0
        return getattr(self, f"mean_{self.kind}")(hidden), torch.exp(getattr(self, f"var_{self.kind}")(hidden)) + more


class VAE(nn.Module):
    def __init__(self, n_input, n_latent, n_layers, n_hidden):
        super().__init__()
        self.z_encoder = Coder("encoder", n_input, n_latent, n_layers, n_hidden)
        self.decoder = Coder("decoder", n_latent, n_input, n_layers, n_hidden)

    def forward(self, x, noise):
        mean, var = self.z_encoder(x)
        return mean, var, *self.decoder(mean + var.sqrt() * noise)


def vae(model, x, noise):
    mean, var, px_mean, px_var = model(x, noise)
    likelihood = 0.5 * ((x - px_mean) ** 2 / px_var + px_var.log()).sum(1)
    divergence = 0.5 * (mean**2 + var - var.log() - 1).sum(1)
    return [mean, var, px_mean, px_var], (likelihood + divergence).mean()


# ---- GAN: eriklindernoren/PyTorch-GAN, gan.py -----------------------------------------------------------------


class GAN(nn.Module):
    """The generator normalises with eps 0.8, as the original does: the second argument of BatchNorm1d is eps."""

    def __init__(self, latent, widths, pixels, judge):
        super().__init__()
        self.generator = nn.Module()
        layers = [nn.Linear(latent, widths[0]), nn.LeakyReLU(0.2)]
        for a, b in zip(widths[:-1], widths[1:]):
            layers += [nn.Linear(a, b), nn.BatchNorm1d(b, 0.8), nn.LeakyReLU(0.2)]
        self.generator.model = nn.Sequential(*layers, nn.Linear(widths[-1], pixels), nn.Tanh())
        self.discriminator = nn.Module()
        self.discriminator.model = nn.Sequential(
            *(nn.Linear(pixels, judge[0]), nn.LeakyReLU(0.2), nn.Linear(judge[0], judge[1]), nn.LeakyReLU(0.2)),
            *(nn.Linear(judge[1], 1), nn.Sigmoid()),
        )

    def forward(self, z):
        pictures = self.generator.model(z)
        return pictures, self.discriminator.model(pictures)


def gan(model, z):
    pictures, valid = model(z)
    return [pictures, valid], F.binary_cross_entropy(valid, torch.ones_like(valid))


# ---- All of them ------------------------------------------------------------------------------------------------

GHOST = {"virtual": 8, "momentum": 0.02}


def normal(*shape):
    return lambda: torch.randn(shape)


def whole(most, *shape):
    return lambda: torch.randint(most, shape)


def classes(most, n):
    """Every class is there."""
    return lambda: torch.arange(n) % most


MODELS = {
    "pointnet": (lambda: PointNet(5, (8, 12, 16), (12, 8)), pointnet, [normal(6, 3, 20), classes(5, 6)]),
    "dgcnn-head": (lambda: DGCNNHead(12, 16, (12, 10), 5), dgcnn, [normal(6, 12, 18), classes(5, 6)]),
    "x-vector": (lambda: XVector(5, 6, 8, 12, 10), classifier, [normal(6, 6, 45), classes(5, 6)]),
    "ecapa": (lambda: ECAPA(6, 16, 12, 8, 10, 4, 6), classifier, [normal(5, 6, 24), classes(10, 5)]),
    "m5": (lambda: M5(5, 16, 6), m5, [normal(4, 1, 8000), classes(5, 4)]),
    "ecg-resnet": (
        lambda: ECGResNet((4, 128), [(6, 64), (8, 16), (8, 16), (10, 4)], 3, 9), ecg, [normal(5, 4, 128), lambda: (torch.rand(5, 3) > 0.5).float()]
    ),
    "tabnet": (
        lambda: TabNet(5, [4, 3], [2, 1], 3, n_d=4, n_a=4, n_steps=3, gamma=1.3, n_independent=2, n_shared=2, epsilon=1e-15, **GHOST),
        tabnet,
        [whole(3, 24, 2), normal(24, 5), classes(3, 24)],
    ),
    "tabular": (
        lambda: TabularModel([(7, 4), (5, 3), (3, 2)], 4, 1, [16, 8]), tabular, [whole(3, 20, 3), normal(20, 4), normal(20, 1)]
    ),
    "simsiam": (lambda: SimSiam(12, 16, 6), simsiam, [normal(10, 12), normal(10, 12)]),
    "bnneck": (lambda: BNNeck(24, 6), bnneck, [normal(12, 24), normal(12, 24), normal(12, 24), classes(6, 12)]),
    "arcface": (lambda: ArcFace(12, 8, 6, 8.0, 0.5), arcface, [normal(12, 12), classes(6, 12)]),
    "vae": (lambda: VAE(10, 3, 2, 12), vae, [normal(16, 10), normal(16, 3)]),
    "gan": (lambda: GAN(6, (8, 12, 16), 20, (12, 8)), gan, [normal(16, 6)]),
}
