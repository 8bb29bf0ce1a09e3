"""Plain JAX: each step written by hand as one jitted function with its state donated."""

import functools
import itertools
import os

import numpy as np

from benchmarks.catalogue import by_name
from benchmarks.protocol import serve, timed_import
from benchmarks.workloads import texts


def programs(jax):
    """name -> function of a workload that returns its step."""
    jnp, lax = jax.numpy, jax.lax
    keys = iter(jax.random.split(jax.random.key(1), 1000))

    def weights(*shape):
        return 0.1 * jax.random.truncated_normal(next(keys), -2.0, 2.0, shape)

    def biases(size):
        return jnp.full((size,), 0.1, jnp.float32)

    def cross_entropy(logits, labels):
        return -jnp.mean(jnp.sum(labels * jax.nn.log_softmax(logits), -1))

    def training(loss_of, parameters, *, rate=1e-3, clip=None):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        # two sets of zeros: a donated buffer can't be given twice
        state = (parameters, zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.float32(1), jnp.float32(1))

        @functools.partial(jax.jit, donate_argnums=0)
        def update(state, *arrays):
            p, m, v, p1, p2 = state
            loss, g = jax.value_and_grad(loss_of)(p, *arrays)
            if clip:
                norm = jnp.sqrt(sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(g)))
                g = jax.tree.map(lambda leaf: leaf * (clip / jnp.maximum(norm, clip)), g)
            p1, p2 = p1 * 0.9, p2 * 0.999
            a = rate * jnp.sqrt(1 - p2) / (1 - p1)
            m = jax.tree.map(lambda m, g: m + (g - m) * 0.1, m, g)
            v = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, v, g)
            p = jax.tree.map(lambda p, m, v: p - a * m / (jnp.sqrt(v) + 1e-8), p, m, v)
            return (p, m, v, p1, p2), loss

        def step(*arrays):
            nonlocal state
            state, loss = update(state, *arrays)
            return loss.item()

        return step

    def add(workload):
        f = jax.jit(lambda a, b: a + b)
        return lambda x, y: f(x, y).item()

    def dense(workload):
        sizes = workload.size["sizes"]
        parameters = [(weights(m, n), biases(n)) for m, n in itertools.pairwise(sizes)]

        def loss(parameters, x, y):
            *hidden, (w, b) = parameters
            for u, c in hidden:
                x = jax.nn.relu(x @ u + c)
            return cross_entropy(x @ w + b, y)

        return training(loss, parameters)

    def convolve(x, w):
        return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def digits(workload):
        convolutions = [(weights(5, 5, m, n), biases(n)) for m, n in ((1, 32), (32, 64))]
        dense = [(weights(m, n), biases(n)) for m, n in ((7 * 7 * 64, 1024), (1024, 10))]

        def loss(parameters, x, y):
            convolutions, ((u, c), (w, b)) = parameters
            for f, d in convolutions:
                x = jax.nn.relu(convolve(x, f) + d)
                x = lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
            x = jax.nn.relu(x.reshape(x.shape[0], -1) @ u + c)
            return cross_entropy(x @ w + b, y)

        return training(loss, (convolutions, dense))

    def recurrent(workload):
        size = {"cell": "LSTM", "layers": 1, **workload.size}
        units, vocabulary = size["units"], size["vocabulary"]
        width = {"LSTM": 4, "GRU": 3}[size["cell"]] * units
        cells = [(weights(2 * units, width), biases(width)) for _ in range(size["layers"])]
        parameters = (weights(vocabulary, units), cells, (weights(units, vocabulary), biases(vocabulary)))

        def memory(state, x, w, b):
            c, h = state
            i, j, f, o = jnp.split(jnp.concatenate([x, h], -1) @ w + b, 4, -1)
            c = c * jax.nn.sigmoid(f + 1.0) + jax.nn.sigmoid(i) * jnp.tanh(j)
            h = jnp.tanh(c) * jax.nn.sigmoid(o)
            return (c, h), h

        def gated(state, x, w, b):
            (h,) = state
            gates = jax.nn.sigmoid(jnp.concatenate([x, h], -1) @ w[:, : 2 * units] + b[: 2 * units])
            r, u = jnp.split(gates, 2, -1)
            c = jnp.tanh(jnp.concatenate([x, r * h], -1) @ w[:, 2 * units :] + b[2 * units :])
            h = u * h + (1 - u) * c
            return (h,), h

        tick, states = {"LSTM": (memory, 2), "GRU": (gated, 1)}[size["cell"]]

        def layer(x, w, b):  # [steps, batch, units]
            start = (jnp.zeros(x.shape[1:]),) * states
            return lax.scan(lambda state, x: tick(state, x, w, b), start, x)[1]

        def loss(parameters, x, y):
            embedding, cells, (w, b) = parameters
            h = embedding[x.T]
            for cell in cells:
                h = layer(h, *cell)
            log = jax.nn.log_softmax(h @ w + b)
            return -jnp.mean(jnp.take_along_axis(log, y.T[..., None], -1))

        return training(loss, parameters, rate=2e-3, clip=5.0)

    def many_lengths(workload):
        step, batches = recurrent(workload), texts(workload.size)
        return lambda: [step(*batch) for batch in batches][-1]

    def dropout_mask(workload):
        x = jnp.ones(workload.size["count"])
        drop = jax.jit(lambda key: jnp.where(jax.random.bernoulli(key, 0.5, x.shape), x / 0.5, 0))
        return lambda: drop(next(keys))[0].item()

    def initial_weight(workload):
        draw = jax.jit(lambda key: 0.1 * jax.random.truncated_normal(key, -2.0, 2.0, (workload.size["count"],)))
        return lambda: draw(next(keys))[0].item()

    def convolutions(workload):
        channels, filters = workload.size["channels"], workload.size["filters"]
        parameters = (weights(3, 3, channels, filters), weights(3, 3, filters, filters))

        def loss(parameters, x):
            f, g = parameters
            return jnp.mean(jnp.square(convolve(jax.nn.relu(convolve(x, f)), g)))

        if not workload.size["train"]:
            forward = jax.jit(loss)
            return lambda x: forward(parameters, x).item()

        @functools.partial(jax.jit, donate_argnums=0)
        def update(parameters, x):
            value, gradients = jax.value_and_grad(loss)(parameters, x)
            return jax.tree.map(lambda p, g: p - 1e-3 * g, parameters, gradients), value

        def step(x):
            nonlocal parameters
            parameters, value = update(parameters, x)
            return value.item()

        return step

    def matmul(workload):
        a, b = (jax.random.normal(next(keys), shape) for shape, _ in workload.feeds)
        product = jax.jit(jnp.matmul)
        return lambda x, y: float(np.asarray(product(a, b))[0, 0])

    return {
        "add": add,
        "softmax": dense,
        "mlp": dense,
        "digits": digits,
        "lstm": recurrent,
        "gru": recurrent,
        "many-lengths": many_lengths,
        "dropout-mask": dropout_mask,
        "initial-weight": initial_weight,
        "conv-forward": convolutions,
        "conv-train": convolutions,
        "matmul": matmul,
    }


def main():
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    jax, seconds = timed_import("jax")
    serve({"peer": "JAX", "version": jax.__version__, "imported": seconds}, programs(jax), by_name())


if __name__ == "__main__":
    main()
