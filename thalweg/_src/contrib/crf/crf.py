"""Linear-chain conditional random fields (Lafferty et al. 2001): scores of tag sequences, their likelihood, the best one.

`inputs` are the scores of tags at each place, [batch, length, tags]; `transition_params` those of one tag after another,
[tags, tags]; sequences end at `sequence_lengths`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.rnn.cell import RNNCell
from thalweg._src.lib.rnn.dynamic import dynamic_rnn
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.control.control_flow import smart_cond
from thalweg._src.ops.stateful import variable_scope as vs


def _of_one_place(inputs: Any, one: Any, several: Any) -> Any:
    """`one()` for sequences of length 1, else `several()`."""
    return smart_cond(math.equal(inputs.shape.as_list()[1] or array.shape(inputs)[1], 1), one, several)


def _unless_empty(values: Any, sequence_lengths: Any) -> Any:
    return array.where(math.less_equal(sequence_lengths, 0), array.zeros_like(values), values)


def _first(inputs: Any) -> Any:
    return array.squeeze(array.slice(inputs, [0, 0, 0], [-1, 1, -1]), [1])


def _one_less(sequence_lengths: Any) -> Any:
    lengths = to_tensor(sequence_lengths)
    return math.maximum(array.constant(0, dtype=lengths.dtype), lengths - 1)


def crf_sequence_score(inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The score of each tag sequence: [batch]."""

    def one() -> Any:
        batch = array.shape(inputs, out_type=tag_indices.dtype)[0]
        rows = array.reshape(math.range(batch, dtype=tag_indices.dtype), [-1, 1])
        found = array.gather_nd(array.squeeze(inputs, [1]), array.concat([rows, tag_indices], axis=1))
        return _unless_empty(found, sequence_lengths)

    def several() -> Any:
        unary = crf_unary_score(tag_indices, sequence_lengths, inputs)
        return unary + crf_binary_score(tag_indices, sequence_lengths, transition_params)

    return _of_one_place(inputs, one, several)


def crf_multitag_sequence_score(inputs: Any, tag_bitmap: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The log of the sum over all sequences of the tags that `tag_bitmap` allows: [batch]."""

    def allowed() -> Any:
        return array.where(tag_bitmap, inputs, array.fill(array.shape(inputs), float("-inf")))

    return _of_one_place(
        inputs,
        lambda: math.reduce_logsumexp(allowed(), axis=[1, 2], keepdims=False),
        lambda: crf_log_norm(allowed(), sequence_lengths, transition_params),
    )


def crf_log_norm(inputs: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The log of the sum over all tag sequences: [batch]."""
    first = _first(inputs)

    def several() -> Any:
        _, alphas = dynamic_rnn(
            cell=CrfForwardRnnCell(transition_params),
            inputs=array.slice(inputs, [0, 1, 0], [-1, -1, -1]),
            sequence_length=_one_less(sequence_lengths),
            initial_state=first,
            dtype=dtypes.float32,
        )
        return _unless_empty(math.reduce_logsumexp(alphas, [1]), sequence_lengths)

    return _of_one_place(inputs, lambda: _unless_empty(math.reduce_logsumexp(first, [1]), sequence_lengths), several)


def crf_log_likelihood(
    inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any = None
) -> tuple[Any, Any]:
    """(the log-likelihood of each tag sequence, the transitions: a variable 'transitions' unless given)."""
    tags = inputs.shape.as_list()[2]
    if transition_params is None:
        transition_params = vs.get_variable("transitions", [tags, tags])
    score = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return score - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def _mask(sequence_lengths: Any, tag_indices: Any) -> Any:
    return array.sequence_mask(sequence_lengths, maxlen=array.shape(tag_indices)[1], dtype=dtypes.float32)


def crf_unary_score(tag_indices: Any, sequence_lengths: Any, inputs: Any) -> Any:
    """The sum of the scores of the tags at their places: [batch]."""
    sizes = array.shape(inputs)
    batch, length, tags = sizes[0], sizes[1], sizes[2]
    offsets = array.expand_dims(math.range(batch) * length * tags, 1)
    offsets = offsets + array.expand_dims(math.range(length) * tags, 0)
    if tag_indices.dtype == dtypes.int64:
        offsets = math.cast(offsets, dtypes.int64)
    at = array.reshape(offsets + tag_indices, [-1])
    scores = array.reshape(array.gather(array.reshape(inputs, [-1]), at), [batch, length])
    return math.reduce_sum(scores * _mask(sequence_lengths, tag_indices), 1)


def crf_binary_score(tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """The sum of the scores of the transitions: [batch]."""
    tags = transition_params.get_shape().as_list()[0]
    count = array.shape(tag_indices)[1] - 1
    before = array.slice(tag_indices, [0, 0], stack([-1, count]))
    after = array.slice(tag_indices, [0, 1], stack([-1, count]))
    scores = array.gather(array.reshape(transition_params, [-1]), before * tags + after)
    mask = array.slice(_mask(sequence_lengths, tag_indices), [0, 1], [-1, -1])
    return math.reduce_sum(scores * mask, 1)


class _OfTransitions(RNNCell):
    def __init__(self, transition_params: Any):
        super().__init__()
        self._transition_params = array.expand_dims(transition_params, 0)
        self._num_tags = transition_params.shape.as_list()[0]

    @property
    def state_size(self) -> Any:
        return self._num_tags

    @property
    def output_size(self) -> Any:
        return self._num_tags


class CrfForwardRnnCell(_OfTransitions):
    """One step of the forward algorithm, in logs."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        scores = array.expand_dims(state, 2) + self._transition_params
        alphas = inputs + math.reduce_logsumexp(scores, [1])
        return alphas, alphas


class CrfDecodeForwardRnnCell(_OfTransitions):
    """One step of Viterbi's algorithm: where each tag's best sequence comes from, and its score."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        scores = array.expand_dims(state, 2) + self._transition_params
        best = inputs + math.reduce_max(scores, [1])
        return math.cast(math.argmax(scores, 1), dtype=dtypes.int32), best


class CrfDecodeBackwardRnnCell(RNNCell):
    """One step back along the best sequence."""

    def __init__(self, num_tags: int):
        super().__init__()
        self._num_tags = num_tags

    @property
    def state_size(self) -> Any:
        return 1

    @property
    def output_size(self) -> Any:
        return 1

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        rows = math.range(array.shape(inputs)[0])
        at = stack([rows, array.squeeze(state, axis=[1])], axis=1)
        tags = array.expand_dims(array.gather_nd(inputs, at), axis=-1)
        return tags, tags


def viterbi_decode(score: Any, transition_params: Any) -> tuple[list[Any], Any]:
    """(the best tag sequence, its score) of one sequence, on arrays: [length, tags], [tags, tags]."""
    trellis, back = np.zeros_like(score), np.zeros_like(score, dtype=np.int32)
    trellis[0] = score[0]
    for t in range(1, score.shape[0]):
        v = trellis[t - 1][:, None] + transition_params
        trellis[t] = score[t] + np.max(v, 0)
        back[t] = np.argmax(v, 0)
    path = [np.argmax(trellis[-1])]
    for pointers in reversed(back[1:]):
        path.append(pointers[path[-1]])
    return path[::-1], np.max(trellis[-1])


def crf_decode(potentials: Any, transition_params: Any, sequence_length: Any) -> tuple[Any, Any]:
    """(the best tag sequences [batch, length], their scores [batch])."""

    def one() -> Any:
        scores = array.squeeze(potentials, [1])
        tags = array.expand_dims(math.argmax(scores, axis=1), 1)
        return math.cast(tags, dtype=dtypes.int32), math.reduce_max(scores, axis=1)

    def several() -> Any:
        shorter = _one_less(sequence_length)
        pointers, last = dynamic_rnn(
            CrfDecodeForwardRnnCell(transition_params),
            inputs=array.slice(potentials, [0, 1, 0], [-1, -1, -1]),
            sequence_length=shorter,
            initial_state=_first(potentials),
            time_major=False,
            dtype=dtypes.int32,
        )
        pointers = array.reverse_sequence(pointers, shorter, seq_dim=1)
        start = array.expand_dims(math.cast(math.argmax(last, axis=1), dtype=dtypes.int32), axis=-1)
        tags, _ = dynamic_rnn(
            CrfDecodeBackwardRnnCell(potentials.shape.as_list()[2]),
            inputs=pointers,
            sequence_length=shorter,
            initial_state=start,
            time_major=False,
            dtype=dtypes.int32,
        )
        tags = array.concat([start, array.squeeze(tags, axis=[2])], axis=1)
        return array.reverse_sequence(tags, sequence_length, seq_dim=1), math.reduce_max(last, axis=1)

    return _of_one_place(potentials, one, several)
