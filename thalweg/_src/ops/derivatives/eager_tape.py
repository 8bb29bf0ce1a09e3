"""What a gradient tape keeps of eager execution, and the walk back over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dtypes, eager, recording
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.opdef import OPS
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.reaching import where_reached
from thalweg._src.ops.derivatives.gradients import added, flows, gradient_function


def handle_of(source: Any) -> Any:
    """The tensor that stands for `source` on a tape: a variable's handle, or the tensor itself."""
    handle = getattr(source, "handle", None)
    return handle if isinstance(handle, Tensor) else source


class Recorder:
    """The operations, in order, through which watched tensors have gone."""

    def __init__(self, watch_accessed_variables: bool = True):
        self.watch_variables = watch_accessed_variables
        self.watched: set[Tensor] = set()
        self.ops: list[Operation] = []
        self.variables: dict[int, Any] = {}

    def watch(self, source: Any) -> None:
        """Follow what is computed from a tensor or a variable."""
        if hasattr(source, "handle"):
            self.variables.setdefault(id(source.handle), source)
        self.watched.add(handle_of(source))

    def record(self, op: Operation) -> None:
        """Keep `op` if it takes something that is watched; its outputs are watched then."""
        watched = self.watched
        wanted = False
        for t in op._inputs:
            if t in watched:
                wanted = True
            elif self.watch_variables and t.dtype is dtypes.resource:
                variable = variable_behind(t)
                if variable is not None and variable.trainable:
                    self.variables.setdefault(id(t), variable)
                    watched.add(t)
                    wanted = True
        if wanted and op.outputs:
            self.ops.append(op)
            for t in op.outputs:
                if flows(t):
                    watched.add(t)


def variable_behind(handle: Tensor) -> Any:
    """The variable whose handle this is, as long as it lives."""
    variable = handle.__dict__.get("variable")
    return None if variable is None else variable()


def backward(
    ops: Sequence[Operation], targets: Sequence[Any], seeds: Sequence[Any], sources: Sequence[Any]
) -> list[Any]:
    """The gradients of `targets`, weighed by `seeds` (None: ones), by `sources`, through the recorded `ops`; None where there is no way."""
    sent: dict[Tensor, list[Any]] = {}
    for y, seed in zip(targets, seeds, strict=True):
        y = handle_of(y)
        sent.setdefault(y, []).append(constants.ones_like(y) if seed is None else seed)
    kept = {handle_of(s) for s in sources}
    for op in reversed(ops):
        outputs = op.outputs
        if not any(t in sent for t in outputs):
            continue
        grads: list[Any] = [None] * len(outputs)
        for i, t in enumerate(outputs):
            if t in sent:
                grads[i] = _sum(sent, t)
                if t not in kept:
                    del sent[t]
        for t, g in _through(op, grads):
            sent.setdefault(t, []).append(g)
    return [_sum(sent, handle_of(s)) for s in sources]


def _sum(sent: dict[Tensor, list[Any]], t: Tensor) -> Any:
    parts = sent.get(t)
    if not parts:
        return None
    if len(parts) > 1:
        parts[:] = [added(parts)]
    return parts[0]


def _through(op: Operation, grads: list[Any]) -> list[tuple[Tensor, Any]]:
    """What the gradients of the outputs of `op` say of its inputs."""
    fn = op.__dict__.get("backward")
    if fn is None:
        fn = gradient_function(op)
        if fn is None:
            return []
        if len(grads) > 1 and not op.opdef.takes_none:
            for i, t in enumerate(op.outputs):
                if grads[i] is None and flows(t) and t.dtype not in (dtypes.resource, dtypes.variant):
                    grads[i] = constants.zeros_like(t)
    live = [i for i, g in enumerate(grads) if g is not None]
    found = fn(op, *grads)
    if not isinstance(found, list | tuple):
        found = [found]
    if op.opdef.reaches is not None:
        found = where_reached(op, found, live)
    if len(found) != len(op._inputs):
        raise ValueError(
            f"Num gradients {len(found)} generated for op {op.type} do not match num inputs {len(op._inputs)}"
        )
    return [(t, g) for t, g in zip(op._inputs, found, strict=True) if g is not None]


def record_function(inputs: Sequence[Tensor], outputs: Sequence[Tensor], gradient: Callable[..., Any]) -> None:
    """Tell the tapes that `outputs` were computed from `inputs`, and that `gradient(*output gradients)` gives those of the inputs."""
    tapes = recording.listeners.tapes
    if not tapes:
        return
    node = Operation.__new__(Operation)
    node.graph, node.opdef, node._attrs, node._name = eager.graph(), OPS["_EagerValue"], {}, "function"
    node._inputs, node._control_inputs, node._stack, node._device, node._id = tuple(inputs), [], (), "", 0
    node.outputs = list(outputs)
    node.backward = lambda op, *grads: gradient(*grads)  # type: ignore[attr-defined]
    for tape in tapes:
        tape.record(node)


class VariableWatcher:
    """A listener that notes which trainable variables are used."""

    def __init__(self) -> None:
        self.variables: dict[int, Any] = {}

    def record(self, op: Operation) -> None:
        for t in op._inputs:
            if t.dtype is dtypes.resource:
                variable = variable_behind(t)
                if variable is not None and variable.trainable:
                    self.variables.setdefault(id(t), variable)
