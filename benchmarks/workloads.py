"""What is measured, as data: shapes, constants, and the work that cannot be avoided.

Read by the driver and by every peer, Python 3.7 (TensorFlow 1.15) included.
"""

from collections import namedtuple

import numpy as np

# name:     what `setup` is told
# title:    what a reader sees
# feeds:    (shape, kind) for each array of a batch; kinds as in `batch`
# size:     the constants of the program
# flops:    multiplications and additions of its matrix products and convolutions
# traffic:  bytes that must move at least: the batch in, each parameter and optimizer slot in and out
# unit:     what one step is
Workload = namedtuple("Workload", "name title feeds size flops traffic unit")

BATCHES = 8  # prepared batches, fed in turn


def batches(workload, count=BATCHES):
    """`count` different batches of NumPy arrays, the same ones for every peer."""
    random = np.random.RandomState(7)
    return [tuple(array(random, *feed) for feed in workload.feeds) for _ in range(count)]


def array(random, shape, kind):
    """An array of `shape`. Kinds: 'float' in [0, 1), 'normal', 'one hot' (over the last axis), 'below N', 'number'."""
    if kind == "number":  # a Python number: the smallest thing that a program feeds
        return float(random.random_sample())
    if kind == "float":
        return random.random_sample(shape).astype(np.float32)
    if kind == "normal":
        return random.standard_normal(shape).astype(np.float32)
    if kind == "one hot":
        return np.eye(shape[-1], dtype=np.float32)[random.randint(shape[-1], size=shape[:-1])]
    if kind.startswith("below "):
        return random.randint(int(kind[6:]), size=shape).astype(np.int32)
    raise ValueError("no such kind of feed: " + kind)


def dense_flops(batch, sizes):
    """A training step of a stack of dense layers: forward, by weights, and by inputs but for the first layer's."""
    layers = [2.0 * batch * m * n for m, n in zip(sizes, sizes[1:])]
    return 3 * sum(layers) - layers[0]


def conv_flops(batch, height, width, kernel, channels, filters):
    """One convolution, stride 1, SAME."""
    return 2.0 * batch * height * width * kernel * kernel * channels * filters


def adam_bytes(parameters):
    """Parameter and two moments, each read and written once, float32."""
    return 24.0 * parameters


def softmax_regression(batch, inputs, classes):
    parameters = inputs * classes + classes
    return Workload(
        "softmax",
        f"softmax regression {inputs}-{classes}, batch {batch}, Adam",
        (((batch, inputs), "float"), ((batch, classes), "one hot")),
        {"sizes": (inputs, classes)},
        dense_flops(batch, (inputs, classes)),
        adam_bytes(parameters) + 4.0 * batch * (inputs + classes),
        "step",
    )


def perceptron(batch, sizes):
    parameters = sum(m * n + n for m, n in zip(sizes, sizes[1:]))
    return Workload(
        "mlp",
        "{}, batch {}, Adam".format("-".join(map(str, sizes)), batch),
        (((batch, sizes[0]), "float"), ((batch, sizes[-1]), "one hot")),
        {"sizes": sizes},
        dense_flops(batch, sizes),
        adam_bytes(parameters) + 4.0 * batch * (sizes[0] + sizes[-1]),
        "step",
    )


def digits_network(batch):
    conv1 = conv_flops(batch, 28, 28, 5, 1, 32)
    conv2 = conv_flops(batch, 14, 14, 5, 32, 64)
    dense = 2.0 * batch * (7 * 7 * 64 * 1024 + 1024 * 10)
    parameters = 25 * 32 + 32 + 25 * 32 * 64 + 64 + 3136 * 1024 + 1024 + 1024 * 10 + 10
    return Workload(
        "digits",
        f"digits network (5x5x32, pool, 5x5x64, pool, 1024, 10), batch {batch}, Adam",
        (((batch, 28, 28, 1), "float"), ((batch, 10), "one hot")),
        {},
        2 * conv1 + 3 * (conv2 + dense),
        adam_bytes(parameters) + 4.0 * batch * (784 + 10),
        "step",
    )


def recurrent(cell, batch, steps, units, layers, vocabulary, *, unrolled=False):
    gates = {"LSTM": 4, "GRU": 3}[cell]
    turn = 2.0 * batch * 2 * units * gates * units
    out = 2.0 * batch * units * vocabulary
    parameters = layers * (2 * gates * units * units + gates * units) + 2 * vocabulary * units + vocabulary
    return Workload(
        cell.lower() + ("-unrolled" if unrolled else ""),
        f"{layers}-layer {cell} {units}, batch {batch}, {steps} steps{', unrolled in the graph' if unrolled else ''}, "
        f"vocabulary {vocabulary}, gradients clipped, Adam",
        (((batch, steps), f"below {vocabulary}"), ((batch, steps), f"below {vocabulary}")),
        {
            "cell": cell,
            "units": units,
            "layers": layers,
            "vocabulary": vocabulary,
            **({"turns": steps} if unrolled else {}),
        },
        3 * steps * (layers * turn + out),
        adam_bytes(parameters) + 8.0 * batch * steps,
        "step",
    )


def many_lengths(batch, first, count, units, vocabulary):
    """A pass over batches of `count` different lengths from `first` on, each once, in an order by chance."""
    steps = sum(range(first, first + count))
    gates = 2.0 * batch * 2 * units * 4 * units
    return Workload(
        "many-lengths",
        f"LSTM {units}, batch {batch}, {count} batches of {count} lengths, {first} to {first + count - 1}, Adam; first: all are new",
        (),
        {"batch": batch, "first": first, "count": count, "units": units, "vocabulary": vocabulary},
        3 * steps * (gates + 2.0 * batch * units * vocabulary),
        0,
        "pass",
    )


def texts(size):
    """For each length of `many_lengths`: a batch of texts, and each with its following letters, [batch, length]."""
    random = np.random.RandomState(3)
    lengths = random.permutation(np.arange(size["first"], size["first"] + size["count"]))
    whole = [random.randint(size["vocabulary"], size=(size["batch"], n + 1)).astype(np.int32) for n in lengths]
    return [(text[:, :-1], text[:, 1:]) for text in whole]


def random_numbers(name, title, count):
    """Numbers that go into memory once, at the least."""
    return Workload(name, f"{title} of {count:,} numbers", (), {"count": count}, 0, 4.0 * count, "draw")


def two_convolutions(name, batch, side, channels, filters, train):
    first = conv_flops(batch, side, side, 3, channels, filters)
    second = conv_flops(batch, side, side, 3, filters, filters)
    image = 4.0 * batch * side * side
    return Workload(
        name,
        "two 3x3 convolutions {0}x{1}x{1}x{2} -> {3} -> {3}, {4}".format(
            batch, side, channels, filters, "forward and backward, SGD" if train else "forward"
        ),
        (((batch, side, side, channels), "normal"),),
        {"channels": channels, "filters": filters, "train": train},
        2 * first + 3 * second if train else first + second,
        image * (channels + (3 if train else 1) * filters),
        "step",
    )


def checkpoint(name, doing):
    """A gigabyte of variables to a disk, or back; traffic is that of the disk."""
    return Workload(
        name, doing + " 16 variables of 64 MB", (), {"variables": 16, "rows": 4096}, 0, 2.0**30, "checkpoint"
    )


WORKLOADS = (
    Workload("add", "scalar add through one call", (((), "number"), ((), "number")), {}, 1.0, 12.0, "call"),
    softmax_regression(100, 784, 10),
    perceptron(128, (784, 512, 512, 10)),
    digits_network(64),
    recurrent("LSTM", 50, 50, 128, 2, 65),
    recurrent("GRU", 50, 50, 128, 2, 65),
    recurrent("LSTM", 50, 50, 128, 2, 65, unrolled=True),
    many_lengths(32, 5, 200, 128, 65),
    random_numbers("dropout-mask", "dropout", 10_000_000),
    random_numbers("initial-weight", "an initial weight, truncated normal,", 10_000_000),
    two_convolutions("conv-forward", 4, 128, 32, 64, train=False),
    two_convolutions("conv-train", 4, 128, 32, 64, train=True),
    Workload(
        "build", "building a training graph of about 36,000 nodes, and dropping it", (), {"blocks": 78}, 0, 0, "graph"
    ),
    checkpoint("save", "saving"),
    checkpoint("restore", "restoring"),
    # input: the files are those of benchmarks.input_files
    Workload("records", "reading 20,000 TFRecords of 1 KB, in batches of 100", (), {}, 0, 20000 * 1040.0, "pass"),
    Workload(
        "pictures",
        "32 JPEGs of 256x256: decoded, cut to 224x224, mirrored, resized to 128x128, as a batch of float32",
        (),
        {"batch": 32, "cut": 224, "side": 128},
        0,
        0,
        "batch",
    ),
    Workload("input-feed", "softmax regression 784-10 on shuffled batches of 100, fed", (), {}, 0, 0, "step"),
    Workload("input-data", "the same by tf.data (DataLoader)", (), {}, 0, 0, "step"),
    Workload("input-queue", "the same by queues: slice_input_producer, shuffle_batch", (), {}, 0, 0, "step"),
    # measured for the floors, by whoever reaches most
    Workload(
        "matmul",
        "matrix product 2048x2048x2048",
        (((2048, 2048), "normal"), ((2048, 2048), "normal")),
        {},
        2.0 * 2048**3,
        0,
        "product",
    ),
    Workload("copy", "copying 128 MB", (((1 << 25,), "float"),), {}, 0, 2.0**28, "copy"),
)

MACHINE = ("matmul", "copy")
INPUT = frozenset(("records", "pictures", "input-feed", "input-data", "input-queue"))  # that read files
