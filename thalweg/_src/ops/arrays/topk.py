"""The largest entries of rows: top_k, in_top_k, nth_element."""

from thalweg._src.core import infer, shapes
from thalweg._src.core.dtypes import REALS, float32, int32, int64
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Min, Outputs, Static, op, type_attr
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math

T = type_attr("T", REALS)
TARGET = type_attr("T", (int32, int64), int32)


def _largest(x, k):
    """The `k` largest entries of each row, largest first, equal ones by their index; and where they are."""
    if not x.ndim:
        raise ValueError("input must be >= 1-D, got shape []")
    if k < 0:
        raise ValueError(f"Need k >= 0, got {k}")
    if x.shape[-1] < k:
        raise ValueError(f"input must have at least k columns. Had {x.shape[-1]}, needed {k}")
    if not k or not x.size:
        shape = (*x.shape[:-1], k)
        return jnp.zeros(shape, x.dtype), jnp.zeros(shape, jnp.int32)
    if k == 1:  # two plain reductions, a fifth of the time of a sort
        top = jnp.max(x, -1, keepdims=True)
        place = lax.broadcasted_iota(jnp.int32, x.shape, x.ndim - 1)
        hit = (x == top) | (x != x)
        return top, jnp.min(jnp.where(hit, place, x.shape[-1] - 1), -1, keepdims=True).astype(jnp.int32)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return lax.top_k(x, k)
    return lax.top_k(jnp.where(x == 0, jnp.zeros((), x.dtype), x), k)  # XLA would put 0 before -0


@op("TopKV2")
def _top_k(input: T, k: Static(int32), *, sorted: bool = True) -> Outputs(values=T, indices=int32):
    """The `k` largest entries of each row and their indices."""
    return _largest(input, int(k))


@op("TopK")
def top_k_v1(input: T, *, k: Min(int, 0), sorted: bool = True) -> Outputs(values=T, indices=int32):
    """As TopKV2; the form of old graphs."""
    return _largest(input, k)


def _top_dims(op, k):
    dims = op.inputs[0].dims
    if dims is None:
        return [None, None]
    if not dims:
        raise ValueError(f"Shape must be at least rank 1 but is rank 0 for '{op.name}' (op: '{op.type}').")
    if dims[-1] is not None and k is not None and dims[-1] < k:
        raise ValueError(f"input must have last dimension >= k = {k} but is {dims[-1]} for '{op.name}'")
    return [(*dims[:-1], k)] * 2


@_top_k.shape_rule
def _(op):
    if op.inputs[1].dims not in (None, ()):
        raise ValueError(f"Shape must be rank 0 but is rank {len(op.inputs[1].dims)} for '{op.name}' (op: 'TopKV2').")
    k = infer.partial_scalar(op.inputs[1])
    if k is not None and k < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {k} for '{op.name}'")
    return _top_dims(op, k)


top_k_v1.shape_rule(lambda op: _top_dims(op, op.attrs["k"]))


def _put_back(op, g, _):
    """`g` at the places that were taken, zero elsewhere."""
    x, indices = op.inputs[0], op.outputs[1]
    x_shape, i_shape = array.shape(x), array.shape(indices)
    k = array.gather(math.cast(i_shape, int64), array.size(i_shape) - 1)
    rows_of = array.reshape(indices, array.stack([-1, k]))
    width = array.gather(math.cast(x_shape, int64), array.size(x_shape) - 1)
    rows = array.shape(rows_of)[0]
    starts = math.range(0, math.cast(rows, int64) * width, width)
    flat = array.reshape(rows_of + math.cast(array.expand_dims(starts, -1), int32), [-1])
    size = [math.reduce_prod(x_shape)]
    out = array.reshape(array.scatter_nd(array.expand_dims(flat, -1), array.reshape(g, [-1]), size), x_shape)
    return out, None


@_top_k.grad
def _(op, g, g_indices):
    return _put_back(op, g, g_indices)


@top_k_v1.grad
def _(op, g, g_indices):
    return _put_back(op, g, g_indices)[:1]


def top_k(input, k=1, sorted=True, name=None):
    """The `k` largest entries of each row and their indices: [..., n] -> [..., k], [..., k].

    Of equal entries the one of the lower index comes first. Raises ValueError where a row has fewer than `k`.

    >>> run(tf.nn.top_k([3.0, 9.0, 5.0], k=2).indices)
    array([1, 2], dtype=int32)
    """
    return _top_k(input, k, sorted=sorted, name=name)


# -- in_top_k


def _in_top_k(predictions, targets, k):
    if predictions.ndim != 2:
        raise ValueError("predictions must be 2-dimensional")
    if targets.ndim != 1:
        raise ValueError("targets must be 1-dimensional")
    rows, classes = predictions.shape
    if rows != targets.shape[0]:
        raise ValueError(f"First dimension of predictions {rows} must match length of targets {targets.shape[0]}")
    if not classes:
        return jnp.zeros(rows, bool)
    at = jnp.clip(targets, 0, classes - 1)
    own = jnp.take_along_axis(predictions, at[:, None].astype(jnp.int64), 1)
    # One pass: an entry that is not finite counts as more than there are classes.
    counts = (predictions > own).astype(jnp.int32) + jnp.where(jnp.isfinite(predictions), 0, classes + 1)
    larger = jnp.sum(counts, 1, dtype=jnp.int32)
    return (targets >= 0) & (targets < classes) & (larger < jnp.minimum(k, classes + 1))


@op("InTopKV2")
def _in_top_k_v2(predictions: float32, targets: TARGET, k: TARGET) -> bool_:
    """Whether fewer than `k` entries of a row are larger than that of its target; not so in rows that are not finite."""
    return _in_top_k(predictions, targets, k)


@op("InTopK")
def in_top_k_v1(predictions: float32, targets: TARGET, *, k: int) -> bool_:
    """As InTopKV2; the form of old graphs."""
    return _in_top_k(predictions, targets, k)


def _hit_dims(op):
    x, y = op.inputs[0].dims, op.inputs[1].dims
    for dims, rank in ((x, 2), (y, 1)):
        if dims is not None and len(dims) != rank:
            raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    rows = shapes.merge(None if x is None else x[:1], y)
    if rows is False:
        raise ValueError(f"Dimensions must be equal, but are {x[0]} and {y[0]} for '{op.name}' (op: '{op.type}').")
    return [(None,) if rows is None else rows]


_in_top_k_v2.shape_rule(_hit_dims)
in_top_k_v1.shape_rule(_hit_dims)
_in_top_k_v2.not_differentiable()
in_top_k_v1.not_differentiable()


def in_top_k(predictions, targets, k, name=None):
    """Whether the target of each row is among its `k` largest entries, ties included: [rows, classes] -> [rows]."""
    with name_scope(name, "in_top_k"):
        return _in_top_k_v2(predictions, targets, k)


# -- nth_element


@op("NthElement")
def nth_element_op(input: T, n: Static(int32), *, reverse: bool = False) -> T:
    """The entry that would stand at place `n` of each row, were it sorted."""
    n = int(n)
    if not input.ndim:
        raise ValueError("Input must be >= 1-D, got shape []")
    if not 0 <= n < input.shape[-1]:
        raise ValueError(f"Input must have at least n+1 columns: n is {n}, columns are {input.shape[-1]}")
    return jnp.sort(input, -1)[..., input.shape[-1] - 1 - n if reverse else n]


@nth_element_op.shape_rule
def _(op):
    dims = op.inputs[0].dims
    if dims == ():
        raise ValueError(f"Shape must be at least rank 1 but is rank 0 for '{op.name}' (op: '{op.type}').")
    n = infer.partial_scalar(op.inputs[1])
    if dims is not None and dims[-1] is not None and n is not None and dims[-1] <= n:
        raise ValueError(f"Input must have last dimension > n = {n} but is {dims[-1]} for '{op.name}'")
    return [None if dims is None else dims[:-1]]


@nth_element_op.grad  # equal entries share
def _(op, g):
    x, y = op.inputs[0], array.expand_dims(op.outputs[0], -1)
    chosen = math.cast(math.equal(y, x), g.dtype)
    count = array.expand_dims(math.reduce_sum(chosen, -1), -1)
    return math.divide(chosen, count) * array.expand_dims(g, -1), None


def nth_element(input, n, reverse=False, name=None):
    """The entry of each row that is larger than `n` others (smaller, with `reverse`)."""
    return nth_element_op(input, n, reverse=reverse, name=name)
