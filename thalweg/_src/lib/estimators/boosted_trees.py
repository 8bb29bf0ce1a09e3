"""Gradient boosted trees as a model: columns as buckets, statistics of batches, and a layer of splits after so many of them."""

from __future__ import annotations

import dataclasses
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.boosted_trees import QuantileAccumulator, TreeEnsemble
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.feature_columns.base import CategoricalColumn, DenseColumn
from thalweg._src.lib.feature_columns.embedded import IndicatorColumn
from thalweg._src.lib.feature_columns.layers import transform_features
from thalweg._src.lib.feature_columns.numeric import BucketizedColumn, numeric_column
from thalweg._src.lib.global_step import get_or_create_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.late import array, math
from thalweg._src.ops.learners import boosted_splits
from thalweg._src.ops.learners import boosted_trees as trees
from thalweg._src.ops.stateful.variables import Variable

_PRUNING = {"none": 0, "pre": 1, "post": 2}


@dataclasses.dataclass(frozen=True)
class TreeParameters:
    """How trees grow. Raises ValueError for a pruning that does not go with `tree_complexity`."""

    n_trees: int
    max_depth: int
    learning_rate: float
    l1: float
    l2: float
    tree_complexity: float
    min_node_weight: float
    center_bias: bool
    pruning_mode: str
    quantile_sketch_epsilon: float

    def __post_init__(self) -> None:
        if self.pruning_mode not in _PRUNING:
            raise ValueError(f"pruning_mode mode must be one of: {', '.join(sorted(_PRUNING))}")
        if self.tree_complexity > 0 and self.pruning_mode == "none":
            raise ValueError("Tree complexity have no effect unless pruning mode is chosen.")
        if self.tree_complexity <= 0 and self.pruning_mode != "none":
            raise ValueError("For pruning, tree_complexity must be positive.")

    @property
    def max_splits(self) -> int:
        """How many nodes of a tree may be split."""
        return (1 << self.max_depth) - 1

    @property
    def num_quantiles(self) -> int:
        return int(1.0 / self.quantile_sketch_epsilon)


# -- columns


def _kind(column: Any) -> type:
    for kind in (BucketizedColumn, IndicatorColumn, DenseColumn):
        if isinstance(column, kind):
            return kind
    if isinstance(column, CategoricalColumn):
        raise ValueError(f"CategoricalColumn must be wrapped by IndicatorColumn, got: {column}")
    raise ValueError(f"Got unexpected feature column type: {column}")


def is_float(column: Any) -> bool:
    """Whether buckets for it must be found from data."""
    return _kind(column) is DenseColumn and column.dtype.is_floating


def count_features(columns: Any) -> int:
    """How many features columns make: one for each class of an indicator, and for each number."""
    return len(names_of_features(columns))


def names_of_features(columns: Any) -> list[str]:
    """The name of the column of each feature."""
    names: list[str] = []
    for column in columns:
        kind = _kind(column)
        if kind is BucketizedColumn:
            names.append(column.name)
        elif kind is IndicatorColumn:
            names += [column.categorical_column.name] * column.categorical_column.num_buckets
        else:
            shape = column.variable_shape.as_list()
            names += [column.name] * (shape[0] if shape else 1)
    return names


def _groups(columns: Any, num_quantiles: int) -> list[tuple[int, list[int]]]:
    """(number of buckets, features) of those that have equally many; all bucketized columns take as many as the widest."""
    widest = max([2, *(len(c.boundaries) + 1 for c in columns if _kind(c) is BucketizedColumn)])
    groups: dict[int, list[int]] = {}
    feature = 0
    for column in columns:
        buckets = {BucketizedColumn: widest, IndicatorColumn: 2, DenseColumn: num_quantiles}[_kind(column)]
        for _ in range(count_features([column])):
            groups.setdefault(buckets, []).append(feature)
            feature += 1
    return list(groups.items())


def transformed(
    features: Any, columns: Any, boundaries: dict[str, Any] | None = None, num_quantiles: int = 0
) -> list[Any]:
    """A vector for each feature of `columns`: its bucket (below `num_quantiles`), or, without `boundaries`, floats as they are.

    Raises ValueError for columns of higher rank.
    """
    found, made = transform_features(features, columns), []
    for column in columns:
        kind, tensor = _kind(column), found[column]
        if kind is BucketizedColumn:
            tensor = array.squeeze(tensor, axis=1)
            if len(tensor.shape) > 1:
                raise ValueError(
                    "For now, only supports features equivalent to rank 1 but column "
                    f"`{column.source_column.name}` got: {features[column.source_column.name].shape}"
                )
            made.append(tensor)
            continue
        if len(tensor.shape) > 2:
            raise ValueError(
                f"For now, we only support columns of rank 1, but column `{column.name}` got: {tensor.shape}"
            )
        if kind is IndicatorColumn:
            tensor = math.cast(tensor, dtypes.int32)
        vectors = array.unstack(tensor, axis=1)
        if kind is DenseColumn and boundaries:
            # There may be a few more boundaries than quantiles; what is above the last quantile is one bucket.
            last = num_quantiles - 1
            vectors = [math.minimum(v, last) for v in boosted_splits.bucketize(vectors, boundaries[column.name])]
        made.extend(vectors)
    return made


def _bucketized(features: Any, columns: Any, epsilon: float) -> tuple[list[Any], Any]:
    """The buckets of all features, and what finds them for floats (None without floats)."""
    floats = [c for c in columns if is_float(c)]
    if not floats:
        return transformed(features, columns), None
    number = int(1.0 / epsilon)
    quantiles = QuantileAccumulator(epsilon, count_features(floats), number, name="QuantileAccumulator")
    bounds, by_name = iter(quantiles.get_bucket_boundaries()), {}
    for column in floats:
        by_name[column.name] = [next(bounds) for _ in range(count_features([column]))]
    return transformed(features, columns, by_name, number), quantiles


# -- the model


def boosted_model(
    features: Any,
    labels: Any,
    mode: str,
    head: Any,
    feature_columns: Any,
    parameters: TreeParameters,
    n_batches_per_layer: int,
    config: Any,
    derivatives: Any = None,
    weight_column: Any = None,
    train_in_memory: bool = False,
) -> Any:
    """The EstimatorSpec of boosted trees. `derivatives(logits, labels)` gives gradients and Hessians in closed form.

    Raises ValueError for what can't be bucketized, and for training in memory in a cluster.
    """
    columns = sorted(feature_columns, key=lambda c: c.name)
    with scopes.name_scope("boosted_trees") as scope:
        step = get_or_create_global_step()
        ensemble = TreeEnsemble(name=scope)
        buckets, quantiles = _bucketized(features, columns, parameters.quantile_sketch_epsilon)
        if mode != ModeKeys.TRAIN:
            logits = trees.predict(ensemble.resource_handle, buckets, logits_dimension=head.logits_dimension)
            return head.create_estimator_spec(features, mode, logits, labels=labels, train_op_fn=basic.no_op)
        if train_in_memory:
            _check_in_memory(n_batches_per_layer, config)
        states = ensemble.get_states()
        batch = array.shape(labels)[0]
        partial = trees.training_predict(
            ensemble.resource_handle,
            array.zeros([batch], dtypes.int32),
            array.fill([batch], array.constant(-1)),
            buckets,
            logits_dimension=head.logits_dimension,
        )
        logits = basic.identity(partial.partial_logits)
        for name in ("num_trees", "num_finalized_trees", "num_attempted_layers"):
            summary.scalar(f"ensemble/{name}", getattr(states, name))
        grower = _Grower(ensemble, parameters, _groups(columns, parameters.num_quantiles), n_batches_per_layer)

        def train_op_fn(loss: Any) -> Any:
            if derivatives is not None:
                g, h = derivatives(logits, labels)
            else:
                (g,) = gradients(loss, logits, name="Gradients")
                (h,) = gradients(g, logits, name="Hessians")
            stats = grower.statistics(partial.node_ids, g, h, buckets)

            def grow() -> Any:
                grown = grower.step(stats, g, h, states.last_layer_nodes_range)
                with get_default_graph().control_dependencies([grown]):
                    return step.assign_add(1).op

            if quantiles is None:
                return grow()
            floats = transformed(features, [c for c in columns if is_float(c)])
            weights = _weights(features, weight_column)
            ready = grower.ready
            return cond(ready, grow, lambda: grower.add_quantiles(quantiles, floats, weights))

        grower.make_variables(quantiles is None, head.logits_dimension)
    spec = head.create_estimator_spec(features, mode, logits, labels=labels, train_op_fn=train_op_fn)
    stop = _StopAtAttempts(states.num_finalized_trees, states.num_attempted_layers, parameters)
    return spec._replace(training_hooks=(*spec.training_hooks, stop))


def _check_in_memory(n_batches_per_layer: int, config: Any) -> None:
    if n_batches_per_layer != 1:
        raise ValueError("To train in memory, input_fn gives all data as one batch, and n_batches_per_layer must be 1.")
    if not config.is_chief or config.num_worker_replicas > 1 or config.num_ps_replicas > 0:
        raise ValueError("train_in_memory is supported only for non-distributed training.")


def _weights(features: Any, weight_column: Any) -> Any:
    if weight_column is None:
        return array.constant(1.0, shape=[1])
    column = numeric_column(weight_column, shape=(1,)) if isinstance(weight_column, str) else weight_column
    return transformed(features, [column])[0]


class _Grower:
    """Adds up the statistics of batches, and grows a layer, or moves the bias, when there are enough of them."""

    def __init__(self, ensemble: Any, parameters: TreeParameters, groups: Any, n_batches: int):
        self._ensemble, self._parameters, self._groups, self._n_batches = ensemble, parameters, groups, n_batches

    def make_variables(self, ready: bool, logits: int) -> None:
        """What lives from step to step. Sums of an unfinished layer are not saved."""
        p = self._parameters
        self.ready = Variable(ready, name="are_boundaries_ready", trainable=False, use_resource=True)
        self._centering = Variable(p.center_bias, name="center_bias_needed", trainable=False, use_resource=True)

        def local(value: Any, name: str) -> Any:
            collections = [GraphKeys.LOCAL_VARIABLES]
            return Variable(value, name=name, trainable=False, collections=collections, use_resource=True)

        self._batches = local(0, "batches")
        self._bias = local(array.zeros([2, logits]), "bias_sums")
        self._sums = [
            local(array.zeros([len(ids), p.max_splits, buckets, 2]), f"stats_{i}")
            for i, (buckets, ids) in enumerate(self._groups)
        ]

    def statistics(self, nodes: Any, g: Any, h: Any, buckets: list[Any]) -> list[Any]:
        """Sums of gradients and Hessians by feature, node and bucket, for each group of features."""
        return [
            boosted_splits.make_stats_summary(
                *(nodes, g, h, [buckets[i] for i in ids]),
                max_splits=self._parameters.max_splits,
                num_buckets=count,
            )
            for count, ids in self._groups
        ]

    def add_quantiles(self, quantiles: Any, floats: Any, weights: Any) -> Any:
        """Add a batch to what buckets are found from; find them when there are enough."""

        def flush() -> Any:
            with get_default_graph().control_dependencies([quantiles.flush()]):
                return basic.group(self.ready.assign(True), self._batches.assign(0))

        return self._when_enough([quantiles.add_summaries(floats, weights)], flush)

    def step(self, stats: list[Any], g: Any, h: Any, last_layer: Any) -> Any:
        """Add a batch: to the bias while that is centered, else to the layer."""

        def grow() -> Any:
            added = [total.assign_add(batch) for total, batch in zip(self._sums, stats, strict=True)]
            return self._when_enough(added, lambda: self._grown(last_layer))

        if not self._parameters.center_bias:
            return grow()
        means = math.reduce_mean(array.stack([g, h]), axis=1)
        return cond(self._centering, lambda: self._when_enough([self._bias.assign_add(means)], self._centered), grow)

    def _when_enough(self, added: list[Any], then: Any) -> Any:
        with get_default_graph().control_dependencies(added):
            count = self._batches.assign_add(1)
            return cond(math.greater_equal(count, self._n_batches), then, basic.no_op)

    def _mean(self, total: Any) -> Any:
        return total.read_value() / math.cast(self._batches.read_value(), dtypes.float32)

    def _cleared(self, after: Any, *totals: Any) -> Any:
        with get_default_graph().control_dependencies([after]):
            return basic.group(self._batches.assign(0), *[t.assign(array.zeros(t.shape)) for t in totals])

    def _centered(self) -> Any:
        p, mean = self._parameters, self._mean(self._bias)
        more = trees.center_bias(self._ensemble.resource_handle, mean[0:1], mean[1:2], p.l1, p.l2)
        return self._cleared(self._centering.assign(more).op, self._bias)

    def _grown(self, last_layer: Any) -> Any:
        p = self._parameters
        features: list[int] = []
        found: list[list[Any]] = [[] for _ in range(5)]
        for total, (_, ids) in zip(self._sums, self._groups, strict=True):
            best = boosted_splits.best_gains_per_feature(
                *(last_layer, array.unstack(self._mean(total)), p.l1, p.l2, p.tree_complexity, p.min_node_weight),
                max_splits=p.max_splits,
            )
            features += ids
            for every, part in zip(found, best, strict=True):
                every.extend(part)
        grown = trees.update_ensemble(
            *(self._ensemble.resource_handle, features, *found, p.max_depth, p.learning_rate),
            pruning_mode=_PRUNING[p.pruning_mode],
        )
        return self._cleared(grown, *self._sums)


class _StopAtAttempts(SessionRunHook):
    """Ends the training when the trees are there, or when twice as many layers as they have were tried."""

    def __init__(self, finalized: Any, attempted: Any, parameters: TreeParameters):
        self._tensors = [finalized, attempted]
        self._trees, self._layers = parameters.n_trees, 2 * parameters.n_trees * parameters.max_depth

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs(self._tensors)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        finalized, attempted = run_values.results
        # The step may have grown what it fetched before: near the end, look again.
        if finalized >= self._trees - 1 or attempted > self._layers - 1:
            finalized, attempted = run_context.session.run(self._tensors)
        if finalized >= self._trees or attempted > self._layers:
            run_context.request_stop()


def explained_model(features: Any, mode: str, head: Any, columns: Any, epsilon: float, key: str) -> Any:
    """The EstimatorSpec of predictions with, under `key`, each example's way through the trees."""
    with scopes.name_scope("boosted_trees") as scope:
        ensemble = TreeEnsemble(name=scope)
        buckets, _ = _bucketized(features, columns, epsilon)
        logits = trees.predict(ensemble.resource_handle, buckets, logits_dimension=head.logits_dimension)
        spec = head.create_estimator_spec(features, mode, logits)
        spec.predictions[key] = trees.example_debug_outputs(
            ensemble.resource_handle, buckets, logits_dimension=head.logits_dimension
        )
        return spec
