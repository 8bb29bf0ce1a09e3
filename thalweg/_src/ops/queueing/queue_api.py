"""tf.QueueBase and its kinds: queues as objects of the graph."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg._src.core import dtypes as types_lib
from thalweg._src.core import infer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import as_dtype
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.seeds import get_seed
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.queueing.queues import QUEUES, USE, USE_OF_REFERENCES


def as_types(dtypes: Any) -> list[Any]:
    """A dtype or a sequence of them as a list."""
    return [as_dtype(t) for t in (dtypes if isinstance(dtypes, list | tuple) else [dtypes])]


def as_shapes(shapes: Any, *, partial: bool = False) -> list[TensorShape] | None:
    """One shape or a list of them as a list of TensorShapes; None stays None. Unless `partial`, they must be fully known."""
    if partial and (
        not isinstance(shapes, list | tuple) or not shapes or any(s is None or isinstance(s, int) for s in shapes)
    ):
        raise ValueError("When providing partial shapes, a list of shapes must be provided.")
    if shapes is None:
        return None
    if isinstance(shapes, TensorShape):
        shapes = [shapes]
    if not isinstance(shapes, list | tuple):
        raise TypeError("shapes must be a TensorShape or a list or tuple of TensorShapes.")
    if all(s is None or isinstance(s, int) for s in shapes):
        shapes = [shapes]
    made = [TensorShape(s) for s in shapes]
    if not partial and any(not s.is_fully_defined() for s in made):
        raise ValueError(f"All shapes must be fully defined: {made}")
    if any(s.dims is None for s in made):
        raise ValueError(f"All shapes must have a defined rank: {made}")
    return made


def as_names(names: Any, dtypes: Sequence[Any]) -> list[str] | None:
    """One name or a list of them, one for each component."""
    if names is None:
        return None
    names = list(names) if isinstance(names, list | tuple) else [names]
    if len(names) != len(dtypes):
        raise ValueError("List of names must have the same length as the list of dtypes")
    return names


def _common(a: TensorShape, b: TensorShape) -> TensorShape:
    if a.ndims is None or b.ndims is None or a.ndims != b.ndims:
        return TensorShape(None)
    return TensorShape([m if m == n else None for m, n in zip(a.as_list(), b.as_list(), strict=True)])


class QueueBase:
    """What all queues share: elements that are tuples of tensors go in and come out, one by one or in batches.

    Taking from an empty queue waits, and so does putting into a full one. After `close`, what is left can be taken; then taking raises
    OutOfRangeError.
    """

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Tensor):
        self._dtypes = dtypes
        if shapes is not None:
            if len(shapes) != len(dtypes):
                raise ValueError("Queue shapes must have the same length as dtypes")
            self._shapes = [TensorShape(s) for s in shapes]
        else:
            self._shapes = [TensorShape(None) for _ in dtypes]
        if names is not None:
            if len(names) != len(dtypes):
                raise ValueError("Queue names must have the same length as dtypes")
            self._names = names
        else:
            self._names = None
        self._queue_ref = queue_ref
        self._name = queue_ref.op.name.split("/")[-1]

    @staticmethod
    def from_list(index: Any, queues: Sequence[QueueBase]) -> QueueBase:
        """The queue of `queues` that `index`, a scalar tensor, chooses in a run."""
        if not queues or not isinstance(queues, list) or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError("A list of queues expected")
        first = queues[0]
        if not all(first.dtypes == q.dtypes for q in queues[1:]):
            raise TypeError("Queues do not have matching component dtypes.")
        if not all(first.names == q.names for q in queues[1:]):
            raise TypeError("Queues do not have matching component names.")
        shapes = first.shapes
        for q in queues[1:]:
            shapes = [_common(a, b) for a, b in zip(shapes, q.shapes, strict=True)]
        chosen = gather(stack([q.queue_ref for q in queues]), index)
        return QueueBase(first.dtypes, shapes, first.names, chosen)

    @property
    def queue_ref(self) -> Tensor:
        """The handle of the queue."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """The name of the op that made the queue."""
        return self._queue_ref.op.name

    @property
    def dtypes(self) -> list[Any]:
        """The dtype of each component."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shape of each component."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """The name of each component, or None."""
        return self._names

    def _use(self, what: str) -> Any:
        return (USE if self._queue_ref.dtype.base_dtype == types_lib.resource else USE_OF_REFERENCES)[what]

    def _components(self, vals: Any) -> list[Tensor]:
        if isinstance(vals, Mapping):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names, key=str) != sorted(vals.keys(), key=str):
                raise ValueError(
                    "Keys in dictionary to enqueue do not match names of Queue.  "
                    f"Dictionary: ({sorted(vals.keys())}), Queue: ({sorted(self._names)})"
                )
            vals = [vals[k] for k in self._names]
        else:
            if self._names:
                raise ValueError("You must enqueue a dictionary in a Queue with names")
            if not isinstance(vals, list | tuple):
                vals = [vals]
        return [
            to_tensor(v, t, name=f"component_{i}") for i, (v, t) in enumerate(zip(vals, self._dtypes, strict=False))
        ]

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """Put one element, a tensor, a list of tensors or a dict by the names of the components; waits while the queue is full."""
        with name_scope(name, f"{self._name}_enqueue", tensors_in(vals)) as scope:
            values = self._components(vals)
            for value, shape in zip(values, self._shapes, strict=False):
                value.shape.assert_is_compatible_with(shape)
            return self._use("enqueue")(self._queue_ref, values, name=scope)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """Put the rows of the components, one element each."""
        with name_scope(name, f"{self._name}_EnqueueMany", tensors_in(vals)) as scope:
            values = self._components(vals)
            batch = values[0].shape.with_rank_at_least(1)[:1]
            for value, shape in zip(values, self._shapes, strict=False):
                batch = batch.merge_with(value.shape.with_rank_at_least(1)[:1])
                value.shape[1:].assert_is_compatible_with(shape)
            return self._use("enqueue_many")(self._queue_ref, values, name=scope)

    def _given(self, values: Sequence[Tensor]) -> Any:
        if self._names:
            return dict(zip(self._names, values, strict=True))
        return values[0] if len(values) == 1 else values

    def dequeue(self, name: str | None = None) -> Any:
        """Take one element: a tensor, a list of them, or a dict if the components have names. Waits while there is none."""
        name = f"{self._name}_Dequeue" if name is None else name
        values = self._use("dequeue")(self._queue_ref, component_types=self._dtypes, name=name)
        for value, shape in zip(values, self._shapes, strict=True):
            value.set_shape(shape)
        return self._given(values)

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Take `n` elements, stacked. A closed queue with fewer raises OutOfRangeError."""
        name = f"{self._name}_DequeueMany" if name is None else name
        values = self._use("dequeue_many")(self._queue_ref, n, component_types=self._dtypes, name=name)
        count = infer.constant_value(values[0].op.inputs[1])
        for value, shape in zip(values, self._shapes, strict=True):
            value.set_shape(TensorShape([None if count is None else int(count)]).concatenate(shape))
        return self._given(values)

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """Take `n` elements, stacked, or as many as a closed queue still has."""
        name = f"{self._name}_DequeueUpTo" if name is None else name
        values = self._use("dequeue_up_to")(self._queue_ref, n, component_types=self._dtypes, name=name)
        for value, shape in zip(values, self._shapes, strict=True):
            value.set_shape(TensorShape([None]).concatenate(shape))
        return self._given(values)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """Let no more elements in. Those that wait for room still get in, unless `cancel_pending_enqueues`."""
        name = f"{self._name}_Close" if name is None else name
        return self._use("close")(self._queue_ref, cancel_pending_enqueues=cancel_pending_enqueues, name=name)

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether the queue is closed."""
        name = f"{self._name}_Is_Closed" if name is None else name
        return self._use("is_closed")(self._queue_ref, name=name)

    def size(self, name: str | None = None) -> Tensor:
        """How many elements the queue has."""
        name = f"{self._name}_Size" if name is None else name
        return self._use("size")(self._queue_ref, name=name)


def tensors_in(vals: Any) -> list[Any]:
    if isinstance(vals, Mapping):
        return list(vals.values())
    return list(vals) if isinstance(vals, list | tuple) else [vals]


class FIFOQueue(QueueBase):
    """A queue whose elements come out in the order in which they went in.

    `capacity`: it holds no more than so many; `dtypes`, `shapes` and `names` are those of the components (batches need the shapes);
    queues with the same `shared_name` are one.

    >>> q = tf.FIFOQueue(10, tf.float32, shapes=())
    >>> with tf.Session() as sess:
    ...     sess.run(q.enqueue_many([[1.0, 2.0, 3.0]]))
    ...     print(sess.run(q.dequeue_many(2)))
    [1. 2.]
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ):
        dtypes = as_types(dtypes)
        shapes = as_shapes(shapes)
        names = as_names(names, dtypes)
        ref = QUEUES["FIFOQueue"](
            component_types=dtypes, shapes=shapes, capacity=capacity, shared_name=shared_name or "", name=name
        )
        super().__init__(dtypes, shapes, names, ref)


class PaddingFIFOQueue(QueueBase):
    """A queue in order whose components may have unknown dimensions (None in `shapes`); batches are padded with zeros."""

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ):
        dtypes = as_types(dtypes)
        made = as_shapes(shapes, partial=True)
        assert made is not None
        names = as_names(names, dtypes)
        if len(dtypes) != len(made):
            raise ValueError(
                f"Shapes must be provided for all components, but received {len(dtypes)} dtypes and {len(made)} shapes."
            )
        ref = QUEUES["PaddingFIFOQueue"](
            component_types=dtypes, shapes=made, capacity=capacity, shared_name=shared_name or "", name=name
        )
        super().__init__(dtypes, made, names, ref)


class RandomShuffleQueue(QueueBase):
    """A queue that gives a random one of its elements, and keeps `min_after_dequeue` of them until it is closed.

    With a `seed` (or the graph's), the order is the same in every program that puts the same elements in.
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ):
        dtypes = as_types(dtypes)
        shapes = as_shapes(shapes)
        names = as_names(names, dtypes)
        seed1, seed2 = get_seed(seed)
        if seed1 is None and seed2 is None:
            seed1, seed2 = 0, 0
        elif seed is None and shared_name is not None:  # all that share it must get the same seeds
            digest = hashlib.md5(f"{seed1}{shared_name}".encode(), usedforsecurity=False).hexdigest()
            seed2 = int(digest[:8], 16) & 0x7FFFFFFF
        ref = QUEUES["RandomShuffleQueue"](
            component_types=dtypes,
            shapes=shapes,
            capacity=capacity,
            min_after_dequeue=min_after_dequeue,
            seed=seed1,
            seed2=seed2,
            shared_name=shared_name or "",
            name=name,
        )
        super().__init__(dtypes, shapes, names, ref)


class PriorityQueue(QueueBase):
    """A queue that gives the element of the least priority first: an int64 that stands before the components."""

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ):
        types = as_types(types)
        shapes = as_shapes(shapes)
        ref = QUEUES["PriorityQueue"](
            component_types=types, shapes=shapes or [], capacity=capacity, shared_name=shared_name or "", name=name
        )
        super().__init__([types_lib.int64, *types], [TensorShape([]), *shapes] if shapes else shapes, names, ref)
