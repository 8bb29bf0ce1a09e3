"""`tf.function` and `tfe.defun`: Python functions traced into graphs, once for each kind of arguments, and compiled.

Gradients are more operations of the same graph. When a tape listens, a call also fetches what those take of the forward part; the
backward call is fed with it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core import eager, nest, recording
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import EagerTensor, executing_eagerly
from thalweg._src.core.funcgraph import FuncGraph, building
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.lib.autograph.calls import converted
from thalweg._src.lib.eager.signatures import Call, Signature
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.basic import identity
from thalweg._src.ops.control import composites
from thalweg._src.ops.derivatives.eager_tape import record_function
from thalweg._src.ops.derivatives.gradients import flows, gradients
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.runtime.eager_functions import FunctionSession, in_program_order

_numbers = itertools.count()


class Stage:
    """Part of a function's graph: its `outputs`, and the tensors `by` which they can be differentiated.

    `next` is the stage that does so: it has a weight for each output, and gives gradients by `by`.
    """

    def __init__(self, concrete: ConcreteFunction, outputs: Sequence[Tensor], by: Sequence[Tensor], targets: Any = ()):
        self.concrete, self.outputs, self.by, self.targets = concrete, list(outputs), list(by), list(targets)
        self._next: Backward | None = None
        self._error: LookupError | None = None

    def run(self, feeds: dict[Tensor, Any], inputs: Sequence[Any]) -> list[EagerTensor]:
        """The values of the outputs. `inputs` are the eager tensors that were fed for `by`."""
        call = self.concrete.session.call
        if not recording.listeners.tapes or not self.outputs:
            return call(self.outputs, self.targets, feeds)
        after = self.next()
        kept = after.kept if after is not None else []
        found = call([*self.outputs, *kept], self.targets, feeds)
        outputs, values = found[: len(self.outputs)], found[len(self.outputs) :]
        fed = {**feeds, **{t: v._value for t, v in zip(kept, values, strict=True)}}

        def gradient(*grads: Any) -> list[Any]:
            if after is None:
                raise self._error  # type: ignore[misc]
            return after.pull(fed, inputs, grads, outputs)

        record_function(inputs, outputs, gradient)
        return outputs

    def next(self) -> Backward | None:
        """The stage that differentiates this one; None where an operation on the way has no gradient."""
        if self._next is None and self._error is None:
            with self.concrete.lock():
                try:
                    self._next = Backward(self)
                except LookupError as error:
                    self._error = error
        return self._next


class Backward(Stage):
    """The gradients of a stage, as operations added to its graph."""

    def __init__(self, stage: Stage):
        concrete = stage.concrete
        graph = concrete.graph
        before = len(graph._ops)
        self.places = [i for i, t in enumerate(stage.outputs) if flows(t) and t.dtype.base_dtype._name != "resource"]
        ys = [stage.outputs[i] for i in self.places]
        with building(graph), graph.name_scope(None):
            self.weights = [graph._parameter(y.dtype, y._dims, "grad_y", 0) for y in ys]
            found = gradients(ys, stage.by, self.weights) if ys and stage.by else [None] * len(stage.by)
        self.shape: list[Any] = []  # of each gradient: None, "dense", or "slices"
        outputs: list[Tensor] = []
        for g in found:
            if isinstance(g, IndexedSlices):
                self.shape.append((len(outputs), g.dense_shape is not None))
                outputs += [g.values, g.indices] + ([g.dense_shape] if g.dense_shape is not None else [])
            else:
                self.shape.append(None if g is None else len(outputs))
                outputs += [] if g is None else [g]
        super().__init__(concrete, outputs, [*stage.by, *self.weights])
        self.kept = _taken(graph, before, {*concrete.inner_inputs(), *self.weights}, outputs)

    def pull(self, fed: dict[Tensor, Any], inputs: Sequence[Any], grads: Sequence[Any], outputs: Any) -> list[Any]:
        """The gradients of `inputs`, given those of the stage's outputs (None for zero)."""
        weights = []
        for i in self.places:
            g = grads[i]
            weights.append(constants.zeros_like(outputs[i]) if g is None else to_tensor(g))
        feeds = {**fed, **{w: t._value for w, t in zip(self.weights, weights, strict=True)}}
        found = self.run(feeds, [*inputs, *weights])
        out: list[Any] = []
        for shape in self.shape:
            if isinstance(shape, tuple):
                at, dense = shape
                out.append(IndexedSlices(found[at], found[at + 1], found[at + 2] if dense else None))
            else:
                out.append(None if shape is None else found[shape])
        return out


def _taken(graph: FuncGraph, before: int, fed: set[Tensor], outputs: Sequence[Tensor]) -> list[Tensor]:
    """What the operations behind place `before` take of those in front of it, but for what is `fed` anyway.

    Where one differentiates a branch or a loop, or goes by a TensorArray, that must run again beside it: then only what can't be
    computed twice is taken.
    """
    first, later = graph._ops[:before], graph._ops[before:]
    made_first = set(first)
    handled = (t for op in later for t in op._inputs if t.dtype.base_dtype._name in ("resource", "variant"))
    again = any(op.opdef.forward_of is not None for op in later)
    again = again or any(t.op in made_first and not t.op.opdef.source and t.op.type != "_Arg" for t in handled)
    if again:
        taken = [t for op in first if op.opdef.effect is not None and not op.opdef.source for t in op.outputs]
    else:
        taken = [t for op in later for t in op._inputs] + list(outputs)
    out: dict[Tensor, None] = {}
    for t in taken:
        if t.op in made_first and t not in fed and not t.op.opdef.constant and not t.op.opdef.source:
            if t.op.type != "_Arg":
                out[t] = None
    return list(out)


class ConcreteFunction:
    """One trace of a function: its graph, and what its arguments and results look like."""

    def __init__(self, python_function: Callable[..., Any], name: str, call: Call):
        self.graph = graph = FuncGraph(f"__inference_{name}_{next(_numbers)}", eager.graph())
        graph._names_in_use = {}
        self.name = graph.name
        self.python_function = python_function
        with building(graph):
            leaves = []
            for i, leaf in enumerate(call.tensors):
                leaves.append(graph.argument(leaf.dtype, leaf.dims, call.names[i]))
            args, kwargs = call.rebuilt(leaves)
            result = python_function(*args, **kwargs)
            self.result = nest.map_leaves(_returned, result) if result is not None else None
        tensors = [t for t in composites.flatten(self.result) if isinstance(t, Tensor)] if result is not None else []
        self.outputs = [t if t.op.graph is graph else graph._admit(t) for t in tensors]
        graph.outputs = list(self.outputs)
        self.session = FunctionSession(graph)
        self.captured = list(graph.captures.items())  # (outside, inside)
        self.handles = [(t, inner) for t, inner in graph.constants.items() if t.op.opdef.source]
        floats = [t for t in graph.arguments if flows(t) and t.dtype.base_dtype._name not in ("resource", "variant")]
        self.float_arguments = floats
        self.float_captures = [(t, i) for t, i in self.captured if t.dtype.is_floating or t.dtype.is_complex]
        by = [*floats, *[i for _, i in self.float_captures], *[i for _, i in self.handles]]
        self.forward = Stage(self, self.outputs, by, in_program_order(graph._ops, graph.inputs))

    def lock(self) -> Any:
        """Held while operations are added."""
        return self.graph._lock

    def inner_inputs(self) -> list[Tensor]:
        return [*self.graph.arguments, *[inner for _, inner in self.captured]]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The results for tensors as arguments."""
        leaves = [
            to_tensor(x) for x in composites.flatten((args, kwargs)) if isinstance(x, Tensor | np.ndarray | float | int)
        ]
        return self.run(leaves)

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """The results for the tensors of the arguments, in order."""
        if not executing_eagerly():
            raise RuntimeError("A traced function is called in eager execution")
        feeds: dict[Tensor, Any] = {a: t._value for a, t in zip(self.graph.arguments, tensors, strict=True)}  # type: ignore[attr-defined]
        given = dict(zip(self.graph.arguments, tensors, strict=True))
        for t, inner in self.captured:
            feeds[inner] = t._value  # type: ignore[attr-defined]
        inputs = [given[a] for a in self.float_arguments]
        inputs += [t for t, _ in self.float_captures]
        inputs += [t for t, _ in self.handles]
        found = iter(self.forward.run(feeds, inputs))
        if self.result is None:
            return None
        values = [next(found) if isinstance(t, Tensor) else t for t in composites.flatten(self.result)]
        return composites.pack(self.result, values)

    @property
    def structured_outputs(self) -> Any:
        return self.result

    @property
    def inputs(self) -> list[Tensor]:
        return self.graph.inputs

    @property
    def variables(self) -> list[Any]:
        """The variables that it uses."""
        found = [t.variable() for t, _ in self.handles]  # type: ignore[attr-defined]
        return [v for v in found if v is not None]

    @property
    def trainable_variables(self) -> list[Any]:
        return [v for v in self.variables if v.trainable]


def _returned(value: Any) -> Any:
    """A result as tensors. Operations and None stand for nothing."""
    if value is None or isinstance(value, Operation):
        return None
    if isinstance(value, Variable):
        return value.value()
    if isinstance(value, Tensor) or hasattr(value, "_components") or hasattr(value, "flow"):
        return value
    return to_tensor(value)


def _in_graph(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of `function`, built in the default graph. Its tensors wait for what else it does: writes, checks, prints."""
    graph = get_default_graph()
    before = len(graph._ops)
    result = function(*args, **kwargs)
    work = in_program_order(graph._ops[before:], getattr(graph, "inputs", ()))
    if not work:
        return result

    def after(value: Any) -> Any:
        if not isinstance(value, Tensor) and not hasattr(value, "_components"):
            return value
        return composites.with_parts(value, [identity(t) for t in composites.parts_of(value)])

    with graph.control_dependencies(work):
        return nest.map_leaves(after, result)


class Function:
    """A Python function that runs as compiled graphs: one for each structure, types and shapes of tensors, and Python values.

    In a graph it adds its operations to that.
    """

    def __init__(
        self,
        python_function: Callable[..., Any],
        name: str | None = None,
        input_signature: Any = None,
        autograph: bool = False,
    ):
        self.python_function = self._python_function = python_function
        self._autograph = autograph
        self._name = name or getattr(python_function, "__name__", "function").replace("<lambda>", "lambda")
        self._signature = Signature(python_function, input_signature)
        self._traces: dict[Any, ConcreteFunction] = {}
        self._bound: dict[int, Any] = {}
        functools.update_wrapper(self, python_function)

    @property
    def input_signature(self) -> Any:
        """The specs that arguments must have, or None."""
        return self._signature.specs

    @property
    def name(self) -> str:
        return self._name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not executing_eagerly():
            return _in_graph(self._traced(), args, kwargs)
        call = self._signature.bind(args, kwargs)
        return self._trace(call).run(call.values())

    def _trace(self, call: Call) -> ConcreteFunction:
        key = (call.key, eager.graph().seed, tuple(str(d) for d in eager.graph()._stacks.devices))
        found = self._traces.get(key)
        if found is None:
            found = self._traces[key] = ConcreteFunction(self._traced(), self._name, call)
        return found

    def _traced(self) -> Callable[..., Any]:
        """The function that adds the operations."""
        return converted(self.python_function) if self._autograph else self.python_function

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The trace for these arguments; a TensorSpec stands for any tensor that fits it."""
        return self._trace(self._signature.bind(args, kwargs))

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Bound to an object: traces of its own for each."""
        if instance is None:
            return self
        key = "_traced_" + str(id(self))
        found = instance.__dict__.get(key) if hasattr(instance, "__dict__") else None
        if found is None:
            found = Function(
                self.python_function.__get__(instance, owner), self._name, self._signature.given, self._autograph
            )
            if hasattr(instance, "__dict__"):
                instance.__dict__[key] = found
        return found


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    experimental_autograph_options: Any = None,
    experimental_relax_shapes: bool = False,
    experimental_compile: bool | None = None,
) -> Any:
    """Run `func` as compiled graphs. A decorator, with or without arguments.

    `input_signature`: a sequence of tf.TensorSpec, for one graph that serves all arguments that fit it. With `autograph`, `if`, `while`
    and `for` may be about tensors (`tf.autograph.to_graph`).

    >>> add = tf.function(lambda x: x + 1.0)
    """

    def decorate(f: Callable[..., Any]) -> Function:
        return Function(f, input_signature=input_signature, autograph=autograph)

    return decorate if func is None else decorate(func)


def defun(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    experimental_autograph_options: Any = None,
    experimental_relax_shapes: bool = False,
) -> Any:
    """`tf.function`, by its name of 1.5 to 1.14."""
    return function(func, input_signature, autograph)


def is_function(value: Any) -> bool:
    """Whether `value` is a traced function."""
    return isinstance(value, Function)
