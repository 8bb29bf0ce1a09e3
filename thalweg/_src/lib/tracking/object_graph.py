"""Objects that hold variables, and the names by which they hold each other: what tf.train.Checkpoint saves.

The name of a value in a checkpoint is the shortest path of attributes to it: 'model/w/.ATTRIBUTES/VARIABLE_VALUE'. The
slots of an optimizer are named after the variable: 'model/w/.OPTIMIZER_SLOT/optimizer/Momentum/...'.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from thalweg._src.core.graph import get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.saving.saveables import op_list_to_dict, saveable_objects_for_op
from thalweg._src.ops.stateful.variables import Variable

VALUE = "VARIABLE_VALUE"


class Reference(NamedTuple):
    """One object by the name under which another one holds it."""

    name: str
    ref: Any


# What is called when an object comes to hold another; who gives False is not called again.
when_tracked: list[Callable[[], bool]] = []


def tell_tracked() -> None:
    """Say that there may be more to restore."""
    when_tracked[:] = [f for f in when_tracked if f()]


class Trackable:
    """An object that says what it holds. Subclasses override `_checkpoint_dependencies`."""

    @property
    def _checkpoint_dependencies(self) -> list[Reference]:
        return list(self.__dict__.get("_tracked", {}).values())

    def _track_trackable(self, trackable: Any, name: str, overwrite: bool = False) -> Any:
        """Hold `trackable` under `name`. Raises TypeError for what is not trackable, ValueError for a name in use."""
        if not is_trackable(trackable):
            raise TypeError(f"Trackable._track_trackable() passed type {type(trackable)}, not a Trackable.")
        tracked = self.__dict__.setdefault("_tracked", {})
        known = tracked.get(name)
        if known is not None and known.ref is not trackable and not overwrite:
            raise ValueError(
                f"Called Trackable._track_trackable() with name='{name}', but a Trackable with this name is already "
                "declared as a dependency. Names must be unique (or overwrite=True)."
            )
        tracked[name] = Reference(name, trackable)
        tell_tracked()
        return trackable


class NoDependency:
    """A value that is set as an attribute without being held."""

    def __init__(self, value: Any):
        self.value = value


class AutoTrackable(Trackable):
    """Holds every trackable object among its attributes."""

    def _no_dependency(self, value: Any) -> NoDependency:
        """`value`, to be set as an attribute that no checkpoint follows."""
        return NoDependency(value)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, NoDependency):
            value = value.value
        elif name != "_tracked":
            if (is_trackable(value) and not isinstance(value, list | tuple | dict)) or _holds_some(value):
                self._track_trackable(value, name, overwrite=True)
            else:
                self.__dict__.get("_tracked", {}).pop(name, None)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.get("_tracked", {}).pop(name, None)
        object.__delattr__(self, name)


def is_trackable(value: Any) -> bool:
    return isinstance(value, Trackable | Variable | Optimizer | list | tuple | dict) or _speaks(value)


def _speaks(value: Any) -> bool:
    """Whether an object of another kind tells what it holds, or what of it is to be saved."""
    kind = type(value)
    return hasattr(kind, "_checkpoint_dependencies") or hasattr(kind, "_gather_saveables_for_checkpoint")


def _holds_some(value: Any) -> bool:
    """Whether a list or dict has something to save in it."""
    return isinstance(value, list | tuple | dict) and any(True for _ in children(value))


def children(value: Any) -> Iterator[Reference]:
    """What `value` holds, by name. In a list or tuple the names are the positions."""
    if isinstance(value, dict):
        items: Any = [(k, v) for k, v in value.items() if isinstance(k, str)]
    elif isinstance(value, list | tuple):
        items = [(str(i), v) for i, v in enumerate(value)]
    elif isinstance(value, Optimizer):
        graph = get_default_graph()
        items = sorted((n, v) for (n, g), v in value._non_slot_dict.items() if g is graph)
    else:
        items = [(r.name, r.ref) for r in getattr(value, "_checkpoint_dependencies", ())]
    for name, held in items:
        if isinstance(held, list | tuple | dict) and not _holds_some(held):
            continue
        if is_trackable(held):
            yield Reference(name, held)


def escaped(name: str) -> str:
    """A local name as part of a path."""
    return name.replace(".", "..").replace("/", ".S")


class Attribute(NamedTuple):
    """A value to save: the object it is of, its name there, its key in the checkpoint, and what saves it."""

    owner: Any
    name: str
    key: str
    full_name: str
    source: Any  # a Variable, or a function of the key that gives what to save


class ObjectGraph:
    """All objects that `root` holds, those nearest to it first, then the slots of the optimizers among them."""

    def __init__(self, root: Any):
        self.objects: list[Any] = [root]
        self._ids: dict[int, int] = {id(root): 0}
        self._paths: list[str] = [""]
        self.children: list[list[tuple[str, int]]] = []
        self.slots: dict[int, list[tuple[int, str, int]]] = {}  # optimizer -> (variable, name of the slot, slot)
        waiting = deque([0])
        while waiting:
            at = waiting.popleft()
            held = []
            for name, child in children(self.objects[at]):
                known = self._ids.get(id(child))
                if known is None:
                    path = f"{self._paths[at]}/{escaped(name)}" if at else escaped(name)
                    known = self._add(child, path)
                    waiting.append(known)
                held.append((name, known))
            self.children.append(held)
        self._add_slots()

    def _add(self, value: Any, path: str) -> int:
        at = self._ids[id(value)] = len(self.objects)
        self.objects.append(value)
        self._paths.append(path)
        return at

    def _add_slots(self) -> None:
        found = list(self.objects)
        for i, optimizer in enumerate(found):
            if not isinstance(optimizer, Optimizer):
                continue
            for name in optimizer.get_slot_names():
                for j, variable in enumerate(found):
                    slot = optimizer.get_slot(variable, name) if isinstance(variable, Variable) else None
                    if slot is None:
                        continue
                    if id(slot) in self._ids:
                        raise NotImplementedError(f"The slot {slot} is also held by another object.")
                    at = self._add(slot, f"{self._paths[j]}/.OPTIMIZER_SLOT/{self._paths[i]}/{escaped(name)}")
                    self.children.append([])
                    self.slots.setdefault(i, []).append((j, name, at))

    def attributes(self) -> Iterator[tuple[int, Attribute]]:
        """(number of the object, value to save) of all values."""
        for i, (value, path) in enumerate(zip(self.objects, self._paths, strict=True)):
            prefix = f"{path}/.ATTRIBUTES" if path else ".ATTRIBUTES"
            for name, source in _values(value):
                key = f"{prefix}/{escaped(name)}"
                full_name = next(iter(op_list_to_dict([value]))) if isinstance(value, Variable) else ""
                yield i, Attribute(value, name, key, full_name, source)

    def to_proto(self) -> Any:
        """The TrackableObjectGraph, which a checkpoint keeps beside the values."""
        proto = protos.TrackableObjectGraph()
        for i, held in enumerate(self.children):
            node = proto.nodes.add()
            for name, at in held:
                node.children.add(node_id=at, local_name=name)
            for variable, name, slot in self.slots.get(i, ()):
                node.slot_variables.add(original_variable_node_id=variable, slot_name=name, slot_variable_node_id=slot)
        for i, attribute in self.attributes():
            proto.nodes[i].attributes.add(
                name=attribute.name, full_name=attribute.full_name, checkpoint_key=attribute.key
            )
        return proto


def _values(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Variable):
        yield VALUE, value
    elif hasattr(value, "_gather_saveables_for_checkpoint"):
        yield from value._gather_saveables_for_checkpoint().items()


def saveables_of(attribute: Attribute) -> list[Any]:
    """The saveable objects of one value."""
    source: Callable[..., Any] = attribute.source
    made = source(name=attribute.key) if callable(source) else source
    return list(saveable_objects_for_op(made, attribute.key))
