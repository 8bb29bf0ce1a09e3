"""What recurrent estimators of tf.contrib.learn share: cells by name, the last step of a sequence, and what lies within its length."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.learn.modes import PredictionKey, ProblemType
from thalweg._src.core import scopes
from thalweg._src.lib.estimators.recurrent import cell_of_kind
from thalweg._src.lib.metrics import means
from thalweg._src.lib.rnn.basic import BasicRNNCell, GRUCell, LSTMCell
from thalweg._src.lib.rnn.wrappers import DropoutWrapper, MultiRNNCell
from thalweg._src.ops.arrays.gathering import gather
from thalweg._src.ops.arrays.selecting import boolean_mask, sequence_mask
from thalweg._src.ops.late import array, math

_CELLS = {"basic_rnn": BasicRNNCell, "lstm": LSTMCell, "gru": GRUCell}


class RNNKeys:
    """Names of features and predictions that belong to the recurrence."""

    FINAL_STATE_KEY = "final_state"
    LABELS_KEY = "__labels__"
    SEQUENCE_LENGTH_KEY = "sequence_length"
    STATE_PREFIX = "rnn_cell_state"


class PredictionType:
    """One answer for a sequence, or one for each of its steps."""

    SINGLE_VALUE = 1
    MULTIPLE_VALUE = 2


def construct_rnn_cell(num_units: Any, cell_type: Any = "basic_rnn", dropout_keep_probabilities: Any = None) -> Any:
    """One cell of `num_units`, or for a list several on top of each other. Raises ValueError for unknown types."""
    sizes = num_units if isinstance(num_units, (list, tuple)) else (num_units,)
    cells = [cell_of_kind(_CELLS, cell_type, n) for n in sizes]
    if dropout_keep_probabilities:
        cells = apply_dropout(cells, dropout_keep_probabilities)
    return cells[0] if len(cells) == 1 else MultiRNNCell(cells)


def apply_dropout(cells: list[Any], dropout_keep_probabilities: Any, random_seed: int | None = None) -> list[Any]:
    """Cells that drop inputs, and for the last one outputs. Raises ValueError unless there is one probability more than cells."""
    keep = dropout_keep_probabilities
    if len(keep) != len(cells) + 1:
        raise ValueError(
            "The number of dropout probabilities must be one greater than the number of cells. Got "
            f"{len(cells)} cells and {len(keep)} dropout probabilities."
        )
    lower = [DropoutWrapper(c, p, 1.0, seed=random_seed) for c, p in zip(cells[:-1], keep[:-2], strict=True)]
    return [*lower, DropoutWrapper(cells[-1], keep[-2], keep[-1])]


def get_eval_metric_ops(
    problem_type: int, prediction_type: int, sequence_length: Any, prediction_dict: dict[str, Any], labels: Any
) -> dict[str, Any]:
    """The accuracy of classes; nothing for numbers."""
    if problem_type != ProblemType.CLASSIFICATION:
        return {}
    classes = prediction_dict[PredictionKey.CLASSES]
    if prediction_type == PredictionType.MULTIPLE_VALUE:
        classes, labels = mask_activations_and_labels(classes, labels, sequence_length)
    return {"accuracy": means.accuracy(labels, classes)}


def select_last_activations(activations: Any, sequence_lengths: Any) -> Any:
    """[batch, length, k] -> [batch, k]: what comes at the last step of each sequence."""
    with scopes.name_scope("select_last_activations", values=(activations, sequence_lengths)):
        shape = array.shape(activations)
        lengths = shape[1] if sequence_lengths is None else sequence_lengths
        rows = math.range(shape[0]) * shape[1] + lengths - 1
        last = gather(array.reshape(activations, [-1, shape[2]]), rows)
        last.set_shape([activations.shape[0], activations.shape[2]])
        return last


def mask_activations_and_labels(activations: Any, labels: Any, sequence_lengths: Any) -> tuple[Any, Any]:
    """Activations [batch, length, k] and labels [batch, length] as rows, without the steps behind the end of a sequence."""
    with scopes.name_scope("mask_activations_and_labels", values=(activations, labels, sequence_lengths)):
        shape = array.shape(labels)
        if sequence_lengths is None:
            rows = shape[0] * shape[1]
            return array.reshape(activations, [rows, -1]), array.reshape(labels, [rows])
        mask = sequence_mask(sequence_lengths, shape[1])
        return boolean_mask(activations, mask), boolean_mask(labels, mask)


def predictions_name(problem_type: int) -> str:
    """The key of the answers of that kind of problem."""
    return PredictionKey.CLASSES if problem_type == ProblemType.CLASSIFICATION else PredictionKey.SCORES


def multi_value_predictions(
    activations: Any, target_column: Any, problem_type: int, predict_probabilities: bool
) -> dict[str, Any]:
    """Answers [batch, length], and the probabilities of classes if they are asked for."""
    with scopes.name_scope("MultiValuePrediction"):
        shape = array.shape(activations)
        flat = array.reshape(activations, [-1, shape[2]])
        name, found = predictions_name(problem_type), {}
        answers = target_column.logits_to_predictions(flat, proba=predict_probabilities)
        if predict_probabilities:
            two = target_column.num_label_columns == 1  # one logit tells of two classes
            wanted = array.concat([shape[:2], [2]], 0) if two else shape
            key = PredictionKey.PROBABILITIES
            found[key] = array.reshape(answers, wanted, name=key)
            answers = math.argmax(answers, 1)
        found[name] = array.reshape(answers, shape[:2], name=name)
        return found
