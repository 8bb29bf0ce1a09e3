"""A GraphDef's nodes as operations of a graph."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg._src.core import build, dtypes, import_places, shapes
from thalweg._src.core.attr_protos import attr_from_proto
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph
from thalweg._src.core.later_ops import without_hints
from thalweg._src.core.opdef import OPS, OpDef
from thalweg._src.core.signatures import find_op
from thalweg._src.formats import protos
from thalweg._src.version import GRAPH_DEF_VERSION, GRAPH_DEF_VERSION_MIN_PRODUCER, TENSORFLOW


def as_graph_def(value: Any) -> Any:
    """`value` as a GraphDef of ours: one of another protobuf pool (an installed TensorFlow's) is carried over as bytes."""
    if isinstance(value, protos.GraphDef):
        return value
    if type(value).__name__ == "GraphDef" and hasattr(value, "SerializeToString"):
        return protos.GraphDef.FromString(value.SerializeToString())
    raise TypeError("graph_def must be a GraphDef proto.")


def import_graph_def(
    graph_def: Any,
    input_map: Mapping[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> list[Any] | None:
    """Add the nodes of `graph_def` to the default graph, below the name scope `name` ('import' unless given; '' for none).

    `input_map` replaces inputs by tensors of the default graph. Returns the tensors and operations named in
    `return_elements`. Raises ValueError for nodes that can't be: unknown ops, missing inputs, types that do not match; the
    graph is then as it was.
    """
    proto = as_graph_def(graph_def)
    mapped = _checked_map(input_map, name)
    wanted = _checked_elements(return_elements)
    graph = get_default_graph()
    importer = Importer(graph, proto, mapped, producer_op_list)
    importer.check()
    importer.check_colocations()
    if name == "":
        prefix = ""
        importer.run(prefix)
    else:
        with graph.name_scope(name or "import") as scope:
            prefix = scope
            importer.run(prefix)
    if wanted is None:
        return None
    return [importer.element(e) for e in wanted]


def _checked_map(input_map: Mapping[Any, Any] | None, name: str | None) -> dict[str, Any]:
    if input_map is None:
        return {}
    if not isinstance(input_map, Mapping) or not all(isinstance(k, str | bytes) for k in input_map):
        raise TypeError("input_map must be a dictionary mapping strings to Tensor objects.")
    if name == "" and not all(isinstance(v, Tensor | Operation) for v in input_map.values()):
        raise ValueError(
            "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor values. Try calling "
            "tf.convert_to_tensor() on `input_map` values before calling tf.import_graph_def()."
        )
    from thalweg._src.core.convert import to_tensor

    return {
        k.decode() if isinstance(k, bytes) else k: v if isinstance(v, Tensor | Operation) else to_tensor(v)
        for k, v in input_map.items()
    }


def _checked_elements(elements: Sequence[str] | None) -> list[str] | None:
    if elements is None:
        return None
    elements = list(elements)
    if not all(isinstance(e, str | bytes) for e in elements):
        raise TypeError("return_elements must be a list of strings.")
    names = [e.decode() if isinstance(e, bytes) else e for e in elements]
    for name in names:
        if name.count(":") > 1:
            raise ValueError(f"Cannot convert {name!r} to a tensor name.")
    return names


# Producers older than this wrote a placeholder of unknown shape as one of shape [].
_SHAPED_PLACEHOLDERS = 24


# Attrs that later versions of TensorFlow write for their optimizer (into gradients) or their messages alone.
_HINTS = frozenset(["grad_a", "grad_b", "grad_x", "grad_y", "debug_name"])
# Attrs that ops of 1.x have had since, where not zero keeps to what they did before.
_LATER: dict[str, Any] = {
    **dict.fromkeys(["shape_type", "Tsegmentids", "Tk", "index_type"], dtypes.int32.as_datatype_enum),
    **dict.fromkeys(["Treal", "dtype"], dtypes.float32.as_datatype_enum),
    "Tcomplex": dtypes.complex64.as_datatype_enum,
    **dict.fromkeys(["exponential_avg_factor", "num_groups", "logits_dimension"], 1),
    **dict.fromkeys(["axis", "blank_index"], -1),
    **dict.fromkeys(["use_default_device", "reshuffle_each_iteration"], True),
}


class Importer:
    """Adds the nodes of one GraphDef to a graph."""

    def __init__(self, graph: Graph, proto: Any, mapped: dict[str, Any], producer_op_list: Any):
        self.graph, self.proto, self.mapped = graph, without_hints(proto), mapped
        self.nodes = {n.name: n for n in self.proto.node}
        self.made: dict[str, Operation] = {}
        self.used: set[str] = set()
        self.names: dict[str, str] = {}  # in the graph
        self.version = proto.versions.producer
        self.producer = {o.name: o for o in producer_op_list.op} if producer_op_list is not None else {}

    # -- before anything is added

    def check(self) -> None:
        """Everything that can be wrong with the nodes by themselves."""
        self._check_version()
        if len(self.nodes) != len(self.proto.node):
            seen: set[str] = set()
            twice = next(n.name for n in self.proto.node if n.name in seen or seen.add(n.name))  # type: ignore[func-returns-value]
            raise ValueError(f"Node '{twice}' is not unique")
        for node in self.proto.node:
            opdef = find_op(node.op)
            if opdef is None and node.op not in {f.signature.name for f in self.proto.library.function}:
                raise ValueError(
                    f"Op type not registered '{node.op}' in thalweg: node '{node.name}' can't be imported."
                )
            if opdef is not None and opdef.removed_in is not None and opdef.removed_in <= self.version:
                raise ValueError(
                    f"Op {node.op} is not available in GraphDef version {self.version}. "
                    f"It has been removed in version {opdef.removed_in}."
                )
            data_ended = False
            for text in node.input:
                key, index = _split(text)
                if text.startswith("^"):
                    data_ended = True
                elif data_ended:
                    raise ValueError(f"Node '{node.name}': Non-control input '{text}' after control input.")
                if text in self.mapped or key in self.mapped:
                    continue
                if key not in self.nodes:
                    raise ValueError(f"Node '{node.name}': Unknown input node '{text}'")
        self.order = self._order()

    def check_colocations(self) -> None:
        """Whether what nodes are colocated with is there. In a function it need not be."""
        for node in self.proto.node:
            for group in node.attr["_class"].list.s if "_class" in node.attr else ():
                other = group.decode().removeprefix("loc:@")
                if group.startswith(b"loc:@") and other not in self.nodes:
                    raise ValueError(f"Node '{node.name}' expects to be colocated with unknown node '{other}'")

    def _check_version(self) -> None:
        versions = self.proto.versions
        if versions.producer < GRAPH_DEF_VERSION_MIN_PRODUCER:
            raise ValueError(
                f"GraphDef producer version {versions.producer} below min producer {GRAPH_DEF_VERSION_MIN_PRODUCER} supported by "
                f"TensorFlow {TENSORFLOW}.  Please regenerate your graph."
            )
        if versions.min_consumer > GRAPH_DEF_VERSION:
            raise ValueError(
                f"GraphDef min consumer version {versions.min_consumer} above current version {GRAPH_DEF_VERSION} for TensorFlow "
                f"{TENSORFLOW}.  Please upgrade TensorFlow."
            )

    def _order(self) -> list[Any]:
        at = {n.name: i for i, n in enumerate(self.proto.node)}
        waits: dict[str, int] = {}
        followers: dict[str, list[str]] = {n: [] for n in at}
        for node in self.proto.node:
            before = set()
            for text in node.input:
                key = _split(text)[0]
                if text in self.mapped or key in self.mapped or self._closes_loop(node, key):
                    continue
                before.add(key)
            before |= {name for name in self._calls_of(node) if name in at}
            waits[node.name] = len(before)
            for b in before:
                followers[b].append(node.name)
        ready = [at[n] for n, w in waits.items() if w == 0]
        heapq.heapify(ready)
        out = []
        while ready:
            node = self.proto.node[heapq.heappop(ready)]
            out.append(node)
            for f in followers[node.name]:
                waits[f] -= 1
                if waits[f] == 0:
                    heapq.heappush(ready, at[f])
        if len(out) < len(at):
            raise ValueError("Graph contains a cycle: " + ", ".join(sorted(n for n, w in waits.items() if w)[:5]))
        return out

    def _calls_of(self, node: Any) -> set[str]:
        """The operations whose calls a node differentiates."""
        from thalweg._src.core import calls

        if node.op not in OPS or OPS[node.op].forward_of is None:
            return set()
        names = {calls.operation_named(attr.func) for attr in node.attr.values() if attr.HasField("func")}
        return {name for name in names if name is not None}

    def _closes_loop(self, node: Any, producer: str) -> bool:
        opdef = find_op(self.nodes[producer].op) if producer in self.nodes else None
        return opdef is not None and opdef.back_edge and producer != node.name

    # -- adding

    def run(self, prefix: str) -> None:
        graph = self.graph
        for function in self.proto.library.function:
            graph._functions.setdefault(function.signature.name, function)
        start, by_name, names = len(graph._ops), dict(graph._nodes_by_name), dict(graph._names_in_use)
        next_id = graph._next_id
        self.names = import_places.free_names(graph, self.nodes, prefix)
        try:
            late = []
            for node in self.order:
                late += self._add(node)
            for op, i, text in late:
                op._update_input(i, self._tensor(text, op.name))
            import_places.colocate(graph, self.made.values())
        except Exception:
            # A graph that can't be imported leaves no nodes behind.
            for op in graph._ops[start:]:
                for t in op._inputs:
                    t._consumers = [c for c in t._consumers if c is not op]
            del graph._ops[start:]
            graph._nodes_by_name, graph._names_in_use, graph._next_id = by_name, names, next_id
            raise
        graph._import_versions(self.proto.versions)
        missing = [k for k in self.mapped if k not in self.used and not self._is_there(k)]
        if missing:
            raise ValueError("Attempted to map inputs that were not found in graph_def: [" + ", ".join(missing) + "]")

    def _is_there(self, text: str) -> bool:
        """Whether the graph has the node or the output, used or not."""
        key, index = _split(text)
        return key in self.made and (text.startswith("^") or index < len(self.made[key].outputs))

    def _add(self, node: Any) -> list[tuple[Operation, int, str]]:
        opdef = find_op(node.op)
        assert opdef is not None
        attrs = self._attrs(node, opdef)
        inputs: list[Tensor] = []
        controls: list[Operation] = []
        late = []
        for i, text in enumerate(node.input):
            if text.startswith("^"):
                control = self._control(text)
                if control not in controls:
                    controls.append(control)
            elif (
                self._closes_loop(node, _split(text)[0])
                and _split(text)[0] not in self.made
                and text not in self.mapped
            ):
                inputs.append(inputs[0])  # stands in until the loop is closed
                late.append((i, text))
            else:
                inputs.append(self._tensor(text, node.name))
        if opdef.bodies is not None or opdef.wants_ctx:
            self._instantiate(opdef, attrs, inputs)
        declared = {k: v for k, v in attrs.items() if k in opdef.attrs}
        try:
            build.complete_attrs(opdef, inputs, declared)
            op_name = self.names[node.name]
            _check_inputs(opdef, inputs, declared, op_name)
            self.graph._names_in_use.setdefault(op_name.lower(), 1)
            op = build.add_node(
                self.graph,
                opdef,
                inputs,
                attrs | declared,
                op_name,
                control_inputs=controls,
                device=node.device or None,
            )
        except (ValueError, TypeError) as error:
            raise ValueError(f"Node '{node.name}' ({node.op}) can't be imported: {error}") from None
        self.made[node.name] = op
        shaped = attrs.pop("_output_shapes", None)
        if shaped:
            op._attrs.pop("_output_shapes", None)
            for t, dims in zip(op.outputs, shaped, strict=False):
                merged = shapes.merge(t.dims, dims)
                if merged is not False:
                    t._dims = merged
                elif not t.dtype.is_on_host and t.dtype.base_dtype._name != "resource":  # handles had other shapes once
                    told = f"{shapes.text(t.dims)} and {shapes.text(dims)}"
                    raise ValueError(
                        f"Node '{node.name}' has an _output_shapes attribute inconsistent with the GraphDef for output "
                        f"#{t.value_index}: {told}."
                    )
        return [(op, i, text) for i, text in late]

    def _instantiate(self, opdef: OpDef, attrs: dict[str, Any], inputs: list[Tensor]) -> None:
        """Attrs that name functions of the library become their graphs."""
        from thalweg._src.core import calls, functions

        def body(value: Any) -> Any:
            proto = self.graph._functions.get(getattr(value, "name", None))  # type: ignore[arg-type]
            if proto is None:
                if opdef.forward_of is None or not hasattr(value, "attr"):
                    return value
                return calls.from_proto(value, self.made, lambda called, own: self._instantiate(called, own, inputs))
            if opdef.bodies is None:  # the host calls it, on values of any shape; its names are its own
                names, self.graph._names_in_use = self.graph._names_in_use, {}
                try:
                    return functions.instantiate(proto, self.graph)
                finally:
                    self.graph._names_in_use = names
            count = len(proto.signature.input_arg)
            dims = list(attrs.get("output_shapes") or ())
            if len(dims) != count:  # what a loop begins with need not be what it goes on with
                dims = [] if opdef.hands_on else [t.dims for t in inputs[len(inputs) - count :]]
            return functions.instantiate(proto, self.graph, dims)

        for key, value in attrs.items():
            kind = opdef.attrs[key].kind if key in opdef.attrs else ""
            if kind == "func":
                attrs[key] = body(value)
            elif kind == "list(func)":
                attrs[key] = [body(v) for v in value]

    def _attrs(self, node: Any, opdef: OpDef) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, proto in node.attr.items():
            declared = opdef.attrs.get(name)
            if declared is None and name in _HINTS:
                continue
            if declared is None and not name.startswith("_"):
                if not self._is_producer_default(node, name, proto):
                    raise ValueError(
                        f"Node '{node.name}': NodeDef mentions attr '{name}' not in Op<name={node.op}>. Check whether the "
                        "GraphDef was written by a newer TensorFlow."
                    )
                continue
            value = attr_from_proto(proto)
            if declared is not None:
                if value is None and declared.kind != "shape":
                    continue
                value = (
                    build.check_attr(opdef, declared, [] if value is None and "list" in declared.kind else value)
                    if (value is not None)
                    else None
                )
            out[name] = value
        if node.op == "Placeholder" and out.get("shape") == () and self.version < _SHAPED_PLACEHOLDERS:
            out["shape"] = None
        if "_class" in out:
            out["_class"] = [
                "loc:@" + self.names.get(c[5:], c[5:]) if c.startswith("loc:@") else c for c in out["_class"]
            ]
        return out

    def _is_producer_default(self, node: Any, name: str, proto: Any) -> bool:
        """Attrs that this version does not know are dropped where they hold the default of the graph's producer."""
        theirs = self.producer.get(node.op)
        for a in theirs.attr if theirs is not None else ():
            if a.name == name:
                return a.HasField("default_value") and a.default_value.SerializeToString() == proto.SerializeToString()
        # Without the producer's list: an attr at its zero value changes nothing.
        which = proto.WhichOneof("value")
        if name in _LATER:
            return getattr(proto, which) == _LATER[name]
        if which in ("b", "i", "f", "s"):
            return not getattr(proto, which)
        return which == "list" and not proto.list.ByteSize()

    def _tensor(self, text: str, node_name: str) -> Tensor:
        key, index = _split(text)
        for form in (text, f"{key}:{index}", key if index == 0 else None):
            if form is not None and form in self.mapped:
                self.used.add(form)
                return self.mapped[form]
        op = self.made[key]
        if index >= len(op.outputs):
            raise ValueError(
                f"Node '{node_name}': Connecting to invalid output {index} of source node {key} which has {len(op.outputs)} outputs."
            )
        return op.outputs[index]

    def _control(self, text: str) -> Operation:
        if text in self.mapped:
            self.used.add(text)
            mapped = self.mapped[text]
            return mapped.op if isinstance(mapped, Tensor) else mapped
        return self.made[text[1:]]

    def element(self, text: str) -> Any:
        """A tensor ('a:0') or operation ('a') of the imported nodes."""
        if ":" in text:
            key, index = _split(text)
            if text in self.mapped:
                self.used.add(text)
                return self.mapped[text]
            if key not in self.made:
                raise ValueError(f"Requested return tensor '{text}' not found in graph def")
            if index >= len(self.made[key].outputs):
                raise ValueError(
                    f"Invalid return output {index} of node '{key}', which has {len(self.made[key].outputs)} output(s)"
                )
            return self.made[key].outputs[index]
        if text not in self.made:
            raise ValueError(f"Requested return node '{text}' not found in graph def")
        return self.made[text]


def _split(text: str) -> tuple[str, int]:
    """'a:1' -> ('a', 1); 'a' and '^a' -> ('a', 0)."""
    text = text.lstrip("^")
    name, _, index = text.rpartition(":")
    return (name, int(index)) if name and index.isdigit() else (text, 0)


def _check_inputs(opdef: OpDef, inputs: Sequence[Tensor], attrs: dict[str, Any], name: str) -> None:
    at = 0
    for arg in opdef.inputs:
        count = 1 if arg.kind == "one" else attrs[arg.number] if arg.kind == "many" else len(attrs[arg.types])
        for j in range(count):
            tensor = inputs[at + j]
            want = (
                attrs[arg.types][j]
                if arg.kind == "mixed"
                else arg.dtype
                if arg.dtype is not None
                else attrs[arg.type_attr.name]  # type: ignore[union-attr]
            )
            if tensor.dtype.base_dtype != want.base_dtype:
                raise ValueError(
                    f"Input {at + j} of node {name} was passed {tensor.dtype.base_dtype.cpp_name} from {tensor.name} "
                    f"incompatible with expected {want.cpp_name}."
                )
            if arg.ref and not tensor.dtype._is_ref_dtype:
                raise ValueError(
                    f"Input {at + j} of node {name} was passed {tensor.dtype.cpp_name} from {tensor.name} incompatible with expected "
                    f"{want.cpp_name}_ref."
                )
        at += count
