"""Operations and tensors chosen by name, by scope, by what is around them or by walks along the graph's edges."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from thalweg._src.contrib.graph_editor.lists import (
    ControlOutputs,
    concatenate_unique,
    get_consuming_ops,
    get_generating_ops,
    is_iterable,
    make_list_of_op,
    make_list_of_t,
)
from thalweg._src.core.graph import Graph, Operation, Tensor

Filter = Any  # a function on an operation or tensor, or True for all


# -- by name


def can_be_regex(obj: Any) -> bool:
    """Whether `obj` is a string or a compiled pattern."""
    return isinstance(obj, str | re.Pattern)


def make_regex(obj: Any) -> re.Pattern[str]:
    """`obj` compiled. Raises ValueError for what is neither a string nor a pattern."""
    if not can_be_regex(obj):
        raise ValueError(f"Expected a string or a regex, got: {type(obj)}")
    return re.compile(obj) if isinstance(obj, str) else obj


def _chosen(every: list[Any], positive_filter: Filter) -> list[Any]:
    return every if positive_filter is True else [x for x in every if positive_filter(x)]


def _get_input_ts(ops: Any) -> list[Tensor]:
    return concatenate_unique([], (t for op in make_list_of_op(ops) for t in op.inputs))


def _get_output_ts(ops: Any) -> list[Tensor]:
    return [t for op in make_list_of_op(ops) for t in op.outputs]


def filter_ts(ops: Any, positive_filter: Filter) -> list[Tensor]:
    """The inputs and outputs of `ops` for which `positive_filter` holds."""
    return _chosen(concatenate_unique(_get_input_ts(ops), _get_output_ts(ops)), positive_filter)


def filter_ts_from_regex(ops: Any, regex: Any) -> list[Tensor]:
    """The inputs and outputs of `ops` in whose names `regex` is found."""
    found = make_regex(regex)
    return filter_ts(ops, positive_filter=lambda t: found.search(t.name))


def filter_ops(ops: Any, positive_filter: Filter) -> list[Operation]:
    """Those of `ops` for which `positive_filter` holds."""
    return _chosen(make_list_of_op(ops), positive_filter)


def filter_ops_from_regex(ops: Any, regex: Any) -> list[Operation]:
    """Those of `ops` in whose names `regex` is found."""
    found = make_regex(regex)
    return filter_ops(ops, lambda op: found.search(op.name))


def get_name_scope_ops(ops: Any, scope: str) -> list[Operation]:
    """Those of `ops` under the name scope `scope`."""
    if scope and scope[-1] == "/":
        scope = scope[:-1]
    return filter_ops_from_regex(ops, f"^{re.escape(scope)}(/.*)?$")


def _check_options(graph: Any, options: dict[str, Any]) -> None:
    for k in options:
        if k not in ("positive_filter", "restrict_ops_regex", "restrict_ts_regex"):
            raise ValueError(f"Wrong keywords argument: {k}.")
    if graph is not None and not isinstance(graph, Graph):
        raise TypeError(f"Expected a tf.Graph, got: {type(graph)}")


def _select(args: Any, options: dict[str, Any], ours: str, other: str, by_name: Any, listed: Any) -> list[Any]:
    graph = options.pop("graph", None)
    _check_options(graph, options)
    keep = options.get("positive_filter") or (lambda x: True)
    found: list[Any] = []
    for arg in args:
        if can_be_regex(arg):
            if graph is None:
                raise ValueError("Use the keyword argument 'graph' to use regex.")
            pattern = make_regex(arg)
            marked = pattern.pattern.startswith(f"(?#{ours})")
            if pattern.pattern.startswith(f"(?#{other})") or (options.get(f"restrict_{ours}_regex") and not marked):
                continue
            more = by_name(graph, pattern)
        else:
            more = listed(arg)
        concatenate_unique(found, [x for x in more if keep(x)])
    return found


def select_ops(*args: Any, **kwargs: Any) -> list[Operation]:
    """The operations among `args` and those of `graph` whose names fit patterns among them; tensors are passed over.

    A pattern that begins with (?#ts) is for tensors only. Raises TypeError and ValueError for wrong arguments.
    """
    return _select(args, kwargs, "ops", "ts", filter_ops_from_regex, lambda a: make_list_of_op(a, ignore_ts=True))


def select_ts(*args: Any, **kwargs: Any) -> list[Tensor]:
    """The tensors among `args` and those of `graph` whose names fit patterns among them; operations are passed over."""
    return _select(args, kwargs, "ts", "ops", filter_ts_from_regex, lambda a: make_list_of_t(a, ignore_ops=True))


def select_ops_and_ts(*args: Any, **kwargs: Any) -> tuple[list[Operation], list[Tensor]]:
    """What select_ops and select_ts find, where patterns are for operations unless they begin with (?#ts)."""
    return select_ops(*args, restrict_ops_regex=False, **kwargs), select_ts(*args, restrict_ts_regex=True, **kwargs)


# -- by what is around them


def check_cios(
    control_inputs: Any = False,
    control_outputs: ControlOutputs | None = None,
    control_ios: ControlOutputs | None = None,
) -> tuple[bool, ControlOutputs | None]:
    """Whether control inputs count, and the control outputs that do. Raises TypeError and ValueError."""
    if control_ios is not None:
        if not isinstance(control_ios, ControlOutputs):
            raise TypeError(f"Expected a util.ControlOutputs, got: {type(control_ios)}")
        if control_outputs is not None:
            raise ValueError("control_outputs should be None when using control_ios.")
        control_inputs, control_outputs = True, control_ios
    elif control_outputs is not None and not isinstance(control_outputs, ControlOutputs):
        raise TypeError(f"Expected a util.ControlOutputs, got: {type(control_outputs)}")
    if control_outputs is not None:
        control_outputs.update()
    return control_inputs, control_outputs


def get_ops_ios(ops: Any, control_inputs: Any = False, control_outputs: Any = None, control_ios: Any = None) -> Any:
    """The operations before and behind `ops`, by data and, if asked, by control edges."""
    control_inputs, control_outputs = check_cios(control_inputs, control_outputs, control_ios)
    found: list[Operation] = []
    for op in make_list_of_op(ops):
        concatenate_unique(found, [t.op for t in op.inputs])
        for t in op.outputs:
            concatenate_unique(found, t.consumers())
        concatenate_unique(found, op.control_inputs if control_inputs else ())
        concatenate_unique(found, control_outputs.get(op) if control_outputs is not None else ())
    return found


def compute_boundary_ts(ops: Any) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The tensors that go into the part `ops` of a graph, that leave it, and that stay inside; some both leave and stay."""
    ops = make_list_of_op(ops)
    inputs, outputs = _get_input_ts(ops), _get_output_ts(ops)
    within, taken, given = set(ops), {id(t) for t in inputs}, {id(t) for t in outputs}
    leaving = [t for t in outputs if id(t) not in taken or any(c not in within for c in t.consumers())]
    return [t for t in inputs if id(t) not in given], leaving, [t for t in outputs if id(t) in taken]


def get_within_boundary_ops(
    ops: Any,
    seed_ops: Any,
    boundary_ops: Any = (),
    inclusive: bool = True,
    control_inputs: Any = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> list[Operation]:
    """Those of `ops` that are reached from `seed_ops` in any direction, as far as `boundary_ops`. Raises ValueError."""
    control_inputs, control_outputs = check_cios(control_inputs, control_outputs, control_ios)
    every = make_list_of_op(ops)
    found = set(make_list_of_op(seed_ops, allow_graph=False))
    boundary = set(make_list_of_op(boundary_ops))
    if boundary & found:
        raise ValueError("Boundary is intersecting with the seeds.")
    wave = set(found)
    while wave:
        around = [op for op in get_ops_ios(wave, control_inputs, control_outputs) if op not in found]
        wave = {op for op in around if op not in boundary}
        found |= wave | ({op for op in around if op in boundary} if inclusive else set())
    return [op for op in every if op in found]


# -- walks


def _walk(
    seeds: Any,
    of_tensors: Callable[[Any], list[Operation]],
    beside: Callable[[Operation], Iterable[Operation]],
    inclusive: bool,
    within_ops: Any,
    within_ops_fn: Callable[[Operation], Any] | None,
) -> list[Operation]:
    seeds = list(seeds) if is_iterable(seeds) else [seeds]
    if not seeds:
        return []
    tensors = isinstance(seeds[0], Tensor)
    first = (
        of_tensors(make_list_of_t(seeds, allow_graph=False)) if tensors else make_list_of_op(seeds, allow_graph=False)
    )
    allowed = set(make_list_of_op(within_ops, allow_graph=False)) if within_ops else within_ops
    is_within = lambda op: (allowed is None or op in allowed) and (within_ops_fn is None or within_ops_fn(op))
    found = dict.fromkeys(op for op in first if not allowed or op in allowed)
    start = set(found)
    wave = list(found)
    while wave:
        wave = list(dict.fromkeys(n for op in wave for n in beside(op) if n not in found and is_within(n)))
        found.update(dict.fromkeys(wave))
    return [op for op in found if inclusive or op not in start]


def get_forward_walk_ops(
    seed_ops: Any,
    inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], Any] | None = None,
    stop_at_ts: Any = (),
    control_outputs: ControlOutputs | None = None,
) -> list[Operation]:
    """The operations that depend on `seed_ops` (or take those tensors), up to the tensors `stop_at_ts`. Raises TypeError."""
    _, waiting = check_cios(False, control_outputs)
    stops = {id(t) for t in make_list_of_t(stop_at_ts)}

    def beside(op: Operation) -> Iterable[Operation]:
        yield from (c for t in op.outputs if id(t) not in stops for c in t.consumers())
        yield from waiting.get(op) if waiting is not None else ()

    return _walk(seed_ops, get_consuming_ops, beside, inclusive, within_ops, within_ops_fn)


def get_backward_walk_ops(
    seed_ops: Any,
    inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], Any] | None = None,
    stop_at_ts: Any = (),
    control_inputs: bool = False,
) -> list[Operation]:
    """The operations that `seed_ops` (or those tensors) depend on, up to the tensors `stop_at_ts`. Raises TypeError."""
    stops = {id(t) for t in make_list_of_t(stop_at_ts)}

    def beside(op: Operation) -> Iterable[Operation]:
        yield from (t.op for t in op.inputs if id(t) not in stops)
        yield from op.control_inputs if control_inputs else ()

    return _walk(seed_ops, get_generating_ops, beside, inclusive, within_ops, within_ops_fn)


def _both_walks(
    forward_seed_ops: Any,
    backward_seed_ops: Any,
    forward_inclusive: bool = True,
    backward_inclusive: bool = True,
    within_ops: Any = None,
    within_ops_fn: Callable[[Operation], Any] | None = None,
    control_inputs: Any = False,
    control_outputs: Any = None,
    control_ios: Any = None,
) -> tuple[list[Operation], list[Operation]]:
    control_inputs, control_outputs = check_cios(control_inputs, control_outputs, control_ios)
    within = {"within_ops": within_ops, "within_ops_fn": within_ops_fn}
    return (
        get_forward_walk_ops(forward_seed_ops, forward_inclusive, control_outputs=control_outputs, **within),
        get_backward_walk_ops(backward_seed_ops, backward_inclusive, control_inputs=control_inputs, **within),
    )


def get_walks_intersection_ops(*args: Any, **kwargs: Any) -> list[Operation]:
    """The operations of a walk forward that are also on a walk backward: those between two sets of operations."""
    forward, backward = _both_walks(*args, **kwargs)
    also = set(backward)
    return [op for op in forward if op in also]


def get_walks_union_ops(*args: Any, **kwargs: Any) -> list[Operation]:
    """The operations of a walk forward and of a walk backward, each once."""
    return concatenate_unique(*_both_walks(*args, **kwargs))
