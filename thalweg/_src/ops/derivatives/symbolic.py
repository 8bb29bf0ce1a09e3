"""SymbolicGradient: the gradient of any op whose lowering JAX can differentiate."""

from thalweg._src.core import apply, dtypes, infer
from thalweg._src.core.calls import of_operation
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.differentiate import forward_and_pull
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.opdef import Arg, Func, Min, Mixed, Types, op
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices


def _forward(attrs):
    """The operation that a node differentiates, or None if it is not known."""
    return attrs["f"].operation


@op("SymbolicGradient", pure_bodies=True, foldable=False)
def symbolic_gradient(input: Mixed("Tin", 1), *, Tout: Min(Types, 1), f: Func, run) -> Mixed("Tout", 1):
    """The gradients of an op: takes its inputs and the gradients of its outputs, gives one gradient per input.

    Inputs that are not floating-point get zeros.
    """
    count = len(Tout)
    pull = run.pulls.get(f.operation) if f.operation is not None else None
    if pull is None:
        run.current = f.operation
        _, _, notes, pull = forward_and_pull(f.opdef, f.attrs, input[:count], run)
        apply.report(notes, "a check of what is differentiated failed")
    return pull(input[count:])


@symbolic_gradient.shape_rule
def _(node):
    return [_dims(t) for t in node.inputs[: len(node.attrs["Tout"])]]


def _dims(t):
    if t.dtype.base_dtype == dtypes.resource:
        from thalweg._src.ops.stateful.handles import dims_of_handle

        return dims_of_handle(t)
    return t.dims


def _args(node):
    """The inputs as the forward op declares them, so that its static inputs stay static."""
    call = node.attrs["f"]
    out = []
    for arg in call.opdef.inputs:
        count = 1 if arg.kind == "one" else call.attrs[arg.number] if arg.kind == "many" else len(call.attrs[arg.types])
        out += [arg] * count
    return out + [Arg("grad", dtypes.float32)] * (len(node.inputs) - len(out))


def _bodies(attrs, inputs):
    call = attrs["f"]
    return call.opdef.bodies(call.attrs, inputs[: len(attrs["Tout"])]) if call.opdef.bodies is not None else []


symbolic_gradient.args_of = _args
symbolic_gradient.bodies = _bodies
symbolic_gradient.forward_of = _forward


def symbolic_gradients(node, *grads):
    """The gradient function of ops that have none of their own."""
    grads = [
        constants.constant(0.0)
        if g is None and t.dtype.base_dtype in (dtypes.resource, dtypes.variant)
        else constants.zeros_like(t, None if t.dtype.is_floating or t.dtype.is_complex else dtypes.float32)
        if g is None
        else g
        for g, t in zip(grads, node.outputs, strict=True)
    ]
    grads = [to_tensor(g) if isinstance(g, IndexedSlices) else g for g in grads]
    types = [_gradient_type(t) for t in node.inputs]
    # What draws random numbers has to draw them once in a run, needed for their values or not.
    graph = get_default_graph()
    with graph.control_dependencies([node] if node.graph is graph and not executing_eagerly() and _draws(node) else []):
        outputs = symbolic_gradient([*node.inputs, *grads], Tout=types, f=of_operation(node))
    keep = [
        (d.is_floating or d.is_complex) and not arg.static
        for (arg, _), d in zip(infer.flat_args(node), types, strict=True)
    ]
    return [g if k else None for g, k in zip(outputs, keep, strict=True)]


def _draws(op):
    """Whether random numbers are drawn in `op` or in its bodies."""
    if op.opdef.wants_rng:
        return True
    if op.opdef.bodies is None:
        return False
    return any(_draws(o) for graph, _ in op.opdef.bodies(op.attrs, op._inputs) for o in graph.get_operations())


def _gradient_type(t):
    if t.dtype.base_dtype == dtypes.resource:
        from thalweg._src.ops.stateful.handles import variable_of_handle

        source = variable_of_handle(t)
        return source.attrs["dtype"] if source is not None else dtypes.resource
    return t.dtype.base_dtype
