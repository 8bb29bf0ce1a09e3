"""The body of a scan as nodes over values: what JAX traced, with inner calls written out, so that it can be cut and rearranged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from thalweg._src.core.lazy import jax

# Inner calls that are written out. `remat2` is what JAX calls a computation that is to be repeated for its derivative.
_CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr"}
_REPEATED = {"remat2": "jaxpr", "checkpoint": "jaxpr", "remat": "jaxpr"}


class Value:
    """An array in a body: an input, or an output of `node`."""

    __slots__ = ("aval", "node")

    def __init__(self, aval: Any, node: Node | None = None):
        self.aval, self.node = aval, node


class Known:
    """A number that is part of the program."""

    __slots__ = ("aval", "value")

    def __init__(self, aval: Any, value: Any):
        self.aval, self.value = aval, value


class Node:
    """One operation: `run(*arrays)` gives the list of its outputs. `name` and `params` are those of JAX's primitive."""

    __slots__ = ("inputs", "name", "outputs", "params", "run")

    def __init__(
        self, name: str, params: Any, inputs: Sequence[Any], avals: Iterable[Any], run: Callable[..., list[Any]]
    ):
        self.name, self.params, self.inputs, self.run = name, params, list(inputs), run
        self.outputs = [Value(a, self) for a in avals]


class Body:
    """`outputs` computed from `fixed` values, which are the same in every turn, the `carry` and a turn's `rows`."""

    def __init__(self, fixed: list[Value], carry: list[Value], rows: list[Value], outputs: list[Any]):
        self.fixed, self.carry, self.rows = fixed, carry, rows
        self.new, self.out = outputs[: len(carry)], outputs[len(carry) :]


def traced(
    step: Callable[..., Any], carry: Sequence[Any], rows: Sequence[Any], *, repeated: bool = False
) -> tuple[Body, list[Any]] | None:
    """The body of `step(carry, rows) -> (new carry, out)`, all flat lists, and the arrays that its fixed values stand for.

    With `repeated`, what was to be computed again is written out too. None where the body has effects that JAX orders.
    """
    width = len(carry)
    closed = jax.make_jaxpr(lambda *xs: [*(got := step(xs[:width], xs[width:]))[0], *got[1]])(*carry, *rows)
    if closed.effects:
        return None
    env: dict[Any, Any] = {}
    fixed = [Value(v.aval) for v in closed.jaxpr.constvars]
    inputs = [Value(v.aval) for v in closed.jaxpr.invars]
    env.update(zip(closed.jaxpr.constvars, fixed, strict=True))
    env.update(zip(closed.jaxpr.invars, inputs, strict=True))
    arrays = list(closed.consts)
    outputs = _written_out(closed.jaxpr, env, fixed, arrays, {**_CALLS, **_REPEATED} if repeated else _CALLS)
    return Body(fixed, inputs[:width], inputs[width:], outputs), arrays


def _written_out(jaxpr: Any, env: dict[Any, Any], fixed: list[Value], arrays: list[Any], calls: Any) -> list[Any]:
    """The values of a jaxpr's outputs. Arrays that inner calls hold join the fixed values."""

    def read(v: Any) -> Any:
        return Known(v.aval, v.val) if hasattr(v, "val") else env[v]

    for eqn in jaxpr.eqns:
        inputs = [read(v) for v in eqn.invars]
        name = eqn.primitive.name
        if name in calls:
            inner = eqn.params[calls[name]]
            consts: Sequence[Any] = ()
            if hasattr(inner, "consts"):
                inner, consts = inner.jaxpr, inner.consts
            held = [Value(v.aval) for v in inner.constvars]
            fixed += held
            arrays += consts
            inside = dict(zip(inner.constvars, held, strict=True)) | dict(zip(inner.invars, inputs, strict=True))
            outputs = _written_out(inner, inside, fixed, arrays, calls)
        elif name == "reduce_precision" and _keeps_all(eqn.params, inputs[0].aval.dtype):
            outputs = inputs
        else:
            outputs = Node(name, eqn.params, inputs, [v.aval for v in eqn.outvars], _runner(eqn)).outputs
        env.update(zip(eqn.outvars, outputs, strict=True))
    return [read(v) for v in jaxpr.outvars]


def _keeps_all(params: Any, dtype: Any) -> bool:
    facts = jax.numpy.finfo(dtype)
    return params["exponent_bits"] >= facts.nexp and params["mantissa_bits"] >= facts.nmant


def _runner(eqn: Any) -> Callable[..., list[Any]]:
    def run(*arrays: Any) -> list[Any]:
        found = eqn.primitive.get_bind_params(eqn.params)
        functions, params = found if isinstance(found, tuple) else ((), found)  # JAX before 0.8 has both
        with eqn.ctx.manager:
            out = eqn.primitive.bind(*functions, *arrays, **params)
        return list(out) if eqn.primitive.multiple_results else [out]

    return run


def sort(targets: Iterable[Any], stop: Callable[[Value], bool]) -> list[Node]:
    """The nodes behind `targets` in the order in which they run, up to the values at which `stop` holds."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Any, bool]] = [(v, False) for v in targets]
    while stack:
        v, done = stack.pop()
        if done:
            order.append(v)
            continue
        if isinstance(v, Known) or v.node is None or v.node in seen or stop(v):
            continue
        seen.add(v.node)
        stack.append((v.node, True))
        stack += [(s, False) for s in v.node.inputs]
    return order


def evaluate(nodes: Iterable[Node], env: dict[Any, Any]) -> None:
    """Run `nodes`, which are in order, over the arrays in `env`."""
    for node in nodes:
        out = node.run(*[v.value if isinstance(v, Known) else env[v] for v in node.inputs])
        for v, x in zip(node.outputs, out, strict=True):
            env.setdefault(v, x)


def array_of(v: Any, env: dict[Any, Any]) -> Any:
    """What stands for `v`."""
    return v.value if isinstance(v, Known) else env[v]
