"""Gradients as graph: `tf.gradients` walks the graph backwards and adds the operations that compute derivatives.

Every op has a gradient function, or is differentiated by JAX through its lowering (SymbolicGradient), or has none.
"""

from __future__ import annotations

import collections
import enum
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.opdef import GRADIENTS, OPS
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.reaching import where_reached
from thalweg._src.ops.derivatives.symbolic import symbolic_gradients
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices, concat_slices


class RegisterGradient:
    """Decorator: the gradient function of ops of type `op_type`, or of those that `gradient_override_map` gives that name.

    The function takes the operation and the gradients of its outputs, and returns the gradients of its inputs.
    """

    def __init__(self, op_type: str):
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        _register(self._op_type, f)
        return f


def NotDifferentiable(op_type: str) -> None:
    """Declare that ops of this type have no gradient: their inputs get None."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    _register(op_type, None)


NoGradient = NotDifferentiable


def _register(name: str, f: Callable[..., Any] | None) -> None:
    opdef = OPS.get(name)
    if name in GRADIENTS or (opdef is not None and opdef.gradient is not None):
        raise KeyError(f"Registering two gradient with name '{name}'!")
    GRADIENTS[name] = f


def gradient_function(op: Operation) -> Any:
    """The gradient function of `op`; None where it has no gradient. Raises LookupError where nobody knows one."""
    name = op.attrs.get("_gradient_op_type")
    if name is not None:
        if isinstance(name, bytes):
            name = name.decode()
        if name in GRADIENTS:
            return GRADIENTS[name]
        if name not in OPS:
            raise LookupError(
                f"No gradient defined for operation '{op.name}' (op type: {op.type}): {name!r} is not registered"
            )
        opdef = OPS[name]
    elif op.type in GRADIENTS:
        return GRADIENTS[op.type]
    else:
        opdef = op.opdef
    if opdef.gradient is not None:
        return opdef.gradient
    if not opdef.differentiable:
        return None
    if opdef.runs_on_host(op) or opdef.effect not in (None, "read") or opdef.source:
        raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})")
    return symbolic_gradients


class AggregationMethod:
    """How gradients of one tensor are summed. All ways give the same sum here; the names are kept for programs."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


class UnconnectedGradients(enum.Enum):
    """What stands for the gradient of an x on which no y depends: None, or zeros."""

    NONE = "none"
    ZERO = "zero"


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """The derivatives of the sum of `ys` with respect to each of `xs`, as tensors (or IndexedSlices, for gathered rows).

    `grad_ys` weighs the ys (ones unless given); `stop_gradients` are tensors to hold constant. An x that no y depends on gets
    None, or zeros where `unconnected_gradients` is 'zero'. Raises LookupError for an op without a gradient on the way.

    >>> x = tf.constant(3.0)
    >>> run(tf.gradients(x * x, [x]))
    [6.0]
    """
    if executing_eagerly():
        raise RuntimeError(
            "tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead."
        )
    if aggregation_method not in (None, 0, 1, 2):
        raise ValueError(f"Invalid aggregation_method specified {aggregation_method}.")
    zero = asks_for_zeros(unconnected_gradients)
    ys, xs, grad_ys = _as_list(ys), _as_list(xs), _as_list(grad_ys)
    stop = [] if stop_gradients is None else _as_list(stop_gradients)
    grad_ys = [None] * len(ys) if len(grad_ys) == 1 and grad_ys[0] is None else grad_ys
    if len(grad_ys) != len(ys):
        raise ValueError(f"Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
    graph = get_default_graph()
    with graph.name_scope(name or "gradients") as scope:
        y_tensors = [_as_graph_tensor(y.value() if hasattr(y, "read_value") else y, "y") for y in ys]
        x_tensors = [_as_graph_tensor(x, "x") for x in xs]
        stop_tensors = [_as_graph_tensor(s, "s") for s in stop]
        back = _Backward(graph, y_tensors, x_tensors, stop_tensors, colocate_gradients_with_ops, gate_gradients)
        seeds = _seeds(grad_ys, y_tensors, back)
        back.run(y_tensors, seeds)
        out = [back.gradient_of(x) for x in x_tensors]
        if zero:
            out = [_zeros_for(x) if g is None else g for x, g in zip(x_tensors, out, strict=True)]
        del scope
    return out


def asks_for_zeros(value: Any) -> bool:
    """Whether unconnected gradients are to be zeros rather than None. Raises ValueError for a value that says neither."""
    value = getattr(value, "value", value)
    if value not in ("none", "zero"):
        raise ValueError(f"Unknown value for unconnected_gradients: {value!r}")
    return value == "zero"


def _zeros_for(x: Tensor) -> Tensor:
    if x.dtype.base_dtype == dtypes.resource:
        from thalweg._src.ops.stateful.handles import variable_of_handle

        source = variable_of_handle(x)
        return constants.zeros(source.attrs["shape"], source.attrs["dtype"])
    return constants.zeros_like(x)


def _as_list(x: Any) -> list[Any]:
    return list(x) if isinstance(x, list | tuple) else [x]


def _as_graph_tensor(value: Any, what: str) -> Tensor:
    handle = getattr(value, "handle", None)
    if isinstance(handle, Tensor):
        return handle if type(handle) is Tensor else get_default_graph()._admit(handle)
    if isinstance(value, Tensor) and type(value) is not Tensor:
        return get_default_graph()._admit(value)
    if isinstance(value, IndexedSlices):
        return value.values
    if isinstance(value, list | tuple):  # a nested list is one tensor, as everywhere
        return to_tensor(value, None, what)
    return to_tensor(value, None, what, as_ref=True)


def _seeds(grad_ys: list[Any], ys: list[Tensor], back: _Backward) -> list[Any]:
    from thalweg._src.ops import array

    out = []
    for i, (g, y) in enumerate(zip(grad_ys, ys, strict=True)):
        dtype = y.dtype.base_dtype
        if g is None:
            if dtype.is_complex:
                raise TypeError(f"Gradients of complex tensors must set grad_ys (y.dtype = {y.dtype!r})")
            with back.colocated(y.op):
                shape = array.shape_internal(y)
                one = constants.constant(1, dtype, name=f"grad_ys_{i}")
                out.append(constants.fill(shape, one))
            continue
        if not isinstance(g, IndexedSlices):
            g = to_tensor(g, dtype if not isinstance(g, Tensor) else None, f"grad_ys_{i}")
        if dtype.is_floating or dtype.is_integer:
            if not (g.dtype.is_floating or g.dtype.is_integer):
                raise TypeError(
                    f"Gradient type {g.dtype.name} generated for real or integer-valued tensor {y} with type {y.dtype.name} "
                    "must be real or integer"
                )
        elif dtype.is_complex and not g.dtype.is_complex:
            raise TypeError(
                f"Gradient type {g.dtype.name} generated for complex-valued tensor {y} with type {y.dtype.name} must be complex"
            )
        with back.colocated(y.op):
            out.append(basic.identity(g, name=f"grad_ys_{i}") if isinstance(g, Tensor) else g)
    return out


def flows(t: Tensor) -> bool:
    """Whether gradients flow through tensors of this type."""
    d = t.dtype.base_dtype
    return d.is_floating or d.is_complex or d == dtypes.resource or d == dtypes.variant


def is_trainable(t: Any) -> bool:
    """Whether `t` has a type that can have a gradient."""
    d = dtypes.as_dtype(getattr(t, "dtype", t)).base_dtype
    return d.is_floating or d.is_complex or d in (dtypes.resource, dtypes.variant)


class _Backward:
    """One backward walk: it visits each operation between xs and ys after all that use its outputs."""

    def __init__(self, graph: Any, ys: list[Tensor], xs: list[Tensor], stop: list[Tensor], colocate: bool, gate: bool):
        self.graph, self.colocate, self.gate = graph, colocate, gate
        self.xs = set(xs)
        self.grads: dict[Tensor, list[Any]] = {}
        self.stopped = {s.op for s in stop}
        self.used: set[Tensor] = set()  # what operations between xs and ys take
        reached = self._forward(xs)
        self.pending = self._count(ys, reached)
        # An x that another x is computed from needs no gradients beyond itself.
        for x in xs:
            if x.op in self.pending and not any(i.op in self.pending for i in self._inputs_of(x.op)):
                self.stopped.add(x.op)

    def _forward(self, xs: list[Tensor]) -> set[Operation]:
        reached = {x.op for x in xs}
        stack = [x for x in xs if flows(x)]
        seen = set(xs)
        while stack:
            t = stack.pop()
            for op in (*t._consumers, *self._captures_of(t)):
                if op in reached:
                    continue
                reached.add(op)
                for out in op.outputs:
                    if out not in seen and flows(out):
                        seen.add(out)
                        stack.append(out)
        return reached

    def _captures_of(self, t: Tensor) -> list[Operation]:
        """The arguments that stand for `t` in the bodies that are being built."""
        out: list[Operation] = []
        graph = self.graph
        while graph is not None:
            inner = getattr(graph, "captures", {}).get(t)
            if inner is None:
                inner = getattr(graph, "begins", {}).get(t)
            if inner is not None:
                out.append(inner.op)
            graph = getattr(graph, "outer", None)
        return out

    def _inputs_of(self, op: Operation) -> Sequence[Tensor]:
        """What an operation takes: for an argument of a body, what it stands for."""
        if op._inputs or op.type != "_Arg":
            return op._inputs
        graph: Any = op.graph
        inner = op.outputs[0]
        found = [t for t, own in graph.captures.items() if own is inner]
        if inner in self.xs and not found:
            return ()
        if not found and any(own is inner for own in graph.begins.values()):
            names = ", ".join(f"'{x.op.name}'" for x in self.xs)
            raise ValueError(
                f"Cannot compute gradient inside while loop with respect to op {names}. We do not support taking the gradient wrt "
                "or through the initial value of a loop variable. Gradients can be computed through loop invariants or wrt the "
                "input parameters to the loop body."
            )
        return found

    def _count(self, ys: list[Tensor], reached: set[Operation]) -> dict[Operation, int]:
        """The operations between, and how many of their uses have still to send a gradient."""
        between: set[Operation] = set()
        stack = [y.op for y in ys]
        while stack:
            op = stack.pop()
            if op in between or op not in reached:
                continue
            between.add(op)
            stack += [t.op for t in self._inputs_of(op)]
        pending = dict.fromkeys(between, 0)
        for op in between:
            for t in self._inputs_of(op):
                self.used.add(t)
                if t.op in pending:
                    pending[t.op] += 1
        return pending

    def colocated(self, op: Operation) -> Any:
        import contextlib

        return self.graph.colocate_with(op) if self.colocate else contextlib.nullcontext()

    def run(self, ys: list[Tensor], seeds: list[Any]) -> None:
        for y, g in zip(ys, seeds, strict=True):
            self.grads.setdefault(y, []).append(g)
        queue: collections.deque[Operation] = collections.deque()
        queued = set()
        for y in ys:
            if self.pending.get(y.op) == 0 and y.op not in queued:
                queued.add(y.op)
                queue.append(y.op)
        while queue:
            op = queue.popleft()
            with self.colocated(op):
                self._visit(op)
            for t in self._inputs_of(op):
                producer = t.op
                if producer in self.pending:
                    self.pending[producer] -= 1
                    if self.pending[producer] == 0 and producer not in queued:
                        queued.add(producer)
                        queue.append(producer)

    def _visit(self, op: Operation) -> None:
        out_grads = [self._sum(t) for t in op.outputs]
        if op in self.stopped or all(g is None for g in out_grads):
            return
        if not op.inputs:
            for t in self._inputs_of(op):  # what a body captured
                self._put(op, t, out_grads[0])
            return
        grad_fn = gradient_function(op)
        if grad_fn is None:
            return
        for i, t in enumerate(op.outputs):
            if out_grads[i] is None and is_trainable(t) and t.dtype.base_dtype not in (dtypes.resource, dtypes.variant):
                if len(op.outputs) > 1 and not op.opdef.takes_none:
                    out_grads[i] = constants.zeros_like(t)
        with self.graph.name_scope(op.name + "_grad"):
            with self.graph._original_op(op):
                in_grads = grad_fn(op, *out_grads)
            if not isinstance(in_grads, list | tuple):
                in_grads = [in_grads]
            if op.opdef.reaches is not None:
                in_grads = where_reached(op, in_grads, self._live(op, out_grads))
            if len(in_grads) != len(op.inputs):
                raise ValueError(
                    f"Num gradients {len(in_grads)} generated for op {op.node_def} do not match num inputs {len(op.inputs)}"
                )
            if self.gate and sum(g is not None for g in in_grads) > 1:
                with self.graph.device(None):
                    in_grads = basic.tuple_(in_grads)
        for t, g in zip(op.inputs, in_grads, strict=True):
            if g is not None:
                self._put(op, t, g)

    def _live(self, op: Operation, out_grads: Sequence[Any]) -> list[int]:
        """The outputs whose gradients go on, if only as zeros: a loop hands those to all results that something between uses."""
        live = [i for i, g in enumerate(out_grads) if g is not None]
        if op.opdef.zeros_too and any(op.outputs[i] in self.used for i in live):
            live += [i for i, t in enumerate(op.outputs) if out_grads[i] is None and t in self.used and flows(t)]
        return live

    def _put(self, op: Operation, t: Tensor, g: Any) -> None:
        if isinstance(g, Tensor) and t.dtype.base_dtype != dtypes.resource:
            if shapes.merge(g.dims, t.dims) is False:
                raise ValueError(
                    "Incompatible shapes between op input and calculated input gradient.  "
                    f"Forward operation: {op.name}.  Input index: {list(op.inputs).index(t) if t in op.inputs else 0}. "
                    f"Original input shape: {t.shape}.  Calculated input gradient shape: {g.shape}"
                )
            g.set_shape(t.dims)
        self.grads.setdefault(t, []).append(g)

    def _sum(self, t: Tensor) -> Any:
        """The gradient of `t`: the sum of what its uses sent. It is kept for the xs."""
        sent = self.grads.get(t)
        if not sent:
            return None
        if len(sent) > 1:
            sent[:] = [self._added(sent)]
        return sent[0]

    def _added(self, sent: Sequence[Any]) -> Any:
        """The sum: first of what is on one device, there, then of these sums."""
        by_device: dict[str, list[Any]] = {}
        together = not all(isinstance(g, Tensor) for g in sent)
        for g in sent:
            by_device.setdefault("" if together else g.device, []).append(g)
        sums = []
        for _, grads in sorted(by_device.items()):
            with self.graph.colocate_with(grads[0].op, ignore_existing=True):
                sums.append(added(grads) if len(grads) > 1 else grads[0])
        return added(sums) if len(sums) > 1 else sums[0]

    def gradient_of(self, x: Tensor) -> Any:
        return self._sum(x)


def added(sent: Sequence[Any]) -> Any:
    """The sum of gradients that one tensor has got."""
    from thalweg._src.ops.numeric.arithmetic import add_n

    if all(isinstance(g, Tensor) for g in sent):
        return add_n(list(sent))
    return concat_slices(list(sent))
