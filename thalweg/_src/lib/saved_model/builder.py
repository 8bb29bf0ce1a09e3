"""Writing SavedModels: a folder with graphs, variables and files that a server can load."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.formats import protos
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saved_model import constants, signatures
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.saving.saveables import all_saveable_objects

_ANY_ASSET = "type.googleapis.com/tensorflow.AssetFileDef"


class SavedModelBuilder:
    """Gathers MetaGraphs, the variables of the first, and assets; `save` writes them.

    Raises AssertionError for a folder that is not empty.

    >>> v = tf.Variable(1.0)
    >>> builder = tf.saved_model.builder.SavedModelBuilder(os.path.join(folder, "model"))
    >>> with tf.Session() as sess:
    ...     sess.run(v.initializer)
    ...     builder.add_meta_graph_and_variables(sess, [tf.saved_model.tag_constants.SERVING])
    >>> os.path.basename(builder.save())
    b'saved_model.pb'
    """

    def __init__(self, export_dir: Any):
        self._export_dir = os.fsdecode(export_dir)
        self._saved_model = protos.SavedModel(saved_model_schema_version=constants.SAVED_MODEL_SCHEMA_VERSION)
        if not file_io.file_exists(self._export_dir):
            file_io.recursive_create_dir(self._export_dir)
        elif file_io.list_directory(self._export_dir):
            raise AssertionError(
                "Export directory already exists, and isn't empty. Please choose a different export directory, or "
                "delete "
                f"all the contents of the specified directory: {self._export_dir}"
            )
        self._has_saved_variables = False

    def add_meta_graph_and_variables(
        self,
        sess: Any,
        tags: Sequence[str],
        signature_def_map: Any = None,
        assets_collection: Any = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
        saver: Any = None,
    ) -> None:
        """Add the default graph under `tags`, and save the variables of `sess`. Only once; then `add_meta_graph`.

        `main_op` runs after loading; `assets_collection` holds constants with the names of files to copy.
        """
        if self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has already been saved. Please invoke `add_meta_graph()` "
                "instead."
            )
        saver = self._prepared(signature_def_map, assets_collection, main_op or legacy_init_op, saver)
        folder = os.path.join(self._export_dir, constants.VARIABLES_DIRECTORY)
        file_io.recursive_create_dir(folder)
        path = os.path.join(folder, constants.VARIABLES_FILENAME)
        saver.save(sess, path, write_meta_graph=False, write_state=False)
        self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)
        self._has_saved_variables = True

    def add_meta_graph(
        self,
        tags: Sequence[str],
        signature_def_map: Any = None,
        assets_collection: Any = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
        saver: Any = None,
    ) -> None:
        """Add another form of the model under other tags: the default graph, with the variables saved before."""
        if not self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke "
                "`add_meta_graph_and_variables()` first."
            )
        saver = self._prepared(signature_def_map, assets_collection, main_op or legacy_init_op, saver)
        self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)

    def save(self, as_text: bool = False) -> bytes:
        """Write saved_model.pb (or .pbtxt), which makes the folder a SavedModel; gives its path."""
        from google.protobuf import text_format

        file_io.recursive_create_dir(self._export_dir)
        if as_text:
            path = os.path.join(self._export_dir, constants.SAVED_MODEL_FILENAME_PBTXT)
            contents: Any = text_format.MessageToString(self._saved_model)
        else:
            path = os.path.join(self._export_dir, constants.SAVED_MODEL_FILENAME_PB)
            contents = self._saved_model.SerializeToString()
        file_io.atomic_write_string_to_file(path, contents)
        log.info("SavedModel written to: %s", path)
        return path.encode()

    # -- steps

    def _prepared(self, signature_def_map: Any, assets: Any, main_op: Any, saver: Any) -> Any:
        _check_signatures(signature_def_map or {})
        self._add_assets(assets)
        _add_main_op(main_op)
        return saver or Saver(all_saveable_objects(), sharded=True, allow_empty=True)

    def _add(self, saver: Any, tags: Sequence[str], signature_def_map: Any, clear_devices: bool, strip: bool) -> None:
        meta = saver.export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strip)
        meta.meta_info_def.tags.extend(tags)
        for key, signature in (signature_def_map or {}).items():
            meta.signature_def[key].MergeFromString(signature.SerializeToString())
        self._saved_model.meta_graphs.add().CopyFrom(meta)

    def _add_assets(self, assets: Any) -> None:
        from google.protobuf.any_pb2 import Any as AnyProto

        if assets is None:
            log.info("No assets to save.")
            return
        copied: dict[str, str] = {}
        for tensor in assets:
            source = _path_in(tensor)
            name = _asset_name(source, copied)
            asset = protos.AssetFileDef(filename=name)
            asset.tensor_info.name = tensor.name
            packed = AnyProto(type_url=_ANY_ASSET, value=asset.SerializeToString())
            scopes.add_to_collection(constants.ASSETS_KEY, packed)
            copied[name] = source
        log.info("Assets added to graph.")
        if not copied:
            log.info("No assets to write.")
            return
        folder = os.path.join(self._export_dir, constants.ASSETS_DIRECTORY)
        file_io.recursive_create_dir(folder)
        for name, source in copied.items():
            if not file_io.file_exists(os.path.join(folder, name)):
                file_io.copy(source, os.path.join(folder, name))
        log.info("Assets written to: %s", folder)


def _check_signatures(signature_def_map: dict[str, Any]) -> None:
    for signature in signature_def_map.values():
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            if info.WhichOneof("encoding") is None:
                raise AssertionError(
                    "All TensorInfo protos used in the SignatureDefs must have one of the 'encoding' fields (e.g., "
                    "name or "
                    f"coo_sparse) set: {info}"
                )
            if info.dtype == protos.DT_INVALID and info.WhichOneof("encoding") != "composite_tensor":
                raise AssertionError(
                    f"All TensorInfo protos used in the SignatureDefs must have the dtype field set: {info}"
                )
    for key, use in (
        (constants.INIT_OP_SIGNATURE_KEY, "initialization"),
        (constants.TRAIN_OP_SIGNATURE_KEY, "the train op"),
    ):
        if key in signature_def_map:
            raise KeyError(f'SignatureDef map key "{key}" is reserved for {use}. Please use a different key.')


def _add_main_op(main_op: Any) -> None:
    if main_op is None:
        return
    if not isinstance(main_op, Operation):
        raise TypeError(f"main_op needs to be an Operation: {main_op!r}")
    for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
        if scopes.get_collection(key):
            raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
    scopes.add_to_collection(constants.MAIN_OP_KEY, main_op)


def _path_in(tensor: Any) -> str:
    """The name of a file that a constant holds. Raises TypeError for something else."""
    if not isinstance(tensor, Tensor):
        raise TypeError("Asset path tensor must be a Tensor.")
    if tensor.op.type != "Const":
        raise TypeError("Asset path tensor must be of type constant.")
    if tensor.dtype != dtypes.string:
        raise TypeError("Asset path tensor must be of dtype string.")
    value = tensor.op.attrs["value"]
    if value.size != 1:
        raise TypeError("Asset path tensor must be a scalar.")
    path = value.item().decode()
    if not path:
        raise ValueError(f"Invalid asset filepath tensor {tensor}")
    return path


def _asset_name(path: str, taken: dict[str, str]) -> str:
    """The file's own name, or with _1, _2 ... if another file has that; equal files share one."""
    own = os.path.basename(path)
    other = taken.get(own)
    if other is None or other == path or file_io.filecmp(path, other):
        return own
    i = 1
    while f"{own}_{i}" in taken:
        i += 1
    return f"{own}_{i}"


def simple_save(session: Any, export_dir: Any, inputs: Any, outputs: Any, legacy_init_op: Any = None) -> None:
    """A SavedModel for serving: {name: tensor} of inputs and outputs, and the variables of `session`."""
    builder = SavedModelBuilder(export_dir)
    builder.add_meta_graph_and_variables(
        session,
        tags=[constants.SERVING],
        signature_def_map={
            constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signatures.predict_signature_def(inputs, outputs)
        },
        assets_collection=scopes.get_collection(GraphKeys.ASSET_FILEPATHS),
        main_op=legacy_init_op,
        clear_devices=True,
    )
    builder.save()
