"""The image networks by PyTorch's operations: tensors of the form [batch, channels, rows, columns], channels last in memory."""

import numpy as np

from benchmarks.peers.networks import NETWORKS, Layers


class Tensors(Layers):
    """Runs a network once to make its constants (`made`), and then again and again with those."""

    def __init__(self, torch):
        super().__init__()
        self.torch, self.functional = torch, torch.nn.functional
        self.made, self.at, self.new = [], 0, True
        self.relu, self.sum = self.functional.relu, torch.add

    def again(self):
        """From here on the constants are taken in the order in which they were made."""
        self.new, self.at = False, 0

    def constant(self, make):
        if self.new:
            self.made.append(make())
        self.at += 1
        return self.made[self.at - 1]

    def weights(self, *shape):
        return self.constant(lambda: self._filter(Layers.weights(self, *shape)))

    def vector(self, size, centre):
        return self.constant(lambda: self.torch.from_numpy(Layers.vector(self, size, centre)))

    def _filter(self, w):
        if w.ndim == 2:
            return self.torch.from_numpy(np.ascontiguousarray(w.T))
        turned = self.torch.from_numpy(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))
        return turned.to(memory_format=self.torch.channels_last)

    def channels(self, x):
        return x.shape[1]

    def normalized(self, x, relu=True):
        n = self.channels(x)
        scale, offset, mean = self.vector(n, 1), self.vector(n, 0), self.vector(n, 0)
        y = self.functional.batch_norm(x, mean, self.vector(n, 1).abs(), scale, offset, eps=1e-3)
        return self.relu(y) if relu else y

    def depthwise(self, x, stride):
        n = self.channels(x)
        w = self.constant(lambda: self._filter(self.random.standard_normal((3, 3, 1, n)).astype(np.float32) / 3))
        return self.normalized(self.functional.conv2d(*self._around(x, w, stride), groups=n))

    def convolved(self, x, w, stride, padding):
        if padding == "SAME":
            return self.functional.conv2d(*self._around(x, w, stride))
        return self.functional.conv2d(x, w, None, stride)

    def _around(self, x, w, stride):
        """The arguments of a convolution whose result has a place for each stride, padded as TensorFlow pads."""
        pads = [self._pads(n, k, stride) for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
        if all(before == after for before, after in pads):
            return x, w, None, stride, tuple(before for before, _ in pads)
        return self._padded(x, pads), w, None, stride

    def _pads(self, size, kernel, stride):
        whole = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return whole // 2, whole - whole // 2

    def _padded(self, x, pads, value=0.0):
        return self.functional.pad(x, (*pads[1], *pads[0]), value=value)

    def plus(self, x, bias):
        return x + bias[:, None, None]

    def product(self, x, w, bias):
        return self.functional.linear(x, w, bias)

    def max_pool(self, x, size=3, stride=2, padding="SAME"):
        if padding == "SAME":
            x = self._padded(x, [self._pads(n, size, stride) for n in x.shape[2:]], -np.inf)
        return self.functional.max_pool2d(x, size, stride)

    def mean_pool(self, x):
        return self.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def mean(self, x):
        return x.mean((2, 3))

    def flat(self, x, size):
        return x.permute(0, 2, 3, 1).reshape(-1, size)

    def joined(self, *parts):
        return self.torch.cat(parts, 1)

    def softmax(self, x):
        return self.functional.softmax(x, 1)


def programs(torch, compiled):
    """name -> function of a workload that returns its step."""

    def program(workload):
        net, network = Tensors(torch), NETWORKS[workload.size["network"]]

        def forward(images):
            net.at = 0
            return network(net, images)

        def taken(batch):
            return torch.from_numpy(batch).permute(0, 3, 1, 2)

        ((shape, _),) = workload.feeds
        with torch.inference_mode():
            forward(taken(np.zeros((1, *shape[1:]), np.float32)))
        net.again()
        run = torch.compile(forward) if compiled else forward

        @torch.inference_mode()
        def step(batch):
            return run(taken(batch))[0].max().item()

        return step

    return {f"inference/{name}-{n}": program for name in NETWORKS for n in (1, 16)}
