"""tf.keras.estimator: a compiled model of Keras as an Estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.compat import keras_library
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.export_outputs import PredictOutput
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.global_step import get_or_create_global_step
from thalweg._src.lib.metrics.means import mean
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.ops import basic
from thalweg._src.ops.late import math
from thalweg._src.ops.stateful.assigning import assign_add

SERVING = "serving_default"


def model_to_estimator(
    keras_model: Any = None,
    keras_model_path: str | None = None,
    custom_objects: dict[str, Any] | None = None,
    model_dir: str | None = None,
    config: Any = None,
) -> Estimator:
    """An Estimator that trains, evaluates and predicts as `keras_model`, or the model saved at `keras_model_path`, and begins with
    its weights.

    Features are a tensor, a list in the order of the model's inputs, or a dict by their names; labels go by the outputs. ValueError
    for none or both of the models, and for one that was not compiled.
    """
    keras = keras_library.library()
    if (keras_model is None) == (keras_model_path is None):
        raise ValueError("Either `keras_model` or `keras_model_path` needs to be provided, and not both.")
    model = keras_model or keras.models.load_model(keras_model_path, custom_objects=custom_objects)
    if not getattr(model, "optimizer", None):
        raise ValueError(
            "The given keras model has not been compiled yet. Please compile first before calling `model_to_estimator`."
        )
    weights = model.get_weights()

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        training = mode == ModeKeys.TRAIN
        keras.backend.set_learning_phase(int(training))
        with keras.utils.CustomObjectScope(custom_objects or {}):
            copy = keras.models.clone_model(model, _in_order(features, model.input_names))
        outputs = dict(zip(model.output_names, _listed(copy.outputs), strict=True))
        scaffold = Scaffold(init_fn=lambda scaffold, session: _load(copy, weights, session))
        if mode == ModeKeys.PREDICT:
            exported = {SERVING: PredictOutput(outputs)}
            return EstimatorSpec(mode, predictions=outputs, export_outputs=exported, scaffold=scaffold)
        targets = _in_order(labels, model.output_names)
        loss = _loss(keras, model, copy, targets)
        if not training:
            measured = _measured(keras, model, copy, targets)
            return EstimatorSpec(mode, predictions=outputs, loss=loss, eval_metric_ops=measured, scaffold=scaffold)
        updates = _fresh(model.optimizer).get_updates(loss=loss, params=copy.trainable_weights)
        with basic.control_dependencies([loss, *updates, *copy.updates]):
            step = assign_add(get_or_create_global_step(), 1)
        return EstimatorSpec(mode, loss=loss, train_op=step, scaffold=scaffold)

    return Estimator(model_fn, model_dir=model_dir, config=config)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _in_order(given: Any, names: Sequence[str]) -> list[Any]:
    """Tensors in the order of `names`, floats as Keras has them. KeyError for a name that is not given."""
    if isinstance(given, dict):
        missing = [n for n in names if n not in given]
        if missing:
            raise KeyError(f"{', '.join(missing)}: not among {', '.join(map(str, given))}")
    found = [given[n] for n in names] if isinstance(given, dict) else _listed(given)
    if len(found) != len(names):
        raise ValueError(f"{len(found)} tensors are given for {', '.join(names)}")
    return [math.cast(x, "float32") for x in found]


def _per_output(value: Any, names: Sequence[str]) -> list[Any]:
    """What was given for each output: by name, in their order, or the same for all."""
    if isinstance(value, dict):
        return [value.get(n) for n in names]
    return list(value) if isinstance(value, list | tuple) and len(value) == len(names) else [value] * len(names)


def _loss(keras: Any, model: Any, copy: Any, targets: list[Any]) -> Any:
    """The sum of the losses of all outputs, weighted, and of the regularizers."""
    total = 0.0
    weights = _per_output(1.0 if model.loss_weights is None else model.loss_weights, model.output_names)
    kinds = _per_output(model.loss, model.output_names)
    for kind, target, output, weight in zip(kinds, targets, _listed(copy.outputs), weights, strict=True):
        if kind is not None:
            total = total + weight * math.reduce_mean(keras.losses.get(kind)(_shaped(target, output), output))
    return total + math.add_n(copy.losses) if copy.losses else total


def _shaped(target: Any, output: Any) -> Any:
    """Labels [batch] for an output [batch, n] as [batch, 1]."""
    if target.get_shape().ndims == 1 and (output.get_shape().ndims or 1) > 1:
        return target[:, None]
    return target


def _measured(keras: Any, model: Any, copy: Any, targets: list[Any]) -> dict[str, tuple[Any, Any]]:
    """The metrics that the model was compiled with, as means over all batches."""
    asked = getattr(model, "_compile_metrics", None) or getattr(model, "metrics", None) or []
    names, outputs = model.output_names, _listed(copy.outputs)
    kinds = _per_output(model.loss, names)
    found = {}
    for i, (target, output) in enumerate(zip(targets, outputs, strict=True)):
        mine = asked.get(names[i], []) if isinstance(asked, dict) else asked
        for metric in _listed(mine):
            function = _metric(keras, metric, output, kinds[i])
            plain = metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
            values = function(_shaped(target, output), output)
            found[plain if len(outputs) == 1 else f"{names[i]}_{plain}"] = mean(values)
    return found


def _metric(keras: Any, metric: Any, output: Any, kind: Any) -> Callable[[Any, Any], Any]:
    """A metric's function; "accuracy" is the one that goes with the loss."""
    if metric not in ("accuracy", "acc"):
        return keras.metrics.get(metric)
    loss = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    if output.get_shape().as_list()[-1] == 1 or loss == "binary_crossentropy":
        return keras.metrics.binary_accuracy
    sparse = loss == "sparse_categorical_crossentropy"
    return keras.metrics.sparse_categorical_accuracy if sparse else keras.metrics.categorical_accuracy


def _fresh(optimizer: Any) -> Any:
    """An optimizer of the same kind and numbers, with variables of this graph."""
    own = getattr(optimizer, "optimizer", None)
    return type(optimizer)(own) if own is not None else type(optimizer).from_config(optimizer.get_config())


def _load(model: Any, values: Sequence[Any], session: Any) -> None:
    """Give `model` what another one's `get_weights` gave."""
    for variable, value in zip((w for layer in model.layers for w in layer.weights), values, strict=True):
        variable.load(value, session)
