"""Softmaxes and the cross-entropies over them."""

import math as numbers

from thalweg._src.core import errors, infer, shapes
from thalweg._src.core.apply import check
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import FLOATS, bfloat16, float16, float32, int32, int64
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.arrays.constants import constant, ones_like, zeros_like
from thalweg._src.ops.basic import prevent_gradient, stop_gradient
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.activations import relu

T = type_attr("T", FLOATS)
Tlabels = type_attr("Tlabels", (int32, int64), int64)


def _wide(x):
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def _shifted(x):
    """`x` less its maximum along the last dimension, which is finite where `x` is."""
    return x - jnp.max(x, -1, keepdims=True)


@op("Softmax")
def _softmax(logits: T) -> T:
    """exp(logits) / sum(exp(logits)) along the last dimension."""
    if not logits.ndim:
        raise ValueError("logits must have >= 1 dimension, got []")
    if not logits.size:
        return logits
    e = jnp.exp(_shifted(_wide(logits)))
    return (e / jnp.sum(e, -1, keepdims=True)).astype(logits.dtype)


@op("LogSoftmax")
def _log_softmax(logits: T) -> T:
    """logits - log(sum(exp(logits))) along the last dimension."""
    if not logits.ndim:
        raise ValueError("logits must have >= 1 dimension, got []")
    if not logits.size:
        return logits
    shifted = _shifted(_wide(logits))
    return (shifted - jnp.log(jnp.sum(jnp.exp(shifted), -1, keepdims=True))).astype(logits.dtype)


def _of_vectors(op):
    dims = op.inputs[0].dims
    if dims == ():
        raise ValueError(f"Shape must be at least rank 1 but is rank 0 for '{op.name}' (op: '{op.type}').")
    return [dims]


_softmax.shape_rule(_of_vectors)
_log_softmax.shape_rule(_of_vectors)


@_softmax.grad  # dx = (g - sum(g y)) y
def _(op, g):
    y = op.outputs[0]
    return (g - math.reduce_sum(g * y, -1, keepdims=True)) * y


@_log_softmax.grad  # dx = g - sum(g) softmax(x)
def _(op, g):
    y = math.exp(op.outputs[0])
    return g - math.reduce_sum(g, -1, keepdims=True) * y


@op("SoftmaxCrossEntropyWithLogits")
def _cross_entropy(features: T, labels: T) -> Outputs(loss=T, backprop=T):
    """-sum(labels log(softmax(features))) of each row, and softmax(features) - labels."""
    dtype = features.dtype
    x, y = jnp.broadcast_arrays(_wide(features), _wide(labels))
    if x.ndim != 2:
        raise ValueError(f"logits and labels must be 2-dimensional, got {features.shape} and {labels.shape}")
    if not x.size:
        return jnp.zeros(x.shape[0], dtype), jnp.zeros(x.shape, dtype)
    shifted = _shifted(x)
    e = jnp.exp(shifted)
    total = jnp.sum(e, -1, keepdims=True)
    loss = jnp.sum(y * (jnp.log(total) - shifted), -1)
    return loss.astype(dtype), (e / total - y).astype(dtype)


@_cross_entropy.shape_rule
def _(op):
    a, b = (t.dims for t in op.inputs)
    dims = shapes.broadcast(a, b)
    if dims is False:
        raise ValueError(
            f"Dimensions must be equal: the shapes {shapes.text(a)} and {shapes.text(b)} of logits and labels differ "
            f"for '{op.name}' (op: '{op.type}')."
        )
    if dims is None:
        dims = (None, None)
    if len(dims) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    return [dims[:1], dims]


def _each_row(v, m):
    return array.expand_dims(v, -1) * m


@_cross_entropy.grad
def _(op, g, g_backprop):
    logits = op.inputs[0]
    dx = _each_row(g, op.outputs[1])
    if g_backprop is not None and not _is_zero(g_backprop):
        y = softmax(logits)
        inner = math.matmul(array.expand_dims(g_backprop, 1), array.expand_dims(y, 2))
        dx += (g_backprop - array.squeeze(inner, axis=1)) * y
    return dx, _each_row(g, -log_softmax(logits))


def _is_zero(g):
    if g.op.type in ("ZerosLike", "Zeros"):
        return True
    value = infer.constant_value(g)
    return value is not None and not value.any()


@op("SparseSoftmaxCrossEntropyWithLogits")
def _sparse_cross_entropy(features: T, labels: Tlabels) -> Outputs(loss=T, backprop=T):
    """-log(softmax(features)[label]) of each row, and softmax(features) less one at its label."""
    if features.ndim != 2:
        raise ValueError(f"logits must be 2-D, but got shape {features.shape}")
    if labels.ndim != 1:
        raise ValueError(f"labels must be 1-D, but got shape {labels.shape}")
    if features.shape[0] != labels.shape[0]:
        raise ValueError(
            "logits and labels must have the same first dimension, "
            f"got logits shape {features.shape} and labels shape {labels.shape}"
        )
    dtype, classes = features.dtype, features.shape[1]
    if not classes:
        raise ValueError(f"Must have at least one class, but got logits shape {features.shape}")
    check(
        (labels >= 0) & (labels < classes),
        lambda: (
            f"Received a label value of {_outside(labels, classes)} which is outside the valid range of "
            f"[0, {classes}).  Label values: {' '.join(map(str, labels[:256].tolist()))}"
        ),
    )
    shifted = _shifted(_wide(features))
    e = jnp.exp(shifted)
    total = jnp.sum(e, -1, keepdims=True)
    at = jnp.clip(labels, 0, classes - 1)[:, None]
    loss = jnp.log(total[:, 0]) - jnp.take_along_axis(shifted, at, 1)[:, 0]
    hit = labels[:, None] == jnp.arange(classes, dtype=labels.dtype)
    return loss.astype(dtype), (e / total - hit.astype(e.dtype)).astype(dtype)


def _outside(labels, classes):
    return next(int(v) for v in labels if not 0 <= v < classes)


@_sparse_cross_entropy.shape_rule
def _(op):
    x, y = (t.dims for t in op.inputs)
    if x is not None and len(x) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(x)} for '{op.name}' (op: '{op.type}').")
    if y is not None and len(y) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(y)} for '{op.name}' (op: '{op.type}').")
    x = (None, None) if x is None else x
    rows = shapes.merge(x[:1], y)
    if rows is False:
        raise ValueError(
            f"Dimensions must be equal, but are {x[0]} and {y[0]} for '{op.name}' (op: '{op.type}') "
            f"with input shapes: {shapes.text(x)}, {shapes.text(y)}."
        )
    return [rows, (*rows, x[1])]


@_sparse_cross_entropy.grad
def _(op, g, _):
    once = prevent_gradient(
        op.outputs[1],
        message="Currently there is no way to take the second derivative of "
        "sparse_softmax_cross_entropy_with_logits due to the fused implementation's interaction with tf.gradients()",
    )
    return _each_row(g, once), None


# -- public functions


def _along(logits, op, axis, name):
    """`op`, which works along the last dimension, along `axis`."""
    logits = to_tensor(logits)
    rank = logits.shape.ndims
    if axis == -1 or (rank is not None and not isinstance(axis, Tensor) and axis == rank - 1):
        return op(logits, name=name)
    known = infer.constant_value(axis) if isinstance(axis, Tensor) else axis
    if known is not None and rank is not None and not -rank <= known < rank:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"Dimension ({known}) must be in the range [{-rank}, {rank}) where {rank} is the number of dimensions in "
            "the input.",
        )
    n = array.rank(logits)
    if isinstance(axis, Tensor):
        axis = array.where(math.less(axis, 0), axis + n, axis)
    elif axis < 0:
        axis += n
    last = array.rank(logits)
    axis = axis % rank

    def swapped(x, name=None):
        end = math.subtract(last, 1)
        order = array.concat([math.range(axis), [end], math.range(axis + 1, end), [axis]], 0)
        return array.transpose(x, order, name=name)

    out = swapped(op(swapped(logits)), name)
    out.set_shape(logits.shape)
    return out


def softmax(logits, axis=None, name=None, dim=None):
    """exp(logits) / sum(exp(logits)) along `axis`, the last one unless it is given.

    >>> run(tf.nn.softmax([0.0, 0.0]))
    array([0.5, 0.5], dtype=float32)
    """
    axis = renamed("axis", axis, "dim", dim)
    return _along(logits, _softmax, -1 if axis is None else axis, name)


def log_softmax(logits, axis=None, name=None, dim=None):
    """logits - log(sum(exp(logits))) along `axis`, the last one unless it is given."""
    axis = renamed("axis", axis, "dim", dim)
    return _along(logits, _log_softmax, -1 if axis is None else axis, name)


def _as_matrix(x):
    """`x` with all dimensions but the last made one."""
    rank = array.rank(x)
    last = array.slice(array.shape(x), [math.subtract(rank, 1)], [1])
    out = array.reshape(x, array.concat([[-1], last], 0))
    if x.dims is not None and None not in x.dims[:-1]:
        out.set_shape([numbers.prod(x.dims[:-1]), x.dims[-1]])
    return out


def softmax_cross_entropy_with_logits_v2(labels, logits, axis=None, name=None, dim=None):
    """The cross-entropy of softmax(logits) to the distributions `labels`, along `axis` (the last one unless given).

    Both get gradients. The loss has the shape of `logits` without `axis`.
    """
    axis = renamed("axis", axis, "dim", dim)
    axis = -1 if axis is None else axis
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        logits, labels = to_tensor(logits, None, "logits"), to_tensor(labels, None, "labels")
        narrow = logits.dtype in (float16, bfloat16)
        precise = math.cast(logits, float32) if narrow else logits
        labels = math.cast(labels, precise.dtype)
        rank = array.rank(precise)
        if axis != -1:

            def to_end(x):
                order = array.concat([math.range(axis), math.range(axis + 1, rank), [axis]], 0)
                return array.transpose(x, order)

            precise, labels = to_end(precise), to_end(labels)
        shape = array.shape(precise)
        precise, labels = _as_matrix(precise), _as_matrix(labels)
        cost, _ = _cross_entropy(precise, labels, name=scope)
        cost = array.reshape(cost, array.slice(shape, [0], [math.subtract(rank, 1)]))
        if logits.dims is not None:
            dims = list(logits.dims)
            del dims[axis]
            cost.set_shape(dims)
        return math.cast(cost, logits.dtype) if narrow else cost


def _named(function, sentinel, labels, logits, *rest):
    """The arguments of a cross-entropy, in the order of 1.x; in 0.x they were (logits, labels, ...) by position.

    Raises ValueError where one is missing.
    """
    if sentinel is not None:
        if labels is None:
            raise ValueError(f"Only call `{function}` with named arguments (labels=..., logits=..., ...)")
        # Positional: what stands in the place of `logits` and behind it is what followed `labels` in 0.x.
        return (labels, sentinel, *((logits, *rest[1:]) if logits is not None else rest))
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")
    return (labels, logits, *rest)


def softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, dim=-1, name=None, axis=None):
    """The cross-entropy of softmax(logits) to the distributions `labels`, along `dim`. Labels get no gradient.

    Named arguments only, or (logits, labels) by position as in TensorFlow 0.x. Raises ValueError where one is missing.
    """
    labels, logits, dim, name = _named("softmax_cross_entropy_with_logits", _sentinel, labels, logits, dim, name)
    dim = axis if axis is not None else dim
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = stop_gradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, axis=dim, name=scope)


def sparse_softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """The cross-entropy of softmax(logits) to one class each: labels [...], logits [..., classes] -> [...].

    Named arguments only, or (logits, labels) by position as in TensorFlow 0.x. A label outside of [0, classes) raises
    InvalidArgumentError when run. Raises ValueError where the shapes don't fit.
    """
    labels, logits, name = _named("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits, name)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels, logits = to_tensor(labels), to_tensor(logits)
        narrow = logits.dtype == float16
        precise = math.cast(logits, float32) if narrow else logits
        y, x = labels.dims, logits.dims
        labels_shape = array.shape(labels)
        rows = None if x is None else x[:-1]
        defined = y is not None and rows is not None and None not in y and None not in rows
        if x == ():
            raise ValueError("Logits cannot be scalars - received shape ().")
        if x is not None and y is not None and len(y) != len(x) - 1:
            raise ValueError(
                f"Rank mismatch: Rank of labels (received {len(y)}) should equal rank of logits minus 1 "
                f"(received {len(x)})."
            )
        if defined and y != rows:
            raise ValueError(
                f"Shape mismatch: The shape of labels (received {labels.shape}) should equal the shape of logits "
                f"except for the last dimension (received {logits.shape})."
            )
        if x is not None and len(x) == 2:
            cost, _ = _sparse_cross_entropy(precise, labels, name=name)
            return math.cast(cost, float16) if narrow else cost
        checks = []
        if not defined:
            from thalweg._src.ops.reports.checks import assert_equal

            checks = [assert_equal(array.shape(labels), array.shape(logits)[:-1])]
        with get_default_graph().control_dependencies(checks):
            classes = array.shape(logits)[array.rank(logits) - 1]
            precise = array.reshape(precise, [-1, classes])
            cost, _ = _sparse_cross_entropy(precise, array.reshape(labels, [-1]), name=name)
            cost = array.reshape(cost, labels_shape)
            cost.set_shape(labels.shape)
            return math.cast(cost, float16) if narrow else cost


def _two_alike(logits, labels, what="logits and labels"):
    logits, labels = to_tensor(logits, None, "logits"), to_tensor(labels, None, "labels")
    if not shapes.compatible(logits.dims, labels.dims):
        raise ValueError(f"{what} must have the same shape ({logits.shape} vs {labels.shape})")
    return logits, labels


def sigmoid_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None, targets=None):
    """The cross-entropy of sigmoid(logits) to the probabilities `labels`, element by element.

    max(x, 0) - x z + log(1 + exp(-|x|)), which neither overflows nor loses precision. Named arguments only, or
    (logits, labels) by position as in TensorFlow 0.x, which called the labels `targets`. Raises ValueError where the
    shapes differ.
    """
    labels = renamed("labels", labels, "targets", targets)
    labels, logits, name = _named("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits, name)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits, labels = _two_alike(logits, labels)
        zeros = zeros_like(logits, dtype=logits.dtype)
        positive = logits >= zeros
        relu_logits = array.where(positive, logits, zeros)
        neg_abs = array.where(positive, -logits, logits)
        return math.add(relu_logits - logits * labels, math.log1p(math.exp(neg_abs)), name=scope)


def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None, targets=None):
    """`sigmoid_cross_entropy_with_logits` where a positive label counts `pos_weight` times."""
    labels = renamed("labels", labels, "targets", targets)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits, labels = _two_alike(logits, labels)
        weight = 1 + (pos_weight - 1) * labels
        return math.add(
            (1 - labels) * logits,
            weight * (math.log1p(math.exp(-math.abs(logits))) + relu(-logits)),
            name=scope,
        )


def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(log_input) - log_input targets, plus Stirling's approximation of log(targets!) with `compute_full_loss`."""
    with name_scope(name, "log_poisson_loss", [log_input, targets]):
        log_input = to_tensor(log_input, None, "log_input")
        targets = to_tensor(targets, None, "targets")
        if not shapes.compatible(log_input.dims, targets.dims):
            raise ValueError(f"log_input and targets must have the same shape ({log_input.shape} vs {targets.shape})")
        result = math.exp(log_input) - log_input * targets
        if compute_full_loss:
            half = constant(0.5, dtype=targets.dtype)
            two_pi = constant(2 * numbers.pi, dtype=targets.dtype)
            stirling = (targets * math.log(targets)) - targets + (half * math.log(two_pi * targets))
            zeros, ones = zeros_like(targets, dtype=targets.dtype), ones_like(targets, dtype=targets.dtype)
            small = math.logical_and(targets >= zeros, targets <= ones)
            result += array.where(small, zeros, stirling)
        return result
