"""Decoders of TensorFlow 1.0: a recurrent network whose next input a function chooses, in training and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.layers.dense import linear
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib import nesting
from thalweg._src.lib.rnn.dynamic import raw_rnn
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.softmax import softmax
from thalweg._src.ops.stateful import variable_scope

# (time, cell state, cell input, cell output, context) -> (done, cell state, next input, what is emitted, context)
DecoderFunction = Callable[[Any, Any, Any, Any, Any], tuple[Any, Any, Any, Any, Any]]


def dynamic_rnn_decoder(
    cell: Any,
    decoder_fn: DecoderFunction,
    inputs: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
    name: str | None = None,
) -> tuple[Any, Any, Any]:
    """(outputs, last state, last context) of `cell`, as `decoder_fn` goes on after each step.

    With `inputs` [batch, time, depth] it is fed with those until `sequence_length`; without them `decoder_fn` says what is next and which
    sequences are done. ValueError for inputs of fewer than two dimensions.
    """
    with name_scope(name, "dynamic_rnn_decoder", [inputs, sequence_length]):
        rows = None
        if inputs is not None:
            inputs = to_tensor(inputs)
            if inputs.get_shape().ndims is not None and inputs.get_shape().ndims < 2:
                raise ValueError("Inputs must have at least two dimensions")
            inputs = inputs if time_major else array.transpose(inputs, [1, 0, 2])
            most, batch, depth = inputs.get_shape().as_list()
            most = array.shape(inputs)[0] if most is None else most
            rows = TensorArray(inputs.dtype.base_dtype, size=most).unstack(inputs)

        def given(time: Any, done: Any) -> Any:
            """The input of a step; zeros behind the last."""
            if done is None:
                return rows.read(0)
            size = array.shape(done)[0] if batch is None else batch
            nothing = array.zeros([size, depth], dtype=inputs.dtype)
            return cond(math.equal(time, most), lambda: nothing, lambda: rows.read(time))

        def loop_fn(time: Any, cell_output: Any, cell_state: Any, loop_state: Any) -> tuple[Any, ...]:
            done, context = loop_state if isinstance(loop_state, tuple) else (loop_state, None)
            cell_input = None if rows is None else given(time, done)
            done, state, following, emitted, context = decoder_fn(time, cell_state, cell_input, cell_output, context)
            done = time >= sequence_length if done is None else done
            return done, following, state, emitted, done if context is None else (done, context)

        outputs, state, loop_state = raw_rnn(
            cell, loop_fn, parallel_iterations=parallel_iterations, swap_memory=swap_memory, scope=scope
        )
        found = outputs.stack()
        found = found if time_major else array.transpose(found, [1, 0, 2])
        return found, state, loop_state[1] if isinstance(loop_state, tuple) else None


def simple_decoder_fn_train(encoder_state: Any, name: str | None = None) -> DecoderFunction:
    """Training: begin with the encoder's state and take the inputs as they come."""

    def decoder_fn(time: Any, state: Any, cell_input: Any, output: Any, context: Any) -> tuple[Any, ...]:
        return None, encoder_state if state is None else state, cell_input, output, context

    return decoder_fn


def attention_decoder_fn_train(
    encoder_state: Any,
    attention_keys: Any,
    attention_values: Any,
    attention_score_fn: Any,
    attention_construct_fn: Any,
    name: str | None = None,
) -> DecoderFunction:
    """The same, with the attention of the step before beside each input."""

    def decoder_fn(time: Any, state: Any, cell_input: Any, output: Any, context: Any) -> tuple[Any, ...]:
        if state is None:
            state, attention = encoder_state, _no_attention(encoder_state)
        else:
            output = attention = attention_construct_fn(output, attention_keys, attention_values)
        return None, state, array.concat([cell_input, attention], 1), output, context

    return decoder_fn


def simple_decoder_fn_inference(
    output_fn: Any,
    encoder_state: Any,
    embeddings: Any,
    start_of_sequence_id: Any,
    end_of_sequence_id: Any,
    maximum_length: Any,
    num_decoder_symbols: Any,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> DecoderFunction:
    """Decoding: the likeliest symbol of a step, by `output_fn` of the cell's output, is the input of the next one, until
    `end_of_sequence_id` or `maximum_length`.
    """
    limits = (start_of_sequence_id, end_of_sequence_id, maximum_length, num_decoder_symbols, dtype)
    return _greedy(output_fn, encoder_state, embeddings, *limits, lambda output: (output, None))


def attention_decoder_fn_inference(
    output_fn: Any,
    encoder_state: Any,
    attention_keys: Any,
    attention_values: Any,
    attention_score_fn: Any,
    attention_construct_fn: Any,
    embeddings: Any,
    start_of_sequence_id: Any,
    end_of_sequence_id: Any,
    maximum_length: Any,
    num_decoder_symbols: Any,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> DecoderFunction:
    """The same, with the attention of the step before beside each input."""

    def attend(output: Any) -> tuple[Any, Any]:
        if output is None:
            return None, _no_attention(encoder_state)
        attention = attention_construct_fn(output, attention_keys, attention_values)
        return attention, attention

    limits = (start_of_sequence_id, end_of_sequence_id, maximum_length, num_decoder_symbols, dtype)
    return _greedy(output_fn, encoder_state, embeddings, *limits, attend)


def _greedy(
    output_fn: Any,
    encoder_state: Any,
    embeddings: Any,
    start: Any,
    end: Any,
    most: Any,
    symbols: Any,
    dtype: Any,
    attend: Callable[[Any], tuple[Any, Any]],
) -> DecoderFunction:
    """Decoding, where `attend` gives what stands for the output, and what stands beside the next input."""
    start, end, most, symbols = (to_tensor(v, dtype) for v in (start, end, most, symbols))
    first = nesting.flatten(encoder_state)[0]
    batch = first.get_shape().as_list()[0]
    batch = array.shape(first)[0] if batch is None else batch

    def decoder_fn(time: Any, state: Any, cell_input: Any, output: Any, context: Any) -> tuple[Any, ...]:
        if cell_input is not None:
            raise ValueError(f"Expected cell_input to be None, but saw: {cell_input}")
        seen, beside = attend(output)
        if output is None:
            chosen = array.ones([batch], dtype=dtype) * start
            done = array.zeros([batch], dtype=dtypes.bool)
            state, emitted = encoder_state, array.zeros([symbols], dtype=dtypes.float32)
        else:
            emitted = seen if output_fn is None else output_fn(seen)
            chosen = math.cast(math.argmax(emitted, 1), dtype)
            done = math.equal(chosen, end)
        following = array.gather(embeddings, chosen)
        following = following if beside is None else array.concat([following, beside], 1)
        finished = math.greater(time, most)
        return math.logical_or(done, finished), state, following, emitted, context

    return decoder_fn


def prepare_attention(
    attention_states: Any, attention_option: str, num_units: int, reuse: bool | None = False
) -> tuple[Any, Any, Any, Any]:
    """(keys, values, score function, construct function) of the states [batch, time, units] of an encoder.

    `attention_option` is "bahdanau" or "luong"; ValueError for another, when it is used.
    """
    with variable_scope.variable_scope("attention_keys", reuse=reuse) as scope:
        keys = linear(attention_states, num_units, biases_initializer=None, scope=scope)
    score = _score_function(attention_option, num_units, reuse)
    return keys, attention_states, score, _construct_function(num_units, score, reuse)


def _no_attention(encoder_state: Any) -> Any:
    top = encoder_state[-1] if isinstance(encoder_state, tuple) else encoder_state
    return array.zeros_like(getattr(top, "h", top))


def _construct_function(num_units: int, score: Any, reuse: Any) -> Callable[[Any, Any, Any], Any]:
    """The attention of a query: a linear map of it and of the context. Training and decoding share its weights."""
    with variable_scope.variable_scope("attention_construct", reuse=reuse) as scope:
        pass
    made = bool(reuse)

    def construct(query: Any, keys: Any, values: Any) -> Any:
        nonlocal made
        both = array.concat([query, score(query, keys, values)], 1)
        attention = linear(both, num_units, biases_initializer=None, scope=scope, reuse=made or None)
        made = True
        return attention

    return construct


def _score_function(option: str, num_units: int, reuse: Any) -> Callable[[Any, Any, Any], Any]:
    with variable_scope.variable_scope("attention_score", reuse=reuse):
        if option == "bahdanau":
            weights = variable_scope.get_variable("attnW", [num_units, num_units], dtype=dtypes.float32)
            vector = variable_scope.get_variable("attnV", [num_units], dtype=dtypes.float32)

    def score(query: Any, keys: Any, values: Any) -> Any:
        if option not in ("bahdanau", "luong"):
            raise ValueError(f"Unknown attention option {option}!")
        query = math.matmul(query, weights) if option == "bahdanau" else query
        query = array.reshape(query, [-1, 1, num_units])
        scores = math.reduce_sum(vector * math.tanh(keys + query) if option == "bahdanau" else keys * query, [2])
        context = math.reduce_sum(array.expand_dims(softmax(scores), 2) * values, [1])
        context.set_shape([None, num_units])
        return context

    return score
