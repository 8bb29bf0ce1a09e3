"""What is measured on a GPU, as data: the sizes of the networks, their arithmetic and the bytes that move at least."""

from __future__ import annotations

import numpy as np

from benchmarks import workloads
from benchmarks.peers.networks import NETWORKS, Layers
from benchmarks.workloads import Workload

PRECISIONS = ("float32", "tf32", "bfloat16")


class Sizes(Layers):
    """Counts instead of computing: a value is its shape. `flops` and `elements` (read and written) are those of all products."""

    def __init__(self):
        super().__init__()
        self.flops = self.elements = 0

    def _layer(self, x, filters, out):
        self.flops += 2 * np.prod(out) * np.prod(filters[:-1])
        self.elements += np.prod(x) + np.prod(out)
        return out

    def _places(self, x, size, stride, padding, channels):
        cut = [0 if padding == "SAME" else k - 1 for k in size]
        return (x[0], *(-(-(n - c) // stride) for n, c in zip(x[1:3], cut, strict=True)), channels)

    def weights(self, *shape):
        return shape

    def vector(self, size, centre):
        return (size,)

    def normalized(self, x, relu=True):
        return x

    def channels(self, x):
        return x[-1]

    def convolved(self, x, w, stride, padding):
        return self._layer(x, w, self._places(x, w[:2], stride, padding, w[3]))

    def plus(self, x, bias):
        return x

    def flat(self, x, size):
        return x[0], size

    def product(self, x, w, bias):
        return self._layer(x, w, (x[0], w[1]))

    def max_pool(self, x, size=3, stride=2, padding="SAME"):
        return self._places(x, (size, size), stride, padding, x[3])

    def mean_pool(self, x):
        return x

    def mean(self, x):
        return x[0], x[3]

    def joined(self, *parts):
        return (*parts[0][:3], sum(p[3] for p in parts))

    def relu(self, x):
        return x

    def sum(self, x, y):
        return x

    def softmax(self, x):
        return x


def network(name, batch, side, precision, trained):
    """A network for images as a workload. Training does three times the work of a forward pass."""
    sizes, times = Sizes(), 3 if trained else 1
    NETWORKS[name](sizes, (batch, side, side, 3))
    doing = "training" if trained else "inference"
    feeds = (
        (((batch, side, side, 3), "normal"), ((batch,), "below 1000"))
        if trained
        else (((batch, side, side, 3), "normal"),)
    )
    width = 2 if precision == "bfloat16" else 4
    return Workload(
        f"{name}-{doing}-{precision}",
        f"{name}, {doing}, batch {batch}, {precision}",
        feeds,
        {"network": name, "precision": precision, "trained": trained},
        float(times * sizes.flops),
        float(times * width * sizes.elements),
        "step",
    )


def rate(precision, side, turns):
    """Products of large matrices one after the other, for what the chip reaches."""
    size = {"precision": precision, "side": side, "turns": turns}
    return Workload(
        f"rate-{precision}", f"{turns} products {side}x{side}, {precision}", (), size, 2.0 * side**3 * turns, 0, "step"
    )


def bandwidth(count, turns):
    """An array read and written again and again."""
    title = f"{turns} passes over {4 * count / 1e6:,.0f} MB"
    return Workload("bandwidth", title, (), {"count": count, "turns": turns}, 0, 8.0 * count * turns, "step")


def everything(small):
    """name -> Workload; `small` sizes only show that all runs."""
    batch, side = (4, 64) if small else (256, 224)
    rates = [rate(p, 128 if small else 8192, 10) for p in PRECISIONS]
    found = [*rates, bandwidth(1 << (14 if small else 28), 10)]
    for workload in (
        workloads.digits_network(8 if small else 64),
        workloads.recurrent("LSTM", *((4, 5, 16) if small else (50, 50, 128)), 2, 65),
    ):
        found.append(workload._replace(size={**workload.size, "precision": "tf32"}))
    found += [network("resnet-50", batch, side, p, True) for p in PRECISIONS]
    found += [network("inception-v3", 2 if small else 64, 96 if small else 299, p, False) for p in ("tf32", "bfloat16")]
    return {w.name: w for w in found}
