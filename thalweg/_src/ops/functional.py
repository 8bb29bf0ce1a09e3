"""If and While: ops whose attrs are graphs. Their lowerings run those graphs, in the interpreter that runs the op.

While tracing, If becomes `lax.cond` and While becomes `lax.scan` where the number of turns is known, `lax.while_loop` otherwise.
Variables that a body writes, and the streams of its random ops, are carried along. Op by op, both are plain Python.
"""

import numpy as np

from thalweg._src.core import apply, infer
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Func, Min, Mixed, Shape, Types, op, type_attr

# A loop whose turns can be counted while tracing is counted up to this many.
_MAX_COUNTED = 1_000_000


@op("If", stateful=True, foldable=False)
def if_op(
    cond: type_attr("Tcond"),
    input: Mixed("Tin"),
    *,
    Tout: Min(Types, 0),
    then_branch: Func,
    else_branch: Func,
    output_shapes: list[Shape] = (),
    run,
) -> Mixed("Tout"):
    """The outputs of one of two graphs, chosen by the truth of `cond`."""
    if not _is_traced(cond):
        return run.call_graph(then_branch if _truth(cond) else else_branch, input)
    keys = run.written_by((then_branch, input), (else_branch, input))
    carried = [_carry(run.state[k]) for k in keys]

    def branch(graph):
        def body(old):
            child = run.child({**run.state, **dict(zip(keys, old, strict=True))})
            with apply.collect_checks([]) as checks:
                outputs = child.call_graph(graph, input)
            ok = jnp.all(jnp.stack(checks)) if checks else jnp.bool_(True)
            return [_carry(v) for v in outputs], [_carry(child.state[k]) for k in keys], ok

        return body

    truth = _truth(cond)
    yes, no = branch(then_branch), branch(else_branch)
    with apply.collect_checks(False):
        shape_yes, shape_no = jax.eval_shape(yes, carried), jax.eval_shape(no, carried)
    if shape_yes != shape_no:
        raise Replan(None, f"the branches give different shapes: {shape_yes[0]} and {shape_no[0]}")
    outputs, new, ok = lax.cond(truth, yes, no, carried)
    for key, value in zip(keys, new, strict=True):
        run.write(key, value)
    apply.check(ok, "a check in a branch failed")
    return outputs


@if_op.shape_rule
def _(node):
    then, other = node.attrs["then_branch"], node.attrs["else_branch"]
    out = []
    for a, b in zip(then.outputs, other.outputs, strict=True):
        if a.dims is None or b.dims is None or len(a.dims) != len(b.dims):
            out.append(None)
        else:
            out.append(tuple(x if x == y else None for x, y in zip(a.dims, b.dims, strict=True)))
    return out


if_op.bodies = lambda attrs, inputs: [
    (attrs["then_branch"], list(inputs[1:])),
    (attrs["else_branch"], list(inputs[1:])),
]


@op("While", stateful=True, foldable=False)
def while_op(
    input: Mixed("T"),
    *,
    cond: Func,
    body: Func,
    output_shapes: list[Shape] = (),
    parallel_iterations: int = 10,
    run,
) -> Mixed("T"):
    """Runs `body` on its own outputs while `cond` holds. Inputs behind the loop variables are the same in every turn."""
    count = len(body.outputs)
    variables, captured = list(input[:count]), list(input[count:])
    if not run.traced:
        while _truth(run.call_graph(cond, variables + captured)[0]):
            variables = run.call_graph(body, variables + captured)
        return variables + captured
    turns = trip_count(cond, body, variables, captured)
    keys = run.written_by((cond, input), (body, input))
    start = ([_carry(v) for v in variables], [_carry(run.state[k]) for k in keys], jnp.bool_(True))

    def step(carry):
        values, old, ok = carry
        child = run.child({**run.state, **dict(zip(keys, old, strict=True))})
        with apply.collect_checks([]) as checks:
            new = child.call_graph(body, [*values, *captured])
        if checks:
            ok = ok & jnp.all(jnp.stack(checks))
        return [_carry(v) for v in new], [_carry(child.state[k]) for k in keys], ok

    def goes_on(carry):
        values, old, _ = carry
        child = run.child({**run.state, **dict(zip(keys, old, strict=True))})
        with apply.collect_checks(False):
            return _truth(child.call_graph(cond, [*values, *captured])[0])

    start = _settled(step, start)
    if turns is not None:
        (values, new, ok), _ = lax.scan(lambda c, _: (step(c), None), start, None, length=turns)
    else:
        values, new, ok = lax.while_loop(goes_on, step, start)
    for key, value in zip(keys, new, strict=True):
        run.write(key, value)
    apply.check(ok, "a check in a loop failed")
    return [*values, *captured]


@while_op.shape_rule
def _(node):
    declared = node.attrs["output_shapes"]
    known = list(declared) if declared else []
    return known + [t.dims for t in node.inputs[len(known) :]]


while_op.bodies = lambda attrs, inputs: [(attrs["cond"], list(inputs)), (attrs["body"], list(inputs))]
while_op.hands_on = ("body",)


def _settled(step, start):
    """The first carry with the shapes and types of all later ones. Raises Replan for loops whose variables change their shape."""
    with apply.collect_checks(False):
        after = jax.eval_shape(step, start)
    flat_start, tree = jax.tree.flatten(start)
    flat_after, tree_after = jax.tree.flatten(after)
    if tree != tree_after:
        raise Replan(None, "a loop variable changes its structure")
    out = []
    for a, b in zip(flat_start, flat_after, strict=True):
        if a.shape != b.shape:
            raise Replan(None, f"a loop variable changes its shape from {a.shape} to {b.shape}")
        out.append(a.astype(b.dtype) if a.dtype != b.dtype else a)
    return jax.tree.unflatten(tree, out)


def trip_count(cond, body, variables, captured):
    """The number of turns of a loop, where it follows from values that are known while tracing; else None.

    Only what the condition depends on is followed: typically a counter.
    """
    needed = _loop_variables_of(cond, body)
    if needed is None or any(_is_traced(variables[i]) for i in needed):
        return None
    cond_env = _known(cond, variables, captured, len(body.outputs))
    body_env = _known(body, variables, captured, len(body.outputs))
    values = {i: np.asarray(variables[i]) for i in needed}
    for turn in range(_MAX_COUNTED):
        go = _fold(cond.outputs[0], {**cond_env, **{cond.inputs[i]: v for i, v in values.items()}})
        if go is None:
            return None
        if not _truth(go):
            return turn
        memo = {**body_env, **{body.inputs[i]: v for i, v in values.items()}}
        new = {i: _fold(body.outputs[i], memo) for i in needed}
        if any(v is None for v in new.values()):
            return None
        values = new
    return None


def _loop_variables_of(cond, body):
    """The loop variables that the condition depends on, through all turns; None where that can't be told."""
    count = len(body.outputs)
    needed: set[int] = set()
    frontier = _inputs_of(cond, cond.outputs[:1], count)
    while frontier - needed:
        needed |= frontier
        frontier = _inputs_of(body, [body.outputs[i] for i in needed], count)
    return needed


def _inputs_of(graph, tensors, count):
    at = {t: i for i, t in enumerate(graph.inputs[:count])}
    seen = set()
    stack = list(tensors)
    out = set()
    while stack:
        t = stack.pop()
        if t in seen:
            continue
        seen.add(t)
        if t in at:
            out.add(at[t])
        else:
            stack += t.op.inputs
    return out


def _known(graph, variables, captured, count):
    return {
        t: np.asarray(v)
        for t, v in zip(graph.inputs[count:], captured, strict=True)
        if not _is_traced(v) and hasattr(v, "dtype")
    }


def _fold(t, env):
    """The value of `t` in a body, if `env` and constants decide it."""
    if t in env:
        return env[t]
    node = t.op
    opdef = node.opdef
    if opdef.effect is not None or opdef.source or opdef.name == "_Arg" or not (opdef.foldable or opdef.alias):
        return None
    if opdef.shape_only:
        return infer.constant_value(t)
    values = []
    for s in node.inputs:
        v = _fold(s, env)
        if v is None:
            return None
        values.append(v)
    for o, v in zip(node.outputs, infer.evaluate(node, values), strict=True):
        env[o] = v
    return env[t]


def _is_traced(value):
    return isinstance(value, jax.core.Tracer)


def _truth(value):
    """A condition as TensorFlow reads it: a bool, a number that is not zero, a string that is not empty, or any
    non-scalar with elements.
    """
    if _is_traced(value):
        if value.shape:
            return jnp.bool_(value.size > 0)
        return value if value.dtype == bool else value != 0
    array = np.asarray(value)
    if array.shape:
        return bool(array.size)
    return bool(array[()])


def _carry(value):
    if not hasattr(value, "dtype") and not isinstance(value, bool | int | float | complex):
        raise Replan(None, "a body returns what is no array")
    if isinstance(value, np.ndarray | np.generic) and getattr(value, "dtype", None) == object:
        raise Replan(None, "a body returns strings")
    return jax.tree.map(jnp.asarray, value)
