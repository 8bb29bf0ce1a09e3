"""Beam search: the decoder that keeps the best `beam_width` sequences of each row."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from thalweg._src.contrib.seq2seq.decoder import Decoder, size_through
from thalweg._src.contrib.seq2seq.inputs import embedder
from thalweg._src.contrib.seq2seq.wrapper import AttentionWrapperState
from thalweg._src.core import dtypes, infer, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.cell import as_sizes, assert_like_rnncell
from thalweg._src.ops.arrays import topk
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import beams, softmax
from thalweg._src.ops.numeric import compare
from thalweg._src.ops.reports import checks

BeamSearchDecoderState = collections.namedtuple(
    "BeamSearchDecoderState", ("cell_state", "log_probs", "finished", "lengths", "accumulated_attention_probs")
)
BeamSearchDecoderOutput = collections.namedtuple("BeamSearchDecoderOutput", ("scores", "predicted_ids", "parent_ids"))
FinalBeamSearchDecoderOutput = collections.namedtuple(  # type: ignore[name-match]
    "FinalBeamDecoderOutput", ("predicted_ids", "beam_search_decoder_output")
)


def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Each row of a tensor (or of those of a structure) `multiplier` times: [batch, ...] -> [batch * multiplier, ...].

    Raises ValueError for scalars and unknown ranks.
    """
    with scopes.name_scope(name, "tile_batch", nest.flatten(t)):
        return nest.map_leaves(lambda x: _tiled(x, multiplier), t)


def _tiled(t: Any, multiplier: int) -> Tensor:
    t = to_tensor(t, name="t")
    sizes = array.shape(t)
    if not t.dims:
        raise ValueError("t must have statically known rank")
    tiling = [1, multiplier, *([1] * (len(t.dims) - 1))]
    out = array.tile(array.expand_dims(t, 1), tiling)
    out = array.reshape(out, array.concat(([sizes[0] * multiplier], sizes[1:]), 0))
    known = isinstance(multiplier, int) and t.dims[0] is not None
    out.set_shape(shapes.TensorShape([t.dims[0] * multiplier if known else None, *t.dims[1:]]))  # type: ignore[operator]
    return out


def gather_tree_from_array(t: Any, parent_ids: Any, sequence_length: Any) -> Any:
    """`t` [time, batch, beam, ...], as it was along the way of each final beam."""
    known = parent_ids.shape.as_list()
    sizes = array.shape(parent_ids)
    steps, batch, width = (known[i] or sizes[i] for i in range(3))
    own = array.expand_dims(array.expand_dims(math.range(width), 0), 0)
    own = array.tile(own, [steps, batch, 1])
    longest = math.cast(math.reduce_max(sequence_length, axis=1), dtypes.int32)
    found = beams.gather_tree(own, parent_ids, longest, width + 1)
    within = array.transpose(array.sequence_mask(sequence_length, maxlen=steps), perm=[2, 0, 1])
    found = array.where(within, x=found, y=own)
    times = array.tile(array.reshape(math.range(steps), [-1, 1, 1]), [1, batch, width])
    rows = array.tile(array.reshape(math.range(batch), [1, -1, 1]), [steps, 1, width])
    final = array.shape(t)
    flat = array.reshape(t, [steps, batch, width, -1])
    return array.reshape(array.gather_nd(flat, array.stack([times, rows, found], -1)), final)


class BeamSearchDecoder(Decoder):
    """A decoder that keeps the `beam_width` most likely sequences.

    `initial_state` must be tiled (`tile_batch`) to batch * beam_width rows. `length_penalty_weight` favours long sequences (Wu et al.,
    2016), `coverage_penalty_weight` those that read all of the memory. Raises TypeError and ValueError for parts that don't fit.
    """

    def __init__(
        self,
        cell: Any,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        initial_state: Any,
        beam_width: int,
        output_layer: Any = None,
        length_penalty_weight: Any = 0.0,
        coverage_penalty_weight: Any = 0.0,
        reorder_tensor_arrays: bool = True,
    ):
        assert_like_rnncell("cell", cell)
        if output_layer is not None and not isinstance(output_layer, Layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._output_layer, self._beam_width = cell, output_layer, beam_width
        self._length_penalty_weight, self._coverage_penalty_weight = length_penalty_weight, coverage_penalty_weight
        self._reorder_tensor_arrays = reorder_tensor_arrays
        self._embedding_fn = embedder(embedding)
        tokens = to_tensor(start_tokens, dtypes.int32, name="start_tokens")
        if tokens.get_shape().ndims != 1:
            raise ValueError("start_tokens must be a vector")
        self._end_token = to_tensor(end_token, dtypes.int32, name="end_token")
        if self._end_token.get_shape().ndims != 0:
            raise ValueError("end_token must be a scalar")
        self._batch_size = array.size(tokens)
        self._initial_cell_state = self._map_state(self._split, 1, initial_state)
        self._start_tokens = array.tile(array.expand_dims(tokens, 1), [1, beam_width])
        self._start_inputs = self._embedding_fn(self._start_tokens)
        # All beams but the first are finished at the start: they would be copies of it.
        self._finished = array.one_hot(
            array.zeros([self._batch_size], dtype=dtypes.int32),
            depth=beam_width,
            on_value=False,
            off_value=True,
            dtype=dtypes.bool,
        )

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def tracks_own_finished(self) -> bool:
        return True

    @property
    def output_size(self) -> Any:
        beam = shapes.TensorShape([self._beam_width])
        return BeamSearchDecoderOutput(beam, beam, beam)

    @property
    def output_dtype(self) -> Any:
        dtype = nest.objects(self._initial_cell_state)[0].dtype.base_dtype
        size = size_through(self._output_layer, self._cell.output_size)
        return BeamSearchDecoderOutput(nest.map_objects(lambda _: dtype, size), dtypes.int32, dtypes.int32)

    def initialize(self, name: str | None = None) -> Any:
        dtype = nest.objects(self._initial_cell_state)[0].dtype.base_dtype
        log_probs = array.one_hot(
            array.zeros([self._batch_size], dtype=dtypes.int32),
            depth=self._beam_width,
            on_value=to_tensor(0.0, dtype),
            off_value=to_tensor(-np.inf, dtype),
            dtype=dtype,
        )
        attention = attention_probs(self._initial_cell_state, self._coverage_penalty_weight)
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state,
            log_probs=log_probs,
            finished=self._finished,
            lengths=array.zeros([self._batch_size, self._beam_width], dtype=dtypes.int64),
            accumulated_attention_probs=() if attention is None else attention,
        )
        return self._finished, self._start_inputs, state

    # -- the beams as rows of the batch, and as an axis of their own

    def _known_batch(self) -> int | None:
        known = infer.constant_value(self._batch_size)
        return None if known is None else int(known)

    def _map_state(self, change: Any, least_rank: int, state: Any) -> Any:
        """`change(part, its own sizes)` for the parts of a state that have at least that rank."""
        out = []
        for t, size in zip(nest.objects(state), nest.objects(self._cell.state_size), strict=True):
            if isinstance(t, TensorArray):
                out.append(t)
                continue
            if t.dims is None:
                raise ValueError(f"Expected tensor ({t}) to have known rank, but ndims == None.")
            out.append(change(t, as_sizes(size)) if len(t.dims) >= least_rank else t)
        return nest.pack_objects(state, out)

    def _merge(self, t: Any, sizes: Any) -> Any:
        """[batch, beam, ...] -> [batch * beam, ...]."""
        batch = self._known_batch()
        rest = array.shape(t)[2:]
        out = array.reshape(t, array.concat(([self._batch_size * self._beam_width], rest), 0))
        rows = None if batch is None else batch * self._beam_width
        out.set_shape(shapes.TensorShape(None if sizes is None else [rows, *sizes]))
        return out

    def _split(self, t: Any, sizes: Any) -> Any:
        """[batch * beam, ...] -> [batch, beam, ...]. Raises ValueError for another number of rows."""
        rest = array.shape(t)[1:]
        out = array.reshape(t, array.concat(([self._batch_size, self._beam_width], rest), 0))
        expected = shapes.TensorShape(None if sizes is None else [self._known_batch(), self._beam_width, *sizes])
        if not out.shape.is_compatible_with(expected):
            raise ValueError(
                "Unexpected behavior when reshaping between beam width and batch size.  The reshaped tensor has shape: "
                f"{out.shape}.  We expected it to have shape (batch_size, beam_width, depth) == {expected}.  Perhaps you forgot to "
                "create a zero_state with batch_size=encoder_batch_size * beam_width?"
            )
        out.set_shape(expected)
        return out

    # -- one step, and the end

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        with scopes.name_scope(name, "BeamSearchDecoderStep"):
            inputs = nest.map_leaves(lambda x: self._merge(x, x.dims[2:]), inputs)
            cell_state = self._map_state(self._merge, 2, state.cell_state)
            outputs, cell_state = self._cell(inputs, cell_state)
            outputs = nest.map_leaves(lambda x: self._split(x, x.dims[1:]), outputs)
            cell_state = self._map_state(self._split, 1, cell_state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            output, new = self._best(outputs, cell_state, state)
            next_inputs = control_flow.cond(
                math.reduce_all(new.finished),
                lambda: self._start_inputs,
                lambda: self._embedding_fn(output.predicted_ids),
            )
        return output, new, next_inputs, new.finished

    def _best(self, logits: Any, cell_state: Any, state: Any) -> Any:
        """(output, next state): the best continuations of all beams of each row."""
        batch, width = self._batch_size, self._beam_width
        before = state.finished
        going = compare.logical_not(before)
        log_probs = _only_end(softmax.log_softmax(logits), self._end_token, before)
        total = array.expand_dims(state.log_probs, 2) + log_probs
        words = logits.shape.as_list()[-1] or array.shape(logits)[-1]
        longer = array.one_hot(
            indices=array.fill([batch, width], self._end_token),
            depth=words,
            on_value=math.cast(0, dtypes.int64),
            off_value=math.cast(1, dtypes.int64),
            dtype=dtypes.int64,
        )
        longer *= array.expand_dims(math.cast(going, dtypes.int64), 2)
        lengths = longer + array.expand_dims(state.lengths, 2)
        read = attention_probs(cell_state, self._coverage_penalty_weight)
        if read is not None:
            read *= array.expand_dims(math.cast(going, dtypes.float32), 2)
            read = state.accumulated_attention_probs + read
        scores = self._scores(total, lengths, before, read)
        best, at = topk.top_k(array.reshape(scores, [batch, -1]), k=to_tensor(width, dtypes.int32, name="beam_width"))
        for t in (best, at):
            t.set_shape([self._known_batch(), width])
        probs = self._picked(at, total, width * words, [-1], "next_beam_probs")
        ids = math.cast(math.mod(at, words, name="next_beam_word_ids"), dtypes.int32)
        parents = math.cast(at / words, dtypes.int32, name="next_beam_parent_ids")
        before = self._picked(parents, before, width, [-1])
        finished = compare.logical_or(before, math.equal(ids, self._end_token), name="next_beam_finished")
        new_lengths = self._picked(parents, state.lengths, width, [-1])
        new_lengths += math.cast(compare.logical_not(before), dtypes.int64)
        flat = [batch * width, -1]
        if read is not None:
            read = self._picked(parents, read, width, flat, "next_accumulated_attention_probs")
        cell_state = nest.map_objects(lambda t: self._of_parents(parents, t), cell_state)
        new = BeamSearchDecoderState(
            cell_state=cell_state,
            log_probs=probs,
            lengths=new_lengths,
            finished=finished,
            accumulated_attention_probs=() if read is None else read,
        )
        return BeamSearchDecoderOutput(best, ids, parents), new

    def _of_parents(self, parents: Any, t: Any) -> Any:
        if isinstance(t, TensorArray) or len(t.dims) < 2:
            return t
        return self._picked(parents, t, self._beam_width, [self._batch_size * self._beam_width, -1])

    def _picked(self, at: Any, values: Any, span: Any, flat: list[Any], name: str | None = None) -> Any:
        """The entries `at` of each row of `values`, whose rows have `span` entries in the shape `flat`."""
        with scopes.name_scope(name, "tensor_gather_helper"):
            offsets = array.expand_dims(math.range(self._batch_size) * span, 1)
            where = array.reshape(at + offsets, [-1])
            out = array.gather(array.reshape(values, flat), where)
            last = 1 + len(flat)
            out = array.reshape(out, array.shape(values)[:last], name="output")
            out.set_shape(shapes.TensorShape([self._known_batch(), *values.dims[1:last]]))
            return out

    def _scores(self, log_probs: Any, lengths: Any, finished: Any, read: Any) -> Any:
        scores = log_probs / math.cast(length_penalty(lengths, self._length_penalty_weight), log_probs.dtype)
        weight = to_tensor(self._coverage_penalty_weight, name="coverage_penalty_weight")
        if weight.shape.ndims != 0:
            raise ValueError(f"coverage_penalty_weight should be a scalar, but saw shape: {weight.shape}")
        if infer.constant_value(weight) == 0.0:
            return scores
        if read is None:
            raise ValueError("accumulated_attention_probs can be None only if coverage penalty is disabled.")
        read = array.where(math.equal(read, 0.0), array.ones_like(read), read)
        penalty = math.reduce_sum(math.log(math.minimum(read, 1.0)), 2)
        penalty *= math.cast(finished, dtypes.float32)
        return scores + array.expand_dims(penalty * weight, 2)

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """The ids of each beam along its own way, and TensorArrays of the cell's state likewise."""
        longest = math.cast(math.reduce_max(final_state.lengths, axis=1), dtypes.int32)
        ids = beams.gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        if self._reorder_tensor_arrays:
            cell_state = nest.map_objects(
                lambda t: self._sorted(t, outputs.parent_ids, final_state.lengths), final_state.cell_state
            )
            final_state = final_state._replace(cell_state=cell_state)
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _sorted(self, t: Any, parent_ids: Any, lengths: Any) -> Any:
        if not isinstance(t, TensorArray):
            return t
        dims, batch, width = t.element_shape.ndims, self._known_batch(), self._beam_width
        if not dims:
            logging.warn("A TensorArray of the cell state has elements of unknown rank or scalars: it is not sorted.")
            return t
        if not self._can_split(t.element_shape.as_list(), batch):
            logging.warn("A TensorArray of the cell state has no elements [batch_size, beam_width, ...]: not sorted.")
            return t
        whole = t.stack()
        sizes = array.shape(whole)
        fits = compare.equal(sizes[1], self._batch_size * width)
        if len(whole.dims) != 2:
            both = compare.logical_and(compare.equal(sizes[1], self._batch_size), compare.equal(sizes[2], width))
            fits = compare.logical_or(fits, both)
        message = (
            "TensorArray reordering expects elements to be reshapable to [batch_size, beam_size, -1] which is incompatible with the "
            f"dynamic shape of {whole.name} elements. Consider setting reorder_tensor_arrays to False."
        )
        with get_default_graph().control_dependencies([checks.Assert(fits, [message])]):
            return gather_tree_from_array(whole, parent_ids, lengths)

    def _can_split(self, dims: list[Any], batch: int | None) -> bool:
        """Whether elements of this shape are rows of batch and beam: [batch * beam], [batch, beam, ...], as TensorFlow asks."""
        if batch is None or dims[0] is None:
            return True
        if len(dims) < 2 or dims[1] is None:
            return dims[0] == batch * self._beam_width
        return dims[0] == batch * self._beam_width and dims[0] == batch and dims[1] == self._beam_width


def attention_probs(cell_state: Any, coverage_penalty_weight: Any) -> Any:
    """The mean of the alignments in a state; None where no penalty needs them. Raises ValueError for a state without any."""
    if isinstance(coverage_penalty_weight, int | float) and coverage_penalty_weight == 0.0:
        return None
    states = [cell_state] if isinstance(cell_state, AttentionWrapperState) else cell_state
    found = (
        [_mean(s.alignments) for s in states if isinstance(s, AttentionWrapperState)]
        if isinstance(states, list | tuple)
        else []
    )
    if not found:
        raise ValueError("coverage_penalty_weight must be 0.0 if no cell is attentional.")
    return found[0] if len(found) == 1 else _mean(tuple(found))


def _mean(alignments: Any) -> Any:
    if not isinstance(alignments, tuple):
        return alignments
    return math.reduce_mean(array.concat([array.expand_dims(a, -1) for a in alignments], -1), -1)


def length_penalty(lengths: Any, factor: Any) -> Any:
    """((5 + length) / 6) ^ factor: what the score of a sequence is divided by."""
    factor = to_tensor(factor, name="penalty_factor")
    factor.set_shape(())
    known = infer.constant_value(factor)
    if known is not None and known == 0:
        return 1.0
    return math.div((5.0 + math.cast(lengths, dtypes.float32)) ** factor, (5.0 + 1.0) ** factor)


def _only_end(log_probs: Any, end_token: Any, finished: Any) -> Any:
    """`log_probs` [batch, beam, words]; beams that are finished go on with `end_token` alone."""
    words, dtype = array.shape(log_probs)[2], log_probs.dtype.base_dtype
    row = array.one_hot(end_token, words, dtype=dtype, on_value=to_tensor(0.0, dtype), off_value=dtype.min)
    rows = array.tile(array.reshape(row, [1, 1, -1]), array.concat([array.shape(finished), [1]], 0))
    return array.where(array.tile(array.expand_dims(finished, 2), [1, 1, words]), rows, log_probs)
