"""The one interpreter of graphs: it walks operations and calls their lowerings, on tracers inside `jax.jit`, or on arrays.

A compiled cluster, the op-by-op mode for debugging, and the bodies of loops and branches all go through `Interpreter.run`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler import mixed
from thalweg._src.compiler.bodies import accesses, body_ops, randoms, refers, source_of, static_needs, variable_key
from thalweg._src.core import apply, errors, infer, recipes, shapes
from thalweg._src.core.apply import Replan
from thalweg._src.core.differentiate import forward_and_pull
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.structured import Nothing, Structured, plain

_SMALL = 64  # elements


class RefValue:
    """What a reference or a variable handle is while a graph runs: the key of the variable, read only where it is used."""

    __slots__ = ("key", "source")

    def __init__(self, key: str, source: Operation):
        self.key, self.source = key, source


class Interpreter:
    """Runs operations in order over an environment of tensor values and a state of variables.

    `state` maps keys to values; `written` collects the keys that changed. `fold` holds the operations whose values must be
    known while tracing: they are computed on NumPy arrays.
    """

    def __init__(
        self,
        state: dict[Any, Any],
        *,
        fold: set[Operation] | frozenset[Operation] = frozenset(),
        platform: str | None = None,
        traced: bool = True,
        ctx: Callable[[Operation], Any] | None = None,
        rng_init: Callable[[Operation], Any] | None = None,
        watch: Callable[[Operation, list[Any]], None] | None = None,
        wait: Callable[[Operation, Any], Any] | None = None,
    ):
        self.state, self.fold, self.platform, self.traced = state, fold, platform, traced
        self.written: dict[Any, None] = {}
        self.ctx, self.rng_init, self.watch, self.wait = ctx, rng_init, watch, wait
        self.pulls: dict[Operation, Any] = {}  # of operations that a later one differentiates
        self._differentiated: set[Operation] = set()
        self._begun: dict[Any, dict[Any, Any]] = {}  # the states of random streams before an operation in `pulls` ran
        self.takers: dict[Tensor, int] = {}  # how many operations take a tensor's value, where that is known
        self.current: Any = None  # the operation whose lowering runs, where that wants to know
        self.tries = False  # whether what can't be traced here is traced in another way: no operation is to blame
        self.is_child = False  # whether JAX traces this on its own, perhaps more than once
        self.half: str | None = None  # the type in which products are computed, where that is not their own
        self.once = False  # whether these operations will not run again
        self.taped = False  # whether loops must keep what their derivatives need
        self.active: Any = None  # a flag: where it is False, a turn of a loop is only played, and must keep nothing

    def run(self, ops: Iterable[Operation], env: dict[Tensor, Any]) -> None:
        """Run `ops`, which are in a topological order, adding the values of their outputs to `env`."""
        ops = list(ops)
        self.prepare(ops)
        for op in ops:
            self.run_one(op, env)

    def prepare(self, ops: Iterable[Operation]) -> None:
        """Note which operations a later one of `ops` differentiates."""
        self._differentiated = {op.opdef.forward_of(op._attrs) for op in ops if op.opdef.forward_of is not None}

    def run_one(self, op: Operation, env: dict[Tensor, Any], result: Callable[[], Any] | None = None) -> None:
        """Run `op`, or finish it with what `result()` gives if it had to wait. An error names it."""
        try:
            if result is None:
                self.step(op, env)
            else:
                self.settle(op, [], result(), env)
        except errors.OpError as error:
            if error._op is None:
                error._op = op
            raise
        except Replan as replan:
            self._blame(op)
            replan.op = op
            raise
        except (NotImplementedError, TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
            if getattr(error, "thalweg_user_error", False):
                raise
            if isinstance(error, _needs_a_value()):  # a shape or an axis that changes in a loop: op by op it is known
                self._blame(op)
                raise Replan(op, f"{op.name} needs a value that is computed") from None
            raise as_op_error(error, op) from error

    def _blame(self, op: Operation) -> None:
        """Have later plans leave `op` to Python."""
        if not self.tries:
            op.__dict__.setdefault("hints", set()).add("host")

    def step(self, op: Operation, env: dict[Tensor, Any]) -> None:
        """Run `op` on the values in `env`, and put its outputs there."""
        opdef = op.opdef
        if opdef.source:
            env[op.outputs[0]] = RefValue(variable_key(op), op)
            return
        if opdef.alias:
            self._alias(op, env)
            return
        if opdef.constant and self.watch is None:
            env[op.outputs[0]] = op._attrs["value"]
            return
        values = [env[t] for t in op._inputs]
        if opdef.bodies is None and any(isinstance(v, Structured) for v in values):
            # In a branch that is traced, but known not to be taken.
            if not opdef.takes_nothing and any(isinstance(v, Nothing) for v in values):
                env.update((t, Nothing()) for t in op.outputs)
                return
            if not opdef.structured:
                values = [plain(v) for v in values]
        if opdef.wants_run or op in self._differentiated:
            self._run_bodies(op, values, env)
            return
        refs = [v for v in values if type(v) is RefValue]
        if refs:
            args = opdef.inputs if opdef.simple else [a for a, _ in infer.flat_args(op)]
            values = [
                # What a function captured stays a reference: the function reads it each time it runs.
                v if type(v) is not RefValue or _captured(opdef, arg) else self.read(v, op, required=arg.init)
                for v, arg in zip(values, args, strict=True)
            ]
        if op in self.fold and not any(isinstance(v, jax.Array | Structured) for v in values):
            env.update(zip(op.outputs, self._folded(op, values), strict=True))
            return
        result = self._call(op, values)
        if self.takers and not opdef.write_index:
            outputs = zip(op.outputs, apply.flat_outputs(opdef, result), strict=True)
            recipes.took(values, [v for t, v in outputs if self.takers.get(t)])
        if opdef.waits and self.wait is not None:
            result = self.wait(op, result)
        if opdef.write_index:
            result = self._write(op, refs, result)
        self.settle(op, refs, result, env)

    def settle(self, op: Operation, refs: list[RefValue], result: Any, env: dict[Tensor, Any]) -> None:
        """Put what the lowering of `op` returned into `env`, as the values of its outputs."""
        opdef = op.opdef
        outputs = op.outputs
        if not outputs:
            return
        if opdef.writes and outputs[0].dtype._ref:
            for t, ref in zip(outputs, refs, strict=False):
                env[t] = ref
            return
        result = apply.flat_outputs(opdef, result)
        for t, v in zip(outputs, result, strict=True):
            env[t] = _declared(v, t)
        if self.watch is not None:
            self.watch(op, [env[t] for t in outputs])

    def _folded(self, op: Operation, values: list[Any]) -> list[np.ndarray]:
        """The outputs of an operation in `fold`."""
        return infer.evaluate(op, values)

    def _call(self, op: Operation, values: list[Any]) -> Any:
        opdef = op.opdef
        if (
            self.traced
            and values
            and not opdef.host
            and not any(isinstance(v, jax.Array) for v in values)
            and not (opdef.numpy_only and opdef.effect is None and _is_small(op, values))
        ):
            # Keep big intermediate results out of the program text: compute them in the executable.
            values = [
                v if arg.static or arg.known or not isinstance(v, np.ndarray) or v.dtype == object else jnp.asarray(v)
                for v, arg in zip(values, self._args(op), strict=True)
            ]
        rng = None
        if opdef.wants_rng:
            rng = self._rng(op)
        if self.takers:
            recipes.taking([v for t, v in zip(op._inputs, values, strict=True) if self.takers.get(t) == 1])
        if self.half is not None and op.type in mixed.PRODUCTS:
            values = mixed.reduced(values, self.half)
        ctx = self.ctx(op) if opdef.wants_ctx and self.ctx is not None else self if opdef.wants_ctx else None
        result = apply.call(opdef, op._attrs, values, rng=rng, ctx=ctx, platform=self.platform)
        if rng is not None:
            self.write(("rng", op.name), rng.finish())
        return result

    def _run_bodies(self, op: Operation, values: list[Any], env: dict[Tensor, Any]) -> None:
        """An op with bodies: its lowering runs them, and gets references as they are."""
        if op.opdef.bodies is None or op.opdef.pure_bodies:
            values = [self.value(v, op) if not refers(t) else v for v, t in zip(values, op._inputs, strict=True)]
        self.current = op
        if op in self._differentiated:
            with self._from_the_start(op):
                outputs, changed, notes, self.pulls[op] = forward_and_pull(op.opdef, op._attrs, values, self)
            for key, value in changed.items():
                self.write(key, value)
            apply.report(notes, f"a check in {op.name} failed")
        else:
            outputs = apply.flat_outputs(op.opdef, apply.call(op.opdef, op._attrs, values, run=self))
        for t, v in zip(op.outputs, outputs, strict=True):
            env[t] = _declared(v, t)
        if self.watch is not None:
            self.watch(op, [env[t] for t in op.outputs])

    @contextlib.contextmanager
    def _from_the_start(self, op: Operation) -> Iterator[None]:
        """While a derivative runs its op again, the random streams of that op are where they were before it ran."""
        forward = None if op.opdef.forward_of is None else op.opdef.forward_of(op._attrs)
        begun = self._begun.get(forward, {})
        after = {key: self.state[key] for key in begun}
        for key, value in begun.items():
            self.state[key] = value
        self._begun[op] = {("rng", r.name): self._rng(r).state for r in randoms(op)}
        yield
        for key, value in after.items():
            self.state[key] = value

    def call_graph(
        self,
        graph: Any,
        values: list[Any],
        *,
        given: dict[Tensor, Any] | None = None,
        skip: Collection[Operation] = (),
        also: Sequence[Tensor] = (),
    ) -> list[Any]:
        """The outputs of a body on the values of its inputs, in this interpreter's state, and the values of the tensors in `also`.

        The operations in `skip` are not run; `given` holds what would be their outputs.
        """
        env = dict(zip(graph.inputs, values, strict=True)) | (given or {})
        outer, self.fold = self.fold, static_needs(graph)[0]
        ops = body_ops(graph)
        try:
            self.run([op for op in ops if op not in skip] if skip else ops, env)
        finally:
            self.fold = outer
        wanted = [*graph.outputs, *also]
        return [self.read(v, t.op) if type(v := env[t]) is RefValue and not t.dtype._ref else v for t in wanted]

    def body_ops(self, graph: Any) -> list[Operation]:
        """The operations that the outputs of a body need, in order."""
        return body_ops(graph)

    def written_by(self, *bodies: tuple[Any, list[Any]]) -> list[Any]:
        """The keys of the variables and random streams that bodies (graph, values of its inputs) change.

        Raises Replan if one of them has no value yet: an executable can't give back what only one branch makes.
        """
        keys: dict[Any, None] = {}
        for graph, values in bodies:
            refer = {t: v for t, v in zip(graph.inputs, values, strict=True) if type(v) is RefValue}

            def find(t: Tensor, refer: dict[Tensor, Any] = refer) -> Operation | None:
                found = source_of(t, (), refer)
                return found.source if type(found) is RefValue else found

            for op in body_ops(graph):
                keys.update((variable_key(source), None) for source, writes in accesses(op, find) if writes)
                keys.update((("rng", r.name), None) for r in randoms(op))
        missing = [k for k in keys if self.state.get(k) is None]
        if missing:
            raise Replan(None, f"a body is the first to write {missing[0]}")
        return list(keys)

    def value(self, v: Any, op: Operation | None = None) -> Any:
        """`v`, or what the variable holds that it refers to."""
        return self.read(v, op or self.current) if type(v) is RefValue else v

    def is_reference(self, value: Any) -> bool:
        """Whether `value` refers to a variable rather than being a value."""
        return type(value) is RefValue

    def child(self, state: dict[Any, Any]) -> Interpreter:
        """An interpreter for a body that JAX traces on its own, over a copy of the state."""
        child = Interpreter(
            state,
            platform=self.platform,
            traced=self.traced,
            ctx=self.ctx,
            rng_init=self.rng_init,
            watch=self.watch,
            wait=self.wait,
        )
        child.is_child, child.active, child.taped, child.half = True, self.active, self.taped, self.half
        child.tries = self.tries
        return child

    def _args(self, op: Operation) -> list[Any]:
        opdef = op.opdef
        return opdef.inputs if opdef.simple and opdef.args_of is None else [a for a, _ in infer.flat_args(op)]

    def _alias(self, op: Operation, env: dict[Tensor, Any]) -> None:
        value = env[op._inputs[0]]
        env[op.outputs[0]] = value
        if self.watch is not None and type(value) is not RefValue:
            self.watch(op, [value])

    # -- state

    def read(self, ref: RefValue, op: Operation, *, required: bool = True) -> Any:
        """What the variable holds that `ref` refers to. Raises FailedPreconditionError for one that must have a value and has none."""
        value = self.state.get(ref.key)
        if value is None and required:
            raise uninitialized(ref.source, op)
        return value

    def write(self, key: Any, value: Any) -> None:
        """Note a new value of a variable, or of a random stream."""
        self.state[key] = value
        self.written[key] = None

    def _write(self, op: Operation, refs: list[RefValue], result: Any) -> Any:
        """Commit the new values at the front of a writer's result; the rest are its outputs."""
        args = [a for a in self._args(op) if a.ref or a.handle]
        targets = [r for r, arg in zip(refs, args, strict=False) if arg.name in op.opdef.writes]
        n = len(targets)
        has_outputs = bool(op.outputs) and not op.outputs[0].dtype._ref
        if n == 1 and not has_outputs and not isinstance(result, list):
            new: Any = (result,)
            rest: Any = None
        else:
            new = result[:n]
            rest = result[n:]
            rest = rest[0] if has_outputs and len(op.opdef.outputs) == 1 else rest
        for ref, value in zip(targets, new, strict=True):
            _check_variable_shape(op, ref.source, value)
            self.write(ref.key, declared_as(value, ref.source._attrs["dtype"]))
        return rest

    def _rng(self, op: Operation) -> Any:
        from thalweg._src.core import philox

        key = ("rng", op.name)
        value = self.state.get(key)
        if value is None:
            if self.rng_init is None:
                raise errors.InternalError(None, op, f"no random state for {op.name}")
            value = self.rng_init(op)
            self.state[key] = value
        return philox.Stream(value)


def _captured(opdef: Any, arg: Any) -> bool:
    """Whether a variable is one of the values that a function of the op's captured."""
    return opdef.wants_ctx and arg.kind == "mixed" and "other_arg" in arg.name


def _needs_a_value() -> tuple[type[Exception], ...]:
    return (
        jax.errors.ConcretizationTypeError,
        jax.errors.TracerArrayConversionError,
        jax.errors.TracerIntegerConversionError,
        jax.errors.TracerBoolConversionError,
    )


def _is_small(op: Operation, values: list[Any]) -> bool:
    """Whether values and results are shapes, scalars and the like, which stay NumPy arrays while the rest is traced."""
    if any(v.size > _SMALL for v in values if isinstance(v, np.ndarray | np.generic)):
        return False
    sizes = [shapes.size_of(t._dims) for t in op.outputs]
    return all(n is not None and n <= _SMALL for n in sizes)


def _declared(value: Any, t: Tensor) -> Any:
    dtype = t.dtype
    if isinstance(value, bytes):  # an element of an array of strings
        value = np.array(value, object)
    if isinstance(value, RefValue | Structured) or dtype.is_on_host or dtype.base_dtype._name == "resource":
        return value
    return declared_as(value, dtype)


def declared_as(value: Any, dtype: Any) -> Any:
    """`value` as an array of the NumPy type that `dtype` stands for."""
    want = dtype._as_numpy
    if dtype.is_on_host:
        return value
    if not isinstance(value, np.ndarray) and not isinstance(value, jax.Array):  # in this order: host work needs no JAX
        return np.asarray(value, want)
    return value if value.dtype == want else value.astype(want)


def _check_variable_shape(op: Operation, source: Operation, value: Any) -> None:
    if op.opdef.resizes or not op._attrs.get("validate_shape", True):
        return
    dims = source._attrs.get("shape")
    if dims is None or not hasattr(value, "shape"):
        return
    if len(dims) != len(value.shape) or any(d is not None and d != n for d, n in zip(dims, value.shape, strict=True)):
        want = ",".join("?" if d is None else str(d) for d in dims)
        came = ",".join(map(str, value.shape))
        raise errors.InvalidArgumentError(
            None,
            op,
            f"Assign requires shapes of both tensors to match. lhs shape= [{want}] rhs shape= [{came}]",
        )


def uninitialized(source: Operation, op: Operation) -> errors.OpError:
    name = variable_key(source).rpartition("//")[2]
    return errors.FailedPreconditionError(
        None,
        source,
        f"Attempting to use uninitialized value {name}: {op.name} ({op.type}) reads it. "
        f"Run tf.global_variables_initializer() first, or restore a checkpoint.",
    )


# What JAX, in two ways, and NumPy say of two shapes that can't be broadcast.
_CANT_BROADCAST = re.compile(
    r"(?:ncompatible shapes for broadcasting|broadcast together with shapes)\D*?\(([\d, ]*)\),? \(([\d, ]*)\)"
)


def as_op_error(error: Exception, op: Operation) -> errors.OpError:
    """What a lowering raised, as the error of TensorFlow's tree that names the operation."""
    kind: type[errors.OpError] = errors.InvalidArgumentError
    if isinstance(error, NotImplementedError):
        kind = errors.UnimplementedError
    message = str(error).split("\n")[0] or type(error).__name__
    if shapes := _CANT_BROADCAST.search(message):
        message = "Incompatible shapes: {} vs. {}".format(
            *(f"[{s.strip(',').replace(' ', '')}]" for s in shapes.groups())
        )
    return kind(None, op, f"{op.type} {op.name!r}: {message}")  # type: ignore[call-arg,arg-type]
