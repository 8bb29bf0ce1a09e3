"""tf.contrib.learn.ops of 0.x: small building blocks of models."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.rnn.static import static_rnn
from thalweg._src.ops.arrays.selecting import one_hot
from thalweg._src.ops.chance.random import dropout as dropout_op
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, convolution_api, embedding, softmax
from thalweg._src.ops.stateful.variable_scope import get_variable, get_variable_scope, variable_scope


def embedding_lookup(params: Any, ids: Any, name: str | None = "embedding_lookup") -> Any:
    """The rows `ids` of a table: ids [...] -> [..., width]."""
    with scopes.name_scope(name, "embedding_lookup", [params, ids]):
        return embedding.embedding_lookup(to_tensor(params), to_tensor(ids))


def categorical_variable(tensor_in: Any, n_classes: int, embedding_size: int, name: str) -> Any:
    """A learned row for each class: [...] -> [..., embedding_size]. The table is `name/name_embeddings`."""
    with variable_scope(name):
        table = get_variable(name + "_embeddings", [n_classes, embedding_size])
        return embedding_lookup(table, tensor_in)


def one_hot_matrix(tensor_in: Any, num_classes: int, on_value: float = 1.0, off_value: float = 0.0) -> Any:
    """[...] class numbers -> [..., num_classes]."""
    return one_hot(math.cast(tensor_in, dtypes.int64), num_classes, on_value, off_value)


def dropout(tensor_in: Any, prob: float, name: str | None = None) -> Any:
    """Keep a part `prob` of the elements, chosen anew at each step of a training; all of them elsewhere."""
    with scopes.name_scope(name, "dropout", [tensor_in]):
        training = any(scopes.get_collection("IS_TRAINING") or [True])
        return dropout_op(tensor_in, prob) if training else to_tensor(tensor_in)


_dropout = dropout


def dnn(tensor_in: Any, hidden_units: Any, activation: Any = activations.relu, dropout: Any = None) -> Any:
    """Dense layers of `hidden_units`, each with `activation`, and `dropout`, a part that is dropped."""
    with variable_scope("dnn"):
        for i, width in enumerate(hidden_units):
            with variable_scope(f"layer{i}"):
                size, dtype = tensor_in.get_shape().as_list()[1], tensor_in.dtype.base_dtype
                weights = get_variable("Matrix", [size, width], dtype=dtype)
                bias = get_variable("Bias", [width], dtype=dtype)
                tensor_in = math.matmul(tensor_in, weights) + bias
                if activation is not None:
                    tensor_in = activation(tensor_in)
                if dropout is not None:
                    tensor_in = _dropout(tensor_in, prob=1.0 - dropout)
        return tensor_in


def conv2d(
    tensor_in: Any,
    n_filters: int,
    filter_shape: Any,
    strides: Any = None,
    padding: str = "SAME",
    bias: bool = True,
    activation: Any = None,
    batch_norm: bool = False,
) -> Any:
    """A convolution with `n_filters` filters of `filter_shape`, a bias, batch normalization and an activation."""
    with variable_scope("convolution"):
        depth = tensor_in.get_shape().as_list()[3]
        filters = get_variable("filters", [*filter_shape, depth, n_filters], dtypes.float32)
        output = convolution_api.conv2d(tensor_in, filters, strides or [1, 1, 1, 1], padding)
        if bias:
            output = output + get_variable("bias", [1, 1, 1, n_filters], dtypes.float32)
        if batch_norm:
            from thalweg._src.contrib.layers.batch_norm import batch_norm as normalized

            output = normalized(output, is_training=any(scopes.get_collection("IS_TRAINING") or [True]))
        return activation(output) if activation else output


# -- losses


def mean_squared_error_regressor(tensor_in: Any, labels: Any, weights: Any, biases: Any, name: Any = None) -> Any:
    """(predictions, the mean of squared errors) of `tensor_in @ weights + biases`."""
    from thalweg._src.lib.losses import mean_squared_error

    with scopes.name_scope(name, "mean_squared_error_regressor", [tensor_in, labels]):
        predictions = activations.bias_add(math.matmul(tensor_in, weights), biases)
        if labels.get_shape().ndims == 1 and predictions.get_shape().ndims == 2:
            predictions = array.squeeze(predictions, axis=[1])
        return predictions, mean_squared_error(labels, predictions)


def softmax_classifier(
    tensor_in: Any, labels: Any, weights: Any, biases: Any, class_weight: Any = None, name: Any = None
) -> Any:
    """(probabilities, the mean of cross-entropies) of `tensor_in @ weights + biases`; labels are rows with a one."""
    from thalweg._src.lib.losses import softmax_cross_entropy

    with scopes.name_scope(name, "softmax_classifier", [tensor_in, labels]):
        logits = activations.bias_add(math.matmul(tensor_in, weights), biases)
        if class_weight is not None:
            logits = math.multiply(logits, class_weight)
        return softmax.softmax(logits), softmax_cross_entropy(labels, logits)


# -- sequences


def sequence_classifier(decoding: Any, labels: Any, sampling_decoding: Any = None, name: Any = None) -> Any:
    """(probabilities [batch, time, classes], the sum of cross-entropies) of lists of logits and labels by step."""
    with scopes.name_scope(name, "sequence_classifier", [decoding, labels]):
        losses = [
            softmax.softmax_cross_entropy_with_logits(
                labels=labels[i], logits=logits, name=f"sequence_loss/xent_raw{i}"
            )
            for i, logits in enumerate(decoding)
        ]
        predictions = [softmax.softmax(logits) for logits in sampling_decoding or decoding]
        total = math.add_n(losses, name="sequence_loss/xent")
        return array.stack(predictions, axis=1), math.reduce_sum(total, name="sequence_loss")


def seq2seq_inputs(
    x: Any, y: Any, input_length: int, output_length: int, sentinel: Any = None, name: Any = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """(inputs, decoder inputs, decoder outputs) as lists by step; a `sentinel` (zeros) starts and ends the output."""
    with scopes.name_scope(name, "seq2seq_inputs", [x, y]):
        in_x = array.unstack(x, axis=1)
        steps = array.unstack(y, axis=1)
        if sentinel is None:
            width = steps[0].get_shape().as_list()[1]
            sentinel = array.zeros(array.stack([array.shape(x)[0], width]))
            sentinel.set_shape(steps[0].get_shape())
        return in_x, [sentinel, *steps], [*steps, sentinel]


def rnn_decoder(decoder_inputs: Any, initial_state: Any, cell: Any, scope: Any = None) -> Any:
    """(outputs, states) while trained on given inputs, and (outputs, states) where each output is the next input."""
    with variable_scope(scope or "dnn_decoder"):
        states, sampled_states = [initial_state], [initial_state]
        outputs: list[Any] = []
        sampled: list[Any] = []
        with scopes.name_scope("training"):
            for i, step in enumerate(decoder_inputs):
                if i > 0:
                    get_variable_scope().reuse_variables()
                output, state = cell(step, states[-1])
                outputs.append(output)
                states.append(state)
        with scopes.name_scope("sampling"):
            for i in range(len(decoder_inputs)):
                if i == 0:
                    output, state = outputs[0], states[0]
                else:
                    output, state = cell(sampled[-1], sampled_states[-1])
                sampled.append(output)
                sampled_states.append(state)
    return outputs, states, sampled, sampled_states


def rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    encoder_cell: Any,
    decoder_cell: Any = None,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> Any:
    """An encoder, whose last state is the first of a decoder: what `rnn_decoder` gives."""
    with variable_scope(scope or "rnn_seq2seq"):
        _, state = static_rnn(encoder_cell, encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, decoder_cell or encoder_cell)
