#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The network of bench_gpu in PyTorch, for a ratio; bench_gpu runs it, or by hand:

    echo subject|train INPUT WIDTH FC BATCH ROIS PRECISION | bench_torch.py [DEVICE]

prints for every line the median [ms] of a pass (image on the host to scores and boxes
on the host) or of a training step (SGD, conv1 and conv2 frozen, gradients clipped), or
"none: WHY".
Eager, channels last, cudnn.benchmark on.  The RoIs are the ROIS best anchors: neither
moved nor thinned, which is less work than ours does.
"""
import statistics
import sys
import time

ANCHORS, CLASSES, GRID = 6, 7, 7


def network(torch, width, fc):
    nn = torch.nn

    class Claran(nn.Module):
        def __init__(self):
            super().__init__()
            rows, c = [], 3
            stages = [(2, 1), (2, 2), (3, 4), (3, 8), (3, 8)]
            for stage, (times, n) in enumerate(stages):
                for _ in range(times):
                    rows += [nn.Conv2d(c, n * width, 3, padding=1), nn.ReLU(True)]
                    c = n * width
                if stage < 4:
                    rows.append(nn.MaxPool2d(2))
            self.frozen = nn.Sequential(*rows[:10])
            self.rest = nn.Sequential(*rows[10:])
            self.rpn = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(True))
            self.source = nn.Conv2d(c, 2 * ANCHORS, 1)
            self.shift = nn.Conv2d(c, 4 * ANCHORS, 1)
            self.head = nn.Sequential(
                nn.Linear(c * GRID * GRID, fc), nn.ReLU(True), nn.Dropout(0.5),
                nn.Linear(fc, fc), nn.ReLU(True), nn.Dropout(0.5))
            self.score, self.box = nn.Linear(fc, CLASSES), nn.Linear(fc, 4 * CLASSES)
            for p in self.frozen.parameters():
                p.requires_grad = False

        def forward(self, x, rois):
            features = self.rest(self.frozen(x))
            rpn = self.rpn(features)
            source, shift = self.source(rpn), self.shift(rpn)
            n, _, h, w = source.shape
            p = source.reshape(n, 2, -1).softmax(1)[:, 1]
            at = p.topk(rois, 1).indices % (h * w)
            middle = torch.stack((at % w, at // w), -1).to(x.dtype)
            middle = (2 * middle + 1) / w - 1                       # [n, rois, 2]
            step = torch.linspace(-0.3, 0.3, GRID, device=x.device, dtype=x.dtype)
            window = torch.stack(torch.meshgrid(step, step, indexing="xy"), -1)
            grid = (middle[:, :, None, None] + window).view(n, rois * GRID, GRID, 2)
            pooled = nn.functional.grid_sample(features, grid, align_corners=False)
            pooled = pooled.reshape(n, -1, rois, GRID, GRID).transpose(1, 2)
            made = self.head(pooled.reshape(n * rois, -1))
            return source, shift, self.score(made), self.box(made)

    return Claran()


def median(call, wait, runs=31):
    times = []
    for i in range(-3, runs):
        wait()
        start = time.perf_counter()
        call()
        wait()
        if i >= 0:
            times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def measure(torch, kind, side, width, fc, batch, rois, precision, device):
    types = {"bf16": torch.bfloat16, "f16": torch.float16}
    dtype = types.get(precision, torch.float32)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    net = network(torch, width, fc).to(device, memory_format=torch.channels_last)
    host = torch.randn(batch, 3, side, side)
    each = rois // batch
    if device == "cuda":
        host = host.pin_memory()

    def wait():
        if device == "cuda":
            torch.cuda.synchronize()

    def image():
        return host.to(device, non_blocking=True)

    if kind == "subject":
        net = net.eval().to(dtype)

        def call():
            with torch.inference_mode():
                x = image().to(dtype, memory_format=torch.channels_last)
                made = net(x, each)
                return made[2].float().softmax(1).cpu(), made[3].float().cpu()
    else:
        trained = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=1e-9, momentum=0.9)
        half = dtype != torch.float32

        def call():
            optimizer.zero_grad()
            with torch.autocast(device, dtype=dtype, enabled=half):
                x = image().contiguous(memory_format=torch.channels_last)
                source, shift, score, box = net(x, each)
            labels = torch.zeros(rois, dtype=torch.long, device=device)
            loss = torch.nn.functional.cross_entropy(score.float(), labels)
            for value in (source, shift, box):
                loss = loss + torch.nn.functional.smooth_l1_loss(
                    value.float(), torch.zeros_like(value, dtype=torch.float32))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()

    return median(call, wait, 31 if device == "cuda" else 3)


def answer(line, device):
    kind, *numbers, precision = line.split()
    try:
        import torch
    except ImportError:
        return "none: there is no torch for python3"
    if device == "cuda" and not torch.cuda.is_available():
        return "none: torch sees no card"
    try:
        ms = measure(torch, kind, *map(int, numbers), precision, device)
        return f"{ms:.4f}"
    except Exception as problem:
        return "none: " + str(problem).split("\n")[0]
    finally:
        if device == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    for task in sys.stdin:
        print(answer(task, (sys.argv + ["cuda"])[1]), flush=True)
