"""tf.distribute, with one replica: strategies that run a program once, on one device."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.lib.platform import logging as log


class ReduceOp(enum.Enum):
    """How the values of replicas become one."""

    SUM = "SUM"
    MEAN = "MEAN"


class ReplicaContext:
    """What runs within one replica, the only one."""

    num_replicas_in_sync = 1
    replica_id_in_sync_group = 0

    def __init__(self, strategy: Any):
        self.strategy = strategy

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """`merge_fn(strategy, *args, **kwargs)`: there is nothing to merge."""
        return merge_fn(self.strategy, *args, **(kwargs or {}))

    def all_reduce(self, reduce_op: Any, value: Any) -> Any:
        """`value`: of one replica, the sum and the mean are the value."""
        return value


class Strategy:
    """One replica: everything runs once, and variables are ordinary ones."""

    num_replicas_in_sync = 1

    def __init__(self, extended: Any = None):
        self._extended = extended

    @property
    def extended(self) -> Any:
        """What libraries ask of a strategy: itself."""
        return self if self._extended is None else self._extended

    def _placed(self) -> Any:
        """A block in which operations are put on the device of the replica."""
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def scope(self) -> Iterator[Any]:
        """`tf.distribute.get_strategy()` is this one in the block."""
        with self._placed(), _within(self, replica=self is _default):
            yield self

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """`fn(*args, **kwargs)`, once."""
        with self._placed(), _within(self, replica=True):
            return fn(*args, **(kwargs or {}))

    experimental_run_v2 = run
    call_for_each_replica = run

    def experimental_run(self, fn: Callable[..., Any], input_iterator: Any = None) -> Any:
        """`fn` of the next element of an iterator."""
        return self.run(fn, () if input_iterator is None else (input_iterator.get_next(),))

    def make_dataset_iterator(self, dataset: Any) -> Any:
        """An iterator that has to be initialized, over what each replica gets: all elements."""
        return dataset.make_initializable_iterator()

    def make_input_fn_iterator(self, input_fn: Callable[..., Any], replication_mode: Any = None) -> Any:
        """The same for a function that gives the dataset."""
        return self.make_dataset_iterator(input_fn(None))

    def experimental_distribute_dataset(self, dataset: Any) -> Any:
        """`dataset`: there is nobody to share it with."""
        return dataset

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The values of all replicas."""
        return (value,)

    unwrap = experimental_local_results

    def update_config_proto(self, config_proto: Any) -> Any:
        """The configuration of sessions, as it is."""
        return config_proto

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """`value`, or its sum or mean along `axis`. `reduce_op`: a ReduceOp or its name. Raises ValueError for another."""
        from thalweg._src.ops.numeric import reduce

        kind = ReduceOp(reduce_op.upper() if isinstance(reduce_op, str) else reduce_op)
        if axis is None:
            return value
        return (reduce.reduce_sum if kind is ReduceOp.SUM else reduce.reduce_mean)(value, axis)


class OneDeviceStrategy(Strategy):
    """One replica, on `device`."""

    def __init__(self, device: Any):
        super().__init__()
        self._device = device

    def _placed(self) -> Any:
        from thalweg._src.core.scopes import device

        return device(self._device)


class MirroredStrategy(Strategy):
    """Replicas on several devices of a machine; here one, on the first device, which a warning says where more are asked for."""

    def __init__(self, devices: Any = None, cross_device_ops: Any = None):
        super().__init__()
        if devices is not None and len(devices) > 1:
            log.warning("MirroredStrategy: one replica runs, not %d. A batch is that of one replica.", len(devices))


_default = Strategy()
_entered = threading.local()


def _current() -> Any:
    """(the strategy whose scope is open, whether its `run` is) of this thread, innermost last."""
    stack = getattr(_entered, "stack", None)
    return stack[-1] if stack else (_default, True)


@contextlib.contextmanager
def _within(strategy: Any, replica: bool) -> Iterator[None]:
    if not hasattr(_entered, "stack"):
        _entered.stack = []
    _entered.stack.append((strategy, replica))
    try:
        yield
    finally:
        _entered.stack.pop()


def has_strategy() -> bool:
    """Whether a strategy other than the default one is in scope."""
    return _current()[0] is not _default


def get_strategy() -> Strategy:
    """The strategy in scope, else the default one."""
    return _current()[0]


def in_cross_replica_context() -> bool:
    """Whether a strategy is in scope whose `run` is not open."""
    return not _current()[1]


def get_replica_context() -> ReplicaContext | None:
    """The replica that runs; None in the scope of a strategy outside of its `run`."""
    strategy, replica = _current()
    return ReplicaContext(strategy) if replica else None


def get_loss_reduction() -> ReduceOp:
    """How losses of replicas are put together: their mean."""
    return ReduceOp.MEAN


def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Any:
    """The sum of the losses of a batch, weighted, over its size. Raises ValueError for a scalar."""
    from thalweg._src.core.convert import to_tensor
    from thalweg._src.ops.late import array, math

    losses = to_tensor(per_example_loss)
    if losses.get_shape().ndims == 0:
        raise ValueError("Invalid value passed for `per_example_loss`. Expected a tensor with at least rank 1")
    if sample_weight is not None:
        losses = losses * math.cast(sample_weight, losses.dtype)
    size = array.shape(losses)[0] if global_batch_size is None else global_batch_size
    return math.reduce_sum(losses) / math.cast(size, losses.dtype)


def scale_regularization_loss(regularization_loss: Any) -> Any:
    """The sum of the losses, over the number of replicas, which is one."""
    from thalweg._src.ops.late import math

    return math.reduce_sum(regularization_loss) / 1
