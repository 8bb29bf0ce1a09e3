"""If and While: ops whose attrs are graphs. Their lowerings run those graphs, in the interpreter that runs the op.

While tracing, If becomes `lax.cond` and While becomes `lax.scan` where the number of turns is known, `lax.while_loop` otherwise.
Variables that a body writes, and the streams of its random ops, are carried along. Op by op, both are plain Python.
"""

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Func, Min, Mixed, Shape, Types, op, type_attr
from thalweg._src.core.structured import Nothing, Structured
from thalweg._src.ops.loops import carried, compiled_loop, is_tracer, truth
from thalweg._src.ops.symbolic import symbolic_gradients


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
    cond = run.value(cond)
    if not is_tracer(cond):
        return _values(run, run.call_graph(then_branch if truth(cond) else else_branch, input), Tout)
    keys = run.written_by((then_branch, input), (else_branch, input))
    before = [carried(run.state[k]) for k in keys]

    def branch(graph, forms=None):
        def body(old):
            child = run.child({**run.state, **dict(zip(keys, old, strict=True))})
            with apply.collect_checks([]) as checks:
                outputs = _values(child, child.call_graph(graph, input), Tout)
            if forms is not None:
                outputs = [_in_form(v, f) for v, f in zip(outputs, forms, strict=True)]
            found = apply.summary(checks)
            needs.update(dict.fromkeys(found[1], np.int32(0)))
            missing = {k: jnp.int32(0) for k in needs} | found[1]
            return [carried(v) for v in outputs], [carried(child.state[k]) for k in keys], (found[0], missing)

        return body

    chosen = truth(cond)
    needs = {}
    with apply.collect_checks(False):
        shape_yes = jax.eval_shape(branch(then_branch), before)
        shape_no = jax.eval_shape(branch(else_branch), before)
        forms = _common(shape_yes[0], shape_no[0])
        yes, no = branch(then_branch, forms), branch(else_branch, forms)
        shape_yes, shape_no = jax.eval_shape(yes, before), jax.eval_shape(no, before)
    if jax.tree.flatten(shape_yes[:2]) != jax.tree.flatten(shape_no[:2]):
        raise Replan(None, f"the branches give different shapes: {shape_yes[0]} and {shape_no[0]}")
    outputs, new, found = lax.cond(chosen, yes, no, before)
    for key, value in zip(keys, new, strict=True):
        run.write(key, value)
    apply.report(found, "a check in a branch failed")
    return outputs


def _values(run, outputs, types):
    return [v if d.name == "resource" else run.value(v) for v, d in zip(outputs, types, strict=True)]


def _common(yes, no):
    """Forms in which both branches can give their structured outputs; None for plain ones."""
    forms = []
    for a, b in zip(yes, no, strict=True):
        if isinstance(a, Nothing) or isinstance(b, Nothing):
            forms.append(b if isinstance(a, Nothing) else a)
        elif isinstance(a, Structured) and isinstance(b, Structured) and jax.tree.structure(a) != jax.tree.structure(b):
            a, b = a.outline(b), b.outline(a)
            forms.append(a)
        else:
            forms.append(a if isinstance(a, Structured) else b if isinstance(b, Structured) else None)
    return forms


def _in_form(value, form):
    if form is None:
        return value
    if not isinstance(form, Structured):
        return jnp.zeros(form.shape, form.dtype) if isinstance(value, Nothing) else value
    if not isinstance(value, Structured):
        return form.blank()
    return value.like(form)


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
    variables, captured = [run.value(v) for v in input[:count]], list(input[count:])
    if not run.traced:
        while truth(run.call_graph(cond, variables + captured)[0]):
            variables = run.call_graph(body, variables + captured)
        return variables + captured
    return compiled_loop(cond, body, variables, captured, run) + captured


@while_op.shape_rule
def _(node):
    declared = node.attrs["output_shapes"]
    known = list(declared) if declared else []
    return known + [t.dims for t in node.inputs[len(known) :]]


@while_op.grad
def _(node, *grads):
    if node.attrs.get("_back_prop") is False:
        return [None] * len(node.inputs)
    return symbolic_gradients(node, *grads)


while_op.bodies = lambda attrs, inputs: [(attrs["cond"], list(inputs)), (attrs["body"], list(inputs))]
while_op.hands_on = ("body",)
