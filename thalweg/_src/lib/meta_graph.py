"""MetaGraphs: a graph with its collections, what saves its variables, and the ops that a reader must know."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from thalweg._src import version
from thalweg._src.core import graph_import, graphdef, scopes
from thalweg._src.core.collection_protos import conversion, register_proto_function
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.signatures import find_op
from thalweg._src.formats import protos
from thalweg._src.lib import graph_io
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.stateful.variables import Variable

_UNBOUND = "$unbound_inputs_"
_SAVE_AND_RESTORE = {"SaveV2", "Save", "SaveSlice", "RestoreV2", "Restore", "RestoreSlice"}
# The contexts of control flow by Switch and Merge, which our graphs have none of.
_UNREADABLE = {GraphKeys.COND_CONTEXT, GraphKeys.WHILE_CONTEXT}

for _key in (*dict.fromkeys(GraphKeys._VARIABLE_COLLECTIONS),):
    register_proto_function(
        _key,
        proto_type="VariableDef",
        to_proto=lambda v, export_scope=None: v.to_proto(export_scope),
        from_proto=lambda proto, import_scope=None: Variable.from_proto(proto, import_scope),
    )


# -- writing


def create_meta_graph_def(
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Iterable[str] | None = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: set[str] | None = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
) -> Any:
    """A MetaGraphDef of `graph_def` (or `graph`, or the default graph) with the collections of `graph`.

    Raises TypeError for arguments of other types.
    """
    if graph is not None and not isinstance(graph, Graph):
        raise TypeError(f"graph must be of type Graph, not {type(graph)}")
    for value, name in ((meta_info_def, "MetaInfoDef"), (saver_def, "SaverDef"), (graph_def, "GraphDef")):
        if value is not None and type(value).__name__ != name:
            raise TypeError(f"{name} expected, not {type(value)}")
    graph = graph or get_default_graph()
    meta = protos.MetaGraphDef()
    if meta_info_def is not None:
        meta.meta_info_def.MergeFromString(meta_info_def.SerializeToString())
    meta.meta_info_def.tensorflow_version = version.TENSORFLOW
    meta.meta_info_def.tensorflow_git_version = version.GIT_VERSION
    own = graph.as_graph_def(add_shapes=True) if graph_def is None else graph_import.as_graph_def(graph_def)
    meta.graph_def.CopyFrom(own)
    if not meta.meta_info_def.stripped_op_list.op:
        meta.meta_info_def.stripped_op_list.CopyFrom(stripped_op_list_for_graph(meta.graph_def))
    if strip_default_attrs:
        strip_graph_default_valued_attrs(meta)
    if saver_def is not None:
        meta.saver_def.MergeFromString(saver_def.SerializeToString())
    for key in graph.get_all_collection_keys() if collection_list is None else collection_list:
        override = None
        if clear_extraneous_savers and key == GraphKeys.SAVERS and saver_def is not None:
            override = [conversion(key).from_proto(saver_def)]  # type: ignore[misc]
        add_collection_def(meta, key, graph, export_scope, exclude_nodes, override)
    return meta


def ops_used_by_graph_def(graph_def: Any) -> list[str]:
    """The types of the ops in the graph and in its functions."""
    functions = {f.signature.name: f for f in graph_def.library.function}
    used: set[str] = set()
    waiting = [n.op for n in graph_def.node]
    while waiting:
        kind = waiting.pop()
        if kind not in used:
            used.add(kind)
            if kind in functions:
                waiting += [n.op for n in functions[kind].node_def]
    return [kind for kind in used if kind not in functions]


def stripped_op_list_for_graph(graph_def: Any) -> Any:
    """The schemas of the ops in the graph, by name. Raises ValueError for an op that nobody knows."""
    used = sorted(ops_used_by_graph_def(graph_def))
    for kind in used:
        if find_op(kind) is None:
            raise ValueError(f"Op {kind} is used by the graph, but is not registered")
    return protos.OpList(op=[graphdef.op_def(o) for o in map(find_op, used) if o is not None])


def strip_graph_default_valued_attrs(meta_graph_def: Any) -> None:
    """Take attrs that have their default values out of the nodes, so that older readers, who do not know them, can
    read.
    """
    functions = {f.signature.name for f in meta_graph_def.graph_def.library.function}
    nodes = [*meta_graph_def.graph_def.node]
    for f in meta_graph_def.graph_def.library.function:
        nodes += f.node_def
    for node in nodes:
        opdef = find_op(node.op)
        if node.op in functions or opdef is None:
            continue
        for attr in graphdef.op_def(opdef).attr:
            if attr.name in node.attr and attr.HasField("default_value") and node.attr[attr.name] == attr.default_value:
                del node.attr[attr.name]
    meta_graph_def.meta_info_def.stripped_default_attrs = True


def add_collection_def(
    meta_graph_def: Any,
    key: Any,
    graph: Graph | None = None,
    export_scope: str | None = None,
    exclude_nodes: set[str] | None = None,
    override_contents: list[Any] | None = None,
) -> None:
    """Add the collection `key` of `graph` to a MetaGraphDef; one whose items can't be written is left out, with a
    warning.

    Raises TypeError where `graph` is none.
    """
    if graph is not None and not isinstance(graph, Graph):
        raise TypeError(f"graph must be of type Graph, not {type(graph)}")
    if not isinstance(key, str | bytes):
        log.warning("Only collections with string type keys will be serialized. This key has %s", type(key))
        return
    graph = graph or get_default_graph()
    items = override_contents or graph.get_collection(key)
    items = [x for x in items if _belongs(getattr(x, "name", x), x, export_scope, exclude_nodes)]
    if not items or key in _UNREADABLE:
        return
    try:
        collection = protos.CollectionDef()
        _fill_collection(collection, key, items, export_scope)
        meta_graph_def.collection_def[key].CopyFrom(collection)
    except (AttributeError, TypeError, ValueError, AssertionError, NotImplementedError) as error:
        log.warning(
            "Issue encountered when serializing %s.\nType is unsupported, or the types of the items don't match field "
            "type in CollectionDef. Note this is a warning and probably safe to ignore.\n%s",
            key,
            error,
        )


def _fill_collection(collection: Any, key: str, items: list[Any], export_scope: str | None) -> None:
    known = conversion(key)
    if known.to_proto is not None:
        for x in items:
            proto = known.to_proto(x, export_scope=export_scope)
            if proto is not None:
                collection.bytes_list.value.append(proto.SerializeToString())
        return
    first = items[0]
    if isinstance(first, str | bytes):
        collection.bytes_list.value.extend(x.encode() if isinstance(x, str) else x for x in items)
    elif isinstance(first, int):
        collection.int64_list.value.extend(items)
    elif isinstance(first, float):
        collection.float_list.value.extend(items)
    elif type(first).__name__ == "Any" and hasattr(first, "type_url"):
        for x in items:
            collection.any_list.value.add().MergeFromString(x.SerializeToString())
    else:
        collection.node_list.value.extend(
            scopes.strip_name_scope(x.name, export_scope)
            for x in items
            if not export_scope or x.name.startswith(export_scope)
        )


def _belongs(name: Any, item: Any, export_scope: str | None, exclude: set[str] | None) -> bool:
    """Whether a node, or an item of a collection, is part of what is exported."""
    if not isinstance(name, str) or (not isinstance(item, str) and not hasattr(item, "name")):
        return True
    if exclude and (name in exclude or name.partition(":")[0] in exclude):
        return False
    return not export_scope or name.startswith((_UNBOUND, export_scope))


def _exported_node(node: Any, export_scope: str | None, unbound: list[str], clear_devices: bool) -> Any:
    """A copy of a NodeDef with the names that it has outside of `export_scope`; inputs from elsewhere are marked."""
    out = protos.NodeDef()
    out.CopyFrom(node)
    for i, text in enumerate(node.input):
        if export_scope and not text.lstrip("^").startswith(export_scope):
            out.input[i] = re.sub(r"([\^]|^)(.*)", r"\1" + re.escape(_UNBOUND).replace("\\", "") + r"\2", text)
            unbound.append(out.input[i])
        else:
            out.input[i] = scopes.strip_name_scope(text, export_scope)
    out.name = scopes.strip_name_scope(node.name, export_scope)
    if "_class" in node.attr:
        groups = [s for s in node.attr["_class"].list.s if not export_scope or _in_scope(s, export_scope)]
        out.attr["_class"].list.ClearField("s")
        out.attr["_class"].list.s.extend(scopes.strip_name_scope(s.decode(), export_scope).encode() for s in groups)
    if node.op in ("Enter", "RefEnter") and "frame_name" in node.attr:
        out.attr["frame_name"].s = scopes.strip_name_scope(node.attr["frame_name"].s.decode(), export_scope).encode()
    if clear_devices:
        out.device = ""
    return out


def _in_scope(group: bytes, export_scope: str) -> bool:
    return group.decode().partition("@")[2].startswith(export_scope)


def _extraneous_saver_nodes(graph_def: Any, saver_def: Any) -> set[str]:
    """The nodes of savers other than that of `saver_def`: whatever shares a name scope with a save or restore op."""

    def scope_of(name: str) -> str:
        return name.lstrip("^").rpartition("/")[0]

    kept = set()
    if saver_def is not None:
        for name in (saver_def.save_tensor_name, saver_def.restore_op_name):
            kept.add(scope_of(name.partition(":")[0]) + "/")
    names = {n.name for n in graph_def.node if n.op in _SAVE_AND_RESTORE}
    extra = {s + "/" for s in {scope_of(n) for n in names} - names} - kept
    return {n.name for n in graph_def.node if any(n.name.startswith(s) for s in extra)}


def export_scoped_meta_graph(
    filename: Any = None,
    graph_def: Any = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    as_text: bool = False,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    clear_devices: bool = False,
    saver_def: Any = None,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **kwargs: Any,
) -> tuple[Any, dict[str, Variable]]:
    """A MetaGraphDef of what is below `export_scope`, and its variables by their new names.

    Inputs from outside of the scope get names that begin with $unbound_inputs_; the collection
    `unbound_inputs_col_name` lists them.
    """
    graph = graph or get_default_graph()
    exclude: set[str] | None = None
    unbound: list[str] = []
    if export_scope or clear_extraneous_savers or clear_devices:
        source = graph.as_graph_def(add_shapes=True) if graph_def is None else graph_import.as_graph_def(graph_def)
        exported = protos.GraphDef(versions=source.versions, library=source.library)
        if clear_extraneous_savers:
            exclude = _extraneous_saver_nodes(source, saver_def)
        exported.node.extend(
            _exported_node(n, export_scope, unbound, clear_devices)
            for n in source.node
            if _belongs(n.name, n.name, export_scope, exclude)
        )
        graph_def = exported
        if unbound_inputs_col_name:
            graph._collections.pop(unbound_inputs_col_name, None)
            for name in unbound:
                graph.get_collection_ref(unbound_inputs_col_name).append(name)
    variables = {
        scopes.strip_name_scope(v.name, export_scope): v
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=export_scope)
        if _belongs(v.name, v, export_scope, exclude)
    }
    meta = create_meta_graph_def(
        graph_def=graph_def,
        graph=graph,
        export_scope=export_scope,
        exclude_nodes=exclude,
        clear_extraneous_savers=clear_extraneous_savers,
        saver_def=saver_def,
        strip_default_attrs=strip_default_attrs,
        **kwargs,
    )
    if filename:
        folder, name = os.path.split(os.fspath(filename))
        graph_io.write_graph(meta, folder or ".", name, as_text=as_text)
    return meta, variables


# -- reading


def read_meta_graph_file(filename: Any) -> Any:
    """The MetaGraphDef in a file, binary or text. Raises OSError for what can't be read."""
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError

    if not file_io.file_exists(filename):
        raise OSError(f"File {filename} does not exist.")
    data = file_io.read_file_to_string(filename, binary_mode=True)
    try:
        return protos.MetaGraphDef.FromString(data)
    except DecodeError:
        pass
    try:
        return text_format.Merge(data.decode(), protos.MetaGraphDef())
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise OSError(f"Cannot parse file {filename}: {error}.") from None


def import_scoped_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Any = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
) -> dict[str, Variable]:
    """Add a MetaGraph to the graph, with its collections; gives its variables by their names in the MetaGraph."""
    return import_scoped_meta_graph_with_return_elements(
        meta_graph_or_file,
        clear_devices,
        graph,
        import_scope,
        input_map,
        unbound_inputs_col_name,
        restore_collections_predicate,
    )[0]


def import_scoped_meta_graph_with_return_elements(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Any = None,
    unbound_inputs_col_name: str | None = "unbound_inputs",
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
    return_elements: Any = None,
) -> tuple[dict[str, Variable], Any]:
    """`import_scoped_meta_graph`, with the tensors and operations that `return_elements` names.

    Raises ValueError where the MetaGraph has unbound inputs and `input_map` does not give exactly those.
    """
    meta = as_meta_graph_def(meta_graph_or_file)
    if unbound_inputs_col_name and unbound_inputs_col_name in meta.collection_def:
        _check_bound(meta.collection_def[unbound_inputs_col_name], input_map)
    graph = graph or get_default_graph()
    with graph.as_default():
        definition = meta.graph_def
        if clear_devices:
            definition = protos.GraphDef.FromString(definition.SerializeToString())
            for node in definition.node:
                node.device = ""
        scope = graph.unique_name(import_scope or "", mark_as_used=False)
        info = meta.meta_info_def
        elements = graph_import.import_graph_def(
            definition,
            name=import_scope or scope,
            input_map=input_map,
            producer_op_list=info.stripped_op_list if info.HasField("stripped_op_list") else None,
            return_elements=return_elements,
        )
        _restore_collections(graph, meta, scope, unbound_inputs_col_name, restore_collections_predicate)
        variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=scope)
        return {scopes.strip_name_scope(v.name, scope): v for v in variables}, elements


def as_meta_graph_def(value: Any) -> Any:
    """A MetaGraphDef of ours, from one, one of another protobuf pool, or a file."""
    if isinstance(value, protos.MetaGraphDef):
        return value
    if type(value).__name__ == "MetaGraphDef" and hasattr(value, "SerializeToString"):
        return protos.MetaGraphDef.FromString(value.SerializeToString())
    return read_meta_graph_file(value)


def _check_bound(collection: Any, input_map: Any) -> None:
    names = [v.decode() for v in getattr(collection, collection.WhichOneof("kind")).value]
    if names and (not input_map or sorted(names) != sorted(input_map)):
        missing = ",".join(v for v in names if not input_map or v not in input_map)
        raise ValueError(f"Graph contains unbound inputs: {missing}. Must provide these inputs through input_map.")


def _restore_collections(
    graph: Graph, meta: Any, scope: str, skip: str | None, predicate: Callable[[str], bool]
) -> None:
    # Before TensorFlow 1.9, a VariableDef did not say whether the variable is trained; the collection tells.
    tells_trainable = not meta.meta_info_def.tensorflow_version or _version(meta) >= (1, 9)
    made: dict[bytes, Variable] = {}
    trainable = GraphKeys.TRAINABLE_VARIABLES
    for key in sorted(meta.collection_def, key=lambda k: (k != trainable, k)):
        collection = meta.collection_def[key]
        if key == skip or key in _UNREADABLE or not predicate(key):
            continue
        kind = collection.WhichOneof("kind")
        if kind is None:
            log.error("Cannot identify data type for collection %s. Skipping.", key)
            continue
        known = conversion(key)
        for value in getattr(collection, kind).value:
            if known.from_proto is not None and kind == "bytes_list":
                item = made.get(value) if key in GraphKeys._VARIABLE_COLLECTIONS else None
                if item is None:
                    proto = known.proto_type.FromString(value)
                    if key in GraphKeys._VARIABLE_COLLECTIONS and not tells_trainable:
                        proto.trainable = key == trainable
                    item = made[value] = known.from_proto(proto, import_scope=scope)
            elif kind == "node_list":
                item = graph.as_graph_element(scopes.prepend_name_scope(value, scope))
            elif kind == "bytes_list":
                item = _named(value, scope)
            else:
                item = value
            graph.add_to_collection(key, item)


def _named(value: bytes, scope: str) -> Any:
    try:
        return scopes.prepend_name_scope(value.decode(), scope).encode() if scope else value
    except UnicodeDecodeError:
        return value


def _version(meta: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", meta.meta_info_def.tensorflow_version)[:2])


def copy_scoped_meta_graph(
    from_scope: str, to_scope: str, from_graph: Graph | None = None, to_graph: Graph | None = None
) -> dict[str, Variable]:
    """Copy what is below `from_scope` to `to_scope`, of the same graph or another.

    Raises ValueError where both are the same place.
    """
    from_graph, to_graph = from_graph or get_default_graph(), to_graph or get_default_graph()
    if from_graph is to_graph and from_scope == to_scope:
        raise ValueError("'from_scope' and 'to_scope' need to be different when performing copy in the same graph.")
    meta, _ = export_scoped_meta_graph(export_scope=from_scope, graph=from_graph)
    return import_scoped_meta_graph(meta, graph=to_graph, import_scope=to_scope)
