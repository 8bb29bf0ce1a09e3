"""Sequence to sequence: an encoder and a decoder over lists of inputs."""

from __future__ import annotations

import copy
from typing import Any

from thalweg._src.contrib.legacy_seq2seq.decoders import (
    argmax_and_embed,
    check_projection,
    embedding_attention_decoder,
    embedding_rnn_decoder,
    rnn_decoder,
)
from thalweg._src.core import dtypes, nest
from thalweg._src.lib.rnn.cell import RNNCell
from thalweg._src.lib.rnn.linear import EmbeddingWrapper, OutputProjectionWrapper
from thalweg._src.lib.rnn.static import static_rnn
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.late import array
from thalweg._src.ops.nets import embedding
from thalweg._src.ops.stateful import variable_scope


def basic_rnn_seq2seq(
    encoder_inputs: Any, decoder_inputs: Any, cell: Any, dtype: Any = dtypes.float32, scope: Any = None
) -> Any:
    """(outputs, final state) of a decoder that begins with the last state of an encoder; both have cells like `cell`."""
    with variable_scope.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    loop_function: Any = None,
    dtype: Any = dtypes.float32,
    scope: Any = None,
) -> Any:
    """`basic_rnn_seq2seq` with the same variables in encoder and decoder."""
    with variable_scope.variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        variable_scope.get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function=loop_function, scope=scope)


def _either(feed_previous: Any, decode: Any, count: int, structure: Any) -> Any:
    """`decode(bool)` for a bool; for a tensor both, of which one runs. `count` outputs, then a state like `structure()`."""
    if isinstance(feed_previous, bool):
        return decode(feed_previous, {})

    def flat(previous: bool) -> list[Any]:
        here = variable_scope.get_variable_scope()
        with variable_scope.variable_scope(here, reuse=None if previous else True):
            outputs, state = decode(previous, {"update_embedding_for_previous": False})
            return [*outputs, *nest.flatten(state)]

    found = control_flow.cond(feed_previous, lambda: flat(True), lambda: flat(False))
    like = structure()
    state = nest.pack(like, found[count:]) if nest.is_nested(like) else found[count]
    return found[:count], state


def embedding_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """(outputs, final state) of an encoder and a decoder over lists of ids, with a table of embeddings each.

    `feed_previous` (a bool or a bool tensor): the decoder reads its own most likely symbols.
    """
    with variable_scope.variable_scope(scope or "embedding_rnn_seq2seq") as inner:
        if dtype is not None:
            inner.set_dtype(dtype)
        dtype = inner.dtype
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        _, state = static_rnn(encoder, encoder_inputs, dtype=dtype)
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)

        def decode(previous: bool, more: dict[str, Any]) -> Any:
            return embedding_rnn_decoder(
                decoder_inputs,
                state,
                cell,
                num_decoder_symbols,
                embedding_size,
                output_projection=output_projection,
                feed_previous=previous,
                **more,
            )

        return _either(feed_previous, decode, len(decoder_inputs), lambda: state)


def embedding_tied_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_decoder_symbols: int | None = None,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """`embedding_rnn_seq2seq` with the same table and the same cell in encoder and decoder."""
    with variable_scope.variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as inner:
        dtype = inner.dtype
        check_projection(output_projection, num_symbols, dtype)
        table = variable_scope.get_variable("embedding", [num_symbols, embedding_size], dtype=dtype)
        encoded = [embedding.embedding_lookup(table, x) for x in encoder_inputs]
        decoded = [embedding.embedding_lookup(table, x) for x in decoder_inputs]
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_symbols if num_decoder_symbols is None else num_decoder_symbols)

        def decode(previous: bool, more: dict[str, Any]) -> Any:
            loop = argmax_and_embed(table, output_projection, not more) if previous else None
            return tied_rnn_seq2seq(encoded, decoded, cell, loop_function=loop, dtype=dtype)

        def structure() -> Any:
            batch = encoder_inputs[0].get_shape()[0]
            for x in encoder_inputs[1:]:
                batch.merge_with(x.get_shape()[0])
            return cell.zero_state(batch.value or array.shape(encoder_inputs[0])[0], dtype)

        return _either(feed_previous, decode, len(decoder_inputs), structure)


def embedding_attention_seq2seq(
    encoder_inputs: Any,
    decoder_inputs: Any,
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_projection: Any = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> Any:
    """`embedding_rnn_seq2seq` whose decoder reads all outputs of the encoder, by attention."""
    with variable_scope.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as inner:
        dtype = inner.dtype
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        encoder_outputs, state = static_rnn(encoder, encoder_inputs, dtype=dtype)
        memory = array.concat([array.reshape(e, [-1, 1, cell.output_size]) for e in encoder_outputs], 1)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols

        def decode(previous: bool, more: dict[str, Any]) -> Any:
            return embedding_attention_decoder(
                decoder_inputs,
                state,
                memory,
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads=num_heads,
                output_size=output_size,
                output_projection=output_projection,
                feed_previous=previous,
                initial_state_attention=initial_state_attention,
                **more,
            )

        return _either(feed_previous, decode, len(decoder_inputs), lambda: state)


def one2many_rnn_seq2seq(
    encoder_inputs: Any,
    decoder_inputs_dict: dict[Any, Any],
    enc_cell: Any,
    dec_cells_dict: dict[Any, Any],
    num_encoder_symbols: int,
    num_decoder_symbols_dict: dict[Any, int],
    embedding_size: int,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """(dict of outputs, dict of final states): one encoder, a decoder for each key.

    Raises TypeError for what is no RNNCell, ValueError where the dicts have different keys.
    """
    for what, cell in (("enc_cell", enc_cell), *(("dec_cell", c) for c in dec_cells_dict.values())):
        if not isinstance(cell, RNNCell):
            raise TypeError(f"{what} is not an RNNCell: {type(cell)}")
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError("keys of dec_cells_dict != keys of decodre_inputs_dict")
    outputs, states = {}, {}
    with variable_scope.variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as inner:
        encoder = EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, state = static_rnn(encoder, encoder_inputs, dtype=inner.dtype)
        for key, decoder_inputs in decoder_inputs_dict.items():
            with variable_scope.variable_scope(f"one2many_decoder_{key}"):
                symbols = num_decoder_symbols_dict[key]
                cell = OutputProjectionWrapper(dec_cells_dict[key], symbols)
                decode = _decoder(decoder_inputs, state, cell, symbols, embedding_size)
                outputs[key], states[key] = _either(feed_previous, decode, len(decoder_inputs), lambda: state)
    return outputs, states


def one2many_of_one_cell(
    encoder_inputs: Any,
    decoder_inputs_dict: dict[Any, Any],
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols_dict: dict[Any, int],
    embedding_size: int,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> Any:
    """`one2many_rnn_seq2seq` as 0.x had it: encoder and decoders are of one kind of cell, each with weights of its own."""
    return one2many_rnn_seq2seq(
        encoder_inputs,
        decoder_inputs_dict,
        copy.deepcopy(cell),
        {key: copy.deepcopy(cell) for key in decoder_inputs_dict},
        num_encoder_symbols,
        num_decoder_symbols_dict,
        embedding_size,
        feed_previous,
        dtype,
        scope,
    )


def _decoder(decoder_inputs: Any, state: Any, cell: Any, symbols: int, embedding_size: int) -> Any:
    def decode(previous: bool, _: Any) -> Any:
        return embedding_rnn_decoder(decoder_inputs, state, cell, symbols, embedding_size, feed_previous=previous)

    return decode
