"""tf.distribute, as far as a program that does not distribute needs it: the default strategy, of one replica."""

import contextlib
import enum
from collections.abc import Callable, Iterator
from typing import Any


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
    """The default strategy: everything runs once."""

    num_replicas_in_sync = 1

    def __init__(self, extended: Any = None):
        self.extended = extended

    @contextlib.contextmanager
    def scope(self) -> Iterator[Any]:
        """Variables made in the block are ordinary ones."""
        yield self

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """`fn(*args, **kwargs)`, once."""
        return fn(*args, **(kwargs or {}))

    experimental_run_v2 = run

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """`value`, or its sum or mean along `axis`. `reduce_op`: a ReduceOp or its name. Raises ValueError for another."""
        from thalweg._src.ops.numeric import reduce

        kind = ReduceOp(reduce_op.upper() if isinstance(reduce_op, str) else reduce_op)
        if axis is None:
            return value
        return (reduce.reduce_sum if kind is ReduceOp.SUM else reduce.reduce_mean)(value, axis)


def _absent(name: str) -> type:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"tf.distribute.{name} is not there: thalweg runs one replica. Divide the model by tf.device, or start one "
            "process for each part."
        )

    return type(name, (Strategy,), {"__init__": refuse, "__doc__": "Raises NotImplementedError: there is one replica."})


MirroredStrategy = _absent("MirroredStrategy")
OneDeviceStrategy = _absent("OneDeviceStrategy")
_default = Strategy()


def has_strategy() -> bool:
    """False: there is the default strategy alone."""
    return False


def get_strategy() -> Strategy:
    """The default strategy."""
    return _default


def in_cross_replica_context() -> bool:
    """False: everything runs within the one replica."""
    return False


def get_replica_context() -> ReplicaContext:
    """The only replica."""
    return ReplicaContext(_default)


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
