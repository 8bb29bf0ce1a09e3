"""Two ragged tensors, or a ragged and a dense one, brought to the same rows for an element-wise operation.

Each of both is an index: the place among its flat values of every entry of the result. Axis by axis the index is made finer. Along an
axis where one is ragged the other has the same lengths, or is uniform and has one entry there.
"""

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import zeros
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.shaping import shape as shape_of
from thalweg._src.ops.basic import control_dependencies
from thalweg._src.ops.late import array, math
from thalweg._src.ops.ragged_tensors import ragged_rows
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor
from thalweg._src.ops.ragged_tensors.ragged_makers import splits_of
from thalweg._src.ops.ragged_tensors.ragged_rows import with_same_splits
from thalweg._src.ops.reports import checks


class _Operand:
    """A tensor with as many axes in front of its own as the result has more.

    `sizes` has an entry per axis down to the last ragged one of the result: None for an axis in front, a scalar, or lengths of rows.
    """

    def __init__(self, value: Any, rank: int, depth: int, kind: DType):
        partitions = value.nested_row_splits if isinstance(value, RaggedTensor) else ()
        self.flat = value.flat_values if partitions else value
        added = rank - value.get_shape().ndims
        dims = shape_of(self.flat, out_type=kind)
        inner = (
            depth - added - len(partitions)
        )  # the axes of the flat values, behind the first, that the result has as rows
        self.sizes: list[Any] = [None] * added
        self.starts: list[Any] = [None] * (added + 1)
        self.sizes.append(shape_of(partitions[0], out_type=kind)[0] - 1 if partitions else dims[0])
        for splits in partitions:
            self.sizes.append(splits[1:] - splits[:-1])
            self.starts.append(splits[:-1])
        for axis in range(1, inner + 1):
            self.sizes.append(dims[axis])
            self.starts.append(None)
        self.sizes = self.sizes[: depth + 1]
        if inner > 0:
            known = self.flat.dims
            self.flat = array.reshape(self.flat, concat([[-1], dims[inner + 1 :]], 0))
            if known is not None:
                self.flat.set_shape((None, *known[inner + 1 :]))
        elif inner < -len(partitions):  # all its axes are below the ragged ones
            self.flat = array.expand_dims(self.flat, 0)
        self.index: Any = zeros([1], kind)

    def step(self, axis: int, parents: Tensor, within: Tensor, one: Tensor) -> None:
        """Make the index one axis finer; entry i of the new one is number `within[i]` of the entry `parents[i]` of the old one."""
        size = self.sizes[axis]
        above = array.gather(self.index, parents)
        if size is None:
            self.index = above
        elif size.dims == ():
            self.index = above * size + array.where(math.equal(size, one), array.zeros_like(within), within)
        else:
            self.index = array.gather(self.starts[axis], above) + within


def aligned(x: Any, y: Any) -> tuple[Any, Any]:
    """`x` and `y`, one of them ragged, as RaggedTensors of the same rows, or with axes that follow from the ordinary rules alone.

    A run fails with InvalidArgumentError where their rows differ. Raises ValueError for an unknown rank.
    """
    x, y = with_same_splits(x, y)
    if any(v.get_shape().ndims is None for v in (x, y)):
        raise ValueError("Unable to broadcast: unknown rank")
    if _same_rows(x, y) or _below(x, y) or _below(y, x):
        return x, y
    with name_scope(None, "RaggedBroadcast", None):
        return _aligned(x, y)


def _same_rows(x: Any, y: Any) -> bool:
    splits = [v.nested_row_splits if isinstance(v, RaggedTensor) else () for v in (x, y)]
    return len(splits[0]) == len(splits[1]) and all(a is b for a, b in zip(*splits, strict=True))


def _below(x: Any, y: Any) -> bool:
    """Whether `y` is dense, with no more axes than lie below the ragged ones of `x`."""
    return not isinstance(y, RaggedTensor) and len(x.flat_values.get_shape()) > len(y.get_shape())


def _aligned(x: Any, y: Any) -> tuple[RaggedTensor, RaggedTensor]:
    both = [v for v in (x, y) if isinstance(v, RaggedTensor)]
    kind = both[0].row_splits.dtype.base_dtype
    one = to_tensor(1, kind)
    rank = max(len(v.get_shape()) for v in (x, y))
    depth = max(rank - len(v.get_shape()) + v.ragged_rank for v in both)
    operands = [_Operand(v, rank, depth, kind) for v in (x, y)]
    count, found = _size_of(0, [o.sizes[0] for o in operands], one)
    with control_dependencies(found):
        within = math.range(count)
    parents = array.zeros_like(within)
    partitions = []
    for axis in range(depth + 1):
        if axis:
            rows = shape_of(operands[0].index, out_type=kind)
            sizes = [
                o.sizes[axis]
                if o.sizes[axis] is None or o.sizes[axis].dims == ()
                else array.gather(o.sizes[axis], o.index)
                for o in operands
            ]
            size, found = _size_of(axis, sizes, one)
            with control_dependencies(found):
                lengths = array.fill(rows, size) if size.dims == () else array.identity(size)
            row_numbers = RaggedTensor.from_row_splits(
                ragged_rows.range(to_tensor(0, kind), lengths, row_splits_dtype=kind).values,
                splits_of(lengths),
                validate=False,
            )
            parents, within = row_numbers.value_rowids(), row_numbers.values
            partitions.append(row_numbers.row_splits)
        for o in operands:
            o.step(axis, parents, within, one)
    flat = [array.gather(o.flat, o.index) for o in operands]
    made = [RaggedTensor.from_nested_row_splits(f, partitions, validate=False) for f in flat]
    return made[0], made[1]


def _size_of(axis: int, sizes: list[Any], one: Tensor) -> tuple[Any, list[Any]]:
    """The size of the result along an axis, a scalar or lengths, and checks that the two sizes go together."""
    given = [s for s in sizes if s is not None]
    if len(given) < 2:
        return (given[0] if given else one), []
    a, b = given
    if a.dims == () and b.dims == ():
        fits = math.logical_or(math.equal(a, b), math.logical_or(math.equal(a, one), math.equal(b, one)))
        size = array.where(math.equal(a, one), b, a)
    elif a.dims != () and b.dims != ():
        fits, size = math.reduce_all(math.equal(a, b)), a
    else:
        uniform, size = (a, b) if a.dims == () else (b, a)
        fits = math.equal(uniform, one)
    message = f"Unable to broadcast: dimension size mismatch in dimension {axis}"
    return size, [checks.Assert(fits, [message, a, b], summarize=10)]
