"""Computations for TPU cores, on one core: `rewrite`, `replicate`, `shard`, and what goes between the shards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import dtypes, errors
from thalweg._src.core.convert import convert_to_tensor
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.variable_scope import variable_scope


def initialize_system(embedding_config: Any = None, job: str | None = None) -> Tensor:
    """A string tensor that describes the cores of a TPU: empty, for the one device of this process."""
    return constant(b"", name="tpu_topology")


def shutdown_system(job: str | None = None) -> Operation:
    """An operation that does nothing: there is nothing to shut down."""
    return basic.no_op(name="tpu_shutdown")


def replicate(
    computation: Any,
    inputs: Any = None,
    infeed_queue: Any = None,
    device_assignment: Any = None,
    name: str | None = None,
    maximum_shapes: Any = None,
) -> list[Any]:
    """`[outputs]` of `computation(*inputs[0])`. Raises UnimplementedError for more replicas than one."""
    inputs = [[]] if inputs is None else inputs
    if len(inputs) != 1:
        raise errors.UnimplementedError(
            None,
            None,
            f"tpu.replicate for {len(inputs)} cores: this process is one. Use one replica, or tf.while_loop.",
        )
    made = computation(*[convert_to_tensor(x) for x in inputs[0]])
    items = list(made) if isinstance(made, list | tuple) else [] if made is None else [made]
    operations = [x for x in items if isinstance(x, Operation)]
    with basic.control_dependencies(operations):
        outputs = [basic.identity(x) for x in items if not isinstance(x, Operation)]
    return [outputs] if outputs else [basic.group(*operations)]


def rewrite(
    computation: Any,
    inputs: Any = None,
    infeed_queue: Any = None,
    device_assignment: Any = None,
    name: str | None = None,
) -> Any:
    """The outputs of `computation(*inputs)`, a list of tensors; an operation where it has none."""
    return replicate(computation, None if inputs is None else [inputs])[0]


def shard(
    computation: Any,
    inputs: Any = None,
    num_shards: int = 1,
    input_shard_axes: Any = None,
    outputs_from_all_shards: Any = True,
    output_shard_axes: Any = None,
    infeed_queue: Any = None,
    device_assignment: Any = None,
    name: str | None = None,
) -> Any:
    """`rewrite` of a single shard. Raises UnimplementedError for more, ValueError for none."""
    if num_shards <= 0:
        raise ValueError("num_shards must be a positive integer.")
    return replicate(computation, [[] if inputs is None else inputs] * num_shards)[0]


def batch_parallel(
    computation: Any,
    inputs: Any = None,
    num_shards: int = 1,
    infeed_queue: Any = None,
    device_assignment: Any = None,
    name: str | None = None,
) -> Any:
    """`shard` along the first axis."""
    return shard(computation, inputs, num_shards)


def outside_compilation(computation: Any, *args: Any, **kwargs: Any) -> Any:
    """`computation(*args, **kwargs)`: what XLA cannot compile runs on the host by itself."""
    return computation(*args, **kwargs)


def repeat(n: int, body: Any, inputs: Any = None, infeed_queue: Any = None, name: str | None = None) -> Any:
    """`body` called `n` times on its own outputs, beginning with `inputs`, as one loop."""
    start = [convert_to_tensor(x) for x in (inputs or [])]

    def turn(i: Tensor, *values: Any) -> Any:
        made = body(*values)
        following = list(made) if isinstance(made, list | tuple) else [] if made is None else [made]
        tensors = [x for x in following if not isinstance(x, Operation)]
        with basic.control_dependencies([x for x in following if isinstance(x, Operation)]):
            return [i + 1, *(basic.identity(x) for x in tensors)]

    out = while_loop(lambda i, *_: i < n, turn, [constant(0), *start], name=name)
    return out[1:] if start else out[0].op


def cross_replica_sum(x: Any, group_assignment: Any = None, name: str | None = None) -> Any:
    """The sum of `x` over all shards, which is `x`: there is one."""
    if isinstance(x, IndexedSlices):
        return IndexedSlices(cross_replica_sum(x.values, name=name), x.indices, x.dense_shape)
    return basic.identity(x, name=name or "CrossReplicaSum")


@contextlib.contextmanager
def bfloat16_scope() -> Iterator[Any]:
    """A variable scope whose variables are kept in float32 and read as bfloat16."""

    def getter(get: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        narrow = kwargs.get("dtype") == dtypes.bfloat16
        if narrow:
            kwargs["dtype"] = dtypes.float32
        made = get(name, *args, **kwargs)
        return cast(made, dtypes.bfloat16) if narrow else made

    with variable_scope("", custom_getter=getter) as scope:
        yield scope


class TpuContext:
    """What a computation can ask about the TPU it runs on: one shard."""

    number_of_shards = 1


def get_tpu_context() -> TpuContext:
    """The context of this process."""
    return TpuContext()


class CrossShardOptimizer(Optimizer):
    """Another optimizer, whose gradients are summed over the shards of a TPU before they are applied."""

    def __init__(
        self,
        opt: Optimizer,
        reduction: str = Reduction.MEAN,
        name: str = "CrossShardOptimizer",
        group_assignment: Any = None,
    ):
        if reduction not in (Reduction.SUM, Reduction.MEAN):
            raise ValueError(f"Unsupported reduction: {reduction}.")
        if not isinstance(opt, Optimizer):
            raise TypeError("CrossShardOptimizer only works with tf.train.Optimizer and not Optimizer_v2.")
        super().__init__(False, name)
        self._opt = opt

    def compute_gradients(self, loss: Any, var_list: Any = None, *args: Any, **kwargs: Any) -> Any:
        return self._opt.compute_gradients(loss, var_list, *args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        summed = [(None if g is None else cross_replica_sum(g), v) for g, v in grads_and_vars]
        return self._opt.apply_gradients(summed, global_step, name)

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.get_slot_names(*args, **kwargs)

    def variables(self) -> list[Any]:
        return self._opt.variables()
