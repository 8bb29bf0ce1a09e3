"""tensorflow.python.tools.freeze_graph: a graph and a checkpoint as one graph without variables."""

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph
from thalweg._src.core.graph_import import import_graph_def
from thalweg._src.formats import protos
from thalweg._src.lib import graph_io
from thalweg._src.lib.checkpoint_management import checkpoint_exists
from thalweg._src.lib.checkpoints import new_checkpoint_reader
from thalweg._src.lib.io import file_io
from thalweg._src.lib.saved_model import loader
from thalweg._src.lib.saver import Saver, import_meta_graph
from thalweg._src.lib.subgraphs import convert_variables_to_constants
from thalweg._src.ops.stateful import state
from thalweg._src.runtime.session import Session


def _read(path: str, kind: type, binary: bool) -> Any:
    if not file_io.file_exists(path):
        raise OSError(f"Input file '{path}' does not exist!")
    return graph_io.read_message(path, kind, as_text=not binary)


def _names(text: str | None) -> list[str] | None:
    return text.replace(" ", "").split(",") if text else None


def _restore(sess: Any, saver_def: Any, meta: Any, checkpoint: Any, folder: Any, tags: Any) -> None:
    """Give the variables of the session's graph their values."""
    if saver_def:
        Saver(saver_def=saver_def).restore(sess, checkpoint)
    elif meta:
        saver = import_meta_graph(meta, clear_devices=True)
        if saver is None:
            raise ValueError("No variables were found in this meta graph.")
        saver.restore(sess, checkpoint)
    elif folder:
        loader.load(sess, tags or [], folder)
    else:
        nodes = {op.name: op.outputs[0] for op in sess.graph.get_operations() if op.outputs}
        reader = new_checkpoint_reader(checkpoint)
        held = {name: nodes[name] for name in reader.get_variable_to_shape_map() if name in nodes}
        if not held:
            raise ValueError(
                "No variables were found in this model. It is likely the model was frozen previously. You cannot freeze a graph "
                "twice."
            )
        for name, tensor in held.items():
            put = state.assign_variable if tensor.dtype == dtypes.resource else state.assign
            sess.run(put(tensor, reader.get_tensor(name)))


def freeze_graph_with_def_protos(
    input_graph_def: Any,
    input_saver_def: Any,
    input_checkpoint: Any,
    output_node_names: str,
    restore_op_name: Any,
    filename_tensor_name: Any,
    output_graph: str | None,
    clear_devices: bool,
    initializer_nodes: str | None,
    variable_names_whitelist: str = "",
    variable_names_blacklist: str = "",
    input_meta_graph_def: Any = None,
    input_saved_model_dir: str | None = None,
    saved_model_tags: Any = None,
    checkpoint_version: Any = None,
) -> Any:
    """The GraphDef that `output_node_names` need, with constants for variables; written to `output_graph` too if that is given.

    Raises ValueError without a checkpoint, without names, and for a graph without variables.
    """
    if not input_saved_model_dir and not checkpoint_exists(input_checkpoint):
        raise ValueError(f"Input checkpoint '{input_checkpoint}' doesn't exist!")
    if not output_node_names:
        raise ValueError("You need to supply the name of a node to --output_node_names.")
    source = input_meta_graph_def.graph_def if input_meta_graph_def else input_graph_def
    if clear_devices and source is not None:
        for node in source.node:
            node.device = ""
    with Graph().as_default() as graph:
        if input_graph_def and not input_saved_model_dir:
            import_graph_def(input_graph_def, name="")
        with Session(graph=graph) as sess:
            _restore(
                *(sess, input_saver_def, input_meta_graph_def, input_checkpoint),
                *(input_saved_model_dir, saved_model_tags),
            )
            if initializer_nodes and not input_saver_def and not input_saved_model_dir:
                sess.run(_names(initializer_nodes))
            frozen = convert_variables_to_constants(
                sess,
                graph.as_graph_def() if source is None else source,
                _names(output_node_names) or [],
                variable_names_whitelist=_names(variable_names_whitelist),
                variable_names_blacklist=_names(variable_names_blacklist),
            )
    if output_graph:
        file_io.atomic_write_string_to_file(output_graph, frozen.SerializeToString())
    return frozen


def freeze_graph(
    input_graph: str | None,
    input_saver: str | None,
    input_binary: bool,
    input_checkpoint: Any,
    output_node_names: str,
    restore_op_name: Any,
    filename_tensor_name: Any,
    output_graph: str | None,
    clear_devices: bool,
    initializer_nodes: str | None,
    variable_names_whitelist: str = "",
    variable_names_blacklist: str = "",
    input_meta_graph: str | None = None,
    input_saved_model_dir: str | None = None,
    saved_model_tags: str = "serve",
    checkpoint_version: Any = None,
) -> Any:
    """`freeze_graph_with_def_protos` of files: a graph or a meta graph, as text or binary, or a SavedModel. Raises OSError for none."""
    kinds = {"graph": (input_graph, protos.GraphDef), "meta": (input_meta_graph, protos.MetaGraphDef)}
    read = {what: _read(path, kind, input_binary) if path else None for what, (path, kind) in kinds.items()}
    saver = _read(input_saver, protos.SaverDef, input_binary) if input_saver else None
    return freeze_graph_with_def_protos(
        *(read["graph"], saver, input_checkpoint, output_node_names, restore_op_name, filename_tensor_name),
        *(output_graph, clear_devices, initializer_nodes, variable_names_whitelist, variable_names_blacklist),
        *(read["meta"], input_saved_model_dir, _names(saved_model_tags)),
    )
