"""tf.contrib.boosted_trees: gradient boosted trees as estimators of tf.contrib.learn."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.boosted_trees import grown_trees as trees
from thalweg._src.contrib.boosted_trees.learner import growing
from thalweg._src.contrib.layers.column_ops import transform_features
from thalweg._src.contrib.learn import head as heads
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModeKeys
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.resources import register_resource
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.assigning import assign_add


class _Saved(SaveableObject):
    """A forest as a string in a checkpoint."""

    def __init__(self, handle: Any):
        super().__init__(handle, [SaveSpec(trees.dump_forest(handle), "", handle.name)], handle.name)

    def restore(self, restored_tensors: Any, restored_shapes: Any = None) -> Operation:
        """The operation that puts the forest back."""
        return trees.load_forest(self.op, restored_tensors[0])


def _forest() -> Any:
    handle = trees.forest_handle(shared_name="gbdt", name="gbdt")
    register_resource(handle, trees.create_forest(handle), trees.forest_initialized(handle))
    get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _Saved(handle))
    return handle


def _matrix(features: dict[str, Any], columns: Any) -> Any:
    """All floats side by side, [n, features]. Raises ValueError for words, classes and sparse features."""
    made = {c.name: t for c, t in transform_features(features, columns).items()} if columns else features
    parts = []
    for name in sorted(made):
        tensor = made[name]
        if not isinstance(tensor, Tensor) or not tensor.dtype.is_floating:
            raise ValueError(f"Unsupported feature {name}: trees split dense floats. {tensor}")
        parts.append(array.reshape(math.cast(tensor, dtypes.float32), [array.shape(tensor)[0], -1]))
    return parts[0] if len(parts) == 1 else array.concat(parts, 1)


def _maximum_entropy(n_classes: int) -> Any:
    """The mean cross entropy of softmax, which can be differentiated twice."""

    def loss(labels: Any, logits: Any, weights: Any = None) -> Any:
        classes = array.one_hot(array.reshape(math.cast(labels, dtypes.int64), [-1]), n_classes)
        logs = logits - math.reduce_logsumexp(logits, 1, keepdims=True)
        losses = -math.reduce_sum(classes * logs, 1, keepdims=True)
        return math.reduce_mean(losses if weights is None else losses * weights)

    return loss


class _StopAfterTrees(SessionRunHook):
    """Ends the training when there are so many whole trees."""

    def __init__(self, finalized: Any, number: int):
        self._finalized, self._number = finalized, number

    def before_run(self, run_context: Any) -> Any:
        return SessionRunArgs(self._finalized)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results >= self._number:
            run_context.request_stop()


def _derivatives(loss: Any, logits: Any, count: int) -> tuple[Any, Any]:
    """Gradients and the diagonal of the Hessian, both [n, count]."""
    (g,) = gradients(loss, logits, name="Gradients")
    rows = [gradients(g[:, i], logits, name=f"Hessian_{i}")[0][:, i] for i in range(count)]
    return g, array.stack(rows, 1)


def _model_fn(features: Any, labels: Any, mode: str, params: dict[str, Any], config: Any = None) -> Any:
    head = params["head"]
    features = features if isinstance(features, dict) else {"features": features}
    weight = params["weight_column_name"]
    rows = _matrix({k: v for k, v in features.items() if k != weight}, params["feature_columns"])
    how = growing(params["learner_config"], head.logits_dimension, params["center_bias"], params["num_quantiles"])
    handle, numbers = _forest(), trees.numbers_of(how)
    logits, finalized = trees.predict_by_forest(handle, rows, how=numbers)
    if params["logits_modifier_function"]:
        logits = params["logits_modifier_function"](logits, features, mode)

    def train_op_fn(loss: Any) -> Any:
        g, h = _derivatives(loss, logits, how.logits)
        enough = params["examples_per_layer"]
        layers = [int(enough(i)) for i in range(how.max_depth)] if callable(enough) else [int(enough)]
        step = trees.train_forest(handle, rows, g, h, how=numbers, examples_per_layer=layers)
        with get_default_graph().control_dependencies([step]):
            return assign_add(get_global_step(), 1).op

    ops = head.create_model_fn_ops(features=features, mode=mode, labels=labels, train_op_fn=train_op_fn, logits=logits)
    if params["num_trees"] and mode == ModeKeys.TRAIN:
        hook = _StopAfterTrees(finalized, params["num_trees"])
        ops = ops._replace(training_hooks=[*ops.training_hooks, hook])
    return ops


class GradientBoostedDecisionTreeEstimator(Estimator):
    """Boosted trees under any head of tf.contrib.learn.

    `learner_config` is a LearnerConfig, `examples_per_layer` a number or a function of the depth; training ends after `num_trees`.
    Raises ValueError for a configuration that is not built, and for features that are not dense floats.
    """

    def __init__(
        self,
        learner_config: Any,
        examples_per_layer: Any,
        head: Any,
        num_trees: int | None = None,
        feature_columns: Any = None,
        weight_column_name: Any = None,
        model_dir: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
        logits_modifier_function: Any = None,
        center_bias: bool = True,
        use_core_libs: bool = False,
        output_leaf_index: bool = False,
        override_global_step_value: Any = None,
        num_quantiles: int = 100,
    ):
        for name, value in (("output_leaf_index", output_leaf_index), ("use_core_libs", use_core_libs)):
            if value:
                raise ValueError(f"{name} is not supported by thalweg's trees.")
        growing(learner_config, head.logits_dimension, center_bias, num_quantiles)
        params = {
            "head": head,
            "feature_columns": feature_columns,
            "learner_config": learner_config,
            "num_trees": num_trees,
            "weight_column_name": weight_column_name,
            "examples_per_layer": examples_per_layer,
            "center_bias": center_bias,
            "logits_modifier_function": logits_modifier_function,
            "num_quantiles": num_quantiles,
        }
        Estimator.__init__(self, _model_fn, model_dir, config, params, feature_engineering_fn)


class GradientBoostedDecisionTreeClassifier(GradientBoostedDecisionTreeEstimator):
    """Classes by boosted trees. See `GradientBoostedDecisionTreeEstimator`."""

    def __init__(
        self,
        learner_config: Any,
        examples_per_layer: Any,
        n_classes: int = 2,
        num_trees: int | None = None,
        feature_columns: Any = None,
        weight_column_name: Any = None,
        model_dir: Any = None,
        config: Any = None,
        label_keys: Any = None,
        feature_engineering_fn: Any = None,
        logits_modifier_function: Any = None,
        center_bias: bool = True,
        use_core_libs: bool = False,
        output_leaf_index: bool = False,
        override_global_step_value: Any = None,
        num_quantiles: int = 100,
    ):
        head = heads.multi_class_head(
            n_classes,
            weight_column_name=weight_column_name,
            enable_centered_bias=False,
            loss_fn=_maximum_entropy(n_classes) if n_classes > 2 else None,
            label_keys=label_keys,
        )
        if learner_config.num_classes == 0:
            learner_config.num_classes = n_classes
        elif learner_config.num_classes != n_classes:
            raise ValueError(f"n_classes ({n_classes}) doesn't match learner_config ({learner_config.num_classes}).")
        super().__init__(
            *(learner_config, examples_per_layer, head, num_trees, feature_columns, weight_column_name, model_dir),
            *(config, feature_engineering_fn, logits_modifier_function, center_bias, use_core_libs, output_leaf_index),
            *(override_global_step_value, num_quantiles),
        )


class GradientBoostedDecisionTreeRegressor(GradientBoostedDecisionTreeEstimator):
    """Numbers by boosted trees. See `GradientBoostedDecisionTreeEstimator`."""

    def __init__(
        self,
        learner_config: Any,
        examples_per_layer: Any,
        label_dimension: int = 1,
        num_trees: int | None = None,
        feature_columns: Any = None,
        label_name: Any = None,
        weight_column_name: Any = None,
        model_dir: Any = None,
        config: Any = None,
        feature_engineering_fn: Any = None,
        logits_modifier_function: Any = None,
        center_bias: bool = True,
        use_core_libs: bool = False,
        output_leaf_index: bool = False,
        override_global_step_value: Any = None,
        num_quantiles: int = 100,
    ):
        head = heads.regression_head(
            label_name=label_name,
            label_dimension=label_dimension,
            weight_column_name=weight_column_name,
            enable_centered_bias=False,
        )
        learner_config.num_classes = max(2, label_dimension)
        super().__init__(
            *(learner_config, examples_per_layer, head, num_trees, feature_columns, weight_column_name, model_dir),
            *(config, feature_engineering_fn, logits_modifier_function, center_bias, use_core_libs, output_leaf_index),
            *(override_global_step_value, num_quantiles),
        )
