"""Records of ops: one `OpCase` feeds every check, under the oracle and under thalweg.

A record names an op, tells its inputs and how the public API builds it. From that follow the value over dtypes, the
gradient, static shapes, graph, round trip and errors: `tests/oracle/record_cases.py` records them from real
TensorFlow, `tests/test_ops.py` holds thalweg against the record. See README.md beside this file.

Runs on Python 3.6 with TensorFlow 0.12, Python 3.7 with 1.15, and on today's Python with thalweg.
"""

import zlib

import numpy as np

FLOATS = ("float32", "float64", "float16", "bfloat16")
WIDE = ("float32", "float64")
INTS = ("int32", "int64", "uint8", "int8", "int16", "uint16")
COMPLEX = ("complex64", "complex128")
NUMBERS = FLOATS + INTS[:4] + COMPLEX
EVERY = NUMBERS + ("bool", "string")


class Input:
    """One placeholder of a record: `make(random_state)` gives its values as float64, integers, bools or str.

    dtype "T" follows the dtype over which the record runs.
    """

    def __init__(self, make, dtype="T"):
        self.make, self.dtype = make, dtype

    def values(self, seed, dtype):
        """The values as an array of a NumPy dtype, or of float32 for bfloat16."""
        v = np.asarray(self.make(np.random.RandomState(seed)))
        return as_type(v, dtype if self.dtype == "T" else self.dtype)


def as_type(v, dtype):
    """Plain values as `dtype`: reals become integers by scaling and rounding, complex by pairing, bool by sign."""
    if dtype == "string":
        return np.array([str(e).encode() for e in v.ravel()] or [b""], object)[: v.size].reshape(v.shape)
    if v.dtype.kind == "f" and dtype == "bool":
        return v > 0
    if v.dtype.kind == "f" and "int" in dtype:
        v = np.round(v * 3)
        return (np.abs(v) if dtype.startswith("u") else v).astype(dtype)
    if v.dtype.kind == "f" and dtype.startswith("complex"):
        return (v + 0.5j * v.ravel()[::-1].reshape(v.shape)).astype(dtype)
    with np.errstate(over="ignore"):
        return v.astype(np.float32 if dtype == "bfloat16" else dtype)


def normal(*shape, scale=1.0, shift=0.0, dtype="T"):
    return Input(lambda r: r.randn(*shape) * scale + shift, dtype)


def uniform(*shape, low=0.0, high=1.0, dtype="T"):
    return Input(lambda r: r.uniform(low, high, shape), dtype)


def chances(*shape, dtype="T"):
    """Rows that sum to one."""

    def make(r):
        x = r.uniform(0.1, 1.0, shape)
        return x / x.sum(-1, keepdims=True)

    return Input(make, dtype)


def spread(*shape, dtype="T"):
    """Distinct multiples of 1/4 in random order: no ties, exact in every dtype."""
    size = int(np.prod(shape))
    return Input(lambda r: (r.permutation(size).reshape(shape) - size // 2) / 4.0, dtype)


def ints(low, high, *shape, dtype="int32"):
    return Input(lambda r: r.randint(low, high, shape), dtype)


def bools(*shape):
    return Input(lambda r: r.rand(*shape) > 0.5, "bool")


def given(values, dtype="T"):
    return Input(lambda r: np.asarray(values), dtype)


class OpCase:
    """One record.

    op     type of the op that the record is about; a node of this type must appear in the graph
    inputs the placeholders, in the order in which `call` takes them
    call   `call(tf, *placeholders)` -> the outputs: tensors, nested; or `Steps` of them
    label  tells the records of one op apart
    types  dtypes to run over; the first one feeds the checks of graph, shapes and misuse
    grad   True: with respect to every floating or complex input; or their positions; or False
    smooth False where a numeric derivative means nothing (ties, steps, random)
    value  False where only dtype and shape can be compared (unseeded random)
    graph  False where the nodes may differ from TensorFlow's; say why beside it
    misuse False where wrong dtypes and ranks of the inputs need not give TensorFlow's error classes
    shapes False where TensorFlow's static shapes are wrong, or ours tell more
    portable False where the graph runs in the process that made it alone
    tol    multiplies the tolerances
    vintage "0.12" for forms that only the old API takes; only value, dtype, shape and gradient are compared
    """

    def __init__(self, op, inputs, call, label="", types=("float32",), grad=True, smooth=True, value=True, graph=True,
                 misuse=True, shapes=True, portable=True, tol=1.0, vintage="1.15"):  # fmt: skip
        self.op, self.inputs, self.call, self.label = op, list(inputs), call, label
        self.types, self.grad, self.smooth, self.value = tuple(types), grad, smooth, value
        self.graph, self.misuse, self.shapes, self.portable = graph, misuse, shapes, portable
        self.tol, self.vintage = tol, vintage

    @property
    def id(self):
        return self.op + (":" + self.label.replace(" ", "_") if self.label else "")

    def arrays(self, dtype):
        """The values to feed."""
        return [x.values(zlib.crc32(("%s/%d" % (self.id, i)).encode()), dtype) for i, x in enumerate(self.inputs)]

    def dtypes(self, dtype):
        return [dtype if x.dtype == "T" else x.dtype for x in self.inputs]

    def differentiable(self, dtype):
        """Positions of the inputs whose gradient is compared."""
        if self.grad is False:
            return []
        kinds = self.dtypes(dtype)
        which = range(len(kinds)) if self.grad is True else self.grad
        return [i for i in which if kinds[i].startswith(("float", "complex"))]


class Fails(OpCase):
    """A misuse: `call` raises while building, or its outputs raise when run. The oracle tells which class, and when."""


def raw(tf, op, **args):
    """An op by its own name, for those that no public function makes: under TensorFlow, `tf.raw_ops`."""
    if hasattr(getattr(tf, "raw_ops", None), op):
        return getattr(tf.raw_ops, op)(**args)
    from thalweg._src.core.opdef import OPS

    return OPS[op](**args)


class Steps:
    """Fetches that run one after the other, for ops that write state."""

    def __init__(self, *fetches):
        self.fetches = fetches


def placeholders(tf, case, dtype, shape_of=np.shape):
    """One placeholder per input, `in0`, `in1`, ...; `shape_of` maps an array to its static shape."""
    arrays = case.arrays(dtype)
    return [
        tf.placeholder(tf.as_dtype(t), shape_of(a), name="in%d" % i)
        for i, (t, a) in enumerate(zip(case.dtypes(dtype), arrays))
    ]


def feeds(tf, xs, case, dtype):
    return {
        x: a.astype(tf.bfloat16.as_numpy_dtype) if x.dtype == tf.bfloat16 else a for x, a in zip(xs, case.arrays(dtype))
    }


def flat(outs):
    """The leaves of nested outputs in a fixed order: tensors, operations, or plain Python values."""
    if isinstance(outs, Steps):
        return [leaf for fetch in outs.fetches for leaf in flat(fetch)]
    if hasattr(outs, "indices") and hasattr(outs, "dense_shape"):  # IndexedSlices, SparseTensor
        return [leaf for leaf in (outs.indices, outs.values, outs.dense_shape) if leaf is not None]
    if isinstance(outs, dict):
        return [leaf for key in sorted(outs) for leaf in flat(outs[key])]
    if isinstance(outs, (list, tuple)):
        return [leaf for o in outs for leaf in flat(o)]
    return [outs]


def is_tensor(leaf):
    return hasattr(leaf, "get_shape") and hasattr(leaf, "dtype")


def fetch_all(session, outs, feed):
    """The values of the leaves of `outs`; None for operations; plain values as they are."""
    if isinstance(outs, Steps):
        return [v for fetch in outs.fetches for v in fetch_all(session, fetch, feed)]
    leaves = flat(outs)
    live = [leaf for leaf in leaves if is_tensor(leaf) or hasattr(leaf, "node_def")]
    values = iter(session.run(live, feed) if live else [])
    return [next(values) if any(leaf is other for other in live) else leaf for leaf in leaves]


def is_real_or_complex(t):
    return t.dtype.base_dtype.name.startswith(("float", "complex", "bfloat"))


def grad_ys(case, index, shape, dtype):
    """The fixed incoming gradient of output `index`."""
    r = np.random.RandomState(zlib.crc32(("%s/g%d" % (case.id, index)).encode()))
    return as_type(np.asarray(r.uniform(0.5, 1.5, shape)), dtype)


def gradients(tf, case, dtype, xs, outs, shapes):
    """tf.gradients of the real and complex outputs; `shapes` are the shapes of all leaves when run."""
    pairs = [
        (o, tf.constant(grad_ys(case, i, shapes[i], o.dtype.base_dtype.name), o.dtype.base_dtype))
        for i, o in enumerate(flat(outs))
        if is_tensor(o) and is_real_or_complex(o)
    ]
    which = case.differentiable(dtype)
    if not pairs or not which:
        return []
    return tf.gradients([y for y, _ in pairs], [xs[i] for i in which], [g for _, g in pairs])


SHAPES = {
    "batch": lambda a: (None,) + np.shape(a)[1:] if np.ndim(a) else (),
    "dims": lambda a: (None,) * np.ndim(a),
    "rank": lambda a: None,
}


def misuses(case, dtype):
    """(label, dtypes, shapes) of ways to give one input a wrong dtype or rank; the others stay right."""
    kinds, shapes = case.dtypes(dtype), [np.shape(a) for a in case.arrays(dtype)]
    for i in range(len(kinds)):
        for wrong in ("string", "bool", "int32", "float32", "float64"):
            if wrong != kinds[i]:
                yield "%d %s" % (i, wrong), kinds[:i] + [wrong] + kinds[i + 1 :], shapes
        others = {"scalar": (), "rank+1": shapes[i] + (2,), "wider": shapes[i][:-1] + (7,) if shapes[i] else (7,)}
        for word, wrong in sorted(others.items()):
            if wrong != shapes[i]:
                yield "%d %s" % (i, word), kinds, shapes[:i] + [wrong] + shapes[i + 1 :]


def static(outs):
    """What is known of the leaves before anything runs: [dtype, shape], an op's type, or the value itself."""
    told = []
    for leaf in flat(outs):
        if is_tensor(leaf):
            s = leaf.get_shape()
            dims = None if s.ndims is None else s.as_list()
            told.append([leaf.dtype.name, dims])
        elif hasattr(leaf, "node_def"):
            told.append(leaf.node_def.op)
        else:
            told.append(plain(leaf))
    return told


def plain(value):
    """A Python result (a shape, a number, None) in the form in which JSON gives it back."""
    if hasattr(value, "as_list"):
        return value.as_list() if value.ndims is not None else "unknown shape"
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


SAMPLE = 48  # larger results are kept as this many elements and two sums


def digest(array):
    """(dtype, shape, elements, sums): all elements of a small array; a sample and two weighted sums of a large one."""
    a = np.asarray(array)
    flat_a, sums = a.ravel(), None
    if a.size > SAMPLE:
        wide = flat_a.astype(np.complex128 if a.dtype.kind == "c" else np.float64) if a.dtype.kind != "O" else None
        if wide is not None:
            ramp = np.linspace(0.5, 1.5, a.size)
            sums = [float(np.abs(wide).sum()), float(np.abs((wide * ramp).sum()))]
        flat_a = flat_a[np.linspace(0, a.size - 1, SAMPLE).astype(np.int64)]
    return a.dtype.name, list(a.shape), flat_a, sums


def families():
    """{name: list of records} of the modules beside this one."""
    import importlib
    import os

    found = {}
    for f in sorted(os.listdir(os.path.dirname(os.path.abspath(__file__)))):
        name = f[:-3]
        if f.endswith(".py") and name not in ("base", "__init__"):
            found[name] = importlib.import_module("cases." + name).CASES
    for name, cases in found.items():
        ids = [(c.vintage, c.id) for c in cases]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError("tests/cases/%s.py: records without a label of their own: %s" % (name, twice))
    return found
