"""tf.contrib.estimator's recurrent estimators: sequence columns through cells, and the state after the last step as features of a head."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.lib.estimators.canned import get_optimizer_instance
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.extending import clip_gradients_by_norm
from thalweg._src.lib.estimators.heads import classifier_head
from thalweg._src.lib.feature_columns.layers import input_layer
from thalweg._src.lib.feature_columns.sequence import concatenate_context_input, sequence_input_layer
from thalweg._src.lib.global_step import get_global_step
from thalweg._src.lib.layers.core import Dense
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.rnn.basic import BasicLSTMCell, BasicRNNCell, GRUCell
from thalweg._src.lib.rnn.cell import RNNCell
from thalweg._src.lib.rnn.dynamic import dynamic_rnn
from thalweg._src.lib.rnn.wrappers import MultiRNNCell
from thalweg._src.lib.summary import summary
from thalweg._src.ops.arrays.gathering import gather_nd
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.initializers import glorot_uniform_initializer
from thalweg._src.ops.stateful.partitioned import min_max_variable_partitioner
from thalweg._src.ops.stateful.variable_scope import variable_scope

_CELLS = {"basic_rnn": BasicRNNCell, "lstm": BasicLSTMCell, "gru": GRUCell}
_RATE, _CLIP_NORM = 0.05, 5.0
USE_DEFAULT: Any = object()  # no type of cell was asked for


def _cell_fn(rnn_cell_fn: Any, num_units: Any, cell_type: Any) -> Any:
    """The function from a mode to a cell. Raises ValueError for a function and a type together."""
    if rnn_cell_fn:
        if num_units or cell_type is not USE_DEFAULT:
            raise ValueError("num_units and cell_type must not be specified when using rnn_cell_fn")
        return rnn_cell_fn
    kind = "basic_rnn" if cell_type is USE_DEFAULT else cell_type

    def make(mode: str) -> Any:
        cells = [cell_of_kind(_CELLS, kind, n) for n in num_units]
        return cells[0] if len(cells) == 1 else MultiRNNCell(cells)

    return make


def cell_of_kind(kinds: dict[str, Any], kind: Any, num_units: int) -> Any:
    """A cell of `num_units` units, of a class or of the one that `kinds` has under that name. Raises ValueError for what is neither."""
    made = kinds.get(kind, kind)
    if not made or not issubclass(made, RNNCell):
        raise ValueError(f"The supported cell types are {list(kinds)}; got {made}")
    return made(num_units=num_units)


def rnn_logits(features: Any, mode: str, units: int, cell_fn: Any, columns: Any, context: Any, partitioner: Any) -> Any:
    """Logits [batch, units] of what cells give at the last step of each sequence. Raises ValueError for `units` that are no int."""
    if not isinstance(units, int):
        raise ValueError(f"output_units must be an int.  Given type: {type(units)}")
    with variable_scope("sequence_input_layer", values=tuple(features.values()), partitioner=partitioner):
        sequence, lengths = sequence_input_layer(features, columns)
        summary.histogram("sequence_length", lengths)
        if context:
            sequence = concatenate_context_input(input_layer(features, context), sequence)
    outputs, _ = dynamic_rnn(cell_fn(mode), sequence, sequence_length=lengths, dtype=dtypes.float32)
    last = math.cast(lengths, dtypes.int64) - 1
    rows = math.range(array.shape(last, out_type=dtypes.int64)[0])
    final = gather_nd(outputs, array.stack([rows, last], 1))
    final.set_shape([outputs.shape[0], outputs.shape[2]])
    with variable_scope("logits", values=(final,)) as scope:
        return Dense(units, kernel_initializer=glorot_uniform_initializer(), name=scope, _scope=scope)(final)


def _model(
    features: Any,
    labels: Any,
    mode: str,
    head: Any,
    cell_fn: Any,
    columns: Any,
    context: Any,
    optimizer: Any,
    partitioner: Any,
    config: Any,
) -> Any:
    if not isinstance(features, dict):
        raise ValueError(f"features should be a dictionary of `Tensor`s. Given type: {type(features)}")
    if not isinstance(optimizer, Optimizer):
        optimizer = clip_gradients_by_norm(get_optimizer_instance(optimizer, learning_rate=_RATE), _CLIP_NORM)
    replicas = config.num_ps_replicas if config else 0
    partitioner = partitioner or min_max_variable_partitioner(replicas, min_slice_size=64 << 20)
    with variable_scope("rnn", values=tuple(features.values()), partitioner=min_max_variable_partitioner(replicas)):
        columns, context = tuple(columns or ()), tuple(context or ())
        logits = rnn_logits(features, mode, head.logits_dimension, cell_fn, columns, context, partitioner)
        train = lambda loss: optimizer.minimize(loss, global_step=get_global_step())
        return head.create_estimator_spec(features, mode, logits, labels=labels, train_op_fn=train)


class RNNEstimator(Estimator):
    """Sequences under any head: `sequence_feature_columns` go through a cell, by `cell_type` ("basic_rnn", "lstm", "gru" or a class)
    and `num_units` (a list: one on top of the other) or made by `rnn_cell_fn(mode)`; `context_feature_columns` are the same at each step.

    Raises ValueError for a cell that is told in both ways, and for `return_sequences`, as there are no sequential heads.
    """

    def __init__(
        self,
        head: Any,
        sequence_feature_columns: Any,
        context_feature_columns: Any = None,
        num_units: Any = None,
        cell_type: Any = USE_DEFAULT,
        rnn_cell_fn: Any = None,
        return_sequences: bool = False,
        model_dir: Any = None,
        optimizer: Any = "Adagrad",
        input_layer_partitioner: Any = None,
        config: Any = None,
    ):
        cell_fn = _cell_fn(rnn_cell_fn, num_units, cell_type)
        if return_sequences:
            raise ValueError("Provided head must be a `_SequentialHead` object when `return_sequences` is set to True.")

        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            return _model(
                *(features, labels, mode, head, cell_fn, sequence_feature_columns, context_feature_columns),
                *(optimizer, input_layer_partitioner, config),
            )

        Estimator.__init__(self, model_fn, model_dir, config)


class RNNClassifier(RNNEstimator):
    """Classes of sequences. See `RNNEstimator`."""

    def __init__(
        self,
        sequence_feature_columns: Any,
        context_feature_columns: Any = None,
        num_units: Any = None,
        cell_type: Any = USE_DEFAULT,
        rnn_cell_fn: Any = None,
        model_dir: Any = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Any = None,
        optimizer: Any = "Adagrad",
        loss_reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        input_layer_partitioner: Any = None,
        config: Any = None,
    ):
        head = classifier_head(n_classes, weight_column, label_vocabulary, loss_reduction)
        super().__init__(
            *(head, sequence_feature_columns, context_feature_columns, num_units, cell_type, rnn_cell_fn, False),
            *(model_dir, optimizer, input_layer_partitioner, config),
        )
