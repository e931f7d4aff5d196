"""The network: a small convolutional backbone, a feature pyramid, and YOLOX heads on strides 8, 16 and 32.

In:  [1, 3, 224, 384], BGR, 0 to 255, letterboxed at the top left with 114.
Out: [1, 1764, 5 + classes], the raw YOLOX layout: dx, dy, log w, log h (in strides), objectness, class scores; the last two
     after the sigmoid. 1764 = 28 x 48 + 14 x 24 + 7 x 12 cells, row by row, finest grid first.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

STRIDES = (8, 16, 32)


def conv(cin, cout, k=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(cin, cout, k, stride, k // 2, bias=False),
        nn.BatchNorm2d(cout, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.body = nn.Sequential(conv(c, c // 2, 1), conv(c // 2, c, 3))

    def forward(self, x):
        return x + self.body(x)


class Head(nn.Module):
    """Box, objectness and class scores from one branch: with three classes two branches gain nothing."""

    def __init__(self, c, classes):
        super().__init__()
        self.body = conv(c, c)
        self.out = nn.Conv2d(c, 5 + classes, 1)
        nn.init.constant_(self.out.bias[4:], -4.6)  # a prior of 0.01: nearly every cell is empty

    def forward(self, x):
        return self.out(self.body(x))


class StreetNet(nn.Module):
    def __init__(self, classes=3, c=40):
        super().__init__()
        # Patches of 4 x 4 with a rim of 1 at once: maps at half the size would cost as much as all the rest.
        self.s4 = nn.Sequential(nn.Conv2d(3, 32, 6, 4, 1, bias=False), nn.BatchNorm2d(32, eps=1e-3, momentum=0.03), nn.ReLU(inplace=True))
        self.s8 = nn.Sequential(conv(32, 48, 3, 2), Residual(48))
        self.s16 = nn.Sequential(conv(48, 72, 3, 2), Residual(72), Residual(72))
        self.s32 = nn.Sequential(conv(72, 104, 3, 2), Residual(104), Residual(104))
        self.lateral = nn.ModuleList([conv(n, c, 1) for n in (48, 72, 104)])
        self.smooth = nn.ModuleList([conv(c, c) for _ in range(2)])
        self.heads = nn.ModuleList([Head(c, classes) for _ in STRIDES])

    def levels(self, x):
        f8 = self.s8(self.s4(x / 255.0))
        f16 = self.s16(f8)
        f32 = self.s32(f16)
        p32 = self.lateral[2](f32)
        p16 = self.smooth[1](self.lateral[1](f16) + F.interpolate(p32, scale_factor=2.0, mode="nearest"))
        p8 = self.smooth[0](self.lateral[0](f8) + F.interpolate(p16, scale_factor=2.0, mode="nearest"))
        return [head(p) for head, p in zip(self.heads, (p8, p16, p32))]

    def forward(self, x):
        """Raw logits, [batch, cells, 5 + classes]."""
        return torch.cat([level.flatten(2) for level in self.levels(x)], 2).transpose(1, 2)


class Exported(nn.Module):
    """What the ONNX file holds: sigmoid on scores, boxes left raw as in every YOLOX export."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        out = self.net(images)
        return torch.cat([out[..., :4], out[..., 4:].sigmoid()], 2)


def grids(height, width):
    """Cell corners (in strides) and strides, one row a cell, in the order of the output."""
    cells, strides = [], []
    for s in STRIDES:
        ys, xs = torch.meshgrid(torch.arange(height // s), torch.arange(width // s), indexing="ij")
        cells.append(torch.stack([xs, ys], 2).reshape(-1, 2).float())
        strides.append(torch.full((cells[-1].shape[0], 1), float(s)))
    return torch.cat(cells), torch.cat(strides)


def decode(raw, cells, strides):
    """Boxes as centre x, centre y, width, height in input pixels."""
    return torch.cat([(raw[..., :2] + cells) * strides, raw[..., 2:4].clamp(max=8).exp() * strides], -1)
