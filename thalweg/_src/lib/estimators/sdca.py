"""Linear models by stochastic dual coordinate ascent: what is known of each example is kept in a table under the example's name.

The model's weights are those of the optimizer without the shrinkage of L1, which are variables of their own beside them.
"""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Operation, get_default_graph
from thalweg._src.lib.mutable_tables import DenseHashTable
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import partitioning
from thalweg._src.ops.late import array, math
from thalweg._src.ops.learners.dual_ascent import sdca_fprint, sdca_optimizer_v2
from thalweg._src.ops.learners.dual_losses import LOSSES
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.nets.embedding import assigned
from thalweg._src.ops.numeric import segments
from thalweg._src.ops.stateful.assigning import assign_add
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.ops.updates import updating

_KINDS = ("sparse_features_weights", "dense_features_weights")


class SparseFeatureColumn:
    """A sparse feature of a batch: entry i says that example `example_indices[i]` has feature `feature_indices[i]`.

    `feature_values` are its strengths; None stands for ones. Examples ascend.
    """

    def __init__(self, example_indices: Any, feature_indices: Any, feature_values: Any):
        with scopes.name_scope(None, "SparseFeatureColumn", [example_indices, feature_indices]):
            self.example_indices = to_tensor(example_indices, dtypes.int64, "example_indices")
            self.feature_indices = to_tensor(feature_indices, dtypes.int64, "feature_indices")
        self.feature_values = None
        if feature_values is not None:
            with scopes.name_scope(None, "SparseFeatureColumn", [feature_values]):
                self.feature_values = to_tensor(feature_values, dtypes.float32, "feature_values")


class ShardedMutableDenseHashTable:
    """`num_shards` dense tables that share the keys by the remainder of their first number. Keys are numbers or rows of numbers."""

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        num_shards: int = 1,
        checkpoint: bool = True,
        name: str = "ShardedMutableHashTable",
    ):
        self._key_dtype = dtypes.as_dtype(key_dtype)
        with scopes.name_scope(name, "sharded_mutable_hash_table") as scope:
            self._name = scope
            self._shards = [
                DenseHashTable(
                    *(key_dtype, value_dtype, default_value, empty_key, deleted_key),
                    checkpoint=checkpoint,
                    name=f"{name}-{i + 1}-of-{num_shards}",
                )
                for i in range(num_shards)
            ]

    @property
    def name(self) -> str:
        """The scope of the tables."""
        return self._name

    @property
    def table_shards(self) -> list[DenseHashTable]:
        """The tables."""
        return self._shards

    def size(self, name: str | None = None) -> Any:
        """How many entries there are in all."""
        with scopes.name_scope(name, "sharded_mutable_hash_table_size"):
            return math.add_n([shard.size() for shard in self._shards])

    def _parts(self, keys: Any) -> Any:
        """The shard of each key. Raises ValueError for keys that are neither numbers nor rows."""
        rank = keys.get_shape().ndims
        if rank not in (1, 2):
            raise ValueError(f"Expected a vector or matrix for keys, got {keys.get_shape()}.")
        first = array.reshape(keys[:, :1], [-1]) if rank == 2 else keys
        return math.cast(math.mod(math.abs(first), len(self._shards)), dtypes.int32)

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """The values of `keys`. Raises TypeError for keys of another type."""
        if keys.dtype.base_dtype != self._key_dtype:
            raise TypeError(f"Signature mismatch. Keys must be dtype {self._key_dtype}, got {keys.dtype}.")
        parts, number = self._parts(keys), len(self._shards)
        if number == 1:
            return self._shards[0].lookup(keys, name=name)
        shares = partitioning.dynamic_partition(keys, parts, number)
        found = [shard.lookup(share, name=name) for shard, share in zip(self._shards, shares, strict=True)]
        places = partitioning.dynamic_partition(math.range(array.shape(keys)[0]), parts, number)
        return partitioning.dynamic_stitch(places, found)

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Operation:
        """The operation that puts `values` under `keys`."""
        parts, number = self._parts(keys), len(self._shards)
        if number == 1:
            return self._shards[0].insert(keys, values, name=name)
        shares = partitioning.dynamic_partition(keys, parts, number)
        rows = partitioning.dynamic_partition(values, parts, number)
        return basic.group(*[t.insert(k, v, name=name) for t, k, v in zip(self._shards, shares, rows, strict=True)])

    def export_sharded(self, name: str | None = None) -> tuple[list[Any], list[Any]]:
        """The keys of each table, and the values."""
        pairs = [shard.export(name=name) for shard in self._shards]
        return [k for k, _ in pairs], [v for _, v in pairs]


def _parts_of(variable: Any) -> list[Any]:
    return list(variable) if isinstance(variable, list | PartitionedVariable) else [variable]


def _is_cut(variable: Any) -> bool:
    return isinstance(variable, list | PartitionedVariable)


def _whole(value: Any) -> Any:
    return array.concat(_parts_of(value), 0) if _is_cut(value) else to_tensor(value)


class SdcaModel:
    """A linear model, the examples it learns from and the variables that it learns. See `tf.contrib.linear_optimizer.SdcaModel`.

    `examples` is a dict with `sparse_features` (SparseFeatureColumns), `dense_features` (float32 [n, width] each), `example_labels`,
    `example_weights` and `example_ids` (strings); `variables` one with `sparse_features_weights` and `dense_features_weights`;
    `options` has `loss_type`, `symmetric_l1_regularization`, `symmetric_l2_regularization` and what is optional: `adaptive`,
    `num_loss_partitions`, `num_table_shards`. Raises ValueError for what is missing, unknown losses, negative regularization.
    """

    least_l2 = 1.0
    slot_name = "_unshrinked/SDCAOptimizer"

    def __init__(self, examples: dict[str, Any], variables: dict[str, Any], options: dict[str, Any]):
        if not examples or not variables or not options:
            raise ValueError("examples, variables and options must all be specified.")
        if options["loss_type"] not in LOSSES:
            raise ValueError("Unsupported loss_type: ", options["loss_type"])
        _check(examples, ("example_labels", "example_weights", "example_ids"))
        _check(examples, ("sparse_features", "dense_features"), lists=True)
        _check(variables, _KINDS, lists=True)
        for name in ("symmetric_l1_regularization", "symmetric_l2_regularization"):
            if options[name] < 0.0:
                raise ValueError(f"{name} should be non-negative. Found ({options[name]:f})")
        self._examples, self._variables, self._options = examples, variables, options
        self._l1 = options["symmetric_l1_regularization"]
        self._l2 = max(options["symmetric_l2_regularization"], self.least_l2)
        self._slots = {kind: [self._slots_of(v) for v in variables[kind]] for kind in _KINDS}
        self._table = ShardedMutableDenseHashTable(
            dtypes.int64,
            dtypes.float32,
            default_value=[0.0, 0.0, 0.0, 0.0],
            empty_key=[0, 0],
            deleted_key=[1, 1],
            num_shards=options.get("num_table_shards") or 1,
        )
        summary.scalar("approximate_duality_gap", self.approximate_duality_gap())
        summary.scalar("examples_seen", self._table.size())

    def _slots_of(self, variable: Any) -> list[Any]:
        made = []
        for v in _parts_of(variable):
            with scopes.colocate_with(v):
                first = array.zeros_like(v.initialized_value(), dtypes.float32)
                made.append(Variable(first, name=v.op.name + self.slot_name))
        return made

    # -- learning

    def minimize(self, global_step: Any = None, name: str | None = None) -> Operation:
        """The operation of one pass over the examples; it adds one to `global_step`, if there is one."""
        with scopes.name_scope(name, "sdca/minimize"):
            keys = sdca_fprint(to_tensor(self._examples["example_ids"]))
            columns = self._examples["sparse_features"]
            ids = [array.unique(column.feature_indices)[0] for column in columns]
            places = [_places(slots, i) for slots, i in zip(self._slots["sparse_features_weights"], ids, strict=True)]
            state, sparse, dense = sdca_optimizer_v2(
                [column.example_indices for column in columns],
                [column.feature_indices for column in columns],
                [column.feature_values for column in columns if column.feature_values is not None],
                [_whole(x) for x in self._examples["dense_features"]],
                to_tensor(self._examples["example_weights"]),
                to_tensor(self._examples["example_labels"]),
                ids,
                [gathered for gathered, _ in places],
                [array.concat(s, 0) if len(s) > 1 else to_tensor(s[0]) for s in self._slots["dense_features_weights"]],
                self._table.lookup(keys),
                loss_type=self._options["loss_type"],
                l1=self._l1,
                l2=self._l2,
                num_loss_partitions=self._options.get("num_loss_partitions", 1),
                num_inner_iterations=1,
                adaptive=self._options.get("adaptive", True),
            )
            with get_default_graph().control_dependencies([state]):
                updates = [self._table.insert(keys, state)]
                for (_, add), change in zip(places, sparse, strict=True):
                    updates += add(change)
                for slots, change in zip(self._slots["dense_features_weights"], dense, strict=True):
                    shares = array.split(change, [s.get_shape().as_list()[0] for s in slots]) if slots[1:] else [change]
                    updates += [assign_add(s, share) for s, share in zip(slots, shares, strict=True)]
            if global_step is None:
                return basic.group(*updates)
            with get_default_graph().control_dependencies(updates):
                return assign_add(global_step, 1, name=name).op

    def update_weights(self, train_op: Any) -> Operation:
        """The operation that gives the model's variables what the optimizer has, shrunk, after `train_op`."""
        shrinkage, updates = self._l1 / self._l2, []
        with get_default_graph().control_dependencies([train_op]):
            for kind in _KINDS:
                for variable, slots in zip(self._variables[kind], self._slots[kind], strict=True):
                    for v, slot in zip(_parts_of(variable), slots, strict=True):
                        value = basic.identity(slot)
                        if shrinkage > 0:
                            value = math.sign(value) * math.maximum(math.abs(value) - shrinkage, 0.0)
                        updates.append(v.assign(value))
            return basic.group(*updates)

    # -- what it says and costs

    def _linear_predictions(self, examples: dict[str, Any]) -> Any:
        with scopes.name_scope("sdca/prediction"):
            total: Any = 0.0
            for column, weights in zip(
                examples["sparse_features"], self._variables["sparse_features_weights"], strict=True
            ):
                picked = array.gather(_whole(weights), column.feature_indices)
                if column.feature_values is not None:
                    picked = picked * column.feature_values
                total += segments.segment_sum(picked, column.example_indices)
            dense: Any = 0.0
            for x, weights in zip(examples["dense_features"], self._variables["dense_features_weights"], strict=True):
                dense += math.matmul(_whole(x), array.expand_dims(_whole(weights), -1))
        return array.reshape(dense, [-1]) + total

    def predictions(self, examples: dict[str, Any]) -> Any:
        """[n]: probabilities under the logistic loss, exponentials under Poisson's, w x under the others."""
        _check(examples, ("example_weights",))
        _check(examples, ("sparse_features", "dense_features"), lists=True)
        result = self._linear_predictions(examples)
        if self._options["loss_type"] == "logistic_loss":
            with scopes.name_scope("sdca/logistic_prediction"):
                return math.sigmoid(result)
        if self._options["loss_type"] == "poisson_loss":
            with scopes.name_scope("sdca/poisson_prediction"):
                return math.exp(result)
        return result

    def _norm(self, name: str, power: Any) -> Any:
        with scopes.name_scope(f"sdca/{name}"):
            every = [part for kind in _KINDS for v in self._variables[kind] for part in _parts_of(v)]
            return math.add_n([math.reduce_sum(power(math.cast(v, dtypes.float64))) for v in every])

    def _l1_loss(self) -> Any:
        return self._l1 * self._norm("l1_loss", math.abs)

    def _l2_loss(self, l2: float) -> Any:
        return l2 * self._norm("l2_loss", math.square) / 2.0

    def approximate_duality_gap(self) -> Any:
        """How much better the loss could be at most, for each unit of weight: a float64; NaN before any example was seen."""
        with scopes.name_scope("sdca/approximate_duality_gap"):
            _, values = self._table.export_sharded()
            sums = math.add_n([math.reduce_sum(math.cast(v, dtypes.float64), 0) for v in values])
            return (sums[1] + sums[2] + self._l1_loss() + 2.0 * self._l2_loss(self._l2)) / sums[3]

    def unregularized_loss(self, examples: dict[str, Any]) -> Any:
        """The mean loss of the examples, a float64."""
        _check(examples, ("example_labels", "example_weights"))
        _check(examples, ("sparse_features", "dense_features"), lists=True)
        with scopes.name_scope("sdca/unregularized_loss"):
            said = math.cast(self._linear_predictions(examples), dtypes.float64)
            labels = math.cast(to_tensor(examples["example_labels"]), dtypes.float64)
            weights = math.cast(to_tensor(examples["example_weights"]), dtypes.float64)
            kind = self._options["loss_type"]
            if kind == "logistic_loss":
                losses = softmax.sigmoid_cross_entropy_with_logits(labels=labels, logits=said)
            elif kind == "poisson_loss":
                losses = softmax.log_poisson_loss(labels, said)
            elif kind == "squared_loss":
                losses = math.square(labels - said) / 2.0
            else:  # both hinges
                losses = math.maximum(1.0 - (2.0 * labels - 1.0) * said, 0.0)
            return math.reduce_sum(losses * weights) / math.reduce_sum(weights)

    def regularized_loss(self, examples: dict[str, Any]) -> Any:
        """The mean loss with L1 and L2 of the weights, shared among the examples: a float64."""
        with scopes.name_scope("sdca/regularized_loss"):
            total = math.reduce_sum(math.cast(to_tensor(examples["example_weights"]), dtypes.float64))
            norms = self._l1_loss() + self._l2_loss(self._options["symmetric_l2_regularization"])
            return norms / total + self.unregularized_loss(examples)


def _check(given: dict[str, Any], names: Any, *, lists: bool = False) -> None:
    for name in names:
        if given[name] is None:
            raise ValueError(f"{name} must be specified.")
        if lists and not isinstance(given[name], list):
            raise ValueError(f"{name} must be a list.")


def _places(slots: list[Any], ids: Any) -> tuple[Any, Any]:
    """The weights at `ids`, and a function from what to add there to the operations that do it."""
    if not slots[1:]:
        return array.gather(slots[0], ids), lambda change: [updating.scatter_add(slots[0], ids, change)]
    parts, own = assigned(ids, slots, "div")
    parts = math.cast(parts, dtypes.int32)
    shares = partitioning.dynamic_partition(own, parts, len(slots))

    def add(change: Any) -> list[Any]:
        changes = partitioning.dynamic_partition(change, parts, len(slots))
        return [updating.scatter_add(slot, i, x) for slot, i, x in zip(slots, shares, changes, strict=True)]

    return array.gather(array.concat(slots, 0), ids), add
