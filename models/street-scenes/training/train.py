"""Trains the street-scenes detector on the CPU and exports it. See README.md beside this file for the commands.

Reads pictures and labels that simulator/scenes/dataset.ts wrote; nothing else. Seeded; single runs differ in the last digits
between machines because floating point sums do.
"""
import argparse
import copy
import json
import math
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from net import Exported, StreetNet, decode, grids

CLASSES = ["car", "truck", "person"]
HEIGHT, WIDTH, PAD = 224, 384, 114
RESAMPLING = [Image.BILINEAR, Image.BICUBIC, Image.LANCZOS, Image.BOX]


def load(folder: Path):
    """All pictures as uint8 BGR [n, 3, 224, 384] and their boxes [class, cx, cy, w, h] in input pixels."""
    labels = json.loads((folder / "labels.json").read_text())
    images = np.full((len(labels), 3, HEIGHT, WIDTH), PAD, np.uint8)
    targets = []
    for i, label in enumerate(labels):
        picture = Image.open(folder / label["file"]).convert("RGB")
        scale = min(WIDTH / picture.width, HEIGHT / picture.height)
        w, h = round(picture.width * scale), round(picture.height * scale)
        pixels = np.asarray(picture.resize((w, h), RESAMPLING[i % len(RESAMPLING)]))
        images[i, :, :h, :w] = pixels[:, :, ::-1].transpose(2, 0, 1)
        boxes = [
            [CLASSES.index(t["class"]), (x + bw / 2) * scale, (y + bh / 2) * scale, bw * scale, bh * scale]
            for t in label["truth"]
            for x, y, bw, bh in [t["box"]]
        ]
        targets.append(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5))
    return torch.from_numpy(images), targets


def augment(images, targets):
    """Mirror, zoom, shift, light and colour: on the fly, so that no picture is ever seen twice the same."""
    n = images.shape[0]
    x = images.float()
    zoom = torch.empty(n).uniform_(0.78, 1.3)
    move = torch.stack([torch.empty(n).uniform_(-0.15, 0.15), torch.empty(n).uniform_(-0.1, 0.1)], 1)
    flip = (torch.rand(n) < 0.5).float() * 2 - 1
    still = torch.rand(n) < 0.3
    zoom[still], move[still] = 1.0, 0.0
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = flip / zoom, 1 / zoom
    theta[:, :, 2] = move
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    x = F.grid_sample(x - PAD, grid, align_corners=False) + PAD
    gain = torch.empty(n, 3, 1, 1).uniform_(0.85, 1.15) * torch.empty(n, 1, 1, 1).uniform_(0.7, 1.35)
    x = ((x - 128) * torch.empty(n, 1, 1, 1).uniform_(0.75, 1.25) + 128) * gain + torch.empty(n, 1, 1, 1).uniform_(-14, 14)
    x = x + torch.randn_like(x) * torch.empty(n, 1, 1, 1).uniform_(0, 5)
    return x.clamp(0, 255), [moved(t, theta[i]) for i, t in enumerate(targets)]


def batches_of(images, targets, size):
    """Batches without end, each picture once a round."""
    order = []
    while True:
        if len(order) < size:
            order = torch.randperm(len(images)).tolist()
        chosen, order = order[:size], order[size:]
        yield augment(images[chosen], [targets[i] for i in chosen])


def moved(boxes, theta):
    """Boxes through the inverse of the sampling grid; those mostly out of the picture go."""
    if not len(boxes):
        return boxes
    size = torch.tensor([WIDTH, HEIGHT], dtype=torch.float32)
    a, b, m = theta[0, 0], theta[1, 1], theta[:, 2]
    scale = torch.stack([a, b])
    centre = ((boxes[:, 1:3] / size * 2 - 1) - m) / scale
    centre = (centre + 1) / 2 * size
    extent = boxes[:, 3:5] / scale.abs()
    low, high = (centre - extent / 2).clamp(min=0), torch.minimum(centre + extent / 2, size)
    kept = (high - low).clamp(min=0)
    good = (kept.prod(1) > 0.4 * extent.prod(1)) & (kept.min(1).values > 2.5) & (kept[:, 1] > 7)
    return torch.cat([boxes[:, :1], (low + high) / 2, kept], 1)[good]


def reduced(x, targets):
    """Three quarters of the size, cut off within the padding: the first part of the training costs half."""
    x = F.interpolate(x, size=(168, 288), mode="bilinear", align_corners=False)[:, :, :160]
    return x, [torch.cat([t[:, :1], t[:, 1:] * 0.75], 1) for t in targets]


def iou_matrix(a, b):
    la, ha = a[:, None, :2] - a[:, None, 2:] / 2, a[:, None, :2] + a[:, None, 2:] / 2
    lb, hb = b[None, :, :2] - b[None, :, 2:] / 2, b[None, :, :2] + b[None, :, 2:] / 2
    inter = (torch.minimum(ha, hb) - torch.maximum(la, lb)).clamp(min=0).prod(2)
    return inter / (a[:, None, 2:].prod(2) + b[None, :, 2:].prod(2) - inter + 1e-9)


@torch.no_grad()
def assign(target, boxes, logits, cells, strides):
    """SimOTA (YOLOX, arXiv 2107.08430, 2.1): each truth takes the few cells that cost it least. Returns cells and truths."""
    centre = (cells + 0.5) * strides
    gt = target[:, 1:]
    inside = ((centre[None] - gt[:, None, :2]).abs() < gt[:, None, 2:] / 2).all(2)
    near = ((centre[None] - gt[:, None, :2]).abs() < 2.0 * strides[None]).all(2)
    candidate = (inside | near).any(0)
    index = candidate.nonzero().squeeze(1)
    if not len(index):
        return index, index
    iou = iou_matrix(gt, boxes[index])
    score = (logits[index, 4:5].sigmoid() * logits[index, 5:].sigmoid()).sqrt().clamp(1e-6, 1 - 1e-6)
    wanted = F.one_hot(target[:, 0].long(), len(CLASSES)).float()
    cost_cls = -(wanted[:, None] * score[None].log() + (1 - wanted[:, None]) * (1 - score[None]).log()).sum(2)
    cost = cost_cls - 3.0 * (iou + 1e-8).log() + 1e5 * (~(inside & near)[:, index])
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    for g in range(len(gt)):
        k = max(1, int(iou[g].topk(min(10, iou.shape[1])).values.sum()))
        chosen[g, cost[g].topk(min(k, cost.shape[1]), largest=False).indices] = True
    crowded = chosen.sum(0) > 1
    if crowded.any():
        best = cost[:, crowded].argmin(0)
        chosen[:, crowded] = False
        chosen[best, crowded.nonzero().squeeze(1)] = True
    taken = chosen.any(0)
    return index[taken], chosen[:, taken].float().argmax(0)


def giou_loss(p, t):
    lp, hp, lt, ht = p[:, :2] - p[:, 2:] / 2, p[:, :2] + p[:, 2:] / 2, t[:, :2] - t[:, 2:] / 2, t[:, :2] + t[:, 2:] / 2
    inter = (torch.minimum(hp, ht) - torch.maximum(lp, lt)).clamp(min=0).prod(1)
    union = p[:, 2:].prod(1) + t[:, 2:].prod(1) - inter + 1e-9
    hull = (torch.maximum(hp, ht) - torch.minimum(lp, lt)).prod(1) + 1e-9
    iou = inter / union
    return 1 - iou + (hull - union) / hull, iou.detach()


def loss_of(raw, targets, cells, strides):
    boxes = decode(raw, cells, strides)
    objectness = torch.zeros(raw.shape[:2])
    box_loss, cls_loss, positives = raw.new_zeros(()), raw.new_zeros(()), 0
    for i, target in enumerate(targets):
        if not len(target):
            continue
        cell, truth = assign(target, boxes[i].detach(), raw[i].detach(), cells, strides)
        if not len(cell):
            continue
        giou, iou = giou_loss(boxes[i, cell], target[truth, 1:])
        wanted = F.one_hot(target[truth, 0].long(), len(CLASSES)).float() * iou[:, None].clamp(min=0)
        box_loss = box_loss + giou.sum()
        cls_loss = cls_loss + F.binary_cross_entropy_with_logits(raw[i, cell, 5:], wanted, reduction="sum")
        objectness[i, cell] = 1.0
        positives += len(cell)
    obj_loss = F.binary_cross_entropy_with_logits(raw[..., 4], objectness, reduction="sum")
    return (5.0 * box_loss + obj_loss + cls_loss) / max(1, positives)


def nms(boxes, scores, threshold=0.6):
    order, kept = scores.argsort(descending=True), []
    while len(order):
        kept.append(order[0].item())
        order = order[1:][iou_matrix(boxes[order[:1]], boxes[order[1:]])[0] < threshold]
    return kept


@torch.no_grad()
def measure(net, images, targets, cells, strides, thresholds=(0.3, 0.4, 0.5, 0.6)):
    """Precision and recall per class at IoU 0.5, for several score thresholds."""
    net.eval()
    hits = {t: np.zeros((3, len(CLASSES))) for t in thresholds}  # found right, found, true
    for i in range(0, len(images), 32):
        raw = net(images[i : i + 32].float())
        for b in range(raw.shape[0]):
            boxes = decode(raw[b], cells, strides)
            scores = raw[b, :, 4:5].sigmoid() * raw[b, :, 5:].sigmoid()
            for c in range(len(CLASSES)):
                index = (scores[:, c] > min(thresholds)).nonzero().squeeze(1)
                kept = index[nms(boxes[index], scores[index, c])] if len(index) else index
                truth = targets[i + b][targets[i + b][:, 0] == c][:, 1:]
                for t in thresholds:
                    found = kept[scores[kept, c] > t]
                    free, right = set(range(len(truth))), 0
                    iou = iou_matrix(boxes[found], truth) if len(found) and len(truth) else None
                    for f in range(len(found)):
                        best = max(free, key=lambda g: iou[f, g].item(), default=None) if iou is not None else None
                        if best is not None and iou[f, best] >= 0.5:
                            free.remove(best)
                            right += 1
                    hits[t][:, c] += [right, len(found), len(truth)]
    net.train()
    return {
        t: {CLASSES[c]: (round(h[0, c] / max(1, h[1, c]), 4), round(h[0, c] / max(1, h[2, c]), 4)) for c in range(len(CLASSES))}
        for t, h in hits.items()
    }


@torch.no_grad()
def resume(net, file: Path, images):
    """Takes the weights of an exported model. Export folds each batch norm into its convolution; here each gets back the
    mean and deviation that its channels have on some pictures, so that the network computes the same and learns on."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(file)).graph
    weights = {w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in graph.initializer}
    folded = iter([[weights[name] for name in node.input[1:]] for node in graph.node if node.op_type == "Conv"])
    net.eval()
    pending, norms, hooks = [], [], []

    def fill(conv, _):
        weight, bias = next(folded)
        conv.weight.copy_(weight)
        conv.bias.copy_(bias) if conv.bias is not None else pending.append(bias)

    def restore(norm, inputs):
        x, bias = inputs[0], pending.pop()
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)
        norm.weight.copy_((var + norm.eps).sqrt())
        norm.bias.copy_(mean + bias)
        norms.append(norm)

    # Modules run in the order in which their convolutions stand in the graph.
    for module in net.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.BatchNorm2d)):
            hooks.append(module.register_forward_pre_hook(fill if isinstance(module, torch.nn.Conv2d) else restore))
    net(images.float())
    for hook in hooks:
        hook.remove()
    assert next(folded, None) is None, "the model has more convolutions than this network"
    net.train()


def main():
    args = argparse.ArgumentParser()
    args.add_argument("data", type=Path)
    args.add_argument("--steps", type=int, default=1200)
    args.add_argument("--batch", type=int, default=20, help="above 16 torch 1.13 takes its fast path for 1 x 1 convolutions")
    args.add_argument("--lr", type=float, default=2e-3)
    args.add_argument("--small", type=float, default=0.6, help="share of the steps that see small pictures")
    args.add_argument("--start", type=Path, help="an exported model to go on from")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--out", type=Path, default=Path("model.onnx"))
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    images, targets = load(args.data / "train")
    val_images, val_targets = load(args.data / "val")
    cells, strides = grids(HEIGHT, WIDTH)
    small_grids = grids(160, 288)
    net = StreetNet(len(CLASSES))
    if args.start:
        resume(net, args.start, images[: 64])
    average = copy.deepcopy(net)
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(images)} pictures", flush=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=0.01)
    # The next batch is prepared while this one is learned from.
    batches, other = batches_of(images, targets, args.batch), ThreadPoolExecutor(1)
    ahead, begun = other.submit(next, batches), time.time()
    for step in range(args.steps):
        share = step / args.steps
        warm = min(1, (step + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = args.lr * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        x, t = ahead.result()
        ahead = other.submit(next, batches)
        small = share < args.small
        if small:
            x, t = reduced(x, t)
        loss = loss_of(net(x), t, *(small_grids if small else (cells, strides)))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimiser.step()
        keep = min(0.998, (1 + step) / (20 + step))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), net.state_dict().values()):
                a.copy_(a * keep + b * (1 - keep)) if a.dtype.is_floating_point else a.copy_(b)
        if step % 25 == 0:
            print(f"step {step} loss {loss.item():.3f} {time.time() - begun:.0f} s", flush=True)
        if step % 300 == 299 or step == args.steps - 1:
            for threshold, result in measure(average, val_images, val_targets, cells, strides).items():
                print(f"  val at {threshold}: {result}", flush=True)
            export(average, args.out)

def export(net, out: Path):
    net = copy.deepcopy(net).eval()
    torch.onnx.export(
        Exported(net).eval(), torch.zeros(1, 3, HEIGHT, WIDTH), str(out), opset_version=13, input_names=["images"], output_names=["output"]
    )


if __name__ == "__main__":
    main()
