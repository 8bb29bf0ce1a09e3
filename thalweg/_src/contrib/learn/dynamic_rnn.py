"""tf.contrib.learn's DynamicRnnEstimator: sequence columns through a cell to an answer for each step, or one for the sequence."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.layers import column_ops
from thalweg._src.contrib.layers.dense import fully_connected
from thalweg._src.contrib.layers.optimizers import OPTIMIZER_SUMMARIES, optimize_loss
from thalweg._src.contrib.layers.target_columns import multi_class_target, regression_target
from thalweg._src.contrib.learn.estimator import Estimator
from thalweg._src.contrib.learn.modes import ModeKeys, ModelFnOps, PredictionKey, ProblemType
from thalweg._src.contrib.learn.recurrence import (
    PredictionType,
    RNNKeys,
    construct_rnn_cell,
    get_eval_metric_ops,
    mask_activations_and_labels,
    multi_value_predictions,
    predictions_name,
    select_last_activations,
)
from thalweg._src.core import dtypes, nest, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.feature_columns.sequence import concatenate_context_input
from thalweg._src.lib.optimizers.momentum import MomentumOptimizer
from thalweg._src.lib.rnn.dynamic import dynamic_rnn
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks

_PROBLEMS = (ProblemType.CLASSIFICATION, ProblemType.LINEAR_REGRESSION)
_ANSWERS = {PredictionType.MULTIPLE_VALUE: "MultiValue", PredictionType.SINGLE_VALUE: "SingleValue"}


def _get_state_name(i: int) -> str:
    return f"{RNNKeys.STATE_PREFIX}_{i}"


def state_tuple_to_dict(state: Any) -> dict[str, Any]:
    """{name: part} of a state that may be nested."""
    with scopes.name_scope("state_tuple_to_dict"):
        found = {}
        for i, part in enumerate(nest.flatten(state)):
            name = _get_state_name(i)
            found[name] = None if part is None else array.identity(part, name=name)
        return found


def dict_to_state_tuple(input_dict: dict[str, Any], cell: Any) -> Any:
    """The state of a cell out of its named parts; None where no part is given. Raises ValueError where only some are."""
    sizes = nest.flatten(cell.state_size)
    with scopes.name_scope("dict_to_state_tuple"):
        parts = []
        for i, size in enumerate(sizes):
            part = input_dict.get(_get_state_name(i))
            if part is None:
                continue
            rank = checks.assert_rank(part, 2, name=f"check_state_{i}_rank")
            width = checks.assert_equal(array.shape(part)[1], size, name=f"check_state_{i}_shape")
            with get_default_graph().control_dependencies([rank, width]):
                parts.append(array.identity(part, name=_get_state_name(i)))
        if not parts:
            return None
        if len(parts) < len(sizes):
            raise ValueError(
                f"RNN state was partially specified.Expected zero or {len(sizes)} state Tensors; got {len(parts)}"
            )
        return nest.pack(cell.state_size, parts)


def build_sequence_input(
    features: dict[Any, Any],
    sequence_feature_columns: Any,
    context_feature_columns: Any,
    weight_collections: Any = None,
    scope: Any = None,
) -> Any:
    """[batch, length, width]: the sequence columns, and beside each step the context columns."""
    both = [*sequence_feature_columns, *(context_feature_columns or ())]
    features = {**features, **column_ops.transform_features(features, both)}
    found = column_ops.sequence_input_from_feature_columns(
        features, sequence_feature_columns, weight_collections=weight_collections, scope=scope
    )
    if context_feature_columns is None:
        return found
    context = column_ops.input_from_feature_columns(
        features, context_feature_columns, weight_collections=weight_collections, scope=scope
    )
    return concatenate_context_input(context, found)


def construct_rnn(
    initial_state: Any,
    sequence_input: Any,
    cell: Any,
    num_label_columns: int,
    dtype: Any = dtypes.float32,
    parallel_iterations: int | None = 32,
    swap_memory: bool = True,
) -> tuple[Any, Any]:
    """(logits [batch, length, num_label_columns], the last state)."""
    with scopes.name_scope("RNN"):
        outputs, state = dynamic_rnn(
            cell=cell,
            inputs=sequence_input,
            initial_state=initial_state,
            dtype=dtype,
            parallel_iterations=parallel_iterations,
            swap_memory=swap_memory,
        )
        return fully_connected(outputs, num_label_columns, activation_fn=None, trainable=True), state


def _single_value_predictions(
    activations: Any, sequence_length: Any, target_column: Any, problem_type: int, predict_probabilities: bool
) -> dict[str, Any]:
    with scopes.name_scope("SingleValuePrediction"):
        last, name = select_last_activations(activations, sequence_length), predictions_name(problem_type)
        answers = target_column.logits_to_predictions(last, proba=predict_probabilities)
        if predict_probabilities:
            return {PredictionKey.PROBABILITIES: answers, name: math.argmax(answers, 1)}
        return {name: answers}


def _multi_value_loss(activations: Any, labels: Any, lengths: Any, target_column: Any, features: Any) -> Any:
    with scopes.name_scope("MultiValueLoss"):
        rows, labels = mask_activations_and_labels(activations, labels, lengths)
        return target_column.loss(rows, labels, features)


def _single_value_loss(activations: Any, labels: Any, lengths: Any, target_column: Any, features: Any) -> Any:
    with scopes.name_scope("SingleValueLoss"):
        return target_column.loss(select_last_activations(activations, lengths), labels, features)


def _get_output_alternatives(prediction_type: int, problem_type: int, prediction_dict: dict[str, Any]) -> Any:
    if prediction_type == PredictionType.MULTIPLE_VALUE:
        return None
    answers = {k: v for k, v in prediction_dict.items() if RNNKeys.STATE_PREFIX not in k}
    return {"dynamic_rnn_output": (problem_type, answers)}


def _get_dynamic_rnn_model_fn(
    cell_type: Any,
    num_units: Any,
    target_column: Any,
    problem_type: int,
    prediction_type: int,
    optimizer: Any,
    sequence_feature_columns: Any,
    context_feature_columns: Any = None,
    predict_probabilities: bool = False,
    learning_rate: Any = None,
    gradient_clipping_norm: float | None = None,
    dropout_keep_probabilities: Any = None,
    sequence_length_key: str = RNNKeys.SEQUENCE_LENGTH_KEY,
    dtype: Any = dtypes.float32,
    parallel_iterations: int | None = None,
    swap_memory: bool = True,
    name: str = "DynamicRNNModel",
) -> Any:
    """The model function. Raises ValueError for other kinds of problems and answers, and for probabilities of numbers."""
    if problem_type not in _PROBLEMS:
        raise ValueError(
            f"problem_type must be ProblemType.LINEAR_REGRESSION or ProblemType.CLASSIFICATION; got {problem_type}"
        )
    if prediction_type not in _ANSWERS:
        raise ValueError(
            f"prediction_type must be PredictionType.MULTIPLE_VALUEs or PredictionType.SINGLE_VALUE; got {prediction_type}"
        )
    if problem_type != ProblemType.CLASSIFICATION and predict_probabilities:
        raise ValueError(
            "predict_probabilities can only be set to True for problem_type ProblemType.CLASSIFICATION; got "
            f"{problem_type}."
        )
    single = prediction_type == PredictionType.SINGLE_VALUE

    def model_fn(features: Any, labels: Any, mode: str) -> ModelFnOps:
        with scopes.name_scope(name):
            lengths = features.get(sequence_length_key)
            inputs = build_sequence_input(features, sequence_feature_columns, context_feature_columns)
            keep = dropout_keep_probabilities if mode == ModeKeys.TRAIN else None
            cell = construct_rnn_cell(num_units, cell_type, keep)
            activations, state = construct_rnn(
                *(dict_to_state_tuple(features, cell), inputs, cell, target_column.num_label_columns),
                *(dtype, parallel_iterations, swap_memory),
            )
            if single:
                predictions = _single_value_predictions(
                    activations, lengths, target_column, problem_type, predict_probabilities
                )
            else:
                predictions = multi_value_predictions(activations, target_column, problem_type, predict_probabilities)
            loss = metrics = train_op = None
            if mode != ModeKeys.INFER:
                loss_of = _single_value_loss if single else _multi_value_loss
                loss = loss_of(activations, labels, lengths, target_column, features)
            predictions.update(state_tuple_to_dict(state))
            if mode != ModeKeys.INFER:
                metrics = get_eval_metric_ops(problem_type, prediction_type, lengths, predictions, labels)
            if mode == ModeKeys.TRAIN:
                train_op = optimize_loss(
                    loss=loss,
                    global_step=None,
                    learning_rate=learning_rate,
                    optimizer=optimizer,
                    clip_gradients=gradient_clipping_norm,
                    summaries=OPTIMIZER_SUMMARIES,
                )
        alternatives = _get_output_alternatives(prediction_type, problem_type, predictions)
        return ModelFnOps(mode, predictions, loss, train_op, metrics, alternatives)

    return model_fn


class DynamicRnnEstimator(Estimator):
    """A recurrent model of sequence columns, unrolled as long as the batch.

    `prediction_type` says whether each step or each sequence gets an answer. The feature "sequence_length" holds the lengths of
    padded sequences; features "rnn_cell_state_<i>", all or none, the state to begin with, and `predict` gives the last state
    under the same names. Raises ValueError for other types, and for classes without `num_classes`.
    """

    def __init__(
        self,
        problem_type: int,
        prediction_type: int,
        sequence_feature_columns: Any,
        context_feature_columns: Any = None,
        num_classes: int | None = None,
        num_units: Any = None,
        cell_type: Any = "basic_rnn",
        optimizer: Any = "SGD",
        learning_rate: Any = 0.1,
        predict_probabilities: bool = False,
        momentum: float | None = None,
        gradient_clipping_norm: float | None = 5.0,
        dropout_keep_probabilities: Any = None,
        model_dir: Any = None,
        feature_engineering_fn: Any = None,
        config: Any = None,
    ):
        if prediction_type not in _ANSWERS:
            raise ValueError(
                "prediction_type must be one of PredictionType.MULTIPLE_VALUE or PredictionType.SINGLE_VALUE; got "
                f"{prediction_type}"
            )
        if problem_type == ProblemType.LINEAR_REGRESSION:
            kind, target_column = "Regressor", regression_target()
        elif problem_type == ProblemType.CLASSIFICATION:
            if not num_classes:
                raise ValueError("For CLASSIFICATION problem_type, num_classes must be specified.")
            kind, target_column = "Classifier", multi_class_target(n_classes=num_classes)
        else:
            raise ValueError(
                "problem_type must be either ProblemType.LINEAR_REGRESSION or ProblemType.CLASSIFICATION; got "
                f"{problem_type}"
            )
        if optimizer == "Momentum":
            optimizer = MomentumOptimizer(learning_rate, momentum)
        model_fn = _get_dynamic_rnn_model_fn(
            cell_type=cell_type,
            num_units=num_units,
            target_column=target_column,
            problem_type=problem_type,
            prediction_type=prediction_type,
            optimizer=optimizer,
            sequence_feature_columns=sequence_feature_columns,
            context_feature_columns=context_feature_columns,
            predict_probabilities=predict_probabilities,
            learning_rate=learning_rate,
            gradient_clipping_norm=gradient_clipping_norm,
            dropout_keep_probabilities=dropout_keep_probabilities,
            name=f"{_ANSWERS[prediction_type]}DynamicRNN{kind}",
        )
        super().__init__(
            model_fn=model_fn, model_dir=model_dir, config=config, feature_engineering_fn=feature_engineering_fn
        )
