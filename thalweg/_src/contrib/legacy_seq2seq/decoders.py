"""Decoders over lists of inputs: plain, with a table of embeddings, with attention on the encoder's states."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.rnn.linear import Linear
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, convolution_api, embedding, softmax
from thalweg._src.ops.stateful import variable_scope


def argmax_and_embed(table: Any, output_projection: Any = None, update_embedding: bool = True) -> Any:
    """A loop function: the embedding of the most likely symbol of the previous output."""

    def loop_function(prev: Any, _: Any) -> Any:
        if output_projection is not None:
            prev = activations.xw_plus_b(prev, output_projection[0], output_projection[1])
        found = embedding.embedding_lookup(table, math.argmax(prev, 1))
        return found if update_embedding else array.stop_gradient(found)

    return loop_function


def check_projection(output_projection: Any, num_symbols: int, dtype: Any) -> None:
    """Raises ValueError unless (weights, biases) lead to `num_symbols`."""
    if output_projection is None:
        return
    weights, biases = (to_tensor(p, dtype) for p in output_projection)
    weights.get_shape().assert_is_compatible_with([None, num_symbols])
    biases.get_shape().assert_is_compatible_with([num_symbols])


def rnn_decoder(
    decoder_inputs: Any, initial_state: Any, cell: Any, loop_function: Any = None, scope: Any = None
) -> Any:
    """(outputs, final state) of `cell` over a list of inputs, the first state given.

    With `loop_function(previous output, step)`, its result is the input of all steps but the first.
    """
    outputs: list[Any] = []
    with variable_scope.variable_scope(scope or "rnn_decoder"):
        state = initial_state
        for i, x in enumerate(decoder_inputs):
            if loop_function is not None and outputs:
                with variable_scope.variable_scope("loop_function", reuse=True):
                    x = loop_function(outputs[-1], i)
            if i > 0:
                variable_scope.get_variable_scope().reuse_variables()
            output, state = cell(x, state)
            outputs.append(output)
    return outputs, state


def embedding_rnn_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> Any:
    """`rnn_decoder` over ids, looked up in a table; with `feed_previous`, over its own most likely symbols."""
    with variable_scope.variable_scope(scope or "embedding_rnn_decoder") as inner:
        check_projection(output_projection, num_symbols, inner.dtype)
        table = variable_scope.get_variable("embedding", [num_symbols, embedding_size])
        loop = argmax_and_embed(table, output_projection, update_embedding_for_previous) if feed_previous else None
        embedded = (embedding.embedding_lookup(table, i) for i in decoder_inputs)
        return rnn_decoder(embedded, initial_state, cell, loop_function=loop)


class _Attention:
    """Heads that read from `states` [batch, length, size] by a query."""

    def __init__(self, states: Any, heads: int, dtype: Any):
        size = states.get_shape()[2].value
        length = states.get_shape()[1].value
        self.size, self.dtype, self.heads = size, dtype, heads
        self.length = array.shape(states)[1] if length is None else length
        # W h for all steps at once: a convolution with a 1 x 1 kernel.
        self.hidden = array.reshape(states, [-1, self.length, 1, size])
        self.features, self.v = [], []
        for a in range(heads):
            k = variable_scope.get_variable(f"AttnW_{a}", [1, 1, size, size], dtype=dtype)
            self.features.append(convolution_api.conv2d(self.hidden, k, [1, 1, 1, 1], "SAME"))
            self.v.append(variable_scope.get_variable(f"AttnV_{a}", [size], dtype=dtype))

    def __call__(self, query: Any) -> list[Any]:
        """What each head reads: [batch, size]."""
        reads = []
        if nest.is_nested(query):
            query = array.concat(nest.flatten(query), 1)
        for a in range(self.heads):
            with variable_scope.variable_scope(f"Attention_{a}"):
                y = array.reshape(Linear(query, self.size, True)(query), [-1, 1, 1, self.size])
                y = math.cast(y, self.dtype)
                score = math.reduce_sum(self.v[a] * math.tanh(self.features[a] + y), [2, 3])
                mask = math.cast(softmax.softmax(math.cast(score, "float32")), self.dtype)
                spread = array.reshape(mask, [-1, self.length, 1, 1]) * self.hidden
                reads.append(array.reshape(math.reduce_sum(spread, [1, 2]), [-1, self.size]))
        return reads


def attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    output_size: int | None = None,
    num_heads: int = 1,
    loop_function: Any = None,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:
    """(outputs, final state) of a decoder that reads `attention_states` [batch, length, size] at every step (Vinyals et al., 2014).

    Raises ValueError for no inputs, no heads, or states of unknown size.
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    if attention_states.get_shape()[2].value is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.get_shape()}")
    output_size = cell.output_size if output_size is None else output_size
    outputs: list[Any] = []
    with variable_scope.variable_scope(scope or "attention_decoder", dtype=dtype) as inner:
        dtype = inner.dtype
        batch_size = array.shape(decoder_inputs[0])[0]
        attention = _Attention(attention_states, num_heads, dtype)
        state = initial_state
        reads_shape = array.stack([batch_size, attention.size])
        reads = [array.zeros(reads_shape, dtype=dtype) for _ in range(num_heads)]
        for a in reads:
            a.set_shape([None, attention.size])
        if initial_state_attention:
            reads = attention(initial_state)
        for i, x in enumerate(decoder_inputs):
            if i > 0:
                variable_scope.get_variable_scope().reuse_variables()
            if loop_function is not None and outputs:
                with variable_scope.variable_scope("loop_function", reuse=True):
                    x = loop_function(outputs[-1], i)
            input_size = x.get_shape().with_rank(2)[1]
            if input_size.value is None:
                raise ValueError(f"Could not infer input size from input: {x.name}")
            joined = [math.cast(e, dtype) for e in [x, *reads]]
            cell_output, state = cell(Linear(joined, input_size.value, True)(joined), state)
            if i == 0 and initial_state_attention:
                with variable_scope.variable_scope(variable_scope.get_variable_scope(), reuse=True):
                    reads = attention(state)
            else:
                reads = attention(state)
            with variable_scope.variable_scope("AttnOutputProjection"):
                joined = [math.cast(cell_output, dtype), *reads]
                outputs.append(Linear(joined, output_size, True)(joined))
    return outputs, state


def embedding_attention_decoder(
    decoder_inputs: Any,
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_size: int | None = None,
    output_projection: Any = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:
    """`attention_decoder` over ids, looked up in a table; with `feed_previous`, over its own most likely symbols."""
    output_size = cell.output_size if output_size is None else output_size
    if output_projection is not None:
        to_tensor(output_projection[1], dtype).get_shape().assert_is_compatible_with([num_symbols])
    with variable_scope.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        table = variable_scope.get_variable("embedding", [num_symbols, embedding_size])
        loop = argmax_and_embed(table, output_projection, update_embedding_for_previous) if feed_previous else None
        embedded = [embedding.embedding_lookup(table, i) for i in decoder_inputs]
        return attention_decoder(
            embedded,
            initial_state,
            attention_states,
            cell,
            output_size=output_size,
            num_heads=num_heads,
            loop_function=loop,
            initial_state_attention=initial_state_attention,
        )
