"""The costs of a graph as a tree of its name scopes, or by types of operations: printed, and as messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from thalweg._src.lib.profiler.counting import SUMS, Cost

MINIMA = {
    "min_bytes": "bytes",
    "min_peak_bytes": "peak_bytes",
    "min_residual_bytes": "residual_bytes",
    "min_output_bytes": "output_bytes",
    "min_micros": "micros",
    "min_accelerator_micros": "accelerator_micros",
    "min_cpu_micros": "cpu_micros",
    "min_params": "params",
    "min_float_ops": "float_ops",
    "min_occurrence": "occurrence",
}
ROOT = "_TFProfRoot"


class Node:
    """A name scope or an operation, with what is below it."""

    def __init__(self, name: str):
        self.name = name
        self.cost: Cost | None = None
        self.children: dict[str, Node] = {}
        self.own = dict.fromkeys(SUMS, 0)
        self.total = dict.fromkeys(SUMS, 0)
        self.shown: list[Node] = []


def _matches(patterns: list[str], text: str) -> bool:
    return any(p == ".*" or re.fullmatch(p, text) for p in patterns)


def _is_shown(name: str, options: dict[str, Any]) -> bool:
    return _matches(options["show_name_regexes"], name) and not _matches(options["hide_name_regexes"], name)


def _counts(cost: Cost, options: dict[str, Any]) -> bool:
    return any(_matches(options["account_type_regexes"], t) for t in cost.types)


def by_scope(costs: dict[str, Cost], options: dict[str, Any]) -> Node:
    """The tree of name scopes with what `options` let it show; sums go over all that is shown, or counted."""
    root = Node(ROOT)
    for cost in costs.values():
        node = root
        parts = cost.name.split("/")
        for i in range(len(parts)):
            name = "/".join(parts[: i + 1])
            node = node.children.setdefault(name, Node(name))
        node.cost = cost
    return _pruned(root, options, 0, any(p == ".*" for p in options["start_name_regexes"]))


def _pruned(node: Node, options: dict[str, Any], depth: int, started: bool) -> Node:
    """`node` with its sums and the children that are shown."""
    is_root = node.name == ROOT
    started = started or _matches(options["start_name_regexes"], node.name)
    own_shown = is_root or (started and _is_shown(node.name, options))
    if node.cost is not None and _counts(node.cost, options) and started:
        if own_shown or not options["account_displayed_op_only"]:
            node.own = dict(node.cost.own)
    node.total = dict(node.own)
    if is_root or not _matches(options["trim_name_regexes"], node.name):
        for child in node.children.values():
            _pruned(child, options, depth + 1, started)
            for key in SUMS:
                node.total[key] += child.total[key]
            if _is_shown(child.name, options) and _is_large(child, options) and depth < options["max_depth"]:
                node.shown.append(child)
            else:
                node.shown += child.shown  # what is hidden leaves what is below it to its parent
    node.shown.sort(key=lambda n: _order(n, options))
    return node


def _is_large(node: Node, options: dict[str, Any]) -> bool:
    counted = any(node.total.values()) if options["account_type_regexes"] != [".*"] else True
    return counted and all(node.total[kind] >= options.get(least, 0) for least, kind in MINIMA.items())


def _order(node: Node, options: dict[str, Any]) -> Any:
    by = options["order_by"]
    return node.name if by == "name" else (-node.total[by if by in SUMS else "micros"], node.name)


def by_type(
    costs: dict[str, Cost], operations: dict[str, str], options: dict[str, Any]
) -> list[tuple[str, dict, list[Cost]]]:
    """(type, sums, its operations) of what is counted, the largest first; `operations` tells the type of each name."""
    sums: dict[str, tuple[dict[str, int], list[Cost]]] = {}
    for cost in costs.values():
        if not _counts(cost, options) or not _is_shown(operations[cost.name], options):
            continue
        total, members = sums.setdefault(operations[cost.name], (dict.fromkeys(SUMS, 0), []))
        for key in SUMS:
            total[key] += cost.own[key]
        members.append(cost)
    rows = [(kind, total, members) for kind, (total, members) in sums.items()]
    rows = [r for r in rows if all(r[1][kind] >= options.get(least, 0) for least, kind in MINIMA.items())]
    by = options["order_by"]
    return sorted(rows, key=lambda r: r[0] if by == "name" else (-r[1][by if by in SUMS else "micros"], r[0]))


# -- as text


def number(value: int) -> str:
    """1234567 as 1.23m."""
    for size, letter in ((10**9, "b"), (10**6, "m"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.2f}{letter}"
    return str(value)


def memory(value: int) -> str:
    """Bytes, as 1.23MB."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if value >= size:
            return f"{value / size:.2f}{unit}"
    return f"{value}B"


def duration(micros: int) -> str:
    """Microseconds, as 1.23ms."""
    if micros >= 10**6:
        return f"{micros / 10**6:.2f}sec"
    return f"{micros / 10**3:.2f}ms" if micros >= 10**3 else f"{micros}us"


COLUMNS = {
    "params": ("# parameters", lambda v: number(v), " params"),
    "float_ops": ("# float_ops", lambda v: number(v), " flops"),
    "bytes": ("requested bytes", memory, ""),
    "peak_bytes": ("peak bytes", memory, ""),
    "residual_bytes": ("residual bytes", memory, ""),
    "output_bytes": ("output bytes", memory, ""),
    "micros": ("total execution time", duration, ""),
    "accelerator_micros": ("accelerator execution time", duration, ""),
    "cpu_micros": ("cpu execution time", duration, ""),
    "occurrence": ("op occurrence (run|defined)", lambda v: str(v), ""),
}


def _selected(options: dict[str, Any]) -> list[str]:
    """The columns, of which time has three."""
    found = [c for c in COLUMNS if c in options["select"]]
    if "micros" in found:
        found += [c for c in ("accelerator_micros", "cpu_micros") if c not in found]
    return sorted(found, key=list(COLUMNS).index)


def scope_lines(root: Node, options: dict[str, Any]) -> Iterator[str]:
    """The tree, a line for each node: its own share, and the sum of what is below it."""
    selected = _selected(options)
    yield "node name | " + " | ".join(COLUMNS[c][0] for c in selected)

    def lines(node: Node, depth: int) -> Iterator[str]:
        cells = []
        for column in selected:
            _, text, unit = COLUMNS[column]
            own = text(node.own[column]) if node.cost is not None else "--"
            cell = f"{own}/{text(node.total[column])}{unit}"
            if column == "params" and node.own["params"] and node.cost is not None and node.cost.shape is not None:
                cell = f"{'x'.join(map(str, node.cost.shape))}, {cell}"
            cells.append(cell)
        yield f"{'  ' * depth}{node.name} ({', '.join(cells)})"
        for child in node.shown:
            yield from lines(child, depth + 1)

    yield from lines(root, 0)


def type_lines(rows: list[tuple[str, dict, list[Cost]]], options: dict[str, Any]) -> Iterator[str]:
    """A line for each type: how much, the share of it and all that follow, and its own share."""
    selected = _selected(options)
    yield "node name | " + " | ".join(COLUMNS[c][0] for c in selected)
    for i, (kind, total, _) in enumerate(rows):
        cells = []
        for column in selected:
            whole = sum(r[1][column] for r in rows) or 1
            rest = sum(r[1][column] for r in rows[i:])
            unit = " float_ops" if column == "float_ops" else COLUMNS[column][2]
            share = f"({100 * rest / whole:.2f}%, {100 * total[column] / whole:.2f}%)"
            cells.append(f"{COLUMNS[column][1](total[column]) + unit:>20} {share:>18}")
        yield f"{kind:<25}{','.join(cells)}"


# -- as messages


def _fill(message: Any, own: dict[str, int], total: dict[str, int]) -> None:
    fields = {
        "params": "parameters",
        "micros": "exec_micros",
        "accelerator_micros": "accelerator_exec_micros",
        "cpu_micros": "cpu_exec_micros",
        "bytes": "requested_bytes",
    }
    for key in SUMS:
        field = fields.get(key, key)
        if key != "occurrence":
            setattr(message, field, own[key])
            setattr(message, f"total_{field}", total[key])


def scope_message(node: Node) -> Any:
    """The tree as a GraphNodeProto."""
    from thalweg._src.formats import protos

    message = protos.GraphNodeProto(name=node.name)
    _fill(message, node.own, node.total)
    message.total_definition_count = node.total["occurrence"]
    if node.cost is not None:
        message.run_count = node.cost.runs
        message.devices.extend(sorted(node.cost.devices))
        if node.cost.shape is not None:
            message.shapes.add().dim.extend([protos.TensorShapeProto.Dim(size=d) for d in node.cost.shape])
    message.children.extend([scope_message(child) for child in node.shown])
    return message


def type_message(rows: list[tuple[str, dict, list[Cost]]]) -> Any:
    """The types as nested MultiGraphNodeProtos, as TensorFlow's: each has the next one as its child, and sums over all that follow."""
    from thalweg._src.formats import protos

    rest = dict.fromkeys(SUMS, 0)
    below = None
    for kind, total, members in reversed([(ROOT, dict.fromkeys(SUMS, 0), []), *rows]):
        rest = {k: rest[k] + total[k] for k in SUMS}
        message = protos.MultiGraphNodeProto(name=kind)
        _fill(message, total, rest)
        for cost in members:
            _fill(message.graph_nodes.add(name=cost.name), cost.own, cost.own)
        if below is not None:
            message.children.add().CopyFrom(below)
        below = message
    return below
