"""`tf.GradientTape`: gradients of what was computed in a block."""

import contextlib
from typing import Any

import numpy as np

from thalweg._src.core import nest, recording
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import EagerGraph, EagerTensor, executing_eagerly
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.derivatives.eager_tape import Recorder, backward, variable_behind
from thalweg._src.ops.derivatives.gradients import UnconnectedGradients, asks_for_zeros, gradients
from thalweg._src.ops.late import array


class GradientTape:
    """Remembers which operations were made in its block, for gradients through those alone.

    Trainable variables are watched by themselves (unless `watch_accessed_variables` is False), tensors when `watch` says so.
    `persistent` allows several calls of `gradient`.

    >>> with tf.GradientTape() as tape:
    ...     x = tf.constant(3.0)
    ...     tape.watch(x)
    ...     y = x * x
    >>> run(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self._persistent, self._watch_variables = persistent, watch_accessed_variables
        self._watched: list[Any] = []
        self._spans: list[tuple[int, int]] = []  # the versions of the graph between which the tape recorded
        self._begin: int | None = None
        self._used = self._entered = False
        self._eager = executing_eagerly()
        self._recorder = Recorder(watch_accessed_variables)

    def __enter__(self) -> "GradientTape":
        if self._begin is not None:
            raise ValueError("Tape is already recording.")
        self._resume()
        return self

    def _resume(self) -> None:
        self._entered = True
        self._begin = 0 if self._eager else get_default_graph().version
        if self._eager:
            recording.start(self._recorder)

    def __exit__(self, *error: Any) -> None:
        if self._begin is not None:
            self._pause()

    def _pause(self) -> None:
        if self._begin is None:
            raise ValueError("Tape is not recording.")
        if self._eager:
            recording.stop(self._recorder)
        else:
            self._spans.append((self._begin, get_default_graph().version))
        self._begin = None

    def watch(self, tensor: Any) -> None:
        """Follow what is computed from `tensor` (or each tensor of a structure). Raises ValueError for other things."""
        for t in nest.flatten(tensor):
            if not isinstance(t, Tensor) and not _is_variable(t):
                raise ValueError(f"Passed in object of type {type(t)}, not tf.Tensor")
            if self._eager:
                self._recorder.watch(t)
            else:
                self._watched.append(t)

    def stop_recording(self) -> Any:
        """A block whose operations the tape does not follow."""
        return _Pause(self)

    def reset(self) -> None:
        """Forget all that was recorded and watched."""
        self._pause()
        self._spans, self._watched, self._used = [], [], False
        self._recorder = Recorder(self._watch_variables)
        self.__enter__()

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables whose gradients can be had."""
        from thalweg._src.ops.stateful.variable_lists import trainable_variables

        if self._eager:
            return tuple(sorted(self._recorder.variables.values(), key=lambda v: v._made))
        own = [v for v in self._watched if _is_variable(v)]
        if not self._watch_variables:
            return tuple(own)
        graph = get_default_graph()
        known = trainable_variables()
        if type(graph.outermost) is EagerGraph:  # variables of eager execution are known by their handles alone
            found = [variable_behind(t) for t in getattr(graph, "constants", ()) if t.op.opdef.source]
            known = sorted([v for v in found if v is not None and v.trainable], key=lambda v: v._made)
        return tuple(v for v in known if any(self._recorded(op) for op in _readers(v))) + tuple(own)

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """The gradients of `target` by `sources`, in the structure of `sources`; None for what was not watched.

        Raises RuntimeError for a second call where the tape is not persistent.
        """
        if self._used:
            raise RuntimeError("GradientTape.gradient can only be called once on non-persistent tapes.")
        if self._eager:
            return self._eager_gradient(target, sources, output_gradients, unconnected_gradients)
        self._used = not self._persistent
        if self._begin is not None:
            self._pause()
            self._begin = self._spans[-1][1] if self._persistent else None
        given = nest.flatten(sources)
        follows = [s for s in given if self._follows(s)]
        targets = nest.flatten(target)
        options = {"unconnected_gradients": unconnected_gradients}
        weights = None if output_gradients is None else nest.flatten(output_gradients)
        stop = self._inputs_from_outside(targets, follows)
        found = gradients(targets, follows, weights, stop_gradients=stop, **options) if follows else []
        values = iter(found)
        out = [next(values) if any(s is f for f in follows) else None for s in given]
        return nest.pack(sources, out) if nest.is_nested(sources) else out[0]

    def _eager_gradient(self, target: Any, sources: Any, weights: Any, unconnected: Any) -> Any:
        zero = asks_for_zeros(unconnected)
        if not self._entered:
            raise RuntimeError("GradientTape.gradient can only be called once on non-persistent tapes.")
        if self._begin is not None and not self._persistent:
            self._pause()
        targets = nest.flatten(target)
        for i, t in enumerate(targets):
            if _is_variable(t):
                with contextlib.nullcontext() if self._begin is not None else self:
                    targets[i] = to_tensor(t)
        given = nest.flatten(sources)
        seeds = [None] * len(targets) if weights is None else nest.flatten(weights)
        seeds = [
            s if s is None or not isinstance(t, Tensor) else to_tensor(s, t.dtype)
            for s, t in zip(seeds, targets, strict=True)
        ]
        found = backward(list(self._recorder.ops), targets, seeds, given)
        if zero:
            found = [constants.zeros_like(s) if g is None else g for g, s in zip(found, given, strict=True)]
        if not self._persistent:
            self._used, self._recorder = True, Recorder()
        return nest.pack(sources, found) if nest.is_nested(sources) else found[0]

    def jacobian(
        self,
        target: Tensor,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The gradients of each element of `target` by `sources`: of shape target + source.

        Raises ValueError where the shape of `target` is not known.
        """
        dims = target.dims
        if dims is None or None in dims:
            raise ValueError(f"The shape of the target of a Jacobian must be known, it is {target.shape}")
        if self._eager:
            return self._eager_jacobian(target, sources, unconnected_gradients, experimental_use_pfor)
        persistent, self._persistent = self._persistent, True
        with self.stop_recording():
            flat = array.reshape(target, [-1])
        end = get_default_graph().version
        self._spans.append((end - 2, end))
        given = nest.flatten(sources)
        rows = [self.gradient(flat[i], given, None, unconnected_gradients) for i in range(flat.dims[0])]  # type: ignore[index]
        self._persistent, self._used = persistent, not persistent
        out = []
        for i, source in enumerate(given):
            parts = [row[i] for row in rows]
            missing = not parts or any(p is None for p in parts)
            shape = array.concat([list(dims), array.shape(source)], 0) if not missing else None
            out.append(None if missing else array.reshape(array.stack(parts), shape))
        return nest.pack(sources, out) if nest.is_nested(sources) else out[0]

    def _eager_jacobian(self, target: Tensor, sources: Any, unconnected: Any, vectorized: bool) -> Any:
        if not self._persistent and not vectorized:
            raise RuntimeError(
                "GradientTape must be created with persistent=True to compute the jacobian with eager execution enabled and with "
                "experimental_use_pfor set to False."
            )
        given = nest.flatten(sources)
        rows = self._rows(target, given, unconnected, target.dims, int(np.prod(target.dims)), 1)  # type: ignore[arg-type]
        out = []
        for i, source in enumerate(given):
            parts = [to_tensor(row[i]) for row in rows if row[i] is not None]
            shape = [*target.dims, *source.shape.as_list()]  # type: ignore[misc]
            out.append(array.reshape(array.stack(parts), shape) if parts else None)
        return nest.pack(sources, out) if nest.is_nested(sources) else out[0]

    def _rows(self, target: Tensor, given: list[Any], unconnected: Any, dims: Any, count: int, batch: int) -> list[Any]:
        """The gradients of `count` elements of the target, each weighed by one in all of a batch."""
        persistent, self._persistent = self._persistent, True
        rows = []
        try:
            for i in range(count):
                one = np.zeros((batch, count), target.dtype.base_dtype._as_numpy)
                one[:, i] = 1
                weight = constants.constant(one.reshape(dims))
                rows.append(self.gradient(target, given, weight, unconnected))
        finally:
            self._persistent = persistent
        self._used = not persistent
        return rows

    def batch_jacobian(
        self,
        target: Tensor,
        source: Tensor,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobians of each example: of shape [batch, the rest of the target's, the rest of the source's].

        Raises ValueError where the batches differ, or a shape is not known.
        """
        dims, own = target.dims, source.dims
        if not dims or not own or len(dims) < 2 or len(own) < 2 or dims[0] != own[0] or None in dims:
            raise ValueError(
                f"Need first dimension of target shape ({target.shape}) and source shape ({source.shape}) to match."
            )
        if self._eager and not self._persistent and not experimental_use_pfor:
            raise RuntimeError(
                "GradientTape must be created with persistent=True to compute the batch_jacobian with eager execution enabled and "
                "with experimental_use_pfor set to False."
            )
        count = int(np.prod(dims[1:]))  # type: ignore[arg-type]
        rows = self._rows(target, [source], unconnected_gradients, dims, count, dims[0])  # type: ignore[arg-type]
        parts = [to_tensor(row[0]) for row in rows if row[0] is not None]
        if not parts:
            return constants.zeros([*dims, *own[1:]], target.dtype)
        return array.reshape(array.stack(parts, 1), [*dims, *own[1:]])

    # -- what the tape saw

    def _recorded(self, op: Operation) -> bool:
        spans = self._spans if self._begin is None else [*self._spans, (self._begin, op._id)]
        return any(begin < op._id <= end for begin, end in spans)

    def _follows(self, source: Any) -> bool:
        if any(source is w for w in self._watched):
            return True
        if _is_variable(source):
            return self._watch_variables and getattr(source, "trainable", True)
        return isinstance(source, Tensor) and self._recorded(source.op) and bool(source.op.inputs)

    def _inputs_from_outside(self, targets: list[Any], sources: list[Any]) -> list[Tensor]:
        """Tensors that the recorded operations take from others: gradients end there."""
        keep = {_tensor(s) for s in sources}
        seen: set[Operation] = set()
        stack = [_tensor(t).op for t in targets]
        ends: dict[Tensor, None] = {}
        while stack:
            op = stack.pop()
            if op in seen:
                continue
            seen.add(op)
            for t in op.inputs:
                if t in keep or t.op.opdef.source:
                    continue
                if self._recorded(t.op) or not t.op.inputs:
                    stack.append(t.op)
                elif _reads_variable(t.op):
                    continue
                else:
                    ends[t] = None
        return list(ends)


class _Pause:
    def __init__(self, tape: GradientTape):
        self._tape = tape

    def __enter__(self) -> None:
        if self._tape._begin is not None:
            self._tape._pause()
            self._again = True
        else:
            self._again = False

    def __exit__(self, *error: Any) -> None:
        if self._again:
            self._tape._resume()


def _is_variable(value: Any) -> bool:
    return hasattr(value, "initializer") and hasattr(value, "assign")


def _tensor(value: Any) -> Tensor:
    handle = getattr(value, "handle", None)
    value = handle if isinstance(handle, Tensor) else value
    if isinstance(value, EagerTensor):
        return get_default_graph()._admit(value)
    if isinstance(value, Tensor):
        return value
    return value._as_graph_element() if not hasattr(value, "_ref") else value._ref()


def _readers(variable: Any) -> list[Operation]:
    """The operations that take the variable's value, by way of its reading identity or not."""
    direct = _tensor(variable).consumers()
    return direct + [op for read in direct for t in read.outputs for op in t.consumers()]


def _reads_variable(op: Operation) -> bool:
    return any(t.op.opdef.source for t in op.inputs)
