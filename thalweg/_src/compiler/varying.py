"""Which operations deal with tensors whose shape changes from run to run.

An executable serves one set of shapes. Where the shapes of what comes into a cluster keep changing (batches of many lengths, sparse
tensors of any number of entries), what depends on them is set apart, so that the rest, optimizers above all, is compiled once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thalweg._src.core.graph import Operation, Tensor


def varying(ops: Sequence[Operation], changing: Collection[Tensor]) -> set[Operation]:
    """The operations of `ops` (in a topological order) from the first to the last that meet a tensor of changing shape.

    `changing` are the tensors seen to change; what follows from them changes too, where its shape is not known beforehand. What
    lies between such operations belongs to them, shape arithmetic above all; constants belong to whoever takes them.
    """
    spread = set(changing)
    direct: set[Operation] = set()
    behind: set[Operation] = set()  # what depends on those
    outside: set[Operation] = set()  # what depends on feeds or variables, and not on those
    for op in ops:
        if any(t in spread for t in op._inputs):
            direct.add(op)
            spread.update(t for t in op.outputs if t._dims is None or None in t._dims)
        sources = [] if op.opdef.needs_only_shapes(op) else [t.op for t in op._inputs]
        if op in direct or any(s in behind for s in sources):
            behind.add(op)
        elif op.opdef.source or op.opdef.must_feed or op.opdef.effect or any(s in outside for s in sources):
            outside.add(op)
    ahead: set[Operation] = set()  # what those depend on
    for op in reversed(ops):
        if op in direct or op in ahead:
            ahead.update(t.op for t in op._inputs)
            ahead.update(op._control_inputs)
    return {op for op in ops if op in direct or (op in ahead and op not in outside)}
