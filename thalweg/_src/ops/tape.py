"""`tf.GradientTape`: gradients of what was computed in a block."""

from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.ops.gradients import UnconnectedGradients, gradients
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
        self._used = False

    def __enter__(self) -> "GradientTape":
        if self._begin is not None:
            raise ValueError("Tape is already recording.")
        self._begin = get_default_graph().version
        return self

    def __exit__(self, *error: Any) -> None:
        if self._begin is not None:
            self._pause()

    def _pause(self) -> None:
        if self._begin is None:
            raise ValueError("Tape is not recording.")
        self._spans.append((self._begin, get_default_graph().version))
        self._begin = None

    def watch(self, tensor: Any) -> None:
        """Follow what is computed from `tensor` (or each tensor of a structure). Raises ValueError for other things."""
        for t in nest.flatten(tensor):
            if not isinstance(t, Tensor) and not _is_variable(t):
                raise ValueError(f"Passed in object of type {type(t)}, not tf.Tensor")
            self._watched.append(t)

    def stop_recording(self) -> Any:
        """A block whose operations the tape does not follow."""
        return _Pause(self)

    def reset(self) -> None:
        """Forget all that was recorded and watched."""
        self._pause()
        self._spans, self._watched, self._used = [], [], False
        self.__enter__()

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables whose gradients can be had."""
        from thalweg._src.ops.variables import trainable_variables

        own = [v for v in self._watched if _is_variable(v)]
        if not self._watch_variables:
            return tuple(own)
        return tuple(v for v in trainable_variables() if any(self._recorded(op) for op in _readers(v))) + tuple(own)

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
            self._tape._begin = get_default_graph().version


def _is_variable(value: Any) -> bool:
    return hasattr(value, "initializer") and hasattr(value, "assign")


def _tensor(value: Any) -> Tensor:
    handle = getattr(value, "handle", None)
    if isinstance(handle, Tensor):
        return handle
    if isinstance(value, Tensor):
        return value
    return value._as_graph_element() if not hasattr(value, "_ref") else value._ref()


def _readers(variable: Any) -> list[Operation]:
    """The operations that take the variable's value, by way of its reading identity or not."""
    direct = _tensor(variable).consumers()
    return direct + [op for read in direct for t in read.outputs for op in t.consumers()]


def _reads_variable(op: Operation) -> bool:
    return any(t.op.opdef.source for t in op.inputs)
