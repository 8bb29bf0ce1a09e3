"""What holds while a block of graph building runs: names, devices, control inputs, colocation, attrs."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg._src.core import devices
from thalweg._src.core.node import Operation, Tensor

_VALID_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\-/]*$")
_VALID_SCOPE = re.compile(r"^[A-Za-z0-9_.\-/]*$")


class _Controller:
    """One `control_dependencies` block: what it waits for, and the ops made in it, which need not wait again."""

    __slots__ = ("ops", "seen")

    def __init__(self, ops: list[Operation]):
        self.ops = ops
        self.seen: set[Operation] = set()


class _Stacks:
    """The state of graph building in one thread."""

    __slots__ = ("attrs", "colocate", "controls", "devices", "gradients", "name", "original")

    def __init__(self) -> None:
        self.name = ""
        self.devices: list[Any] = []
        self.controls: list[_Controller] = []
        self.colocate: list[Operation] = []
        self.gradients: dict[str, str] = {}
        self.original: Operation | None = None
        self.attrs: dict[str, Any] = {}

    def control_inputs_for(self, inputs: Sequence[Tensor]) -> list[Operation]:
        """An op waits for a block's control inputs unless one of its inputs, made in the block, does so already."""
        out: list[Operation] = []
        producers = {t.op for t in inputs}
        for controller in self.controls:
            if producers.isdisjoint(controller.seen):
                out += [c for c in controller.ops if c not in producers and c not in out]
        return out

    def device_for(self, op: Operation) -> str:
        return devices.apply(self.devices, op)


class GraphContexts:
    """The part of a graph that `with` blocks change: one set of stacks per thread, and the names that are taken."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._names_in_use: dict[str, int] = {}
        self._local = threading.local()
        self._container = ""

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The Tensor or Operation of this graph that `obj` stands for."""
        raise NotImplementedError

    @property
    def _stacks(self) -> _Stacks:
        try:
            return self._local.stacks
        except AttributeError:
            self._local.stacks = _Stacks()
            return self._local.stacks

    @property
    def _name_stack(self) -> str:
        return self._stacks.name

    # -- names

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` inside the current name scope, made unique: `a`, `a_1`, `a_2` ... Case does not tell names apart."""
        if self._name_stack:
            name = f"{self._name_stack}/{name}"
        with self._lock:
            key = name.lower()
            in_use = self._names_in_use
            i = in_use.get(key, 0)
            if mark_as_used:
                in_use[key] = i + 1
            if i > 0:
                base = key
                while key in in_use:
                    key = f"{base}_{i}"
                    i += 1
                if mark_as_used:
                    in_use[base] = i
                    in_use[key] = 1
                name = f"{name}_{i - 1}"
            return name

    def get_name_scope(self) -> str:
        """The current name scope: 'a/b', or '' at the top."""
        return self._name_stack

    @contextlib.contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Prefix the names of what is made in the block. A name that ends in '/' re-enters a scope; None or '' leaves all.

        Yields the scope, 'a/b/'. Raises ValueError for a name that is not valid.
        """
        stacks = self._stacks
        old = stacks.name
        stacks.name = self._enter_scope(name)
        try:
            yield stacks.name + "/" if name else ""
        finally:
            stacks.name = old

    def _enter_scope(self, name: str | None) -> str:
        if not name:
            return ""
        if isinstance(name, bytes):
            name = name.decode()
        if self._name_stack:
            if not _VALID_SCOPE.match(name):
                raise ValueError(f"'{name}' is not a valid scope name")
        elif not _VALID_NAME.match(name):
            raise ValueError(f"'{name}' is not a valid scope name")
        return name[:-1] if name[-1] == "/" else self.unique_name(name)

    def _op_name(self, name: str) -> str:
        """The full name of a new op; a name that ends in '/' is taken as it stands."""
        if isinstance(name, bytes):
            name = name.decode()
        if name[-1:] == "/":
            return name[:-1]
        if not _VALID_NAME.match(name) and not (self._name_stack and _VALID_SCOPE.match(name)):
            raise ValueError(f"'{name}' is not a valid op name")
        return self.unique_name(name)

    # -- control inputs

    def control_dependencies(self, control_inputs: Any) -> contextlib.AbstractContextManager[Any]:
        """What is made in the block runs after `control_inputs`; None drops the dependencies of the blocks around."""
        return self._controlled(control_inputs)

    @contextlib.contextmanager
    def _controlled(self, control_inputs: Any) -> Iterator[None]:
        stacks = self._stacks
        old = stacks.controls
        if control_inputs is None:
            stacks.controls = []
        else:
            stacks.controls = [*old, _Controller(self._control_ops(control_inputs))]
        try:
            yield
        finally:
            stacks.controls = old

    def _control_ops(self, control_inputs: Any) -> list[Operation]:
        ops: list[Operation] = []
        for c in control_inputs:
            c = getattr(c, "values", c) if type(c).__name__ == "IndexedSlices" else c
            if not isinstance(c, Tensor | Operation) and hasattr(c, "op"):
                # After a write, a resource variable's op is the write: to wait for that reads nothing.
                if not hasattr(c, "_as_graph_element") or hasattr(c, "handle"):
                    c = c.op
            element = self.as_graph_element(c)
            op = element.op if isinstance(element, Tensor) else element
            if op not in ops:
                ops.append(op)
        return ops

    def _record_op_seen_by_control_dependencies(self, op: Operation) -> None:
        for controller in self._stacks.controls:
            controller.seen.add(op)

    @property
    def _colocation_stack(self) -> list[Operation]:
        return self._stacks.colocate

    # -- places

    @contextlib.contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Place what is made in the block: a device string (merged with the blocks around), a function of the op, or None."""
        stacks = self._stacks
        old = stacks.devices
        stacks.devices = own = [*old, devices.user_device(device_name_or_function)]
        try:
            yield
        finally:
            if stacks.devices is not own:
                raise RuntimeError("Exiting device scope without proper scope nesting")
            stacks.devices = old

    def _apply_device_functions(self, op: Any) -> None:
        """Tell `op._set_device` the device that the blocks around give, a DeviceSpec; outside of any, nothing."""
        if self._stacks.devices:
            op._set_device(devices.DeviceSpec.from_string(devices.apply(self._stacks.devices, op)))

    @contextlib.contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Place what is made in the block with `op` (an Operation, a Tensor or a variable)."""
        if op is None and not ignore_existing:
            raise ValueError("Trying to reset colocation (op is None) but ignore_existing is not True")
        stacks = self._stacks
        old, old_devices = stacks.colocate, stacks.devices
        if op is not None and not isinstance(op, Operation):
            op = self.as_graph_element(op) if not hasattr(op, "op") else op.op
            op = op.op if isinstance(op, Tensor) else op
        stacks.colocate = ([] if ignore_existing else list(old)) + ([op] if op is not None else [])
        if op is not None:
            stacks.devices = [devices.user_device(None), devices.user_device(op.device or None)]
        elif ignore_existing:
            stacks.devices = []
        try:
            yield
        finally:
            stacks.colocate, stacks.devices = old, old_devices

    @contextlib.contextmanager
    def _colocate_with_for_gradient(self, op: Any, gradient_uid: Any = None, ignore_existing: bool = False):
        with self.colocate_with(op, ignore_existing):
            yield

    # -- what operations carry

    @contextlib.contextmanager
    def _original_op(self, op: Operation) -> Iterator[None]:
        """Ops made in the block remember `op` as the one they were made for: gradients do."""
        stacks = self._stacks
        old = stacks.original
        stacks.original = op
        try:
            yield
        finally:
            stacks.original = old

    @contextlib.contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """The resource container of what is made in the block."""
        old = self._container
        self._container = container_name
        try:
            yield container_name
        finally:
            self._container = old

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """Ops of the given types, made in the block, get the gradient registered under another name.

        Raises TypeError for a map that does not go from strings to strings.
        """
        if not isinstance(op_type_map, dict) or not all(isinstance(x, str) for kv in op_type_map.items() for x in kv):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        with self._with_stack("gradients", op_type_map):
            yield

    @contextlib.contextmanager
    def _attr_scope(self, attr_map: dict[str, Any]) -> Iterator[None]:
        """Ops made in the block carry these attrs too; a value of None takes one away."""
        if not isinstance(attr_map, dict):
            raise TypeError(
                "attr_map must be a dictionary mapping strings to Callable objects that return AttrValue protos"
            )
        from thalweg._src.core import attr_protos

        attrs = {k: attr_protos.attr_from_proto(v) if hasattr(v, "WhichOneof") else v for k, v in attr_map.items()}
        with self._with_stack("attrs", attrs):
            yield

    @contextlib.contextmanager
    def _kernel_label_map(self, op_to_kernel_label_map: dict[str, str]) -> Iterator[None]:
        if not isinstance(op_to_kernel_label_map, dict):
            raise TypeError("op_to_kernel_label_map must be a dictionary mapping strings to strings")
        yield  # there is one lowering per op; labels choose nothing

    @contextlib.contextmanager
    def _with_stack(self, which: str, more: dict[str, Any]) -> Iterator[None]:
        stacks = self._stacks
        old = getattr(stacks, which)
        merged = {**old, **more}
        setattr(stacks, which, {k: v for k, v in merged.items() if v is not None})
        try:
            yield
        finally:
            setattr(stacks, which, old)

    def switch_to_thread_local(self) -> None:
        """The stacks of graph building are per thread here anyway."""
