"""Long sequences in segments, with a state that goes from one segment to the next: `tf.contrib.training.SequenceQueueingStateSaver`.

A barrier holds the segments. The key of one is "number_of_count:key of the sequence"; it is complete, and may be taken, when the
state has come that was saved under its key. A queue of tokens, one for each sequence under way, keeps their number small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.scopes import colocate_with, name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.arrays.constants import ones
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.joining import concat
from thalweg._src.ops.arrays.padding import tile
from thalweg._src.ops.arrays.ranges import range as tf_range
from thalweg._src.ops.arrays.selecting import where_v2
from thalweg._src.ops.arrays.shaping import expand_dims, rank, reshape, shape, squeeze
from thalweg._src.ops.arrays.slicing import slice as tf_slice
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.basic import control_dependencies, group, identity
from thalweg._src.ops.numeric.arithmetic import floordiv, maximum, minimum, mod
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.numeric.compare import equal, less_equal, logical_and, logical_not, not_equal
from thalweg._src.ops.numeric.reduce import reduce_all, reduce_sum
from thalweg._src.ops.queueing.barriers import Barrier
from thalweg._src.ops.queueing.queue_api import FIFOQueue
from thalweg._src.ops.reports.checks import Assert, assert_greater_equal
from thalweg._src.ops.text.string_numbers import as_string
from thalweg._src.ops.text.strings import string_join

FACTS = (  # of each segment, beside its contents
    ("length", dtypes.int32),
    ("total_length", dtypes.int32),
    ("next_key", dtypes.string),
    ("sequence", dtypes.int32),
    ("sequence_count", dtypes.int32),
)


class NextQueuedSequenceBatch:
    """A batch of segments. Steps that take one must also save its states, or the next segments never come.

    All but `batch_size`, `context` and `sequences` are vectors, an entry for each segment.
    """

    def __init__(self, state_saver: SequenceQueueingStateSaver):
        self._saver = state_saver
        taken = state_saver._take()
        self._indices, self._keys, values = taken
        self._values = dict(zip(state_saver._index, values, strict=True))
        self._batch_size = squeeze(shape(self.length))
        self._done = self.sequence + 1 >= self.sequence_count
        ended = state_saver._tokens.dequeue_many(reduce_sum(cast(self._done, dtypes.int32)))
        with control_dependencies([ended]):  # whoever takes states lets new sequences in
            self._states = {k: identity(v) for k, v in self._of("state").items()}
        self._context, self._sequences = self._of("context"), self._of("sequence")

    def _of(self, kind: str) -> dict[str, Any]:
        return {key[1]: v for key, v in self._values.items() if key[0] == kind}

    @property
    def total_length(self) -> Tensor:
        """How long the whole sequences are, without padding."""
        return self._values["total_length"]

    @property
    def length(self) -> Tensor:
        """How long the segments are, without padding: num_unroll, but less at the end of a sequence."""
        return self._values["length"]

    @property
    def batch_size(self) -> Tensor:
        """How many segments there are (a scalar)."""
        return self._batch_size

    @property
    def insertion_index(self) -> Tensor:
        """Numbers from -2**63 up, one for each sequence in the order in which they came."""
        return self._indices

    @property
    def key(self) -> Tensor:
        """ "00001_of_00003:key" for the second of three segments of the sequence of that key."""
        return self._keys

    @property
    def next_key(self) -> Tensor:
        """The keys of the next segments; "STOP:key" behind the last one."""
        return self._values["next_key"]

    @property
    def sequence(self) -> Tensor:
        """The number of each segment within its sequence, from 0 on."""
        return self._values["sequence"]

    @property
    def sequence_count(self) -> Tensor:
        """How many segments each sequence has."""
        return self._values["sequence_count"]

    @property
    def context(self) -> dict[str, Any]:
        """The context of each segment's sequence: name -> [batch, ...]."""
        return self._context

    @property
    def sequences(self) -> dict[str, Any]:
        """The segments: name -> [batch, num_unroll, ...]."""
        return self._sequences

    def state(self, state_name: str) -> Tensor:
        """What was saved with the segments before, for first segments the initial state: [batch, ...]. Raises KeyError."""
        return self._states[state_name]

    def save_state(self, state_name: str, value: Any, name: str | None = None) -> Operation:
        """The operation that gives `value`, [batch, ...], to the segments that follow these. Raises KeyError."""
        if state_name not in self._states:
            raise KeyError(f"state was not declared: {state_name}")
        saver = self._saver
        with name_scope(name, "InputQueueingStateSaver_SaveState", [value]), saver._on_host():
            going_on = reshape(where_v2(logical_not(self._done)), [-1])
            keys = gather(self.next_key, going_on)
            value = identity(value, name=f"convert_{state_name}")
            value = _like(value, self._states[state_name])
            return saver._insert(
                ("state", state_name), keys, gather(value, going_on), f"BarrierInsertState_{state_name}"
            )


class SequenceQueueingStateSaver:
    """Takes sequences one at a time (`prefetch_op`), gives batches of their segments, `num_unroll` steps each (`next_batch`).

    `input_sequences` are [steps, ...] each, steps being a multiple of `num_unroll`, of which `input_length` count; `input_context`
    goes with every segment. All other dimensions must be known. At most `capacity` sequences are under way at once. Once closed, with
    `allow_small_batch`, the batches get smaller as the sequences that are left end. Raises TypeError and ValueError for what does not fit.
    """

    def __init__(
        self,
        batch_size: Any,
        num_unroll: int,
        input_length: Any,
        input_key: Any,
        input_sequences: Mapping[str, Any],
        input_context: Mapping[str, Any],
        initial_states: Mapping[str, Any],
        capacity: int | None = None,
        allow_small_batch: bool = False,
        name: str | None = None,
    ):
        if capacity is not None and isinstance(batch_size, Tensor):
            message = "capacity needs to be >= batch_size."
            room, wanted = cast(capacity, dtypes.int64), cast(batch_size, dtypes.int64)
            with control_dependencies([assert_greater_equal(room, wanted, message=message)]):
                input_key = identity(input_key)
        elif capacity is not None and capacity < batch_size:
            raise ValueError(f"capacity {capacity} needs to be >= batch_size {batch_size}")
        self._tokens = FIFOQueue(capacity=capacity, dtypes=[dtypes.int32], shapes=[[]])
        self._batch_size, self._num_unroll, self._allow_small_batch = batch_size, num_unroll, allow_small_batch
        self._prefetch_op: Operation | None = None
        self._next_batch: NextQueuedSequenceBatch | None = None
        with self._on_host():
            _check_names("state", initial_states, "initial_states must be a dictionary")
            if not initial_states:
                raise ValueError(
                    "initial_states may not be empty: at least one state variable is required to properly enqueue split sequences to "
                    "run in separate iterations"
                )
            given = [input_length, input_key, *input_sequences.values(), *input_context.values()]
            with name_scope(name, "InputQueueingStateSaver", given) as scope:
                self._scope = scope
                self._prepare(input_length, input_key, input_sequences, input_context, initial_states)

    def _on_host(self) -> Any:
        return colocate_with(self._tokens.queue_ref)

    def _prepare(self, length: Any, key: Any, sequences: Any, context: Any, states: Any) -> None:
        """Hold the inputs to what they must be, and make the barrier for their types and shapes."""
        length, key = to_tensor(length, name="length"), to_tensor(key, name="key")
        _check_names("sequence key", sequences, "sequences must be a dict")
        _check_names("context key", context, "context must be a dict")
        if not sequences:
            raise ValueError("must have at least one sequence tensor")
        sequences, context, states = (
            {k: to_tensor(v, name=f"{kind}_{k}") for k, v in sorted(tensors.items())}
            for kind, tensors in (("sequence", sequences), ("context", context), ("state", states))
        )
        for kind, tensors, first in (("state", states, 0), ("context", context, 0), ("sequence", sequences, 1)):
            for k, t in tensors.items():
                if not t.shape[first:].is_fully_defined():
                    which = "(ignoring first dimension)" if first else ""
                    raise ValueError(f"Shape for {kind} {k} is not fully defined {which}: {t.shape}")
        length, self._key = _with_rank(length, 0), _with_rank(key, 0)
        if length.dtype != dtypes.int32:
            raise TypeError(f"length dtype must be int32, but received: {length.dtype}")
        if self._key.dtype != dtypes.string:
            raise TypeError(f"key dtype must be string, but received: {key.dtype}")
        steps = identity(shape(next(iter(sequences.values())))[0], name="padded_length")
        self._steps = multiple_of(steps, steps, self._num_unroll, f"Tensor {steps.name}")
        self._sequences = {k: _with_sizes(v, [self._steps], f"sorted_sequences_{k}") for k, v in sequences.items()}
        self._context, self._initial = context, states
        fits = Assert(
            less_equal(length, self._steps),
            ["Input length should be <= than length from sequences:", length, " vs. ", self._steps],
        )
        with control_dependencies([fits]):
            self._length = identity(length)
        rows = [(name, kind, []) for name, kind in FACTS]
        rows += [
            (("sequence", k), v.dtype, [self._num_unroll, *v.shape.as_list()[1:]]) for k, v in self._sequences.items()
        ]
        rows += [(("context", k), v.dtype, v.shape.as_list()) for k, v in context.items()]
        rows += [(("state", k), v.dtype, v.shape.as_list()) for k, v in states.items()]
        self._index: dict[Any, int] = {key: i for i, (key, _, _) in enumerate(rows)}  # components of the barrier
        self._barrier = Barrier(types=[kind for _, kind, _ in rows], shapes=[dims for _, _, dims in rows])

    @property
    def name(self) -> str:
        return self._scope

    @property
    def barrier(self) -> Barrier:
        """What holds the segments."""
        return self._barrier

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def num_unroll(self) -> int:
        return self._num_unroll

    @property
    def prefetch_op(self) -> Operation:
        """The operation that takes one sequence in; a QueueRunner runs it."""
        if self._prefetch_op is None:
            with name_scope(None), name_scope(self._scope, values=[self._barrier.barrier_ref]), self._on_host():
                self._prefetch_op = self._insert_sequence()
        return self._prefetch_op

    @property
    def next_batch(self) -> NextQueuedSequenceBatch:
        """The next segments of `batch_size` sequences."""
        self.prefetch_op  # noqa: B018 (made first, as its names come first)
        if self._next_batch is None:
            with name_scope(None), name_scope(self._scope, values=[self._barrier.barrier_ref]), self._on_host():
                self._next_batch = NextQueuedSequenceBatch(self)
        return self._next_batch

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """Let no new sequences in; those under way go on unless `cancel_pending_enqueues`."""
        with name_scope(name, "SQSSClose", [self.prefetch_op]) as scope:
            barrier = self._barrier.close(cancel_pending_enqueues, "BarrierClose")
            tokens = self._tokens.close(cancel_pending_enqueues, "FIFOClose")
            return group(barrier, tokens, name=scope)

    def _take(self) -> Any:
        return self._barrier.take_many(self._batch_size, self._allow_small_batch, name="BarrierTakeMany")

    def _insert(self, key: Any, keys: Any, values: Any, name: str) -> Operation:
        return self._barrier.insert_many(self._index[key], keys, values, name=name)

    def _insert_sequence(self) -> Operation:
        """The segments of a sequence into the barrier, with the initial states for the first of them."""
        count = floordiv(self._steps, self._num_unroll)
        each = ones(expand_dims(count, 0), dtype=dtypes.int32)
        number = tf_range(count)
        of = ["_of_", as_string(count, width=5, fill="0"), ":", self._key]
        keys = string_join([as_string(number, width=5, fill="0"), *of], name="StringJoinCurrentKeys")
        stop = expand_dims(string_join(["STOP:", self._key], name="StringJoinStop"), 0)
        facts = {
            "sequence": number,
            "sequence_count": count * each,
            "next_key": concat([tf_slice(keys, [1], [-1]), stop], 0, name="concat_next_keys"),
            "length": minimum(self._num_unroll, maximum(0, self._length - self._num_unroll * number)),
            "total_length": self._length * each,
        }
        puts = {k: self._insert(k, keys, v, "BarrierInsert" + k.title().replace("_", "")) for k, v in facts.items()}
        for k, v in self._context.items():
            copies = tile(expand_dims(v, 0), [count, *[1] * v.shape.ndims], name=f"tile_context_{k}")
            puts["context", k] = self._insert(("context", k), keys, copies, f"BarrierInsertContext_{k}")
        for k, v in self._sequences.items():
            rows = [count, self._num_unroll, *v.shape.as_list()[1:]]
            cut = _with_sizes(reshape(v, rows, name=f"reshape_sequences_{k}"), rows, f"reshaped_sequences_{k}")
            puts["sequence", k] = self._insert(("sequence", k), keys, cut, f"BarrierInsertSequences_{k}")
        token = self._tokens.enqueue((0,))
        # All segments of a sequence come in by one insert, and so get one index; states must not come before.
        with control_dependencies([puts["sequence"], token]):
            states = [
                self._insert(("state", k), stack([keys[0]]), stack([v]), f"BarrierInitialInsertState_{k}")
                for k, v in self._initial.items()
            ]
        return group(token, *puts.values(), *states, name="StateSaverPrefetchGroup")


def _check_names(kind: str, tensors: Any, message: str) -> None:
    if not isinstance(tensors, dict):
        raise TypeError(message)
    what = "state name" if kind == "state" else kind
    for k in tensors:
        if not isinstance(k, str):
            raise TypeError(f"{what} must be {'a ' if kind == 'state' else ''}string: {k}")
        if ":" in k:
            raise ValueError(f"{what} may not have a colon: '{k}'")


def multiple_of(value: Tensor, steps: Tensor, n: int, what: str) -> Tensor:
    """`value`, in a run in which `steps` is a multiple of `n` and not zero; InvalidArgumentError in others."""
    message = [
        f"{what} should be a multiple of: ",
        as_string(n),
        ", but saw value: ",
        as_string(steps),
        ". Consider setting pad=True.",
    ]
    good = logical_and(equal(mod(steps, n), 0), not_equal(steps, 0))
    with control_dependencies([Assert(good, [string_join(message)])]):
        return identity(value, name="multiple_of_checked")


def _with_rank(value: Tensor, n: int) -> Tensor:
    message = [
        string_join([f"Rank of tensor {value.name} should be: ", as_string(n), ", shape received:"]),
        shape(value),
    ]
    with control_dependencies([Assert(equal(n, rank(value)), message)]):
        out = identity(value, name="rank_checked")
    try:
        out.set_shape(value.shape.with_rank(n))
    except ValueError as error:
        raise ValueError(f"Rank check failed for {value.name}: {error}") from None
    return out


def _like(value: Tensor, other: Tensor) -> Tensor:
    """`value`, in a run in which it has the shape of `other`. Raises ValueError where it can't."""
    if other.shape.ndims is not None:
        value = _with_rank(value, other.shape.ndims)
    dims = shape(other)
    message = [string_join([f"Shape of tensor {value.name} does not fit its state:"]), dims, shape(value)]
    with control_dependencies([Assert(reduce_all(equal(dims, shape(value))), message)]):
        out = identity(value, name="shape_checked")
    try:
        out.set_shape(other.shape)
    except ValueError as error:
        raise ValueError(f"Shape check failed for {value.name}: {error}") from None
    return out


def _with_sizes(value: Tensor, sizes: Sequence[Any], what: str) -> Tensor:
    """`value`, in a run in which its first dimensions are `sizes`, numbers or tensors."""
    known = [None if isinstance(s, Tensor) else s for s in sizes]
    if value.shape.ndims is not None:
        known += [None] * (value.shape.ndims - len(known))
        try:
            value.set_shape(value.shape.merge_with(TensorShape(known)))
        except ValueError as error:
            raise ValueError(f"Dimensions check failed for {what}: {error}") from None
    dims = shape(value)
    checks = [
        Assert(equal(s, dims[i]), [f"Dimension {i} of tensor labeled {what} should be: ", to_tensor(s), dims])
        for i, s in enumerate(sizes)
    ]
    with control_dependencies(checks):
        return identity(value, name=f"dims_checked_{what}")
