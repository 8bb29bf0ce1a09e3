"""Queues as ops. Those whose names end in V2 hand out resources, the others references to strings; both are the same queues."""

from typing import Any

import numpy as np

from thalweg._src.core.dtypes import bool as boolean
from thalweg._src.core.dtypes import int32, int64, resource, string
from thalweg._src.core.opdef import Min, Mixed, Outputs, Ref, Shape, Types, op
from thalweg._src.ops.queueing.queue_kinds import PaddingQueue, PriorityQueue, Queue, ShuffleQueue, invalid
from thalweg._src.ops.stateful.handles import held


def _own(
    ctx: Any, container: str, shared_name: str, make: Any, types: Any, dims: Any, capacity: int, **others: Any
) -> Any:
    """The queue of an op, checked against its attrs where another op may have made it."""
    made = ctx.own("queue", container, shared_name, make)
    if shared_name:
        made.check_same(ctx.op.type, types, dims, capacity, **others)
    return made


def _declare_queues(suffix: str, out: Any, dims: list[Any]) -> dict[str, Any]:
    facts = {"host": True, "stateful": True, "foldable": False}

    @op("FIFOQueue" + suffix, **facts)
    def fifo_queue(
        *,
        component_types: Min(Types, 1),
        shapes: Min(list[Shape], 0) = (),
        capacity: int = -1,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> out:
        """A queue of elements in the order in which they came."""
        make = lambda name: Queue(name, component_types, shapes, capacity)
        return _own(ctx, container, shared_name, make, component_types, shapes, capacity)

    @op("PaddingFIFOQueue" + suffix, **facts)
    def padding_fifo_queue(
        *,
        component_types: Min(Types, 1),
        shapes: Min(list[Shape], 0) = (),
        capacity: int = -1,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> out:
        """A queue in order, whose batches are padded."""
        make = lambda name: PaddingQueue(name, component_types, shapes, capacity)
        return _own(ctx, container, shared_name, make, component_types, shapes, capacity)

    @op("RandomShuffleQueue" + suffix, **facts)
    def random_shuffle_queue(
        *,
        component_types: Min(Types, 1),
        shapes: Min(list[Shape], 0) = (),
        capacity: int = -1,
        min_after_dequeue: int = 0,
        seed: int = 0,
        seed2: int = 0,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> out:
        """A queue that gives its elements in a random order."""
        seeds = (seed, seed2)
        make = lambda name: ShuffleQueue(name, component_types, shapes, capacity, min_after_dequeue, seeds)
        return _own(
            *(ctx, container, shared_name, make, component_types, shapes, capacity),
            least=min_after_dequeue,
            seeds=seeds,
        )

    @op("PriorityQueue" + suffix, **facts)
    def priority_queue(
        *,
        component_types: Min(Types, 0) = (),
        shapes: Min(list[Shape], 0),
        capacity: int = -1,
        container: str = "",
        shared_name: str = "",
        ctx,
    ) -> out:
        """A queue that gives the element of the least priority first; that is an int64 before the components."""
        types = [int64, *component_types]
        full = [(), *shapes] if shapes else []
        make = lambda name: PriorityQueue(name, types, full, capacity)
        return _own(ctx, container, shared_name, make, types, full, capacity)

    made = {
        "FIFOQueue": fifo_queue,
        "PaddingFIFOQueue": padding_fifo_queue,
        "RandomShuffleQueue": random_shuffle_queue,
        "PriorityQueue": priority_queue,
    }
    for opdef in made.values():
        opdef.shape_rule(lambda node: list(dims))
        opdef.not_differentiable()
    return made


QUEUES = _declare_queues("V2", resource, [()])
_declare_queues("", Ref(string), [(2,)])


def _count(n: Any, opname: str) -> int:
    n = int(n)
    if n < 0:
        raise invalid(f"{opname} requested {n} < 0 elements")
    return n


def _declare_use(suffix: str, handle: Any, stateful: bool) -> dict[str, Any]:
    quick = {"host": True, "effect": "host", "stateful": stateful}
    facts = quick | {"waits": True}

    @op("QueueEnqueue" + suffix, **facts)
    def enqueue(handle: handle, components: Mixed("Tcomponents", 1), *, timeout_ms: int = -1):
        """Put an element into a queue, when there is room."""
        return held(handle).enqueue(components)

    @op("QueueEnqueueMany" + suffix, **facts)
    def enqueue_many(handle: handle, components: Mixed("Tcomponents", 1), *, timeout_ms: int = -1):
        """Put the rows of the components into a queue, as there is room."""
        return held(handle).enqueue_many(components)

    @op("QueueDequeue" + suffix, **facts)
    def dequeue(handle: handle, *, component_types: Min(Types, 1), timeout_ms: int = -1) -> Outputs(
        components=Mixed("component_types", 1)
    ):
        """Take an element from a queue, when there is one."""
        return _of_types(held(handle), component_types).dequeue()

    @op("QueueDequeueMany" + suffix, **facts)
    def dequeue_many(handle: handle, n: int32, *, component_types: Min(Types, 1), timeout_ms: int = -1) -> Outputs(
        components=Mixed("component_types", 1)
    ):
        """Take `n` elements from a queue, as they come, stacked."""
        return _of_types(held(handle), component_types).dequeue_many(_count(n, "DequeueManyOp"))

    @op("QueueDequeueUpTo" + suffix, **facts)
    def dequeue_up_to(handle: handle, n: int32, *, component_types: Min(Types, 1), timeout_ms: int = -1) -> Outputs(
        components=Mixed("component_types", 1)
    ):
        """Take `n` elements from a queue, or what is left of a closed one, stacked."""
        return _of_types(held(handle), component_types).dequeue_many(_count(n, "DequeueUpToOp"), fewer=True)

    @op("QueueClose" + suffix, **facts)
    def close(handle: handle, *, cancel_pending_enqueues: bool = False):
        """No more elements go into a queue; those that wait for room still do, unless they are cancelled."""
        return held(handle).close(cancel_pending_enqueues)

    @op("QueueSize" + suffix, **quick)
    def size(handle: handle) -> Outputs(size=int32):
        """How many elements a queue has now."""
        return np.int32(held(handle).size)

    @op("QueueIsClosed" + suffix, **quick)
    def is_closed(handle: handle) -> Outputs(is_closed=boolean):
        """Whether a queue is closed."""
        return np.bool_(held(handle).closed)

    for opdef in (size, is_closed):
        opdef.shape_rule(lambda node: [()])
    for opdef in (dequeue, dequeue_many, dequeue_up_to):
        opdef.shape_rule(lambda node: [None] * len(node.outputs))
    for opdef in (enqueue, enqueue_many, close):
        opdef.shape_rule(lambda node: [])
    made = {
        "enqueue": enqueue,
        "enqueue_many": enqueue_many,
        "dequeue": dequeue,
        "dequeue_many": dequeue_many,
        "dequeue_up_to": dequeue_up_to,
        "close": close,
        "size": size,
        "is_closed": is_closed,
    }
    for opdef in made.values():
        opdef.not_differentiable()
    return made


def _of_types(queue: Any, types: Any) -> Any:
    if list(types) != queue.types:
        raise invalid(
            f"Output types {[t.name for t in types]} do not match those of queue '{queue.name}': "
            f"{[t.name for t in queue.types]}"
        )
    return queue


USE = _declare_use("V2", resource, True)
USE_OF_REFERENCES = _declare_use("", Ref(string), False)


@op("FakeQueue", host=True, stateful=True, foldable=False)
def fake_queue(resource: resource) -> Outputs(handle=Ref(string)):
    """The queue behind a resource, as the ops of 0.x take it."""
    return held(resource)


fake_queue.shape_rule(lambda node: [()])
fake_queue.not_differentiable()
