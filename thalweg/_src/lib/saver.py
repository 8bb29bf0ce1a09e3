"""tf.train.Saver: variables to checkpoints and back."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from thalweg._src.core import errors, scopes
from thalweg._src.core.collection_protos import register_proto_function
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.formats import protos
from thalweg._src.lib import checkpoint_management, meta_graph
from thalweg._src.lib.global_step import number_of_step
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saving import direct
from thalweg._src.lib.saving.builder import V1, V2, BulkSaverBuilder
from thalweg._src.lib.saving.saveables import all_saveable_objects
from thalweg._src.lib.summary import projections
from thalweg._src.runtime import eager_session
from thalweg._src.runtime.direct import is_local


class Saver:
    """Saves variables to checkpoints and restores them.

    `var_list`: a list of variables, or {name in the checkpoint: variable}; all variables and saveable objects of
    the graph unless given. The `max_to_keep` latest checkpoints stay (None or 0: all), and one for each
    `keep_checkpoint_every_n_hours`. `reshape` restores into variables of another shape and the same size; `sharded`
    writes a file for each device. Raises ValueError without variables, unless `allow_empty`.

    A save is atomic: files get their names when they are whole, the state file `checkpoint` last. A variable that
    is trained meanwhile is written as it is between two steps.

    >>> w = tf.Variable([1.0, 2.0], name="w")
    >>> saver = tf.train.Saver()
    >>> with tf.Session() as sess:
    ...     sess.run(w.initializer)
    ...     path = saver.save(sess, folder + "/model", global_step=7)
    ...     saver.restore(sess, path)
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = V2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ):
        if defer_build and var_list:
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. Either set defer_build=False or "
                "var_list=None."
            )
        self._var_list, self._reshape, self._sharded = var_list, reshape, sharded
        self._max_to_keep, self._keep_hours = max_to_keep, keep_checkpoint_every_n_hours
        self._name, self._restore_sequentially = name, restore_sequentially
        self.saver_def = saver_def
        self._builder, self._allow_empty, self._write_version = builder, allow_empty, write_version
        self._pad_step_number, self._save_relative_paths, self._filename = (
            pad_step_number,
            save_relative_paths,
            filename,
        )
        self._is_built, self._is_empty = False, False
        self._eager = executing_eagerly() and saver_def is None
        if self._eager:
            if var_list is None:
                raise RuntimeError(
                    "When eager execution is enabled, `var_list` must specify a list or dict of variables to save"
                )
            self.saver_def = protos.SaverDef(
                filename_tensor_name="save/Const:0",
                save_tensor_name="save/control_dependency:0",
                restore_op_name="save/restore_all",
                max_to_keep=max_to_keep or 0,
                keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
                version=write_version,
            )
        self._last_checkpoints: list[tuple[str, float]] = []
        self._checkpoints_to_be_deleted: list[tuple[str, float]] = []
        self._moves: dict[str, Any] = {}
        if not defer_build:
            self.build()
        if self.saver_def is not None:
            self._check_saver_def()
            self._write_version = self.saver_def.version

    def build(self) -> None:
        """Add the operations to the default graph, unless they are there."""
        if self._is_built:
            return
        self._is_built = True
        if self._eager:
            self._next_checkpoint_time = time.time() + self.saver_def.keep_checkpoint_every_n_hours * 3600
            return
        if self.saver_def is None:
            builder = self._builder or BulkSaverBuilder(self._write_version)
            if self._var_list is None:
                self._var_list = all_saveable_objects()
            if not self._var_list:
                if not self._allow_empty:
                    raise ValueError("No variables to save")
                self._is_empty = True
                return
            self.saver_def = builder.build(
                self._var_list,
                reshape=self._reshape,
                sharded=self._sharded,
                max_to_keep=self._max_to_keep,
                keep_checkpoint_every_n_hours=self._keep_hours,
                name=self._name,
                restore_sequentially=self._restore_sequentially,
                filename=self._filename,
            )
        else:
            if type(self.saver_def).__name__ == "SaverDef" and not isinstance(self.saver_def, protos.SaverDef):
                self.saver_def = protos.SaverDef.FromString(self.saver_def.SerializeToString())
            self._check_saver_def()
            if self._name:
                own = protos.SaverDef()
                own.CopyFrom(self.saver_def)
                for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
                    setattr(own, field, scopes.prepend_name_scope(getattr(own, field), self._name))
                self.saver_def = own
        self._check_saver_def()
        self._next_checkpoint_time = time.time() + self.saver_def.keep_checkpoint_every_n_hours * 3600

    def _check_saver_def(self) -> None:
        if not isinstance(self.saver_def, protos.SaverDef):
            raise ValueError(f"saver_def must be a saver_pb2.SaverDef: {self.saver_def}")
        if not self.saver_def.save_tensor_name:
            raise ValueError(f"saver_def must specify the save_tensor_name: {self.saver_def}")
        if not self.saver_def.restore_op_name:
            raise ValueError(f"saver_def must specify the restore_op_name: {self.saver_def}")

    # -- the saver as a message

    def as_saver_def(self) -> Any:
        """The SaverDef: the names of the saver's operations, for another process to use them."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The SaverDef with names as they are outside of `export_scope`; None if the saver is elsewhere."""
        if export_scope is None:
            return self.saver_def
        fields = ("filename_tensor_name", "save_tensor_name", "restore_op_name")
        if not all(getattr(self.saver_def, f).startswith(export_scope) for f in fields):
            return None
        out = protos.SaverDef()
        out.CopyFrom(self.saver_def)
        for f in fields:
            setattr(out, f, scopes.strip_name_scope(getattr(out, f), export_scope))
        return out

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None) -> Saver:
        """The saver whose operations a SaverDef names."""
        return Saver(saver_def=saver_def, name=import_scope)

    # -- which checkpoints there are

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that have not been deleted, the oldest first."""
        return [path for path, _ in self._last_checkpoints]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Deprecated: `set_last_checkpoints_with_time`."""
        assert isinstance(last_checkpoints, list)
        self._last_checkpoints = [(path, np.inf) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        """Which (path, time) there are, the oldest first, so that new ones make the saver delete them."""
        assert isinstance(last_checkpoints_with_time, list)
        self._last_checkpoints = last_checkpoints_with_time

    def recover_last_checkpoints(self, checkpoint_paths: list[str]) -> None:
        """Take over checkpoints of an earlier run; those that do not exist are left out."""
        found = [(path, checkpoint_management.get_checkpoint_mtimes([path])) for path in checkpoint_paths]
        self.set_last_checkpoints_with_time([(path, times[0]) for path, times in found if times])

    def _record(self, path: str) -> None:
        if not self.saver_def.max_to_keep:
            return
        self._last_checkpoints = [p for p in self._last_checkpoints if p[0] != path]
        self._last_checkpoints.append((path, time.time()))
        if len(self._last_checkpoints) > self.saver_def.max_to_keep:
            self._checkpoints_to_be_deleted.append(self._last_checkpoints.pop(0))

    def _delete_old(self, meta_graph_suffix: str) -> None:
        if not self._checkpoints_to_be_deleted:
            return
        path, written = self._checkpoints_to_be_deleted.pop(0)
        if written > self._next_checkpoint_time:
            self._next_checkpoint_time += self.saver_def.keep_checkpoint_every_n_hours * 3600
            return
        try:
            checkpoint_management.remove_checkpoint(path, self.saver_def.version, meta_graph_suffix)
        except errors.OpError as error:
            log.warning("Ignoring: %s", error)

    # -- saving and restoring

    def save(
        self,
        sess: Any,
        save_path: Any,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> str | None:
        """Write a checkpoint `save_path` (or `save_path`-`global_step`) and return its path.

        Also writes the graph beside it (`.meta`), and its path to the file `latest_filename` ('checkpoint'). Raises
        TypeError for what is no session, ValueError where the directory does not exist or names collide,
        RuntimeError before `build`.
        """
        if self._eager:
            sess, write_meta_graph = eager_session.session(), False
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        save_path = os.fspath(save_path)
        latest = latest_filename or "checkpoint"
        if os.path.split(latest)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        if global_step is not None:
            global_step = number_of_step(sess, global_step)
            path = f"{save_path}-{global_step:08d}" if self._pad_step_number else f"{save_path}-{global_step:d}"
        else:
            path = save_path
            if os.path.basename(save_path) == latest and not self._sharded:
                raise ValueError(f"'latest_filename' collides with 'save_path': '{latest}' and '{save_path}'")
        if not (hasattr(sess, "run") and hasattr(sess, "graph")):
            raise TypeError(f"'sess' must be a Session; {sess}")
        folder = os.path.dirname(save_path)
        written = None
        if not self._is_empty:
            try:
                written = self._write(sess, path)
            except (errors.NotFoundError, errors.FailedPreconditionError):
                if folder and not file_io.is_directory(folder):
                    raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.") from None
                raise
            except (errors.ResourceExhaustedError, errors.PermissionDeniedError) as error:
                told = f"{error.message}\nNothing of the checkpoint {path} was kept; the earlier ones stand. "
                told += "Make room, or save to another folder."
                raise type(error)(error.node_def, error.op, told) from None
            if write_state:
                self._record(written)
                checkpoint_management.write_state(
                    folder, written, self.last_checkpoints, latest, self._save_relative_paths
                )
                self._delete_old(meta_graph_suffix)
            projections.follow(folder, written)
        if write_meta_graph:
            with sess.graph.as_default():
                self.export_meta_graph(
                    checkpoint_management.meta_graph_filename(path, meta_graph_suffix),
                    strip_default_attrs=strip_default_attrs,
                )
        return written

    def _write(self, sess: Any, path: str) -> str:
        if self._eager:
            direct.save(sess, path, direct.eager_moves(self._var_list))
            return path
        moves = self._planned(sess, "save", direct.save_moves)
        if moves is not None:
            direct.save(sess, path, moves)
            return path
        try:
            saved = sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: path})
        except BaseException:
            for folder in file_io.get_matching_files(f"{path}_temp_*"):  # shards that were to become the checkpoint
                file_io.delete_recursively(folder)
            raise
        return saved.decode() if isinstance(saved, bytes) else str(saved)

    def restore(self, sess: Any, save_path: Any) -> None:
        """Put the values of a checkpoint into the variables, which need no initialization before.

        Raises ValueError where there is no such checkpoint, NotFoundError where it lacks a variable,
        InvalidArgumentError where one has another shape or type, DataLossError where it is damaged. In the first
        three cases no variable changes.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        path = save_path.decode() if isinstance(save_path, bytes) else os.fspath(save_path)
        if not checkpoint_management.checkpoint_exists(path):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {path}")
        log.info("Restoring parameters from %s", path)
        try:
            self._read(sess, path)
        except errors.NotFoundError as error:
            if self._read_by_object_names(sess, path):
                return
            raise _explained(error, "a Variable name or other graph key that is missing") from None
        except errors.InvalidArgumentError as error:
            raise _explained(error, "a mismatch between the current graph and the graph") from None

    def _read(self, sess: Any, path: str) -> None:
        if self._eager:
            direct.restore(eager_session.session(), path, direct.eager_moves(self._var_list))
            return
        moves = self._planned(sess, "restore", direct.restore_moves)
        if moves is not None:
            direct.restore(sess, path, moves)
        else:
            sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: path})

    def _read_by_object_names(self, sess: Any, path: str) -> bool:
        """Restore a checkpoint of tf.train.Checkpoint, whose keys are paths of objects, by the variables' names in
        it.
        """
        from thalweg._src.lib.saving.object_names import keys_of_names

        moves = direct.eager_moves(self._var_list) if self._eager else None
        sess = eager_session.session() if self._eager else sess
        moves = moves or self._planned(sess, "restore", direct.restore_moves)
        keys = keys_of_names(path)
        if not keys or moves is None or not all(m.name in keys for m in moves):
            return False
        direct.restore(sess, path, [m._replace(name=keys[m.name]) for m in moves])
        return True

    def _planned(self, sess: Any, what: str, plan: Any) -> Any:
        """The moves of this saver's operations, found once; None where they must run as a graph."""
        if not is_local(sess):
            return None
        found = self._moves.get(what)
        if found is None or found[0] is not sess.graph:
            found = self._moves[what] = (sess.graph, plan(sess.graph, self.saver_def))
        return found[1]

    def export_meta_graph(
        self,
        filename: Any = None,
        collection_list: Any = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> Any:
        """A MetaGraphDef of the default graph with this saver, also written to `filename`."""
        return export_meta_graph(
            filename=filename,
            graph_def=get_default_graph().as_graph_def(add_shapes=True),
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
        )


register_proto_function(GraphKeys.SAVERS, proto_type="SaverDef", to_proto=Saver.to_proto, from_proto=Saver.from_proto)


def get_saver_or_default() -> Saver:
    """The saver in the SAVERS collection, or a new one that is added to it. Raises RuntimeError for several."""
    savers = scopes.get_collection(GraphKeys.SAVERS)
    if len(savers) > 1:
        raise RuntimeError(
            f"More than one item in collection {GraphKeys.SAVERS}. "
            "Please indicate which one to use by passing it to the constructor."
        )
    if savers:
        return savers[0]
    saver = Saver(sharded=True, allow_empty=True)
    scopes.add_to_collection(GraphKeys.SAVERS, saver)
    return saver


def import_meta_graph(
    meta_graph_or_file: Any, clear_devices: bool = False, import_scope: str | None = None, **kwargs: Any
) -> Saver | None:
    """Add a MetaGraph (or the one in a file) to the default graph; gives its saver, or one of all variables, or None.

    >>> v = tf.Variable(1.0, name="v")
    >>> with tf.Session() as sess:
    ...     sess.run(v.initializer)
    ...     path = tf.train.Saver().save(sess, folder + "/model")
    >>> with tf.Graph().as_default(), tf.Session() as sess:
    ...     saver = tf.train.import_meta_graph(path + ".meta")
    ...     saver.restore(sess, path)
    ...     sess.run("v:0")
    1.0
    """
    return import_with_return_elements(meta_graph_or_file, clear_devices, import_scope, **kwargs)[0]


def import_with_return_elements(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    return_elements: Any = None,
    **kwargs: Any,
) -> tuple[Saver | None, Any]:
    """`import_meta_graph`, with the tensors and operations that `return_elements` names."""
    meta = meta_graph.as_meta_graph_def(meta_graph_or_file)
    variables, elements = meta_graph.import_scoped_meta_graph_with_return_elements(
        meta, clear_devices=clear_devices, import_scope=import_scope, return_elements=return_elements, **kwargs
    )
    if meta.HasField("saver_def"):
        # The scope that the names really got, which differs from import_scope where that was taken.
        scope = import_scope
        for name, variable in variables.items():
            scope = variable.name[: -len(name)]
            break
        return Saver(saver_def=meta.saver_def, name=scope), elements
    if all_saveable_objects(scope=import_scope):
        return Saver(), elements
    log.info("Saver not created because there are no variables in the graph to restore")
    return None, elements


def export_meta_graph(
    filename: Any = None,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Any = None,
    as_text: bool = False,
    graph: Graph | None = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    clear_extraneous_savers: bool = False,
    strip_default_attrs: bool = False,
    save_debug_info: bool = False,
    **kwargs: Any,
) -> Any:
    """A MetaGraphDef of `graph_def`, `graph` or the default graph, also written to `filename`.

    Raises TypeError for arguments that MetaGraphs do not have.
    """
    return meta_graph.export_scoped_meta_graph(
        filename=filename,
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        as_text=as_text,
        graph=graph,
        export_scope=export_scope,
        clear_devices=clear_devices,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        **kwargs,
    )[0]


def _explained(error: errors.OpError, cause: str) -> errors.OpError:
    return type(error)(  # type: ignore[call-arg]
        error._node_def,
        error.op,
        f"Restoring from checkpoint failed. This is most likely due to {cause} from the checkpoint. Please ensure "
        "that you "
        "have not altered the graph expected based on the checkpoint. Original "
        f"error:\n\n{error.message}",  # type: ignore[arg-type]
    )


__all__ = ["V1", "V2", "Saver", "export_meta_graph", "get_saver_or_default", "import_meta_graph"]
