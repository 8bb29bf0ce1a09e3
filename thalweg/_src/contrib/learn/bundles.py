"""Estimators of tf.contrib.learn as they were exported before SavedModel, and the functions that name what is served."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.learn.modes import PredictionKey
from thalweg._src.contrib.learn.signatures import parsed_as_before
from thalweg._src.contrib.session_bundle import (
    Exporter,
    classification_signature,
    generic_signature,
    regression_signature,
)
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import Graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.global_step import create_global_step, get_global_step
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.table_initializers import tables_initializer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays.constants import placeholder
from thalweg._src.ops.stateful import variable_lists
from thalweg._src.runtime.session import Session


def _needs_examples(examples: Any) -> None:
    if examples is None:
        raise ValueError("examples cannot be None when using this signature fn.")


def _one(predictions: Any, key: str) -> Any:
    return predictions[key] if isinstance(predictions, dict) else predictions


def generic_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> tuple[Any, dict[str, Any]]:
    """The examples as "inputs", and all predictions. Raises ValueError without examples, as all here do."""
    _needs_examples(examples)
    outputs = predictions if isinstance(predictions, dict) else {"outputs": predictions}
    return generic_signature({"inputs": examples, **outputs}), {}


def classification_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> tuple[Any, dict[str, Any]]:
    """The classes."""
    _needs_examples(examples)
    return classification_signature(examples, classes_tensor=_one(predictions, "classes")), {}


def classification_signature_fn_with_prob(
    examples: Any, unused_features: Any, predictions: Any
) -> tuple[Any, dict[str, Any]]:
    """The probabilities of the classes."""
    _needs_examples(examples)
    return classification_signature(examples, scores_tensor=_one(predictions, "probabilities")), {}


def regression_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> tuple[Any, dict[str, Any]]:
    """The numbers."""
    _needs_examples(examples)
    return regression_signature(examples, _one(predictions, PredictionKey.SCORES)), {}


def logistic_regression_signature_fn(
    examples: Any, unused_features: Any, predictions: Any
) -> tuple[Any, dict[str, Any]]:
    """The probability of the second of two classes."""
    _needs_examples(examples)
    return regression_signature(examples, _one(predictions, "probabilities")[:, 1]), {}


def export_estimator(
    estimator: Any,
    export_dir: Any,
    signature_fn: Any,
    input_fn: Any,
    input_feature_key: Any,
    use_deprecated_input_fn: bool,
    default_batch_size: int,
    exports_to_keep: int | None,
    prediction_key: Any,
    checkpoint_path: Any,
) -> bytes:
    """Write the graph of predictions and a checkpoint; see `BaseEstimator.export`."""
    if input_fn is None and not use_deprecated_input_fn:
        raise ValueError("input_fn must be defined.")
    with Graph().as_default():
        create_global_step()
        if use_deprecated_input_fn:
            examples = placeholder(dtypes.string, [default_batch_size], name="input_example_tensor")
            features = (
                input_fn(estimator, examples) if input_fn else parsed_as_before(examples, estimator._features_info)
            )
        else:
            features, _ = input_fn()
            examples = None if input_feature_key is None else features.pop(input_feature_key)
        if (features is None or features == {}) and examples is None:
            raise ValueError("Either features or examples must be defined.")
        predictions = estimator._get_predict_ops(features).predictions
        if prediction_key is not None:
            predictions = predictions[prediction_key]
        default, named = (signature_fn or estimator._signature_fn)(examples, features, predictions)
        saver = next(iter(scopes.get_collection(GraphKeys.SAVERS)), None) or Saver()
        with Session() as session:
            saver.restore(session, checkpoint_path)
            exporter = Exporter(saver)
            exporter.init(
                init_op=basic.group(variable_lists.local_variables_initializer(), tables_initializer()),
                default_graph_signature=default,
                named_graph_signatures=named,
                assets_collection=scopes.get_collection(GraphKeys.ASSET_FILEPATHS),
            )
            return exporter.export(export_dir, get_global_step(), session, exports_to_keep)
