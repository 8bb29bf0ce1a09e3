"""Staging areas as ops: places where tensors wait for a later step, in order or by key."""

from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import int32, int64
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Min, Mixed, Outputs, Types, op
from thalweg._src.core.waiting import NOT_YET, Attempt, Shared
from thalweg._src.ops.queueing.queue_kinds import copied

NO_CANCELLATION = "Operation was cancelled"


def _bytes(values: Any) -> int:
    return sum(
        sum(map(len, v.ravel())) + v.size * 24 if v.dtype == object else v.nbytes for v in values if v is not None
    )


class _Bounded(Shared):
    """`capacity` elements and `memory_limit` bytes at most, each without bound where it is 0."""

    def __init__(self, capacity: int, memory_limit: int):
        super().__init__()
        self.capacity, self.memory_limit, self.size_in_bytes = capacity, memory_limit, 0

    def _check_memory(self, size: int) -> None:
        if self.memory_limit and size > self.memory_limit:
            raise errors.ResourceExhaustedError(
                None,
                None,
                f"Attempted to insert tensors with combined size of '{size}' bytes into Staging Area with a memory limit of "
                f"'{self.memory_limit}'.",
            )

    def _no_memory(self, size: int) -> bool:
        return bool(self.memory_limit) and size + self.size_in_bytes > self.memory_limit


class Area(_Bounded):
    """Elements in the order in which they came."""

    def __init__(self, capacity: int, memory_limit: int):
        super().__init__(capacity, memory_limit)
        self.elements: list[Any] = []

    def put(self, values: Any) -> Attempt:
        values = [copied(v) for v in values]  # what was fed is the caller's
        size = _bytes(values)
        self._check_memory(size)

        def go() -> Any:
            if self._no_memory(size) or (self.capacity and len(self.elements) >= self.capacity):
                return NOT_YET
            self.elements.append(values)
            self.size_in_bytes += size
            return None

        return self.attempt(go, NO_CANCELLATION)

    def get(self) -> Attempt:
        def go() -> Any:
            if not self.elements:
                return NOT_YET
            values = self.elements.pop(0)
            self.size_in_bytes -= _bytes(values)
            return values

        return self.attempt(go, NO_CANCELLATION)

    def peek(self, index: int) -> Attempt:
        return self.attempt(lambda: self.elements[index] if index < len(self.elements) else NOT_YET, NO_CANCELLATION)

    def clear(self) -> None:
        self.elements.clear()
        self.size_in_bytes = 0


class MapArea(_Bounded):
    """Elements by key, which may come and go component by component. Without a key, the least is taken, or in order of completion."""

    def __init__(self, components: int, capacity: int, memory_limit: int, ordered: bool):
        super().__init__(capacity, memory_limit)
        self.components, self.ordered = components, ordered
        self.elements: dict[int, list[Any]] = {}
        self.incomplete: dict[int, list[Any]] = {}

    def _check_order(self, indices: list[int]) -> None:
        if any(a >= b for a, b in zip(indices, indices[1:], strict=False)):
            raise invalid("Indices are not strictly ordered")

    def _check_index(self, key: int, index: int) -> None:
        if not 0 <= index < self.components:
            raise invalid(f"Index '{index}' for key '{key}' was out of bounds '{self.components}'.")

    def put(self, key: int, indices: list[int], values: Any) -> Attempt:
        self._check_order(indices)
        values = [copied(v) for v in values]
        size = _bytes(values)
        self._check_memory(size)
        whole = len(indices) == self.components

        def go() -> Any:
            if self._no_memory(size) or (whole and self.capacity and len(self.elements) >= self.capacity):
                return NOT_YET
            if whole:
                self.elements.setdefault(key, values)
            else:
                self._put_part(key, indices, values)
            self.size_in_bytes += size
            return None

        return self.attempt(go, NO_CANCELLATION)

    def _put_part(self, key: int, indices: list[int], values: list[Any]) -> None:
        present = self.incomplete.get(key) or [None] * self.components
        for index, value in zip(indices, values, strict=True):
            self._check_index(key, index)
            if present[index] is not None:
                raise invalid(
                    f"The tensor for index '{index}' for key '{key}' was already initialized '{self.components}'."
                )
            present[index] = value
        self.incomplete[key] = present
        if all(v is not None for v in present):
            self.elements.setdefault(key, self.incomplete.pop(key))

    def _chosen(self, key: int, indices: list[int], remove: bool) -> list[Any]:
        element = self.elements[key]
        chosen = []
        for index in indices:
            self._check_index(key, index)
            if element[index] is None:
                raise invalid(f"Tensor at index '{index}' for key '{key}' has already been removed.")
            chosen.append(element[index])
            if remove:
                element[index] = None
        if remove:
            if all(v is None for v in element):
                del self.elements[key]
            self.size_in_bytes -= _bytes(chosen)
        return chosen

    def get(self, key: int | None, indices: list[int], remove: bool = True) -> Attempt:
        """The components at `indices` of the element of that key, or of the first; the value is (key, components)."""
        self._check_order(indices)

        def go() -> Any:
            if key is None:
                if not self.elements:
                    return NOT_YET
                chosen = min(self.elements) if self.ordered else next(iter(self.elements))
            elif key not in self.elements:
                return NOT_YET
            else:
                chosen = key
            return chosen, self._chosen(chosen, indices, remove)

        return self.attempt(go, NO_CANCELLATION)

    def clear(self) -> None:
        self.elements.clear()
        self.incomplete.clear()
        self.size_in_bytes = 0


def _area(ctx: Any, container: str, shared_name: str, make: Any, kind: str = "staging") -> Any:
    return ctx.resource((kind, container, shared_name or ctx.op.name), make)


def _declare_stage() -> dict[str, Any]:
    quick = {"host": True, "effect": "host"}
    facts = quick | {"waits": True}

    @op("Stage", **facts)
    def stage(
        values: Mixed("dtypes", 1),
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        container: str = "",
        shared_name: str = "",
        ctx,
    ):
        """Put tensors into the area, when there is room."""
        yield _area(ctx, container, shared_name, lambda: Area(capacity, memory_limit)).put(values)

    @op("Unstage", **facts)
    def unstage(
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Min(Types, 1),
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(values=Mixed("dtypes", 1)):
        """Take the tensors that came first, when there are any."""
        values = yield _area(ctx, container, shared_name, lambda: Area(capacity, memory_limit)).get()
        if len(values) != len(dtypes):
            raise invalid(f"Mismatch stage/unstage: {len(values)} vs. {len(dtypes)}")
        return values

    @op("StagePeek", **facts)
    def stage_peek(
        index: int32,
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Min(Types, 1),
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(values=Mixed("dtypes", 1)):
        """The tensors at a place, left where they are."""
        return (yield _area(ctx, container, shared_name, lambda: Area(capacity, memory_limit)).peek(int(index)))

    @op("StageSize", **quick)
    def stage_size(
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Types,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(size=int32):
        """How many elements the area has."""
        area = _area(ctx, container, shared_name, lambda: Area(capacity, memory_limit))
        return np.int32(len(area.elements))

    @op("StageClear", **quick)
    def stage_clear(
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Types,
        container: str = "",
        shared_name: str = "",
        ctx,
    ):
        """Empty the area."""
        area = _area(ctx, container, shared_name, lambda: Area(capacity, memory_limit))
        area.change(area.clear)

    return {"put": stage, "get": unstage, "peek": stage_peek, "size": stage_size, "clear": stage_clear}


def _declare_map(prefix: str, ordered: bool) -> dict[str, Any]:
    quick = {"host": True, "effect": "host"}
    facts = quick | {"waits": True}

    def area(ctx: Any, container: str, shared_name: str, types: Any, capacity: int, memory_limit: int) -> MapArea:
        make = lambda: MapArea(len(types), capacity, memory_limit, ordered)
        return _area(ctx, container, shared_name, make, f"{prefix}staging")

    @op(prefix + "MapStage", **facts)
    def stage(
        key: int64,
        indices: int32,
        values: Mixed("fake_dtypes", 1),
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Types,
        container: str = "",
        shared_name: str = "",
        ctx,
    ):
        """Put tensors under a key."""
        found = area(ctx, container, shared_name, dtypes, capacity, memory_limit)
        yield found.put(int(key), indices.tolist(), values)

    @op(prefix + "MapUnstage", **facts)
    def unstage(
        key: int64,
        indices: int32,
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Min(Types, 1),
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(values=Mixed("dtypes", 1)):
        """Take tensors from under a key, when they are there."""
        found = area(ctx, container, shared_name, dtypes, capacity, memory_limit)
        return (yield found.get(int(key), indices.tolist()))[1]

    @op(prefix + "MapUnstageNoKey", **facts)
    def unstage_no_key(
        indices: int32,
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Min(Types, 1),
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(key=int64, values=Mixed("dtypes", 1)):
        """Take some element, when there is one, and its key."""
        found = area(ctx, container, shared_name, dtypes, capacity, memory_limit)
        key, values = yield found.get(None, indices.tolist())
        return np.int64(key), values

    @op(prefix + "MapPeek", **facts)
    def peek(
        key: int64,
        indices: int32,
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Min(Types, 1),
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(values=Mixed("dtypes", 1)):
        """The tensors under a key, left where they are."""
        found = area(ctx, container, shared_name, dtypes, capacity, memory_limit)
        return (yield found.get(int(key), indices.tolist(), remove=False))[1]

    @op(prefix + "MapSize", **quick)
    def size(
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Types,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(size=int32):
        """How many complete elements the area has."""
        return np.int32(len(area(ctx, container, shared_name, dtypes, capacity, memory_limit).elements))

    @op(prefix + "MapIncompleteSize", **quick)
    def incomplete_size(
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Types,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> Outputs(size=int32):
        """How many elements lack a component."""
        return np.int32(len(area(ctx, container, shared_name, dtypes, capacity, memory_limit).incomplete))

    @op(prefix + "MapClear", **quick)
    def clear(
        *,
        capacity: Min(int, 0) = 0,
        memory_limit: Min(int, 0) = 0,
        dtypes: Types,
        container: str = "",
        shared_name: str = "",
        ctx,
    ):
        """Empty the area."""
        found = area(ctx, container, shared_name, dtypes, capacity, memory_limit)
        found.change(found.clear)

    unstage_no_key.shape_rule(lambda node: [()] + [None] * (len(node.outputs) - 1))
    return {
        "put": stage,
        "pop": unstage,
        "popitem": unstage_no_key,
        "peek": peek,
        "size": size,
        "incomplete_size": incomplete_size,
        "clear": clear,
    }


STAGE = _declare_stage()
MAP = _declare_map("", False)
ORDERED_MAP = _declare_map("Ordered", True)
for _ops in (STAGE, MAP, ORDERED_MAP):
    for _what, _opdef in _ops.items():
        _opdef.not_differentiable()
        if _what in ("size", "incomplete_size"):
            _opdef.shape_rule(lambda node: [()])
        elif _what != "popitem":
            _opdef.shape_rule(lambda node: [None] * len(node.outputs))
