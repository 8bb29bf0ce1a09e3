"""The control-flow frames of imported graphs (Enter, Switch, Merge, NextIteration, Exit, LoopCond).

They need a pass of their own, which turns frames into While and If; until it stands, a run that needs them says so.
"""

from __future__ import annotations

from thalweg._src.core import errors
from thalweg._src.core.graph import Operation, Tensor


def functionalize(ops: list[Operation], feeds: frozenset[Tensor]) -> list[Operation]:
    """`ops` without control-flow frames. Raises UnimplementedError naming the ops where there are some."""
    frames = [op for op in ops if op.opdef.frame]
    if frames:
        names = ", ".join(f"{op.name} ({op.type})" for op in frames[:5])
        raise errors.UnimplementedError(
            None,
            frames[0],
            f"Control-flow frames of imported graphs can't be run yet: {names}. tf.cond and tf.while_loop can.",
        )
    return ops
