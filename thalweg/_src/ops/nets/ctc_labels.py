"""Label sequences for CTC: runs made one label, and the different labels of each sequence."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.control.higher_order import map_fn
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors import ragged_rows


def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(labels [batch, longest new length] with runs of one label made one, filled up with 0; the new lengths).

    >>> run(tf.nn.collapse_repeated([[1, 1, 2], [3, 4, 5]], [3, 2]))[0].tolist()
    [[1, 2], [3, 4]]
    """
    with name_scope(name, "collapse_repeated_labels", [labels, seq_length]):
        labels = to_tensor(labels, None, "labels")
        seq_length = to_tensor(seq_length, None, "seq_length")
        first = array.ones_like(labels[:, :1], dtypes.bool)
        changed = array.concat([first, math.not_equal(labels[:, 1:], labels[:, :-1])], 1)
        kept = math.logical_and(changed, array.sequence_mask(seq_length, maxlen=array.shape(labels)[1]))
        collapsed = ragged_rows.boolean_mask(labels, kept).to_tensor()
        return collapsed, math.reduce_sum(math.cast(kept, int32), axis=1)


def ctc_unique_labels(labels: Any, name: str | None = None) -> list[Tensor]:
    """[the different labels of each row, filled up with 0, int64; the place of each label among them, int32], both [batch, n]."""

    def of_row(row: Tensor) -> list[Tensor]:
        unique = array.unique(row)
        missing = array.shape(unique.idx)[0] - array.shape(unique.y)[0]
        return [math.cast(array.pad(unique.y, [[0, missing]]), int64), unique.idx]

    with name_scope(name, "ctc_unique_labels", [labels]):
        return map_fn(of_row, to_tensor(labels, None, "labels"), dtype=[int64, int32])
