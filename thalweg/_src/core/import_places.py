"""Where the nodes of an imported graph go: names that are free, the devices of those that are colocated."""

from __future__ import annotations

from collections.abc import Iterable

from thalweg._src.core.graph import Graph, Operation


def free_names(graph: Graph, names: Iterable[str], prefix: str) -> dict[str, str]:
    """The full name of each node below `prefix`. One that an operation of `graph` has, or a scope that holds operations, gets a number."""
    wanted = {name: prefix + name for name in names}
    taken, imported = _with_scopes(graph._nodes_by_name), _with_scopes(wanted.values())
    for name, full in wanted.items():
        count = 0
        free = full
        while free in taken or (count and free in imported):
            count += 1
            free = f"{full}_{count}"
        wanted[name] = free
    return wanted


def _with_scopes(names: Iterable[str]) -> set[str]:
    """`names` and the scopes around them."""
    found: set[str] = set()
    for name in names:
        while name and name not in found:
            found.add(name)
            name = name.rpartition("/")[0]
    return found


def colocate(graph: Graph, ops: Iterable[Operation]) -> None:
    """Give each of `ops` that is colocated with others the first device that one of those has, whatever its own was."""
    pairs = []
    for op in ops:
        others = [c[5:] for c in op._attrs.get("_class", ()) if c.startswith("loc:@") and c[5:] != op.name]
        if others:
            op._device = ""
            pairs.append((op, others))
    for op, others in pairs:
        devices = (graph._nodes_by_name[name].device for name in others if name in graph._nodes_by_name)
        op._device = next((d for d in devices if d), "")
