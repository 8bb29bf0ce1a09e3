"""Loading SavedModels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import errors, scopes
from thalweg._src.core.graph import Graph, Operation, get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib import saver as savers
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saved_model import constants
from thalweg._src.lib.saving.saveables import all_saveable_objects
from thalweg._src.lib.scaffold import tables_initializer
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import variable_lists


def parse_saved_model(export_dir: Any) -> Any:
    """The SavedModel message in a folder. Raises OSError where there is none, or it can't be read."""
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError

    folder = os.fsdecode(export_dir)
    binary = os.path.join(folder, constants.SAVED_MODEL_FILENAME_PB)
    text = os.path.join(folder, constants.SAVED_MODEL_FILENAME_PBTXT)
    try:
        if file_io.file_exists(binary):
            return protos.SavedModel.FromString(file_io.read_file_to_string(binary, binary_mode=True))
        if file_io.file_exists(text):
            return text_format.Parse(file_io.read_file_to_string(text), protos.SavedModel())
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {binary if file_io.file_exists(binary) else text}: {error}.") from None
    raise OSError(
        f"SavedModel file does not exist at: {folder}/{{{constants.SAVED_MODEL_FILENAME_PBTXT}|"
        f"{constants.SAVED_MODEL_FILENAME_PB}}}"
    )


def maybe_saved_model_directory(export_dir: Any) -> bool:
    """Whether the folder holds a SavedModel."""
    folder = os.fsdecode(export_dir)
    names = (constants.SAVED_MODEL_FILENAME_PBTXT, constants.SAVED_MODEL_FILENAME_PB)
    return any(file_io.file_exists(os.path.join(folder, name)) for name in names)


def load(sess: Any, tags: Sequence[str], export_dir: Any, import_scope: str | None = None, **saver_kwargs: Any) -> Any:
    """Load the MetaGraph with exactly these tags into the graph of `sess`, and its variables into `sess`.

    Gives the MetaGraphDef, whose signatures tell the names of tensors. Raises RuntimeError where no MetaGraph has
    the tags.
    """
    return SavedModelLoader(export_dir).load(sess, tags, import_scope, **saver_kwargs)


class SavedModelLoader:
    """Loads a SavedModel step by step."""

    def __init__(self, export_dir: Any):
        self._export_dir = os.fsdecode(export_dir)
        self._saved_model = parse_saved_model(export_dir)

    @property
    def export_dir(self) -> str:
        return self._export_dir

    @property
    def variables_path(self) -> str:
        return os.path.join(self._export_dir, constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME)

    @property
    def saved_model(self) -> Any:
        return self._saved_model

    def get_meta_graph_def_from_tags(self, tags: Sequence[str]) -> Any:
        """The MetaGraphDef with exactly these tags."""
        available = [set(meta.meta_info_def.tags) for meta in self._saved_model.meta_graphs]
        for meta, own in zip(self._saved_model.meta_graphs, available, strict=True):
            if own == set(tags):
                return meta
        raise RuntimeError(
            f"MetaGraphDef associated with tags {str(tags).strip('[]')} could not be found in SavedModel. To inspect "
            "available tag-sets in the SavedModel, please use the SavedModel CLI: `saved_model_cli`"
            f"\navailable_tags: {available}"
        )

    def load_graph(self, graph: Graph, tags: Sequence[str], import_scope: str | None = None, **kwargs: Any) -> Any:
        """Add the MetaGraph to `graph`; gives its saver, and the elements that `return_elements` names."""
        meta = self.get_meta_graph_def_from_tags(tags)
        with graph.as_default():
            return savers.import_with_return_elements(meta, import_scope=import_scope, **kwargs)

    def restore_variables(self, sess: Any, saver: Any, import_scope: str | None = None) -> None:
        """Put the saved values into the variables of `sess`. Raises ValueError for variables without a saver."""
        with sess.graph.as_default():
            if saver is None and not all_saveable_objects(scope=import_scope):
                log.info("The specified SavedModel has no variables; no checkpoints were restored.")
            elif isinstance(saver, savers.Saver):
                saver.restore(sess, self.variables_path)
            else:
                raise ValueError(
                    "No tf.train.Saver object was passed to the function SavedModelLoader.restore_variables. Since "
                    "there "
                    "are variables in the graph, a saver is required."
                )

    def run_init_ops(self, sess: Any, tags: Sequence[str], import_scope: str | None = None) -> None:
        """Run what the model wants to be run after loading, with its assets."""
        meta = self.get_meta_graph_def_from_tags(tags)
        with sess.graph.as_default():
            init_op = get_init_op(meta, import_scope)
            if init_op is not None:
                sess.run([init_op], feed_dict=get_asset_tensors(self._export_dir, meta, import_scope))

    def load(self, sess: Any, tags: Sequence[str], import_scope: str | None = None, **saver_kwargs: Any) -> Any:
        """All of it."""
        with sess.graph.as_default():
            saver, _ = self.load_graph(sess.graph, tags, import_scope, **saver_kwargs)
            self.restore_variables(sess, saver, import_scope)
            self.run_init_ops(sess, tags, import_scope)
        return self.get_meta_graph_def_from_tags(tags)


def get_asset_tensors(export_dir: Any, meta_graph_def: Any, import_scope: str | None = None) -> dict[str, bytes]:
    """{name of a tensor: path of the file that it should name now}."""
    assets = list(meta_graph_def.asset_file_def)
    if not assets and constants.ASSETS_KEY in meta_graph_def.collection_def:
        packed = meta_graph_def.collection_def[constants.ASSETS_KEY].any_list.value
        assets = [protos.AssetFileDef.FromString(p.value) for p in packed]
    folder = os.path.join(os.fsdecode(export_dir), constants.ASSETS_DIRECTORY)
    prefix = f"{import_scope}/" if import_scope else ""
    return {prefix + a.tensor_info.name: os.path.join(folder, a.filename).encode() for a in assets}


def get_init_op(meta_graph_def: Any, import_scope: str | None = None) -> Any:
    """The operation to run after loading, or None."""
    found = _op_of_signature(meta_graph_def, constants.INIT_OP_SIGNATURE_KEY, import_scope)
    for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
        if found is None:
            found = _op_of_collection(meta_graph_def, key)
    return found


def get_train_op(meta_graph_def: Any, import_scope: str | None = None) -> Any:
    """The operation that trains, or None."""
    found = _op_of_signature(meta_graph_def, constants.TRAIN_OP_SIGNATURE_KEY, import_scope)
    return _op_of_collection(meta_graph_def, constants.TRAIN_OP_KEY) if found is None else found


def _op_of_collection(meta_graph_def: Any, key: str) -> Any:
    if key not in meta_graph_def.collection_def:
        return None
    names = meta_graph_def.collection_def[key].node_list.value
    if len(names) != 1:
        raise RuntimeError(f"Expected exactly one SavedModel init op. Found: {list(names)}")
    return scopes.get_collection(key)[0]


def _op_of_signature(meta_graph_def: Any, key: str, import_scope: str | None) -> Any:
    if key not in meta_graph_def.signature_def:
        return None
    name = meta_graph_def.signature_def[key].outputs[key].name
    try:
        return get_default_graph().as_graph_element(scopes.prepend_name_scope(name, import_scope))
    except KeyError:
        raise errors.NotFoundError(
            None, None, f"The {key} {name!r} could not be found in the graph of the SavedModel."
        ) from None


def main_op() -> Operation:
    """An operation that initializes variables, local variables and tables."""
    return basic.group(
        variable_lists.global_variables_initializer(),
        variable_lists.local_variables_initializer(),
        tables_initializer(),
    )


def main_op_with_restore(restore_op_name: Any) -> Operation:
    """`main_op`, and then a restore operation."""
    with get_default_graph().control_dependencies([main_op()]):
        return basic.group(restore_op_name)
