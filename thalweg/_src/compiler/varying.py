"""Which operations deal with tensors whose shape changes from run to run.

An executable serves one set of shapes. Where the shapes of what comes into a cluster keep changing (batches of many lengths, sparse
tensors of any number of entries), what depends on them is set apart, so that the rest, optimizers above all, is compiled once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thalweg._src.compiler.bodies import slots
from thalweg._src.core.graph import Operation, Tensor

_MOST, _SOME = 3, 100  # so many times as many operations, and so many more, are the greater part


def varying(ops: Sequence[Operation], changing: Collection[Tensor]) -> set[Operation]:
    """The operations of `ops` (in a topological order) that meet a tensor of changing shape, and mostly all that they depend on.

    `changing` are the tensors seen to change; what follows from them changes too, where its shape is not known beforehand, and what
    is traced for values that follow from their shapes.
    Whoever takes the reference that a write gives belongs to the write. Where what they depend on is the greater part, as the
    whole network is for the few operations on a gradient of distinct rows, it stays with what is compiled once.
    """
    meeting, apart = _closure(ops, changing, False), _closure(ops, changing, True)
    return (meeting if len(apart) > _MOST * len(meeting) + _SOME else apart).intersection(ops)


def _closure(ops: Sequence[Operation], changing: Collection[Tensor], upwards: bool) -> set[Operation]:
    spread = set(changing)
    told: set[Tensor] = set()  # whose values follow from changing shapes
    found: set[Operation] = set()
    size = -1
    while len(found) > size:
        size = len(found)
        for op in ops:
            meets = any(t in spread for t in op._inputs)
            if _tells(op, spread, told):
                told.update(op.outputs)
            meets = meets or any(required and t in told for t, required in slots(op))
            if meets:
                spread.update(t for t in op.outputs if t._dims is None or None in t._dims)
            if meets or any(t.dtype._is_ref_dtype and t.op in found and not t.op.opdef.source for t in op._inputs):
                found.add(op)
        for op in reversed(ops) if upwards else ():
            if op in found:
                found.update(t.op for t in op._inputs)
                found.update(op._control_inputs)
    return found


def _tells(op: Operation, spread: set[Tensor], told: set[Tensor]) -> bool:
    """Whether the values that `op` gives follow from changing shapes."""
    if op.opdef.needs_only_shapes(op):
        return any(t in spread for t in op._inputs)
    return op.opdef.foldable and op.opdef.effect is None and any(t in told for t in op._inputs)
