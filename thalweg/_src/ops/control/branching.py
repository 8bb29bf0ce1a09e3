"""One of several graphs, chosen while a program runs: what If and Case do."""

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.apply import Replan
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.structured import Nothing, Structured
from thalweg._src.ops.control.loops import carried, is_tracer


def one_of(index, graphs, input, types, run):
    """The outputs of the graph with the number `index`. Raises Replan where the graphs give different shapes."""
    if not is_tracer(index):
        return _values(run, run.call_graph(graphs[index], input), types)
    keys = run.written_by(*[(g, input) for g in graphs])
    before = [carried(run.state[k]) for k in keys]
    needs = {}

    def branch(graph, forms=None):
        def body(old):
            child = run.child({**run.state, **dict(zip(keys, old, strict=True))})
            with apply.collect_checks([]) as checks:
                outputs = _values(child, child.call_graph(graph, input), types)
            if forms is not None:
                outputs = [_in_form(v, f) for v, f in zip(outputs, forms, strict=True)]
            found = apply.summary(checks)
            needs.update(dict.fromkeys(found[1], np.int32(0)))
            missing = {k: jnp.int32(0) for k in needs} | found[1]
            return [carried(v) for v in outputs], [carried(child.state[k]) for k in keys], (found[0], missing)

        return body

    with apply.collect_checks(False):
        shapes = [jax.eval_shape(branch(g), before) for g in graphs]
        forms = shapes[0][0]
        for other in shapes[1:]:
            forms = [_common(a, b) for a, b in zip(forms, other[0], strict=True)]
        bodies = [branch(g, forms) for g in graphs]
        shapes = [jax.eval_shape(b, before) for b in bodies]
    if any(jax.tree.flatten(s[:2]) != jax.tree.flatten(shapes[0][:2]) for s in shapes[1:]):
        raise Replan(None, f"the branches give different shapes: {[s[0] for s in shapes]}")
    if len(bodies) == 2:
        outputs, new, found = lax.cond(index == 0, *bodies, before)
    else:
        outputs, new, found = lax.switch(index, bodies, before)
    for key, value in zip(keys, new, strict=True):
        run.write(key, value)
    apply.report(found, "a check in a branch failed")
    return outputs


def _values(run, outputs, types):
    return [v if d.name == "resource" else run.value(v) for v, d in zip(outputs, types, strict=True)]


def _common(a, b):
    """A form in which two branches can give an output: a structured one, or the shape of an array."""
    if isinstance(a, Nothing) or isinstance(b, Nothing):
        return b if isinstance(a, Nothing) else a
    if isinstance(a, Structured) and isinstance(b, Structured) and jax.tree.structure(a) != jax.tree.structure(b):
        return a.outline(b)
    return a if isinstance(a, Structured) else b if isinstance(b, Structured) else a


def _in_form(value, form):
    if not isinstance(form, Structured):
        return jnp.zeros(form.shape, form.dtype) if isinstance(value, Nothing) else value
    if not isinstance(value, Structured) or isinstance(value, Nothing):
        return form.blank()
    return value.like(form)
