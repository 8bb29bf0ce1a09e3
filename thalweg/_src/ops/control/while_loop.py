"""`tf.while_loop`. It builds a While op, whose condition and body are graphs."""

from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes, nest, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.funcgraph import FuncGraph, building, order_captures
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.shapes import Dims, TensorShape
from thalweg._src.ops import basic
from thalweg._src.ops.control import composites
from thalweg._src.ops.control.control_flow import after_summaries, summaries_of, wait_outside
from thalweg._src.ops.control.functional import while_op
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices


def while_loop(
    cond: Any,
    body: Any,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds; gives the last loop variables.

    `loop_vars`: a (nested) list of tensors, TensorArrays and sparse tensors; `shape_invariants` names the sizes that may change.
    Raises TypeError or ValueError where the functions, the variables and the shapes do not fit together.

    >>> run(tf.while_loop(lambda i: i < 10, lambda i: i + 3, [tf.constant(0)]))
    12
    """
    with scopes.name_scope(name, "while", loop_vars if isinstance(loop_vars, list | tuple) else [loop_vars]):
        if not loop_vars:
            raise ValueError("No loop variables provided")
        if not callable(cond):
            raise TypeError("cond must be callable.")
        if not callable(body):
            raise TypeError("body must be callable.")
        if parallel_iterations is not None and parallel_iterations < 1:
            raise TypeError("parallel_iterations must be a positive integer.")
        if executing_eagerly():
            return _run(cond, body, loop_vars, maximum_iterations, return_same_structure)
        counted = maximum_iterations is not None
        if counted:
            alone = len(loop_vars) == 1 and not return_same_structure
            loop_vars, cond, body = _counted(loop_vars, cond, body, maximum_iterations, alone)
            shape_invariants = None if shape_invariants is None else (TensorShape([]), shape_invariants)
            if alone and shape_invariants is not None:
                shape_invariants = (TensorShape([]), shape_invariants[1][0])
        result = _build(
            cond, body, loop_vars, shape_invariants, parallel_iterations or 10, return_same_structure, back_prop
        )
        return result[1] if counted else result


def _run(cond: Any, body: Any, loop_vars: Any, limit: Any, same_structure: bool) -> Any:
    """The loop as plain Python, for eager execution."""
    values = loop_vars if isinstance(loop_vars, list | tuple) else [loop_vars]
    alone = len(values) == 1 and not same_structure
    single = False
    turns = 0
    while (limit is None or turns < int(limit)) and cond(*values):
        found = body(*values)
        turns += 1
        single = alone and not isinstance(found, list | tuple)
        found = (found,) if single or not isinstance(found, list | tuple) else found
        composites.same_structure(list(values), list(found))
        values = found
    values = nest.map_leaves(_as_variable, values)
    return values[0] if single or (alone and limit is not None) else values


def _counted(loop_vars: Any, cond: Any, body: Any, limit: Any, alone: bool) -> tuple[Any, Any, Any]:
    """The loop with a counter before its variables, which ends it at `limit`; `alone` says that a single variable stays single."""
    from thalweg._src.ops.arrays import constants
    from thalweg._src.ops.numeric.compare import less, logical_and

    limit = to_tensor(limit, name="maximum_iterations")
    if limit.dims not in (None, ()):
        raise ValueError(f"maximum_iterations must be a scalar, saw shape: {limit.shape}")
    counter = constants.constant(0, dtype=limit.dtype.base_dtype, name="iteration_counter")
    if alone:
        return (
            (counter, loop_vars[0]),
            lambda i, v: logical_and(less(i, limit), cond(v)),
            lambda i, v: (i + 1, body(v)),
        )
    return (
        (counter, loop_vars),
        lambda i, v: logical_and(less(i, limit), cond(*v)),
        lambda i, v: (i + 1, body(*v)),
    )


def _build(
    cond: Any, body: Any, loop_vars: Any, invariants: Any, parallel: int, same_structure: bool, back_prop: bool
) -> Any:
    if not isinstance(loop_vars, list | tuple) and not nest.is_nested(loop_vars):
        loop_vars = [loop_vars]
    leaves = [_as_variable(v) for v in nest.flatten(loop_vars)]
    loop_vars = nest.pack(loop_vars, leaves)
    first = [t for v in leaves for t in composites.parts_of(v)]
    dims = _invariants(loop_vars, leaves, invariants)
    cond_graph = _graph("cond", loop_vars, first, dims, "Merge", cond, _condition)
    results: list[Any] = []
    body_graph = _graph(
        "body", loop_vars, first, dims, "Identity", body, lambda g, r: _body_results(g, r, loop_vars, first, results)
    )
    captured = order_captures([cond_graph, body_graph])
    graph = get_default_graph()
    _check_shapes(body_graph, first, dims, invariants is not None)
    with graph.control_dependencies(wait_outside(graph, [*cond_graph.outer_controls, *body_graph.outer_controls])):
        out = while_op(
            [*first, *captured],
            cond=cond_graph,
            body=body_graph,
            output_shapes=[*dims, *(t.dims for t in captured)],
            parallel_iterations=parallel,
            name="While",
        )
    if not back_prop and out:
        out[0].op._attrs["_back_prop"] = False
    exits = [basic.identity(t, name="Exit") for t in out[: len(first)]]
    result = composites.pack(results[0], exits)
    if same_structure:
        return result
    return nest.parts(result)[0] if len(exits) == 1 else result


def _as_variable(value: Any) -> Any:
    """A loop variable as it enters: its tensors, no references."""
    if not hasattr(value, "_components") and not hasattr(value, "flow"):
        value = to_tensor(value)
    return composites.with_parts(
        value,
        [basic.identity(t, name="Enter") if t.dtype._ref else t for t in composites.parts_of(value)],
    )


def _invariants(loop_vars: Any, leaves: list[Any], given: Any) -> list[Dims]:
    """The shapes that loop variables keep. Raises ValueError where one has another shape from the start."""
    if given is None:
        return [d for v in leaves for d in composites.invariants_of(v)]
    flat = _as_nested(loop_vars, given)
    out: list[Dims] = []
    for shape, leaf in zip(flat, leaves, strict=True):
        own = composites.invariants_of(leaf, shape)
        for dims, t in zip(own, composites.parts_of(leaf), strict=True):
            if not _less_specific(dims, t.dims):
                raise ValueError(
                    f"The shape invariant specified for {t.name} is not compatible with the initial shape of the loop variable. It "
                    f"enters the loop with shape {t.shape}, but the specified shape invariant is {TensorShape(dims)}."
                )
        out += own
    return out


def _as_nested(loop_vars: Any, given: Any) -> list[Any]:
    """The shapes in `given`, one for each leaf of `loop_vars`."""
    if (
        isinstance(given, TensorShape)
        or hasattr(given, "shape")
        or (shapes_like(given) and not nest.is_nested(loop_vars))
    ):
        return [given]
    if not nest.is_nested(loop_vars):
        return [given]
    own, said = nest.parts(loop_vars), given
    if isinstance(given, dict):
        said = nest.parts(given)
    if not isinstance(said, list | tuple) or len(own) != len(said):
        raise ValueError(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {loop_vars}\n\nSecond structure: {given}"
        )
    return [s for v, g in zip(own, said, strict=True) for s in _as_nested(v, g)]


def shapes_like(value: Any) -> bool:
    """Whether `value` spells a shape: a TensorShape, or a list of sizes."""
    return isinstance(value, TensorShape) or (
        isinstance(value, list | tuple) and all(v is None or isinstance(v, int) for v in value)
    )


def _less_specific(dims: Dims, own: Dims) -> bool:
    if dims is None:
        return True
    return (
        own is not None and len(own) == len(dims) and all(d is None or d == o for d, o in zip(dims, own, strict=True))
    )


def _graph(
    which: str,
    loop_vars: Any,
    first: list[Tensor],
    dims: list[Dims],
    name: str,
    fn: Any,
    outputs: Callable[[FuncGraph, Any], list[Tensor]],
) -> FuncGraph:
    graph = FuncGraph(which)
    with building(graph):
        graph.capture_name = "Enter"
        args = [graph.argument(t.dtype.base_dtype, d, name) for t, d in zip(first, dims, strict=True)]
        graph.begins, graph.is_loop = dict(zip(first, args, strict=True)), True
        packed = composites.pack(loop_vars, args)
        outside = len(summaries_of(graph))
        result = fn(*packed)
        graph.outputs = after_summaries(graph, outputs(graph, result), outside)
    return graph


def _condition(graph: FuncGraph, result: Any) -> list[Tensor]:
    t = to_tensor(result)
    if t.dtype.base_dtype != dtypes.bool:
        raise TypeError(f"cond must return a bool tensor, not {t.dtype.name}")
    return [basic.identity(t, name="LoopCond")]


def _body_results(
    graph: FuncGraph, result: Any, loop_vars: Any, first: list[Tensor], results: list[Any]
) -> list[Tensor]:
    """What the body returns, as tensors of its graph; its structure goes into `results`."""
    if not nest.is_nested(result):
        result = [result]
    before = nest.parts(loop_vars)
    try:
        composites.same_structure(before, nest.parts(result))
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"The two structures don't have the same nested structure: the loop variables and what body returns. {error}"
        ) from None
    starts = iter(first)
    leaves = []
    for value, like in zip(nest.flatten(result), nest.flatten(before), strict=True):
        parts = [_result(graph, t, next(starts)) for t in composites.parts_of(value)]
        leaves.append(composites.with_parts(value if not isinstance(like, IndexedSlices) else like, parts))
    results.append(nest.pack(result, leaves))
    return composites.flatten(results[0])


def _result(graph: FuncGraph, value: Any, start: Tensor) -> Tensor:
    t = to_tensor(value, start.dtype.base_dtype if not isinstance(value, Tensor) and _fits(value, start) else None)
    if t.dtype.base_dtype != start.dtype.base_dtype:
        raise TypeError(
            f"The loop variable {start.name} has type {start.dtype.base_dtype.name}, body returns {t.dtype.base_dtype.name} for it"
        )
    return (
        basic.identity(t, name="NextIteration") if t.graph is not graph or t.dtype._ref or t in graph.arguments else t
    )


def _fits(value: Any, start: Tensor) -> bool:
    return not hasattr(value, "dtype")


def _check_shapes(body: FuncGraph, first: list[Tensor], dims: list[Dims], declared: bool) -> None:
    for t, start, d in zip(body.outputs, first, dims, strict=True):
        if d is None or _less_specific(d, t.dims):
            continue
        if not declared:
            raise ValueError(
                f"Input tensor '{start.name}' enters the loop with shape {TensorShape(d)}, but has shape {t.shape} after one "
                "iteration. To allow the shape to vary across iterations, use the `shape_invariants` argument of tf.while_loop "
                "to specify a less-specific shape."
            )
        raise ValueError(
            f"The shape invariant specified for {start.name} is {TensorShape(d)}, but the tensor has shape {t.shape} after one "
            "iteration."
        )
