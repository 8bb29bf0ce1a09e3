"""Checkpoints of objects: `tf.train.Checkpoint`. What is saved is found by the paths of attributes, not by names."""

from __future__ import annotations

import itertools
import os
import weakref
from typing import Any

import numpy as np

from thalweg._src.core.default_sessions import default_sessions
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib import checkpoint_management
from thalweg._src.lib.checkpoints import CheckpointReader
from thalweg._src.lib.io import file_io
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.saving import direct
from thalweg._src.lib.saving.object_names import OBJECT_GRAPH
from thalweg._src.lib.tracking.object_graph import (
    AutoTrackable,
    ObjectGraph,
    Reference,
    children,
    is_trackable,
    saveables_of,
    when_tracked,
)
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.runtime import eager_session
from thalweg._src.runtime.direct import is_local

_RESTORES = itertools.count(1)


def _session(session: Any) -> Any:
    if executing_eagerly():
        return eager_session.session()
    if session is not None:
        return session
    if not default_sessions.stack:
        raise ValueError("No default session: pass `session`, or be in a `with session.as_default()` block.")
    return default_sessions.stack[-1]


class Checkpoint(AutoTrackable):
    """Saves and restores the objects that are its attributes, and all that they hold: variables, optimizers, lists...

    Raises ValueError for a keyword whose value is no such object.

    >>> v = tf.Variable(3.0)
    >>> saved = tf.train.Checkpoint(model=[v])
    >>> with tf.Session() as sess:
    ...     sess.run(v.initializer)
    ...     path = saved.save(folder + "/ckpt")
    ...     sess.run(v.assign(0.0))
    ...     saved.restore(path).assert_consumed().run_restore_ops()
    ...     sess.run(v)
    0.0
    3.0
    """

    def __init__(self, **kwargs: Any):
        for name, value in sorted(kwargs.items()):
            if not is_trackable(value):
                raise ValueError(
                    f"`Checkpoint` was expecting a trackable object (an object derived from `TrackableBase`), got {value}. "
                    "If you believe this object should be trackable (i.e. it is part of the TensorFlow Python API and "
                    "manages state), please open an issue."
                )
            setattr(self, name, value)
        state = self.__dict__  # these are no attributes to save
        state["_save_counter"] = state["_count_op"] = state["_saver"] = None

    @property
    def save_counter(self) -> Any:
        """A variable with the number of saves, which is saved too."""
        if self._save_counter is None:
            with get_default_graph().device("/cpu:0"):
                made = Variable(np.int64(0), name="save_counter", trainable=False)
            self.__dict__["_save_counter"] = self._track_trackable(made, "save_counter")
        return self._save_counter

    def save(self, file_prefix: Any, session: Any = None) -> str:
        """Write `file_prefix`-N, where N counts the saves, and make it the latest checkpoint of its directory."""
        session = _session(session)
        if executing_eagerly():
            return self._numbered(file_prefix, int(self.save_counter.assign_add(1).numpy()), session)
        if self._save_counter is None:
            session.run(self.save_counter.initializer)
        if self._count_op is None:
            self.__dict__["_count_op"] = self.save_counter.assign_add(1)
        return self._numbered(file_prefix, session.run(self._count_op), session)

    def _numbered(self, file_prefix: Any, number: int, session: Any) -> str:
        path = self.write(f"{os.fspath(file_prefix)}-{number}", session)
        checkpoint_management.write_state(os.path.dirname(path), path, [path], save_relative_paths=True)
        return path

    def write(self, file_prefix: Any, session: Any = None) -> str:
        """Write a checkpoint of this very name, without counting it."""
        session, path = _session(session), os.fspath(file_prefix)
        folder = os.path.dirname(path)
        if folder:
            file_io.recursive_create_dir(folder)
        graph = ObjectGraph(self)
        found = [attribute for _, attribute in graph.attributes()]
        moves = [_move(a.owner, a.key) for a in found if isinstance(a.owner, Variable)]
        if is_local(session) and len(moves) == len(found) and None not in moves:
            direct.save(session, path, moves, {OBJECT_GRAPH: np.array(graph.to_proto().SerializeToString(), object)})
        else:
            self._saver_of(graph, found).save(session, path, write_meta_graph=False, write_state=False)
        return path

    def _saver_of(self, graph: ObjectGraph, found: list[Any]) -> Saver:
        """The saver of what can't be saved past the graph; one serves until the objects change."""
        data = graph.to_proto().SerializeToString()
        if self._saver is None or self._saver[0] != data:
            saveables = [s for attribute in found for s in saveables_of(attribute)]
            self.__dict__["_saver"] = data, Saver([*saveables, _constant_saveable(data)], max_to_keep=None)
        return self._saver[1]

    def restore(self, save_path: Any) -> Any:
        """Match the objects with those in a checkpoint of either kind, of objects or of names.

        Nothing is read yet: the result has `run_restore_ops`, `initialize_or_restore`, `assert_consumed` and its kin.
        Without a path (None) its `initialize_or_restore` initializes. Raises NotFoundError.
        """
        if save_path is None:
            status: Any = InitializationOnlyStatus(self)
        else:
            path = save_path.decode() if isinstance(save_path, bytes) else os.fspath(save_path)
            reader = CheckpointReader(path)
            kind = CheckpointLoadStatus if reader.has_tensor(OBJECT_GRAPH) else NameBasedSaverStatus
            status = kind(self, path, reader)
        _ = self.save_counter  # it is initialized or restored with the others
        if executing_eagerly() and save_path is not None:
            status.restore_now_and_later()
        return status


def _move(variable: Any, key: str) -> direct.Move | None:
    source = variable._variable.op
    if not source.opdef.source or "shape" not in source._attrs:
        return None
    return direct.Move(source, key, "", variable.dtype.base_dtype, False, source._attrs["shape"])


def _constant_saveable(data: bytes) -> Any:
    from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
    from thalweg._src.ops import basic
    from thalweg._src.ops.arrays.constants import constant

    class ObjectGraphSaveable(SaveableObject):
        def restore(self, restored_tensors: Any, restored_shapes: Any) -> Any:
            return basic.no_op()

    with get_default_graph().device("/cpu:0"):
        tensor = constant(data)
    return ObjectGraphSaveable(tensor, [SaveSpec(tensor, "", OBJECT_GRAPH)], OBJECT_GRAPH)


class _Status:
    """What `Checkpoint.restore` gives."""

    def __init__(self, root: Checkpoint):
        self._root, self._uid = root, next(_RESTORES)

    def expect_partial(self) -> _Status:
        """Accepted: there are no warnings of what was not restored."""
        return self

    def restore_now_and_later(self) -> None:
        """In eager execution: restore what there is, and what is made later when it is made."""
        restored: set[int] = set()
        root = weakref.ref(self._root)

        def catch_up() -> bool:
            """Restore what has come since. False once the objects are gone."""
            if root() is None:
                return False
            if executing_eagerly():
                self._restore_all_but(restored)
            return True

        catch_up()
        when_tracked.append(catch_up)

    def _restore_all_but(self, restored: set[int]) -> None:
        raise NotImplementedError

    def _objects(self) -> list[Any]:
        return ObjectGraph(self._root).objects

    def _initialize(self, session: Any, objects: list[Any]) -> None:
        """Run the initializers of objects that no later restore takes care of."""
        if executing_eagerly():
            return
        waiting = [o for o in objects if getattr(o, "initializer", None) is not None and _last_restore(o) < self._uid]
        session.run([o.initializer for o in waiting])


def _last_restore(value: Any) -> int:
    return getattr(value, "_last_restore", 0)


class InitializationOnlyStatus(_Status):
    """There is no checkpoint; the objects can be initialized."""

    def _no_checkpoint(self) -> Any:
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_consumed = assert_existing_objects_matched = assert_nontrivial_match = _no_checkpoint

    def run_restore_ops(self, session: Any = None) -> None:
        raise AssertionError(
            "No checkpoint specified, so no restore ops are available (save_path=None to Saver.restore)."
        )

    def initialize_or_restore(self, session: Any = None) -> None:
        """Initialize all variables."""
        self._initialize(_session(session), self._objects())


class CheckpointLoadStatus(_Status):
    """A checkpoint of objects, matched with those there are whenever it is asked: also with later ones."""

    def __init__(self, root: Checkpoint, path: str, reader: CheckpointReader):
        super().__init__(root)
        self._path = path
        data = reader.get_tensor(OBJECT_GRAPH)
        self._proto = protos.TrackableObjectGraph.FromString(data)
        self._match()

    def _match(self) -> dict[int, Any]:
        """{number of an object in the checkpoint: the object}."""
        found: dict[int, Any] = {0: self._root}
        waiting = [0]
        while waiting:
            at = waiting.pop(0)
            names = {child.local_name: child.node_id for child in self._proto.nodes[at].children}
            for name, held in _children(found[at]):
                there = names.get(name)
                if there is not None and there not in found:
                    found[there] = held
                    waiting.append(there)
        for at, optimizer in list(found.items()):
            for slot in self._proto.nodes[at].slot_variables:
                variable = found.get(slot.original_variable_node_id)
                if variable is None or not hasattr(optimizer, "get_slot"):
                    continue
                made = optimizer.get_slot(variable, slot.slot_name)
                if made is not None:
                    found[slot.slot_variable_node_id] = made
        for value in found.values():
            if isinstance(value, Variable):
                value._last_restore = max(self._uid, _last_restore(value))  # type: ignore[attr-defined]
        return found

    def _name(self, at: int) -> str:
        for parent, node in enumerate(self._proto.nodes):
            for child in node.children:
                if child.node_id == at:
                    return f"{self._name(parent)}.{child.local_name}" if parent != at else child.local_name
        return "(root)"

    def assert_consumed(self) -> CheckpointLoadStatus:
        """Raise AssertionError unless every object here is in the checkpoint, and every one there is here."""
        self.assert_existing_objects_matched()
        found = self._match()
        for at, node in enumerate(self._proto.nodes):
            if at not in found:
                raise AssertionError(f"Unresolved object in checkpoint {self._name(at)}: {node}")
            unused = {a.name for a in node.attributes if not a.optional_restore} - _attribute_names(found[at])
            if unused:
                raise AssertionError(
                    "Unused attributes in these objects (the attributes exist in the checkpoint but were not "
                    f"restored):\n{self._name(at)} ({found[at]}): {sorted(unused)}"
                )
        return self

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """Raise AssertionError unless every object here is in the checkpoint."""
        matched = {id(value) for value in self._match().values()}
        missing = [o for o in self._objects() if id(o) not in matched]
        if missing:
            raise AssertionError(
                "Some Python objects were not bound to checkpointed values, likely due to changes in the Python program: "
                f"{missing}"
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """Raise AssertionError where no object but the outermost is in the checkpoint."""
        if len(self._match()) <= 1:
            raise AssertionError(
                "Nothing except the root object matched a checkpointed value. Typically this means that the checkpoint "
                f"does not match the Python program. The following objects have no matching checkpointed value: "
                f"{self._objects()[1:]}"
            )
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Put the values of the checkpoint into the objects that match. In eager execution they are there already."""
        if not executing_eagerly():
            self._restore(_session(session), set())

    def _restore_all_but(self, restored: set[int]) -> None:
        self._restore(_session(None), restored)

    def _restore(self, session: Any, restored: set[int]) -> None:
        found = self._match()
        moves, others = [], []
        for _, attribute in ObjectGraph(self._root).attributes():
            at = next((i for i, value in found.items() if value is attribute.owner), None)
            if at is None or _last_restore(attribute.owner) > self._uid or id(attribute.owner) in restored:
                continue
            if executing_eagerly():
                restored.add(id(attribute.owner))
            keys = {a.name: a.checkpoint_key for a in self._proto.nodes[at].attributes}
            if attribute.name not in keys:
                continue
            attribute = attribute._replace(key=keys[attribute.name])
            move = _move(attribute.owner, attribute.key) if isinstance(attribute.owner, Variable) else None
            if move is not None and is_local(session):
                moves.append(move)
            else:
                others += saveables_of(attribute)
        if moves:
            direct.restore(session, self._path, moves)
        if others:
            Saver(others, max_to_keep=None).restore(session, self._path)

    def initialize_or_restore(self, session: Any = None) -> None:
        """Restore what is in the checkpoint, and initialize the rest."""
        session = _session(session)
        found = {id(value) for value in self._match().values()}
        self.run_restore_ops(session)
        self._initialize(session, [o for o in self._objects() if id(o) not in found])


def _children(value: Any) -> list[Reference]:
    return list(children(value))


def _attribute_names(value: Any) -> set[str]:
    return {a.name for i, a in ObjectGraph(value).attributes() if i == 0}


class NameBasedSaverStatus(_Status):
    """A checkpoint of a Saver, matched by the names of variables."""

    def __init__(self, root: Checkpoint, path: str, reader: CheckpointReader):
        super().__init__(root)
        self._path, self._reader = path, reader

    def _named(self) -> list[Any]:
        return [(a.full_name, a.owner) for _, a in ObjectGraph(self._root).attributes() if a.full_name]

    def assert_consumed(self) -> NameBasedSaverStatus:
        """Raise AssertionError for a variable that the checkpoint lacks."""
        for name, variable in self._named():
            if not self._reader.has_tensor(name):
                raise AssertionError(f"Object not restored: {variable}")
        return self

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def run_restore_ops(self, session: Any = None) -> None:
        """Put the values of the checkpoint into the variables of these names. In eager execution they are there already."""
        if not executing_eagerly():
            self._restore(_session(session), set())

    def _restore_all_but(self, restored: set[int]) -> None:
        self._restore(_session(None), restored)

    def _restore(self, session: Any, restored: set[int]) -> None:
        named = {n: v for n, v in self._named() if self._reader.has_tensor(n) and id(v) not in restored}
        if executing_eagerly():
            restored.update(id(v) for v in named.values())
        moves = [_move(v, n) for n, v in named.items()]
        if is_local(session) and None not in moves:
            direct.restore(session, self._path, moves)  # type: ignore[arg-type]
        elif named:
            Saver(named, max_to_keep=None).restore(session, self._path)

    def initialize_or_restore(self, session: Any = None) -> None:
        """As `run_restore_ops`; what the checkpoint lacks is initialized."""
        session = _session(session)
        self._initialize(session, [v for n, v in self._named() if not self._reader.has_tensor(n)])
        self.run_restore_ops(session)
