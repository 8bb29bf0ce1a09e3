"""Branches: `tf.cond` and `tf.case`. They build If ops with body graphs."""

import collections.abc
from typing import Any

from thalweg._src.core import dtypes, nest, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly, label
from thalweg._src.core.funcgraph import FuncGraph, building, order_captures
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops import basic
from thalweg._src.ops.arguments import formerly
from thalweg._src.ops.control import composites
from thalweg._src.ops.control.functional import case_op, if_op
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices


@formerly("pred true_fn false_fn name", when=lambda args, kwargs: len(args) == 4 and isinstance(args[3], str))  # 0.x
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
        if executing_eagerly():
            return true_fn() if pred else false_fn()
        if isinstance(pred, bool):
            raise TypeError("pred must not be a Python bool")
        pred = to_tensor(pred, name="pred")
        if pred.dtype.base_dtype != dtypes.bool:
            raise TypeError(f"pred must be a bool tensor, not {pred.dtype.name}")
        then, then_result = _branch("true", true_fn, pred)
        other, other_result = _branch("false", false_fn, pred)
        if not strict:
            then_result, other_result = _single(then_result), _single(other_result)
        _widen_indices(then, then_result, other, other_result)
        _same_results(then_result, other_result, then, other)
        captured = order_captures([then, other])
        types = [t.dtype.base_dtype for t in then.outputs]
        graph = get_default_graph()
        with graph.control_dependencies(wait_outside(graph, [*then.outer_controls, *other.outer_controls])):
            merged = if_op(pred, captured, Tout=types, then_branch=then, else_branch=other, name="Merge")
        if not types:
            return merged
        return composites.pack(then_result, list(merged))


def wait_outside(graph: Any, ops: list[Operation]) -> list[Operation]:
    """Those of `ops`, for which a body waits, that stand in `graph` itself; the others are passed on to the graphs around it."""
    own = [o for o in ops if o.graph is graph]
    for o in ops:
        if o.graph is not graph and hasattr(graph, "outer_waits"):
            graph.outer_waits.append(([o], None))
    return own


def _branch(name: str, fn: Any, pred: Any = False) -> tuple[FuncGraph, Any]:
    """The graph of a branch, and the structure of its result with body tensors as leaves; an operation gives `pred`."""
    graph = FuncGraph(name)
    graph.capture_name = "Switch"
    with building(graph):
        outside = len(summaries_of(graph))
        result = fn()
        if result is None:
            raise ValueError(f"{name}_fn must have a return value.")
        result = nest.map_leaves(lambda v: _leaf(graph, v, pred), result)
        graph.outputs = after_summaries(graph, composites.flatten(result), outside)
    return graph, result


def summaries_of(graph: Any) -> list[Any]:
    """What writes summaries in `graph` and the graphs around it (tf.contrib.summary): the collection itself, if there is one."""
    key = GraphKeys._SUMMARY_COLLECTION
    return graph.get_collection_ref(key) if graph.get_collection(key) else []


def after_summaries(graph: FuncGraph, outputs: list[Tensor], outside: int) -> list[Tensor]:
    """The `outputs` of a body, known once its summaries are written. Those leave the collection,
    whose first `outside` were there before.
    """
    every = summaries_of(graph)
    written = [t.op for t in every[outside:] if t.graph is graph]
    del every[outside:]
    if not written:
        return outputs
    with graph.control_dependencies(written):
        return [basic.identity(t) for t in outputs]


def _leaf(graph: FuncGraph, value: Any, pred: Any) -> Any:
    if isinstance(value, Operation):
        # An operation stands for its effect: the predicate, known after it.
        with graph.control_dependencies([value]):
            return basic.identity(to_tensor(pred), name="done")
    if value is None:
        raise ValueError("true_fn and false_fn must return tensors, not None.")
    return composites.with_parts(value, [_own(graph, to_tensor(t)) for t in composites.parts_of(value)])


def _own(graph: FuncGraph, t: Tensor) -> Tensor:
    return basic.identity(t, name="Switch") if t.graph is not graph or t.dtype._ref or not t.op.inputs else t


def _single(result: Any) -> Any:
    """The only element of a list or tuple of one, a named one too; anything else as it is."""
    return result[0] if isinstance(result, list | tuple) and len(result) == 1 else result


def _widen_indices(a: FuncGraph, x: Any, b: FuncGraph, y: Any) -> None:
    """IndexedSlices whose indices are int32 in one branch and int64 in the other get the wider ones."""
    from thalweg._src.ops.numeric.casting import cast

    for graph, own, other in ((a, x, y), (b, y, x)):
        for v, w in zip(nest.flatten(own), nest.flatten(other), strict=False):
            if isinstance(v, IndexedSlices) and isinstance(w, IndexedSlices) and v.indices.dtype != w.indices.dtype:
                if v.indices.dtype.base_dtype == dtypes.int32:
                    with building(graph):
                        wide = cast(v.indices, dtypes.int64)
                    graph.outputs = [wide if t is v.indices else t for t in graph.outputs]
                    v._indices = wide


def _same_results(then: Any, other: Any, a: FuncGraph, b: FuncGraph) -> None:
    try:
        composites.same_structure(then, other)
    except TypeError as error:
        raise TypeError(f"Incompatible return types of true_fn and false_fn: {error}") from None
    except ValueError as error:
        raise ValueError(f"Incompatible return values of true_fn and false_fn: {error}") from None
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


@formerly(
    "pred_fn_pairs default exclusive name", when=lambda args, kwargs: len(args) == 4 and isinstance(args[3], str)
)  # 0.x
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
            raise TypeError(f"fn for pred {label(pred)} must be callable.")
    return list(pairs)


def _assert_exclusive(preds: list[Tensor]) -> Any:
    from thalweg._src.ops.arrays.joining import stack
    from thalweg._src.ops.numeric.casting import cast
    from thalweg._src.ops.numeric.compare import less_equal
    from thalweg._src.ops.numeric.reduce import reduce_sum
    from thalweg._src.ops.reports.checks import Assert

    stacked = stack(preds)
    count = reduce_sum(cast(stacked, dtypes.int32), name="num_true_conds")
    message = (
        f"Input error: exclusive=True: more than 1 conditions ({', '.join(label(p) for p in preds)}) evaluated as True:"
    )
    return Assert(less_equal(count, 1, name="at_most_one_true_conds"), [message, stacked], summarize=len(preds))


def _last_must_hold(pairs: list[tuple[Any, Any]]) -> tuple[Any, list[tuple[Any, Any]]]:
    from thalweg._src.ops.numeric.compare import logical_or
    from thalweg._src.ops.reports.checks import Assert

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


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str = "switch_case") -> Any:
    """The result of the function with the number `branch_index`, else of `default`, or of the last one.

    `branch_fns`: a list of functions, or pairs (int, function), or a dict of them. Raises TypeError for what is none of these,
    ValueError where the numbers are not 0, 1, 2 ...
    """
    graphs_of = _indexed(branch_index, branch_fns, default)
    with scopes.name_scope(name, "case", [branch_index]):
        found = [_branch(f"branch{i}", fn) for i, fn in enumerate(graphs_of)]
        for graph, result in found[1:]:
            _same_results(found[0][1], result, found[0][0], graph)
        captured = order_captures([g for g, _ in found])
        graph = get_default_graph()
        types = [t.dtype.base_dtype for t in found[0][0].outputs]
        with graph.control_dependencies(wait_outside(graph, [o for g, _ in found for o in g.outer_controls])):
            out = case_op(branch_index, captured, Tout=types, branches=[g for g, _ in found], name="indexed_case")
        return composites.pack(found[0][1], list(out)) if types else out


def _indexed(index: Any, fns: Any, default: Any) -> list[Any]:
    """The functions in order, the default last."""
    if not isinstance(index, Tensor):
        raise TypeError(f"branch_index must a Tensor, got {type(index)}")
    if not index.dtype.is_integer:
        raise TypeError(f"branch_index must an integer Tensor, got {index.dtype}")
    if not fns:
        raise ValueError("Must provide at least one item in branch_fns")
    if not isinstance(fns, list | tuple | dict):
        raise TypeError("branch_fns must be a list, tuple, or dict")
    pairs = list(fns.items()) if isinstance(fns, dict) else list(fns)
    if all(callable(f) for f in pairs):
        pairs = list(enumerate(pairs))
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError("Each entry in branch_fns must be a 2-tuple")
        if not isinstance(pair[0], int):
            raise TypeError(f"key must be a Python `int`, got {type(pair[0])}")
        if not callable(pair[1]):
            raise TypeError(f"fn for key {pair[0]} must be callable.")
    keys = sorted(k for k, _ in pairs)
    if keys != list(range(len(keys))):
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(keys)}) but found {{{','.join(map(str, keys))}}}"
        )
    return [dict(pairs)[k] for k in keys] + ([default] if default is not None else [])
