"""Control flow for programs: `tf.cond`, `tf.case`, `tf.while_loop`. They build If and While ops with body graphs."""

import collections.abc
from typing import Any

from thalweg._src.core import dtypes, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.funcgraph import FuncGraph, building, order_captures
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.ops import basic
from thalweg._src.ops.functional import if_op, while_op
from thalweg._src.ops.indexed_slices import IndexedSlices


def cond(
    pred: Any,
    true_fn: Any = None,
    false_fn: Any = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Any = None,
    fn2: Any = None,
) -> Any:
    """The result of `true_fn()` if `pred` holds, of `false_fn()` otherwise; both must have the same structure and types.

    Only the operations of the branch that is taken run. Raises TypeError for a Python bool or functions that are none, ValueError
    where the results do not match.

    >>> x = tf.constant(2.0)
    >>> run(tf.cond(x > 1.0, lambda: x * 10.0, lambda: x))
    20.0
    """
    true_fn = fn1 if true_fn is None else true_fn
    false_fn = fn2 if false_fn is None else false_fn
    if not callable(true_fn):
        raise TypeError("true_fn must be callable.")
    if not callable(false_fn):
        raise TypeError("false_fn must be callable.")
    with scopes.name_scope(name, "cond", [pred]):
        if isinstance(pred, bool):
            raise TypeError("pred must not be a Python bool")
        pred = to_tensor(pred, name="pred")
        if pred.dtype.base_dtype != dtypes.bool:
            raise TypeError(f"pred must be a bool tensor, not {pred.dtype.name}")
        then, then_result = _branch("true", true_fn)
        other, other_result = _branch("false", false_fn)
        _same_results(then_result, other_result, then, other)
        captured = order_captures([then, other])
        types = [t.dtype.base_dtype for t in then.outputs]
        graph = get_default_graph()
        with graph.control_dependencies(_outside(graph, [*then.outer_controls, *other.outer_controls])):
            merged = if_op(pred, captured, Tout=types, then_branch=then, else_branch=other, name="Merge")
        if not types:
            return merged
        structure = then_result
        result = nest.pack(structure, list(merged))
        return result if strict or not isinstance(result, list | tuple) or len(result) != 1 else result[0]


def _outside(graph: Any, ops: list[Operation]) -> list[Operation]:
    own = [o for o in ops if o.graph is graph]
    for o in ops:
        if o.graph is not graph and hasattr(graph, "outer_controls") and o not in graph.outer_controls:
            graph.outer_controls.append(o)
    return own


def _branch(name: str, fn: Any) -> tuple[FuncGraph, Any]:
    """The graph of a branch, and the structure of its result with body tensors as leaves."""
    graph = FuncGraph(name)
    with building(graph):
        result = fn()
        if result is None:
            raise ValueError(f"{name}_fn must have a return value.")
        result = nest.map_leaves(lambda v: _leaf(graph, v), result)
        graph.outputs = [graph._admit(t) if t.graph is not graph else t for t in nest.flatten(result)]
    return graph, result


def _leaf(graph: FuncGraph, value: Any) -> Any:
    if isinstance(value, Operation):
        # An operation stands for its effect: a constant that is known after it.
        from thalweg._src.ops import constants

        with graph.control_dependencies([value]):
            return basic.identity(constants.constant(True), name="done")
    if hasattr(value, "_components"):
        return _Composite(type(value), [_leaf(graph, t) for t in value._components()])
    t = to_tensor(value)
    return basic.identity(t) if t.graph is not graph or t.dtype._ref or not t.op.inputs else t


class _Composite:
    """A SparseTensor or IndexedSlices in the result of a branch, as its tensors."""

    def __init__(self, kind: Any, tensors: list[Tensor]):
        self.kind, self.tensors = kind, tensors

    def _nest_parts(self) -> list[Tensor]:
        return self.tensors

    def _nest_rebuild(self, tensors: list[Tensor]) -> Any:
        return self.kind(*tensors)


def _same_results(then: Any, other: Any, a: FuncGraph, b: FuncGraph) -> None:
    try:
        nest.assert_same_structure(then, other)
    except (TypeError, ValueError) as error:
        raise type(error)(f"Incompatible return values of true_fn and false_fn: {error}") from None
    for x, y in zip(a.outputs, b.outputs, strict=True):
        if x.dtype.base_dtype != y.dtype.base_dtype:
            raise ValueError(
                f"Outputs of true_fn and false_fn must have the same type: {x.dtype.base_dtype.name}, {y.dtype.base_dtype.name}"
            )


def smart_cond(pred: Any, true_fn: Any = None, false_fn: Any = None, name: str | None = None) -> Any:
    """`cond`, but only the branch that is taken is built where `pred` is known."""
    value = smart_constant_value(pred)
    if value is not None:
        return true_fn() if value else false_fn()
    return cond(pred, true_fn, false_fn, name=name)


def smart_constant_value(pred: Any) -> bool | None:
    """The truth of `pred` if it is known while the graph is built. Raises TypeError for what is no bool."""
    from thalweg._src.core.infer import constant_value

    if pred in (0, 1, True, False) and not isinstance(pred, Tensor):
        return bool(pred)
    if isinstance(pred, Tensor):
        value = constant_value(pred)
        return None if value is None else bool(value)
    if hasattr(pred, "_as_graph_element"):
        return None
    raise TypeError(f"`pred` must be a Tensor, or a Python bool, or 1 or 0. Found instead: {pred!r}")


def case(
    pred_fn_pairs: Any, default: Any = None, exclusive: bool = False, strict: bool = False, name: str = "case"
) -> Any:
    """The result of the function whose predicate holds first, else of `default`.

    `pred_fn_pairs`: a list of (scalar bool tensor, function) or a dict of them. With `exclusive`, more than one that holds fails;
    without `default`, one must hold. Raises TypeError for pairs that are none.
    """
    pairs = _case_pairs(pred_fn_pairs, exclusive)
    with scopes.name_scope(name, "case", [p for p, _ in pairs]):
        checks = []
        if exclusive:
            checks.append(_assert_exclusive([p for p, _ in pairs]))
        with get_default_graph().control_dependencies(checks):
            rest = list(pairs)
            if default is None:
                default, rest = _last_must_hold(rest)
            fn = default
            for p, f in reversed(rest):
                fn = _chain(p, f, fn, strict)
            return fn()


def _chain(pred: Any, fn: Any, otherwise: Any, strict: bool) -> Any:
    return lambda: cond(pred, fn, otherwise, strict=strict)


def _case_pairs(pairs: Any, exclusive: bool) -> list[tuple[Any, Any]]:
    if isinstance(pairs, collections.abc.Mapping):
        if not exclusive and not isinstance(pairs, collections.OrderedDict):
            import warnings

            warnings.warn("An unordered dict of predicate/fn pairs was provided, but exclusive=False.", stacklevel=4)
            pairs = sorted(pairs.items(), key=lambda kv: kv[0].name)
        else:
            pairs = list(pairs.items())
    if not isinstance(pairs, list | tuple):
        raise TypeError("fns must be a list, tuple, or dict")
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError("Each entry in pred_fn_pairs must be a 2-tuple")
        pred, fn = pair
        if not isinstance(pred, Tensor) or pred.dtype.base_dtype != dtypes.bool:
            raise TypeError(f"pred must be Tensor of type bool: {pred!r}")
        if not callable(fn):
            raise TypeError(f"fn for pred {pred.name} must be callable.")
    return list(pairs)


def _assert_exclusive(preds: list[Tensor]) -> Any:
    from thalweg._src.ops.casting import cast
    from thalweg._src.ops.checks import Assert
    from thalweg._src.ops.compare import less_equal
    from thalweg._src.ops.joining import stack
    from thalweg._src.ops.reduce import reduce_sum

    stacked = stack(preds)
    count = reduce_sum(cast(stacked, dtypes.int32), name="num_true_conds")
    message = (
        f"Input error: exclusive=True: more than 1 conditions ({', '.join(p.name for p in preds)}) evaluated as True:"
    )
    return Assert(less_equal(count, 1, name="at_most_one_true_conds"), [message, stacked], summarize=len(preds))


def _last_must_hold(pairs: list[tuple[Any, Any]]) -> tuple[Any, list[tuple[Any, Any]]]:
    from thalweg._src.ops.checks import Assert
    from thalweg._src.ops.compare import logical_or

    pred, fn = pairs[-1]
    held = pred
    for p, _ in pairs[:-1]:
        held = logical_or(held, p)
    names = ", ".join(p.name for p, _ in pairs)
    message = f"Input error: None of conditions ({names}) evaluated as True:"

    def checked() -> Any:
        guard = Assert(held, [message, held], summarize=len(pairs))
        with get_default_graph().control_dependencies([guard]):
            return fn()

    return checked, pairs[:-1]


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

    `loop_vars`: a (nested) list of tensors; `shape_invariants` names the sizes that may change. Raises TypeError or ValueError where the
    functions, the variables and the shapes do not fit together.

    >>> run(tf.while_loop(lambda i: i < 10, lambda i: i + 3, [tf.constant(0)]))
    12
    """
    if not callable(cond):
        raise TypeError("cond must be callable.")
    if not callable(body):
        raise TypeError("body must be callable.")
    if parallel_iterations is not None and parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    with scopes.name_scope(name, "while", nest.flatten(loop_vars)):
        if not loop_vars:
            raise ValueError("No loop variables provided")
        counted = maximum_iterations is not None
        structure = loop_vars
        if counted:
            loop_vars, cond, body = _counted(loop_vars, cond, body, maximum_iterations)
        first = [_loop_value(v) for v in nest.flatten(loop_vars)]
        dims = _invariants(loop_vars, first, shape_invariants, counted)
        cond_graph, body_graph = _loop_graphs(cond, body, loop_vars, first, dims)
        captured = order_captures([cond_graph, body_graph])
        graph = get_default_graph()
        _check_shapes(body_graph, first, dims, shape_invariants is not None)
        with graph.control_dependencies(_outside(graph, [*cond_graph.outer_controls, *body_graph.outer_controls])):
            out = while_op(
                [*first, *captured],
                cond=cond_graph,
                body=body_graph,
                output_shapes=[*dims, *(t.dims for t in captured)],
                parallel_iterations=parallel_iterations or 10,
                name="While",
            )
        exits = [basic.identity(t, name="Exit") for t in out[: len(first)]]
        result = nest.pack(loop_vars, exits)
        if counted:
            result = result[1]
        del structure
        if not return_same_structure and isinstance(result, list | tuple) and len(result) == 1:
            return result[0]
        return (
            list(result)
            if isinstance(result, tuple) and not hasattr(result, "_fields") and not return_same_structure
            else result
        )


def _loop_value(value: Any) -> Tensor:
    t = to_tensor(value)
    return basic.identity(t, name="Enter") if t.dtype._ref else t


def _counted(loop_vars: Any, cond: Any, body: Any, limit: Any) -> tuple[Any, Any, Any]:
    from thalweg._src.ops import constants
    from thalweg._src.ops.compare import less, logical_and

    limit = to_tensor(limit, name="maximum_iterations")
    if limit.dims not in (None, ()):
        raise ValueError(f"maximum_iterations must be a scalar, saw shape: {limit.shape}")
    counter = constants.constant(0, dtype=limit.dtype.base_dtype, name="iteration_counter")
    own = list(loop_vars) if isinstance(loop_vars, list | tuple) else [loop_vars]

    def counted_cond(i: Any, lv: Any) -> Any:
        return logical_and(less(i, limit), cond(*lv))

    def counted_body(i: Any, lv: Any) -> Any:
        new = body(*lv)
        if len(own) == 1 and (not isinstance(new, list | tuple) or not isinstance(loop_vars, list | tuple)):
            new = [new]
        return i + 1, type(loop_vars)(new) if isinstance(loop_vars, list | tuple) and not hasattr(
            loop_vars, "_fields"
        ) else new

    return (counter, loop_vars), counted_cond, counted_body


def _invariants(loop_vars: Any, first: list[Tensor], given: Any, counted: bool) -> list[Any]:
    if given is None:
        return [t.dims for t in first]
    if counted:
        given = [shapes.TensorShape([]), given]
    flat = nest.flatten(given)
    if len(flat) != len(first):
        raise ValueError("The two structures don't have the same nested structure: loop_vars and shape_invariants")
    out = []
    for shape, t in zip(flat, first, strict=True):
        dims = shapes.as_dims(shape)
        if dims is not None and (
            t.dims is None
            or len(t.dims) != len(dims)
            or any(d is not None and d != own for d, own in zip(dims, t.dims, strict=True))
        ):
            raise ValueError(
                f"The shape invariant specified for {t.name} is not compatible with the initial shape of the loop variable. "
                f"It enters the loop with shape {t.shape}, but the specified shape invariant is {shapes.TensorShape(dims)}."
            )
        out.append(dims)
    return out


def _loop_graphs(
    cond: Any, body: Any, loop_vars: Any, first: list[Tensor], dims: list[Any]
) -> tuple[FuncGraph, FuncGraph]:
    graphs = []
    for which, fn in (("cond", cond), ("body", body)):
        graph = FuncGraph(which)
        with building(graph):
            args = [
                graph.argument(t.dtype.base_dtype, d, t.op.name.split("/")[-1])
                for t, d in zip(first, dims, strict=True)
            ]
            packed = nest.pack(loop_vars, args)
            result = fn(*packed) if isinstance(packed, list | tuple) else fn(packed)
            graph.outputs = (
                _condition(graph, result) if which == "cond" else _body_results(graph, result, loop_vars, first)
            )
        graphs.append(graph)
    return graphs[0], graphs[1]


def _condition(graph: FuncGraph, result: Any) -> list[Tensor]:
    t = to_tensor(result)
    if t.dtype.base_dtype != dtypes.bool:
        raise TypeError(f"cond must return a bool tensor, not {t.dtype.name}")
    return [basic.identity(t)]


def _body_results(graph: FuncGraph, result: Any, loop_vars: Any, first: list[Tensor]) -> list[Tensor]:
    packed = isinstance(loop_vars, list | tuple)
    if packed and not isinstance(result, list | tuple | dict):
        result = [result]
    if packed and isinstance(result, list | tuple) and len(loop_vars) == 1 and len(result) != 1:
        result = [result]
    flat_vars = nest.flatten(loop_vars)
    try:
        nest.assert_same_structure(list(loop_vars) if packed else loop_vars, list(result) if packed else result)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"The two structures don't have the same nested structure: the loop variables and what body returns. {error}"
        ) from None
    out = []
    for value, start in zip(nest.flatten(result), first, strict=True):
        t = to_tensor(value, start.dtype.base_dtype if not isinstance(value, Tensor) else None)
        if t.dtype.base_dtype != start.dtype.base_dtype:
            raise TypeError(
                f"The loop variable {start.name} has type {start.dtype.base_dtype.name}, body returns {t.dtype.base_dtype.name} for it"
            )
        out.append(basic.identity(t) if t.graph is not graph or t.dtype._ref or t in graph.arguments else t)
    del flat_vars
    return out


def _check_shapes(body: FuncGraph, first: list[Tensor], dims: list[Any], declared: bool) -> None:
    for t, start, d in zip(body.outputs, first, dims, strict=True):
        if d is None:
            continue
        if (
            t.dims is None
            or len(t.dims) != len(d)
            or any(n is not None and m != n for n, m in zip(d, t.dims, strict=True))
        ):
            if not declared:
                raise ValueError(
                    f"Input tensor '{start.name}' enters the loop with shape {shapes.TensorShape(d)}, but has shape {t.shape} after one "
                    "iteration. To allow the shape to vary across iterations, use the `shape_invariants` argument of tf.while_loop "
                    "to specify a less-specific shape."
                )
            raise ValueError(
                f"The shape invariant specified for {start.name} is {shapes.TensorShape(d)}, but the tensor has "
                f"shape {t.shape} after one iteration."
            )
