"""tf.contrib.sparsemax: a softmax with zeros, and its loss (Martins and Astudillo 2016)."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import fill, zeros_like
from thalweg._src.ops.arrays.topk import top_k
from thalweg._src.ops.late import array, math


def sparsemax(logits: Any, name: str | None = None) -> Tensor:
    """[batch, classes]: the nearest probabilities to each row of `logits`, of which many are zero; NaN for an infinite row."""
    with name_scope(name, "sparsemax", [logits]):
        z = to_tensor(logits, name="logits")
        rows, classes = array.shape(z)[0], array.shape(z)[1]
        falling = top_k(z, k=classes)[0]
        sums = math.cumsum(falling, axis=1)
        k = math.range(1, math.cast(classes, z.dtype) + 1, dtype=z.dtype)
        support = math.reduce_sum(math.cast(1 + k * falling > sums, dtypes.int32), axis=1)
        # A row with NaN or infinities has no support; its place is still read, and the result thrown away.
        places = array.stack([math.range(0, rows), math.maximum(support, 1) - 1], axis=1)
        threshold = (array.gather_nd(sums, places) - 1) / math.cast(support, z.dtype)
        p = math.maximum(math.cast(0, z.dtype), z - threshold[:, None])
        lost = math.logical_or(math.equal(support, 0), math.is_nan(sums[:, -1]))
        return array.where(lost, fill(array.stack([rows, classes]), math.cast(float("nan"), z.dtype)), p)


def sparsemax_loss(logits: Any, sparsemax: Any, labels: Any, name: str | None = None) -> Tensor:
    """[batch]: the loss whose gradient by `logits` is `sparsemax` (of them) minus `labels`."""
    with name_scope(name, "sparsemax_loss", [logits, sparsemax, labels]):
        z, p, q = (
            to_tensor(logits, name="logits"),
            to_tensor(sparsemax, name="sparsemax"),
            to_tensor(labels, name="labels"),
        )
        # Where p or q is zero an infinite logit counts for nothing.
        chosen = array.where(math.logical_or(p > 0, math.is_nan(p)), p * (z - 0.5 * p), zeros_like(p))
        wanted = q * (0.5 * q - z)
        nothing = math.logical_and(math.equal(q, 0), math.is_inf(z))
        return math.reduce_sum(chosen + array.where(nothing, zeros_like(z), wanted), axis=1)
