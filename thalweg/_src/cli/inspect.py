"""`thalweg inspect`: the nodes of a GraphDef file, without building a graph."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from thalweg._src.formats import protos


def show(path: Path, *, limit: int = 200, match: str = "") -> int:
    """Print the graph's nodes and a count of its ops; 0, or 2 when `path` holds no graph."""
    try:
        graph = read_graph(path)
    except (OSError, ValueError) as error:
        print(f"thalweg inspect: {error}", file=sys.stderr)
        return 2
    console = Console()
    nodes = [n for n in graph.node if match.lower() in n.name.lower() or match.lower() in n.op.lower()]
    shown = nodes if limit <= 0 else nodes[:limit]
    table = Table("name", "op", "inputs", "device", "attributes", show_edge=False, pad_edge=False)
    for node in shown:
        attributes = ", ".join(f"{k}={brief(v)}" for k, v in sorted(node.attr.items()) if not k.startswith("_"))
        table.add_row(*(plain(text) for text in (node.name, node.op, "\n".join(node.input), node.device, attributes)))
    console.print(table)
    if len(shown) < len(nodes):
        console.print(f"… {len(nodes) - len(shown)} more nodes; --limit 0 shows all", style="dim")
    counts = Counter(n.op for n in graph.node)
    console.print(f"\n{len(graph.node)} nodes, {len(counts)} kinds of op, made by version {graph.versions.producer}")
    console.print(", ".join(f"{op} {count}" for op, count in counts.most_common()), highlight=False)
    if graph.library.function:
        console.print(
            f"{len(graph.library.function)} functions: {', '.join(f.signature.name for f in graph.library.function)}"
        )
    return 0


def read_graph(path: Path) -> Any:
    """The GraphDef in `path`, binary or text, alone or inside a MetaGraphDef. ValueError if there is none."""
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError

    raw = path.read_bytes()
    for kind in (protos.GraphDef, protos.MetaGraphDef):
        message = kind()
        try:
            if path.suffix in (".pbtxt", ".txt"):
                text_format.Parse(raw.decode("utf-8"), message)
            else:
                message.ParseFromString(raw)
        except (DecodeError, text_format.ParseError, UnicodeDecodeError):
            continue
        graph = message if kind is protos.GraphDef else message.graph_def
        if len(graph.node):
            return graph
    raise ValueError(f"{path} holds no GraphDef with nodes: neither a graph nor a MetaGraphDef")


def brief(value: Any) -> str:
    """An attribute's value in a few characters: a dtype's name, a shape as [2,?], a tensor by dtype and shape."""
    kind = value.WhichOneof("value")
    if kind == "type":
        return dtype_name(value.type)
    if kind == "shape":
        return shape_text(value.shape)
    if kind == "tensor":
        return f"{dtype_name(value.tensor.dtype)}{shape_text(value.tensor.tensor_shape)}"
    if kind == "s":
        return value.s.decode("utf-8", "replace")
    if kind == "list":
        items = [brief_item(field.name, item) for field, held in value.list.ListFields() for item in held]
        return "[" + ",".join(items[:8]) + (",…" if len(items) > 8 else "") + "]"
    if kind == "func":
        return value.func.name
    return str(getattr(value, kind)) if kind else "?"


def brief_item(field: str, item: Any) -> str:
    if field == "type":
        return dtype_name(item)
    if field == "shape":
        return shape_text(item)
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def dtype_name(number: int) -> str:
    return protos.DataType.Name(number).removeprefix("DT_").lower()


def shape_text(shape: Any) -> str:
    if shape.unknown_rank:
        return "[…]"
    return "[" + ",".join("?" if d.size < 0 else str(d.size) for d in shape.dim) + "]"


def plain(text: str) -> str:
    """`text` with rich's markup brackets taken literally."""
    return text.replace("[", "\\[")
