"""Barriers: values with the same key wait until there is one for each component, and are taken together."""

import threading
from typing import Any

import numpy as np

from thalweg._src.core import errors, infer
from thalweg._src.core.dtypes import int32, int64, string
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.opdef import Min, Mixed, Outputs, Ref, Shape, Types, op, type_attr
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.queueing.queue_api import as_shapes, as_types
from thalweg._src.ops.queueing.queue_kinds import PriorityQueue, invalid, stacked
from thalweg._src.ops.stateful.handles import held

T = type_attr("T")
FIRST = -(2**63)


class _Barrier:
    """Keys with some of their values, and a queue of those that have all. Elements come out in the order of their first values."""

    def __init__(self, name: str, types: Any, dims: Any):
        if len(dims) != len(types) or any(d is None or None in d for d in dims):
            raise invalid("All of the component shapes must be specified")
        self.name, self.types, self.dims = name, list(types), [tuple(d) for d in dims]
        self.ready = PriorityQueue(f"{name}_queue", [int64, string, *types], [(), (), *dims], -1)
        self.lock = threading.Lock()
        self.incomplete: dict[bytes, list[Any]] = {}  # key -> its index, and a value or None for each component
        self.closed = self.cancelled = False
        self.index = FIRST

    def insert(self, component: int, keys: np.ndarray, values: np.ndarray) -> Any:
        if not 0 <= component < len(self.types):
            raise invalid(f"The component ID is out of range {component} > num_components (= {len(self.types)})")
        if keys.size and not values.size:
            raise invalid(f"Tensors with no elements are not supported {self.name}: received shape {values.shape}")
        with self.lock:
            if self.closed and (self.cancelled or (keys.size and not self.incomplete)):
                raise errors.CancelledError(
                    None,
                    None,
                    f"Barrier {self.name} is closed.  Pending enqueues cancelled: {int(self.cancelled)}.  Number of new "
                    f"insertions: {keys.size}.  Number of incomplete keys: {len(self.incomplete)}.",
                )
            complete: list[Any] = []
            new = False
            for i, key in enumerate(keys.ravel()):
                new = self._insert_one(component, i, key, values[i], complete) or new
            self.index += new
            finished = self.closed and not self.incomplete
        if complete:
            columns = list(zip(*complete, strict=True))
            kinds = zip(columns, [int64, string, *self.types], [(), (), *self.dims], strict=True)
            yield self.ready.enqueue_many([stacked(c, t, d) for c, t, d in kinds])
        if finished and not self.ready.closed:
            yield self.ready.close(False)

    def _insert_one(self, component: int, i: int, key: bytes, value: Any, complete: list[Any]) -> bool:
        entry = self.incomplete.get(key)
        new = entry is None
        if entry is None:
            if self.closed:
                raise errors.CancelledError(
                    None,
                    None,
                    f"Barrier {self.name} is closed, but attempted to insert a brand new key: {key.decode(errors='replace')}.  "
                    f"Pending enqueues cancelled: {int(self.cancelled)}.  Insertion index: {i}.  Number of incomplete keys: "
                    f"{len(self.incomplete)}.",
                )
            entry = self.incomplete[key] = [self.index, *[None] * len(self.types)]
        if entry[1 + component] is not None:
            raise invalid(
                f"Key {key.decode(errors='replace')} already has a value for component {component} in barrier {self.name}"
            )
        if np.shape(value) != self.dims[component]:
            raise invalid(
                f"Shape mismatch in tuple component {2 + component}. Expected {list(self.dims[component])}, got "
                f"{list(np.shape(value))}"
            )
        entry[1 + component] = np.array(value) if np.ndim(value) else value
        if all(v is not None for v in entry):
            del self.incomplete[key]
            complete.append((entry[0], key, *entry[1:]))
        return new

    def take(self, n: int, small: bool) -> Any:
        with self.lock:
            if self.closed:
                available = self.ready.size
                if small:
                    n = min(n, available)
                else:
                    available += len(self.incomplete)
                if available < max(n, 1):
                    raise errors.OutOfRangeError(
                        None,
                        None,
                        f"Barrier '{self.name}' is closed and has insufficient elements (requested {n}, total size {available})",
                    )
        return self.ready.dequeue_many(n, fewer=small)

    def close(self, cancel: bool) -> Any:
        with self.lock:
            if self.closed and (self.cancelled or not cancel):
                raise errors.CancelledError(None, None, f"Barrier '{self.name}' is already closed.")
            self.cancelled, self.closed = cancel, True
            if cancel:
                self.incomplete.clear()
            finished = not self.incomplete
        if finished and (cancel or not self.ready.closed):
            yield self.ready.close(cancel)


@op("Barrier", host=True, stateful=True, foldable=False)
def barrier(
    *,
    component_types: Min(Types, 1),
    shapes: Min(list[Shape], 0) = (),
    capacity: int = -1,
    container: str = "",
    shared_name: str = "",
    ctx,
) -> Ref(string):
    """A barrier."""
    if capacity != -1:
        raise invalid(
            "Barrier only accepts capacity=-1.  Feed the inputs to your Barrier through a queue to enforce a limited capacity."
        )
    found = ctx.own("barrier", container, shared_name, lambda name: _Barrier(name, component_types, shapes))
    if found.types != list(component_types) or found.dims != [tuple(s) for s in shapes]:
        raise invalid(
            f"Shared barrier '{shared_name}' has component types or shapes other than those that were requested"
        )
    return found


_USE = {"host": True, "effect": "host", "stateful": False}


@op("BarrierInsertMany", **_USE, waits=True)
def barrier_insert_many(handle: Ref(string), keys: string, values: T, *, component_index: int):
    """Put a value of one component under each key."""
    yield from held(handle).insert(component_index, keys, values)


@op("BarrierTakeMany", **_USE, waits=True)
def barrier_take_many(
    handle: Ref(string),
    num_elements: int32,
    *,
    component_types: Min(Types, 1),
    allow_small_batch: bool = False,
    wait_for_incomplete: bool = False,
    timeout_ms: int = -1,
) -> Outputs(indices=int64, keys=string, values=Mixed("component_types", 1)):
    """Take complete elements, waiting for them."""
    if np.ndim(num_elements):
        raise invalid("num_elements must be a scalar.")
    indices, keys, *values = yield held(handle).take(int(num_elements), allow_small_batch)
    return indices, keys, values


@op("BarrierClose", **_USE, waits=True)
def barrier_close(handle: Ref(string), *, cancel_pending_enqueues: bool = False):
    """Let no new keys in; with `cancel_pending_enqueues`, nothing at all."""
    yield from held(handle).close(cancel_pending_enqueues)


@op("BarrierReadySize", **_USE)
def barrier_ready_size(handle: Ref(string)) -> Outputs(size=int32):
    """How many elements are complete."""
    return np.int32(held(handle).ready.size)


@op("BarrierIncompleteSize", **_USE)
def barrier_incomplete_size(handle: Ref(string)) -> Outputs(size=int32):
    """How many keys lack a value."""
    return np.int32(len(held(handle).incomplete))


barrier.shape_rule(lambda node: [(2,)])
barrier_take_many.shape_rule(lambda node: [None] * len(node.outputs))
for _opdef in (barrier_insert_many, barrier_close):
    _opdef.shape_rule(lambda node: [])
for _opdef in (barrier_ready_size, barrier_incomplete_size):
    _opdef.shape_rule(lambda node: [()])
for _opdef in (
    *(barrier, barrier_insert_many, barrier_take_many, barrier_close, barrier_ready_size, barrier_incomplete_size),
):
    _opdef.not_differentiable()


class Barrier:
    """Gathers values by key: an element is complete when each of its components has come. Taking waits for complete elements."""

    def __init__(self, types: Any, shapes: Any = None, shared_name: str | None = None, name: str = "barrier"):
        self._types = as_types(types)
        if shapes is None:
            self._shapes = [TensorShape(None) for _ in self._types]
        else:
            self._shapes = as_shapes(shapes) or []
            for i, shape in enumerate(self._shapes):
                if shape.num_elements() == 0:
                    raise ValueError(f"Empty tensors are not supported, but received shape '{shape}' at index {i}")
        self._barrier_ref = barrier(
            component_types=self._types, shapes=self._shapes, shared_name=shared_name, name=name
        )
        self._name = self._barrier_ref.op.name.split("/")[-1]

    @property
    def barrier_ref(self) -> Tensor:
        """The handle of the barrier."""
        return self._barrier_ref

    @property
    def name(self) -> str:
        """The name of the barrier's op."""
        return self._barrier_ref.op.name

    def insert_many(self, component_index: int, keys: Any, values: Any, name: str | None = None) -> Operation:
        """Put a row of `values` as the component under each key."""
        name = name or f"{self._name}_BarrierInsertMany"
        return barrier_insert_many(self._barrier_ref, keys, values, component_index=component_index, name=name)

    def take_many(
        self, num_elements: Any, allow_small_batch: bool = False, timeout: int | None = None, name: str | None = None
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """(indices, keys, values) of `num_elements` complete elements; of a closed barrier, with `allow_small_batch`, what is left."""
        name = name or f"{self._name}_BarrierTakeMany"
        taken = barrier_take_many(
            self._barrier_ref,
            num_elements,
            component_types=self._types,
            allow_small_batch=allow_small_batch,
            timeout_ms=timeout,
            name=name,
        )
        count = None if allow_small_batch else infer.constant_value(taken.indices.op.inputs[1])
        batch = TensorShape([None if count is None else int(count)])
        taken.indices.set_shape(batch)
        taken.keys.set_shape(batch)
        for value, shape in zip(taken.values, self._shapes, strict=True):
            value.set_shape(batch.concatenate(shape))
        return taken

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """Let no new keys in; with `cancel_pending_enqueues`, give up those that are incomplete."""
        name = name or f"{self._name}_BarrierClose"
        return barrier_close(self._barrier_ref, cancel_pending_enqueues=cancel_pending_enqueues, name=name)

    def ready_size(self, name: str | None = None) -> Tensor:
        """How many elements are complete."""
        return barrier_ready_size(self._barrier_ref, name=name or f"{self._name}_BarrierReadySize")

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """How many keys lack a value."""
        return barrier_incomplete_size(self._barrier_ref, name=name or f"{self._name}_BarrierIncompleteSize")
