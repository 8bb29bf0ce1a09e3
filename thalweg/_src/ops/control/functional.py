"""If, Case and While: ops whose attrs are graphs. Their lowerings run those graphs, in the interpreter that runs the op.

While tracing, If becomes `lax.cond` and While becomes `lax.scan` where the number of turns is known, `lax.while_loop` otherwise.
Variables that a body writes, and the streams of its random ops, are carried along. Op by op, both are plain Python.
"""

from thalweg._src.core.dtypes import int32
from thalweg._src.core.lazy import jnp
from thalweg._src.core.opdef import Func, Min, Mixed, Shape, Types, op, type_attr
from thalweg._src.ops.control.branching import one_of
from thalweg._src.ops.control.loops import compiled_loop, is_tracer, truth
from thalweg._src.ops.control.reaching import through_branches, through_loop
from thalweg._src.ops.derivatives.symbolic import symbolic_gradients


def _side(cond):
    return 0 if truth(cond) else 1


def _place(index, count):
    return int(index) if 0 <= index < count else count - 1


def _if(cond, input, Tout, then_branch, else_branch, run):
    cond = run.value(cond)
    index = jnp.where(truth(cond), 0, 1) if is_tracer(cond) else _side(cond)
    return one_of(index, [then_branch, else_branch], input, Tout, run)


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
    return _if(cond, input, Tout, then_branch, else_branch, run)


@op("StatelessIf", foldable=False)
def stateless_if(
    cond: type_attr("Tcond"),
    input: Mixed("Tin"),
    *,
    Tout: Min(Types, 0),
    then_branch: Func,
    else_branch: Func,
    output_shapes: list[Shape] = (),
    run,
) -> Mixed("Tout"):
    """The outputs of one of two graphs without effects, chosen by the truth of `cond`."""
    return _if(cond, input, Tout, then_branch, else_branch, run)


@op("Case", stateful=True, foldable=False)
def case_op(
    branch_index: int32,
    input: Mixed("Tin"),
    *,
    Tout: Min(Types, 0),
    branches: Min(list[Func], 1),
    output_shapes: list[Shape] = (),
    run,
) -> Mixed("Tout"):
    """The outputs of the graph with the number `branch_index`, or of the last one if there is none."""
    index, last = run.value(branch_index), len(branches) - 1
    if is_tracer(index):
        index = jnp.where((index < 0) | (index > last), last, index)
    else:
        index = _place(index, len(branches))
    return one_of(index, branches, input, Tout, run)


def _gradients(node, *grads):
    if node.attrs.get("_back_prop") is False:
        return [None] * len(node.inputs)
    return symbolic_gradients(node, *grads)


def _shapes_of(graphs):
    """The shapes that outputs have in all of the graphs."""
    out = []
    for tensors in zip(*[g.outputs for g in graphs], strict=True):
        dims = tensors[0].dims
        for t in tensors[1:]:
            if dims is None or t.dims is None or len(dims) != len(t.dims):
                dims = None
            else:
                dims = tuple(x if x == y else None for x, y in zip(dims, t.dims, strict=True))
        out.append(dims)
    return out


for _if_op in (if_op, stateless_if):
    _if_op.shape_rule(lambda node: _shapes_of([node.attrs["then_branch"], node.attrs["else_branch"]]))
    _if_op.bodies = lambda attrs, inputs: [
        (attrs["then_branch"], list(inputs[1:])),
        (attrs["else_branch"], list(inputs[1:])),
    ]
    _if_op.chooses = lambda attrs, cond: (attrs["then_branch"], attrs["else_branch"])[_side(cond)]
case_op.shape_rule(lambda node: _shapes_of(node.attrs["branches"]))
case_op.bodies = lambda attrs, inputs: [(g, list(inputs[1:])) for g in attrs["branches"]]
case_op.chooses = lambda attrs, index: attrs["branches"][_place(index, len(attrs["branches"]))]
for _branching in (if_op, stateless_if, case_op):
    _branching.grad(_gradients)
    _branching.reaches, _branching.takes_none = through_branches, True


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
    return _while(input, cond, body, run)


@op("StatelessWhile", foldable=False)
def stateless_while(
    input: Mixed("T"),
    *,
    cond: Func,
    body: Func,
    output_shapes: list[Shape] = (),
    parallel_iterations: int = 10,
    run,
) -> Mixed("T"):
    """Runs `body`, which has no effects, on its own outputs while `cond` holds."""
    return _while(input, cond, body, run)


def _while(input, cond, body, run):
    count = len(body.outputs)
    variables, captured = [run.value(v) for v in input[:count]], list(input[count:])
    if not run.traced:
        while truth(run.call_graph(cond, variables + captured)[0]):
            variables = run.call_graph(body, variables + captured)
        return variables + captured
    return compiled_loop(cond, body, variables, captured, run) + captured


def _declared_shapes(node):
    declared = node.attrs["output_shapes"]
    known = list(declared) if declared else []
    return known + [t.dims for t in node.inputs[len(known) :]]


for _while_op in (while_op, stateless_while):
    _while_op.shape_rule(_declared_shapes)
    _while_op.grad(_gradients)
    _while_op.reaches, _while_op.takes_none, _while_op.zeros_too = through_loop, True, True
    _while_op.bodies = lambda attrs, inputs: [(attrs["cond"], list(inputs)), (attrs["body"], list(inputs))]
    _while_op.hands_on = ("body",)
