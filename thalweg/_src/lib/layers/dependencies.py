"""Which losses and updates of a layer depend on which inputs."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.stateful.variables import Variable


def tagged_loss(loss: Any, unconditional: bool) -> Any:
    """A loss as a tensor that knows whether it depends on the inputs of a call."""
    loss = loss() if callable(loss) else loss
    if loss is None:
        return None
    loss = loss if isinstance(loss, Tensor) else to_tensor(loss, dtypes.float32)
    loss._unconditional_loss = unconditional
    return loss


def depending(items: list[Any], inputs: Any, flag: str) -> list[Any]:
    if inputs is None:
        return [i for i in items if getattr(i, flag)]
    rest = [i for i in items if not getattr(i, flag)]
    found = reachable_from(nest.flatten(inputs), rest)
    return [i for i in rest if i in found]


def reachable_from(inputs: Any, targets: Any) -> set[Any]:
    """The ops and tensors that inputs lead to; the search ends when all `targets` are found."""
    waiting = [t for i in inputs for t in ((i.values, i.indices) if isinstance(i, SparseTensor) else (i,))]
    waiting = [getattr(t, "op", t) if isinstance(t, Variable) else t for t in waiting]
    found: set[Any] = set(waiting)
    missing = set(targets) - found
    while waiting and missing:
        at = waiting.pop()
        for next_ in at.consumers() if isinstance(at, Tensor) else getattr(at, "outputs", ()):
            if next_ not in found:
                found.add(next_)
                missing.discard(next_)
                waiting.append(next_)
    return found
