"""tf.contrib.session_bundle.exporter: models as TensorFlow exported them before SavedModel: a checkpoint and a MetaGraphDef
whose collections hold signatures.
"""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core import dtypes, infer
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib.global_step import global_step
from thalweg._src.lib.io import file_io
from thalweg._src.lib.saver import Saver

INIT_OP_KEY, SIGNATURES_KEY = "serving_init_op", "serving_signatures"
ASSETS_KEY, GRAPH_KEY = "serving_assets", "serving_graph"


def regression_signature(input_tensor: Any, output_tensor: Any) -> Any:
    """A Signature of one number for each example."""
    signature = protos.Signature()
    signature.regression_signature.input.tensor_name = input_tensor.name
    signature.regression_signature.output.tensor_name = output_tensor.name
    return signature


def classification_signature(input_tensor: Any, classes_tensor: Any = None, scores_tensor: Any = None) -> Any:
    """A Signature of classes, their scores, or both."""
    signature = protos.Signature()
    signature.classification_signature.input.tensor_name = input_tensor.name
    if classes_tensor is not None:
        signature.classification_signature.classes.tensor_name = classes_tensor.name
    if scores_tensor is not None:
        signature.classification_signature.scores.tensor_name = scores_tensor.name
    return signature


def generic_signature(name_tensor_map: dict[str, Any]) -> Any:
    """A Signature of tensors by name."""
    signature = protos.Signature()
    for name, tensor in name_tensor_map.items():
        signature.generic_signature.map[name].tensor_name = tensor.name
    return signature


def copy_assets(files_to_copy: dict[Any, str], export_dir_path: Any) -> None:
    """Copy {path: name} into a folder."""
    file_io.recursive_create_dir(export_dir_path)
    for path, name in files_to_copy.items():
        file_io.copy(path, os.path.join(os.fsdecode(export_dir_path), name), overwrite=True)


def _pack(collection: str, message: Any) -> None:
    from google.protobuf import any_pb2

    packed = any_pb2.Any()
    packed.Pack(message)
    get_default_graph().add_to_collection(collection, packed)


class Exporter:
    """Exports the graph of `saver`: `init` says what is served, `export` writes it, once for each step."""

    def __init__(self, saver: Any):
        saver_def = saver.as_saver_def()
        saver_def.ClearField("max_to_keep")
        self._saver = Saver(saver_def=saver_def)
        self._ready = False
        self._assets: dict[Any, str] = {}
        self._copy: Any = copy_assets

    def init(
        self,
        graph_def: Any = None,
        init_op: Any = None,
        clear_devices: bool = False,
        default_graph_signature: Any = None,
        named_graph_signatures: Any = None,
        assets_collection: Any = None,
        assets_callback: Any = copy_assets,
    ) -> None:
        """Put into the graph's collections what is served. Raises RuntimeError the second time, TypeError for other things."""
        if self._ready:
            raise RuntimeError("init should be called only once")
        if init_op is not None and not isinstance(init_op, Operation):
            raise TypeError(f"init_op needs to be an Operation: {init_op}")
        assets = [(os.path.basename(_path_of(t)), t) for t in assets_collection or []]
        self._assets = {_path_of(t): name for name, t in assets}
        self._ready, self._copy = True, assets_callback
        graph = get_default_graph()
        if graph_def or clear_devices:
            copied = protos.GraphDef()
            copied.CopyFrom(graph_def or graph.as_graph_def())
            if clear_devices:
                for node in copied.node:
                    node.device = ""
            _pack(GRAPH_KEY, copied)
        if init_op is not None:
            graph.add_to_collection(INIT_OP_KEY, init_op)
        signatures = protos.Signatures()
        if default_graph_signature:
            signatures.default_signature.CopyFrom(default_graph_signature)
        for name, signature in (named_graph_signatures or {}).items():
            signatures.named_signatures[name].CopyFrom(signature)
        _pack(SIGNATURES_KEY, signatures)
        for name, tensor in assets:
            file = protos.AssetFile(filename=name)
            file.tensor_binding.tensor_name = tensor.name
            _pack(ASSETS_KEY, file)

    def export(
        self, export_dir_base: Any, global_step_tensor: Any, sess: Any = None, exports_to_keep: int | None = None
    ) -> bytes:
        """Write into a folder named by the step, below `export_dir_base`, and give its path; keep the last `exports_to_keep`.

        Raises RuntimeError before `init`, and for a step that was exported.
        """
        if not self._ready:
            raise RuntimeError("init must be called first")
        base = os.fsdecode(export_dir_base).rstrip("/")
        folder = os.path.join(base, f"{global_step(sess, global_step_tensor):08d}")
        if file_io.file_exists(folder):
            raise RuntimeError(
                "Overwriting exports can cause corruption and are not allowed. Duplicate export dir: " + folder
            )
        temporary = folder + "-tmp"
        file_io.recursive_create_dir(temporary)
        self._saver.save(sess, os.path.join(temporary, "export"), meta_graph_suffix="meta")
        if self._copy and self._assets:
            self._copy(self._assets, os.path.join(temporary, "assets"))
        file_io.rename(temporary, folder)
        if exports_to_keep:
            names = sorted(n.rstrip("/") for n in file_io.list_directory(base))
            for name in [n for n in names if len(n) == 8 and n.isdigit()][:-exports_to_keep]:
                file_io.delete_recursively(os.path.join(base, name))
        return os.fsencode(folder)


def _path_of(tensor: Any) -> str:
    if not isinstance(tensor, Tensor):
        raise TypeError("tensor is not a Tensor")
    if tensor.dtype != dtypes.string:
        raise TypeError("File paths should be string")
    value = infer.constant_value(tensor)
    if value is None:
        raise TypeError("Only constants tensor are supported")
    if value.shape:
        raise TypeError("Only scalar tensors are supported")
    if not value.item():
        raise ValueError(f"invalid asset filepath tensor {tensor}")
    return os.fsdecode(value.item())
