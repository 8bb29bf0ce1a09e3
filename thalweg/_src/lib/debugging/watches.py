"""Which tensors of a run are watched: entries of `RunOptions.debug_options`."""

import re
from collections.abc import Callable, Sequence
from typing import Any


def add_debug_tensor_watch(
    run_options: Any,
    node_name: str,
    output_slot: int = 0,
    debug_ops: str | Sequence[str] = "DebugIdentity",
    debug_urls: str | Sequence[str] | None = None,
    tolerate_debug_op_creation_failures: bool = False,
    global_step: int = -1,
) -> None:
    """Watch one output of a node; slot -1 stands for all of them, and for its having run."""
    run_options.debug_options.global_step = global_step
    run_options.debug_options.debug_tensor_watch_opts.add(
        node_name=node_name,
        output_slot=output_slot,
        tolerate_debug_op_creation_failures=tolerate_debug_op_creation_failures,
        debug_ops=_listed(debug_ops),
        debug_urls=_listed(debug_urls),
    )


def _listed(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _pattern(text: str | None) -> Any:
    return re.compile(text) if text else None


def _watch(run_options: Any, graph: Any, wanted: Callable[..., bool], whole: bool, reset: bool, **how: Any) -> None:
    """Watch the tensors for which `wanted(op, output or None)`; nodes without outputs only where the `whole` node is asked for."""
    run_options.debug_options.reset_disk_byte_usage = reset
    for op in graph.get_operations():
        slots = [t.value_index for t in op.outputs if wanted(op, t)]
        if not op.outputs and whole and wanted(op, None):
            slots = [-1]
        for slot in slots:
            add_debug_tensor_watch(run_options, op.name, slot, **how)


def watch_graph(
    run_options: Any,
    graph: Any,
    debug_ops: str | Sequence[str] = "DebugIdentity",
    debug_urls: str | Sequence[str] | None = None,
    node_name_regex_whitelist: str | None = None,
    op_type_regex_whitelist: str | None = None,
    tensor_dtype_regex_whitelist: str | None = None,
    tolerate_debug_op_creation_failures: bool = False,
    global_step: int = -1,
    reset_disk_byte_usage: bool = False,
) -> None:
    """Watch all outputs whose node's name and type and whose own type match what is given, from their beginning."""
    name, kind = _pattern(node_name_regex_whitelist), _pattern(op_type_regex_whitelist)
    dtype = _pattern(tensor_dtype_regex_whitelist)

    def wanted(op: Any, t: Any) -> bool:
        if (name and not name.match(op.name)) or (kind and not kind.match(op.type)):
            return False
        return dtype is None or (t is not None and dtype.match(t.dtype.name) is not None)

    _watch(
        *(run_options, graph, wanted, dtype is None, reset_disk_byte_usage),
        debug_ops=debug_ops,
        debug_urls=debug_urls,
        tolerate_debug_op_creation_failures=tolerate_debug_op_creation_failures,
        global_step=global_step,
    )


def watch_graph_with_blacklists(
    run_options: Any,
    graph: Any,
    debug_ops: str | Sequence[str] = "DebugIdentity",
    debug_urls: str | Sequence[str] | None = None,
    node_name_regex_blacklist: str | None = None,
    op_type_regex_blacklist: str | None = None,
    tensor_dtype_regex_blacklist: str | None = None,
    tolerate_debug_op_creation_failures: bool = False,
    global_step: int = -1,
    reset_disk_byte_usage: bool = False,
) -> None:
    """Watch all outputs but those of which the node's name or type, or whose own type, matches what is given."""
    name, kind = _pattern(node_name_regex_blacklist), _pattern(op_type_regex_blacklist)
    dtype = _pattern(tensor_dtype_regex_blacklist)

    def wanted(op: Any, t: Any) -> bool:
        if (name and name.match(op.name)) or (kind and kind.match(op.type)):
            return False
        return dtype is None or t is None or dtype.match(t.dtype.name) is None

    _watch(
        *(run_options, graph, wanted, dtype is None, reset_disk_byte_usage),
        debug_ops=debug_ops,
        debug_urls=debug_urls,
        tolerate_debug_op_creation_failures=tolerate_debug_op_creation_failures,
        global_step=global_step,
    )
