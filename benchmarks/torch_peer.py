"""The same objective in PyTorch, channels last: a contestant of speed.py in an environment with PyTorch.

    python benchmarks/torch_peer.py torch WIDTHxHEIGHT

Weights and pictures are random: speed and memory only.
"""

import resource
import sys
import time

import torch
import torch.nn.functional as F

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))


def main():
    width, height = map(int, sys.argv[2].split("x"))
    torch.manual_seed(0)
    layers, channels = [], 3
    for block, (filters, count) in enumerate(BLOCKS, 1):
        for index in range(1, count + 1):
            weight = torch.randn(filters, channels, 3, 3) * (2 / (9 * channels)) ** 0.5
            layers.append(
                (f"{block}_{index}", weight.contiguous(memory_format=torch.channels_last), torch.zeros(filters))
            )
            channels = filters

    def features(x):
        grams, content = [], None
        for name, weight, bias in layers:
            if name.endswith("_1") and name != "1_1":
                x = F.avg_pool2d(x, 2)
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
            if name.endswith("_1"):
                rows = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
                grams.append(rows.t() @ rows)
            if name == "4_2":
                content = x
        return grams, content

    image = (torch.randn(1, 3, height, width) * 50).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        grams, content = features(torch.randn_like(image) * 50)
    start = None
    while True:
        now = time.perf_counter()
        print("ready" if start is None else now - start, flush=True)
        if not sys.stdin.readline():
            break
        start = time.perf_counter()
        x = image.detach().requires_grad_(True)
        own, there = features(x)
        loss = sum(((gram - target) ** 2).sum() * 1e-9 for gram, target in zip(own, grams))
        (loss + 10 * ((there - content) ** 2).sum()).backward()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * 1.048576)


if __name__ == "__main__":
    main()
