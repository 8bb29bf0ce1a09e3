"""Connectionist temporal classification: the loss, and the greedy and beam search decoders (Graves et al., 2006).

On the host: how many labels there are differs from batch to batch, and must not make the rest of a step compile anew. The
sums over paths run in an executable of their own, for label lengths rounded up.
"""

import functools

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import float32, float64, int32, int64
from thalweg._src.core.errors import FailedPreconditionError
from thalweg._src.core.lazy import jax, jnp, lax
from thalweg._src.core.opdef import Many, Min, Outputs, op, type_attr
from thalweg._src.ops.arguments import renamed
from thalweg._src.ops.basic import prevent_gradient
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.ctc_beams import beam_search

T = type_attr("T", (float32, float64), float32)
_ROUND = 8  # label lengths are rounded up to a multiple


# -- labels


def _sequences(indices, values, batch):
    """The labels of each row of the batch, in order. Raises ValueError for rows outside of it."""
    if indices.ndim != 2:
        raise ValueError("labels_indices is not a matrix")
    if values.ndim != 1:
        raise ValueError("labels_values is not a vector")
    if len(indices) != len(values):
        raise ValueError(
            "labels_indices and labels_values must contain the same number of rows, "
            f"but saw shapes: {list(indices.shape)} vs. {list(values.shape)}"
        )
    out = [[] for _ in range(batch)]
    last = (-1, -1)
    for (row, column), value in zip(indices.tolist(), values.tolist(), strict=True):
        if not 0 <= row < batch:
            raise ValueError(f"labels batch index must be between 0 and {batch} but saw: {row}")
        if (row, column) <= last:
            raise ValueError("label SparseTensor is not valid: indices are out of order")
        last = (row, column)
        out[row].append(value)
    return out


def _cleaned(label, row, classes, collapse):
    """`label` without the null labels at its end, repeated ones collapsed if asked."""
    if not label:
        raise ValueError(f"Labels length is zero in batch {row}")
    out, finished = [], False
    for i, v in enumerate(label):
        if collapse and i and v == label[i - 1]:
            continue
        if v >= classes - 1:
            finished = True
        elif finished:
            raise ValueError(
                "Saw a non-null label (index >= num_classes - 1) following a null label, "
                f"batch: {row} num_classes: {classes} labels: {','.join(map(str, label))}"
            )
        else:
            out.append(v)
    if any(v < 0 for v in out):
        raise ValueError(f"All labels must be nonnegative integers, batch: {row} labels: {','.join(map(str, out))}")
    return out


# -- the sums over paths


@functools.cache
def _compiled(merge):
    return jax.jit(functools.partial(_loss_and_gradient, merge=merge))


def _loss_and_gradient(logits, labels, label_length, time, merge):
    """(-log p [batch], its gradient) for logits [time, batch, classes] and labels [batch, n]; the last class is blank.

    States run blank, label, blank, ...: 2 n + 1. `time` of zero leaves a row out.
    """
    steps, batch, classes = logits.shape
    blank = classes - 1
    n = labels.shape[1]
    state = jnp.full((batch, 2 * n + 1), blank, labels.dtype).at[:, 1::2].set(labels)
    number = jnp.arange(2 * n + 1)
    inside = number < 2 * label_length[:, None] + 1
    is_label = number % 2 == 1
    log_y = jax.nn.log_softmax(logits, axis=-1)
    emitted = jnp.take_along_axis(log_y, jnp.broadcast_to(state, (steps, *state.shape)), axis=2)
    never = -jnp.inf
    same = jnp.pad(state[:, 2:] == state[:, :-2], [(0, 0), (2, 0)])
    skips = is_label & ~(same if merge else jnp.zeros_like(same)) & (number >= 2)
    stays = jnp.ones_like(is_label) if merge else ~is_label

    def back(x, by):
        return jnp.pad(x, [(0, 0), (by, 0)], constant_values=never)[:, : x.shape[1]]

    def ahead(x, by):
        return jnp.pad(x, [(0, 0), (0, by)], constant_values=never)[:, by:]

    def total(*parts):
        return functools.reduce(jnp.logaddexp, parts)

    def forward(alpha, log_e):
        before = total(jnp.where(stays, alpha, never), back(alpha, 1), jnp.where(skips, back(alpha, 2), never))
        alpha = jnp.where(inside, before + log_e, never)
        return alpha, alpha

    first = jnp.where((number < 2) & inside, emitted[0], never)
    _, alphas = lax.scan(forward, first, emitted[1:])
    alphas = jnp.concatenate([first[None], alphas])
    last = (number >= 2 * label_length[:, None] - 1) & inside
    at_end = jnp.where(last, 0.0, never).astype(logits.dtype)

    def backward(beta, given):
        t, log_e = given
        after = beta + log_e
        skipped = jnp.where(ahead(skips.astype(jnp.float32), 2) > 0, ahead(after, 2), never)
        moved = total(jnp.where(stays, after, never), ahead(after, 1), skipped)
        ends = (t == time - 1)[:, None]
        beta = jnp.where(ends, at_end, jnp.where((t < time - 1)[:, None] & inside, moved, never))
        return beta, beta

    # At the last step of all nothing follows; where a row ends earlier, what follows is ignored.
    following = jnp.concatenate([emitted[1:], jnp.zeros_like(emitted[:1])])
    start = jnp.full_like(first, never)
    _, betas = lax.scan(backward, start, (jnp.arange(steps), following), reverse=True)
    paths = alphas + betas
    log_p = jax.nn.logsumexp(paths[0], axis=-1)
    share = jnp.exp(paths - jnp.where(jnp.isfinite(log_p), log_p, 0.0)[:, None])
    t, b = jnp.arange(steps)[:, None, None], jnp.arange(batch)[None, :, None]
    taken = jnp.zeros_like(logits).at[t, b, state[None]].add(share)
    live = (jnp.arange(steps)[:, None] < time)[:, :, None]
    gradient = jnp.where(live, jnp.exp(log_y) - taken, 0.0)
    return jnp.where(time > 0, -log_p, 0.0), gradient


@op("CTCLoss", host=True)
def _ctc_loss(
    inputs: T,
    labels_indices: int64,
    labels_values: int32,
    sequence_length: int32,
    *,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
) -> Outputs(loss=T, gradient=T):
    """-log p of the labels of each row given its logits [time, batch, classes], and its gradient."""
    if inputs.ndim != 3:
        raise ValueError("inputs is not a 3-Tensor")
    if sequence_length.ndim != 1:
        raise ValueError("sequence_length is not a vector")
    steps, batch, classes = inputs.shape
    if len(sequence_length) != batch:
        raise ValueError(
            f"len(sequence_length) != batch_size.  len(sequence_length):  {len(sequence_length)} batch_size: {batch}"
        )
    if not batch:
        raise ValueError("batch_size must not be 0")
    for row, n in enumerate(sequence_length.tolist()):
        if n < 0:
            raise ValueError(f"seq_len({row}) < 0")
        if n > steps:
            raise ValueError(f"sequence_length({row}) <= {steps}")
    raw = _sequences(labels_indices, labels_values, batch)
    clean = [_cleaned(label, row, classes, preprocess_collapse_repeated) for row, label in enumerate(raw)]
    time = sequence_length.astype(np.int64).copy()
    for row, label in enumerate(raw):
        if len(label) > time[row]:
            if not ignore_longer_outputs_than_inputs:
                raise ValueError(
                    f"Not enough time for target transition sequence (required: {len(label)}, available: {time[row]})"
                    f"{row}You can turn this error into a warning by using the flag ignore_longer_outputs_than_inputs"
                )
            time[row] = 0
    width = max(-(-max(len(label) for label in clean) // _ROUND) * _ROUND, _ROUND)
    dense = np.zeros((batch, width), np.int64)
    for row, label in enumerate(clean):
        dense[row, : len(label)] = label
    lengths = np.array([len(label) for label in clean], np.int64)
    if not steps:
        return np.zeros(batch, inputs.dtype), np.zeros(inputs.shape, inputs.dtype)
    with jax.enable_x64(True):
        loss, gradient = _compiled(ctc_merge_repeated)(inputs, dense, lengths, time)
    return np.asarray(loss), np.asarray(gradient)


def _time_and_batch(op):
    """(dims of the inputs, the batch size merged with that of the lengths). Raises ValueError where they do not fit."""
    x, lengths = op.inputs[0].dims, op.inputs[-1].dims
    for dims, rank in ((x, 3), (lengths, 1)):
        if dims is not None and len(dims) != rank:
            raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    x = (None,) * 3 if x is None else x
    batch = shapes.merge(x[1:2], lengths)
    if batch is False:
        raise ValueError(
            f"Dimensions must be equal, but are {x[1]} and {lengths[0]} for '{op.name}' (op: '{op.type}')."
        )
    return x, batch[0]


@_ctc_loss.shape_rule
def _(op):
    indices, values = op.inputs[1].dims, op.inputs[2].dims
    for dims, rank in ((indices, 2), (values, 1)):
        if dims is not None and len(dims) != rank:
            raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    if indices is not None and shapes.merge(indices[:1], values) is False:
        raise ValueError(f"Dimensions must be equal, but are {indices[0]} and {values[0]} for '{op.name}'")
    x, batch = _time_and_batch(op)
    return [(batch,), (x[0], batch, x[2])]


@_ctc_loss.grad
def _(op, g, _):
    once = prevent_gradient(
        op.outputs[1],
        message="Currently there is no way to take the second derivative of ctc_loss due to the fused implementation's "
        "interaction with tf.gradients()",
    )
    return array.expand_dims(g, -1) * once, None, None, None


# -- decoders


def _check_decoding(inputs, sequence_length):
    if inputs.ndim != 3:
        raise ValueError("inputs is not a 3-Tensor")
    if not inputs.shape[0]:
        raise ValueError("max_time is 0")
    if sequence_length.ndim != 1:
        raise ValueError("sequence_length is not a vector")
    if inputs.shape[1] != len(sequence_length):
        raise FailedPreconditionError(
            None,
            None,
            f"len(sequence_length) != batch_size.  len(sequence_length):  {len(sequence_length)} "
            f"batch_size: {inputs.shape[1]}",
        )
    for row, n in enumerate(sequence_length.tolist()):
        if n > inputs.shape[0]:
            raise FailedPreconditionError(None, None, f"sequence_length({row}) <= {inputs.shape[0]}")


def _as_sparse(sequences):
    """(indices, values, shape) of a list of lists."""
    indices = [(b, t) for b, s in enumerate(sequences) for t in range(len(s))]
    values = [v for s in sequences for v in s]
    widest = max((len(s) for s in sequences), default=0)
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        np.array(values, np.int64),
        np.array([len(sequences), widest], np.int64),
    )


@op("CTCGreedyDecoder", host=True)
def _greedy_decoder(inputs: T, sequence_length: int32, *, merge_repeated: bool = False) -> Outputs(
    decoded_indices=int64, decoded_values=int64, decoded_shape=int64, log_probability=T
):
    """The most likely class at each step, blanks left out."""
    _check_decoding(inputs, sequence_length)
    steps, batch, classes = inputs.shape
    best = np.argmax(inputs, axis=2)
    live = np.arange(steps)[:, None] < sequence_length
    score = -np.sum(np.where(live, np.max(inputs, axis=2), 0), axis=0, dtype=inputs.dtype)
    keep = live & (best != classes - 1)
    if merge_repeated:
        keep[1:] &= best[1:] != best[:-1]
    sequences = [best[keep[:, b], b].tolist() for b in range(batch)]
    return (*_as_sparse(sequences), score[:, None])


@_greedy_decoder.shape_rule
def _(op):
    _, batch = _time_and_batch(op)
    return [(None, 2), (None,), (2,), (batch, 1)]


@op("CTCBeamSearchDecoder", host=True)
def _beam_search_decoder(
    inputs: T,
    sequence_length: int32,
    *,
    beam_width: Min(int, 1),
    top_paths: Min(int, 1),
    merge_repeated: bool = True,
) -> Outputs(
    decoded_indices=Many(int64, "top_paths"),
    decoded_values=Many(int64, "top_paths"),
    decoded_shape=Many(int64, "top_paths"),
    log_probability=T,
):
    """The likeliest label sequences of each row that a beam search finds."""
    _check_decoding(inputs, sequence_length)
    found, scores = [], np.zeros((inputs.shape[1], top_paths), inputs.dtype)
    for b, n in enumerate(sequence_length.tolist()):
        paths, scores[b] = beam_search(inputs[:n, b], beam_width, top_paths, merge_repeated)
        found.append(paths)
    each = [_as_sparse([paths[p] for paths in found]) for p in range(top_paths)]
    indices, values, dense_shapes = (list(part) for part in zip(*each, strict=True))
    return indices, values, dense_shapes, scores


@_beam_search_decoder.shape_rule
def _(op):
    _, batch = _time_and_batch(op)
    n = op.attrs["top_paths"]
    return [(None, 2)] * n + [(None,)] * n + [(2,)] * n + [(batch, n)]


_greedy_decoder.not_differentiable()
_beam_search_decoder.not_differentiable()


# -- public functions


def ctc_loss(
    labels,
    inputs=None,
    sequence_length=None,
    preprocess_collapse_repeated=False,
    ctc_merge_repeated=True,
    ignore_longer_outputs_than_inputs=False,
    time_major=True,
    logits=None,
):
    """-log p of the sparse int32 `labels` of each row given its logits [time, batch, classes]; the last class is blank.

    In TensorFlow 0.x the logits came first: they still may. Raises TypeError for dense labels.
    """
    from thalweg._src.core.sparse_tensor import SparseTensor

    if not isinstance(labels, SparseTensor) and isinstance(inputs, SparseTensor):
        labels, inputs = inputs, labels
    if not isinstance(labels, SparseTensor):
        raise TypeError("Expected labels (first argument) to be a SparseTensor")
    inputs = renamed("logits", logits, "inputs", inputs)
    if not time_major:
        inputs = array.transpose(inputs, [1, 0, 2])
    loss, _ = _ctc_loss(
        inputs,
        labels.indices,
        labels.values,
        sequence_length,
        preprocess_collapse_repeated=preprocess_collapse_repeated,
        ctc_merge_repeated=ctc_merge_repeated,
        ignore_longer_outputs_than_inputs=ignore_longer_outputs_than_inputs,
    )
    return loss


def ctc_loss_v2(
    labels, logits, label_length, logit_length, logits_time_major=True, unique=None, blank_index=None, name=None
):
    """`ctc_loss` with the blank at `blank_index`, and labels that may be dense: [batch, n] with `label_length` each.

    `unique` is accepted and not needed. Raises ValueError for sparse labels without a `blank_index`.
    """
    from thalweg._src.core.sparse_tensor import SparseTensor

    if isinstance(labels, SparseTensor):
        if blank_index is None:
            raise ValueError("blank_index must be given when using SparseTensor labels.")
    else:
        mask = array.sequence_mask(label_length, maxlen=array.shape(labels)[1])
        at = array.where(mask)
        values = array.gather_nd(math.cast(labels, int32), at)
        labels = SparseTensor(at, values, array.shape(labels, out_type=int64))
    blank = 0 if blank_index is None else blank_index
    classes = logits.shape[2]
    classes = array.shape(logits)[2] if getattr(classes, "value", classes) is None else int(classes)
    if isinstance(blank, int) and blank < 0:
        blank += classes
    if not (isinstance(classes, int) and blank == classes - 1):
        logits = array.concat(
            [logits[:, :, :blank], logits[:, :, blank + 1 :], logits[:, :, blank : blank + 1]], axis=2
        )
        values = array.where(labels.values < blank, labels.values, labels.values - 1)
        labels = SparseTensor(labels.indices, values, labels.dense_shape)
    return ctc_loss(labels=labels, inputs=logits, sequence_length=logit_length, time_major=logits_time_major)


def ctc_greedy_decoder(inputs, sequence_length, merge_repeated=True):
    """([labels as a SparseTensor], -log p [batch, 1]) by the most likely class at each step of [time, batch, classes]."""
    from thalweg._src.core.sparse_tensor import SparseTensor

    indices, values, shape, score = _greedy_decoder(inputs, sequence_length, merge_repeated=merge_repeated)
    return [SparseTensor(indices, values, shape)], score


def ctc_beam_search_decoder(inputs, sequence_length, beam_width=100, top_paths=1, merge_repeated=True):
    """(`top_paths` SparseTensors of labels, log p [batch, top_paths]) by a beam search over [time, batch, classes]."""
    from thalweg._src.core.sparse_tensor import SparseTensor

    indices, values, dense_shapes, scores = _beam_search_decoder(
        inputs, sequence_length, beam_width=beam_width, top_paths=top_paths, merge_repeated=merge_repeated
    )
    return [SparseTensor(*parts) for parts in zip(indices, values, dense_shapes, strict=True)], scores


def ctc_beam_search_decoder_v2(inputs, sequence_length, beam_width=100, top_paths=1):
    """`ctc_beam_search_decoder` that keeps repeated labels."""
    return ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths, merge_repeated=False)
