"""Attention: which parts of a memory a query reads. Scores of Luong and of Bahdanau, soft or monotonic."""

from __future__ import annotations

import functools
import math as numbers
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, nest, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.layers.core import Dense
from thalweg._src.lib.rnn.cell import zeros_of
from thalweg._src.ops.chance import random
from thalweg._src.ops.control import higher_order
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import softmax
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.reports import checks
from thalweg._src.ops.stateful import initializers, variable_scope


class AttentionMechanism:
    """What AttentionWrapper asks: called with (query, state), it gives (alignments, next state)."""

    @property
    def alignments_size(self) -> Any:
        raise NotImplementedError

    @property
    def state_size(self) -> Any:
        raise NotImplementedError


class Memory(AttentionMechanism):
    """A mechanism over a memory [batch, time, ...], masked past `memory_sequence_length`.

    `keys`: the memory through `memory_layer`; `values`: what is read. Raises TypeError for layers that are none, ValueError for a memory
    of unknown inner sizes.
    """

    def __init__(
        self,
        query_layer: Any,
        memory: Any,
        probability_fn: Any,
        memory_sequence_length: Any = None,
        memory_layer: Any = None,
        check_inner_dims_defined: bool = True,
        score_mask_value: Any = None,
        custom_key_value_fn: Any = None,
        name: str | None = None,
    ):
        for what, layer in (("query_layer", query_layer), ("memory_layer", memory_layer)):
            if layer is not None and not isinstance(layer, Layer):
                raise TypeError(f"{what} is not a Layer: {type(layer).__name__}")
        if not callable(probability_fn):
            raise TypeError(f"probability_fn must be callable, saw type: {type(probability_fn).__name__}")
        self._query_layer, self._memory_layer = query_layer, memory_layer
        self.dtype = memory_layer.dtype
        if score_mask_value is None:
            score_mask_value = dtypes.as_dtype(memory_layer.dtype).as_numpy_dtype(-np.inf)
        self._probability_fn = lambda score, previous: probability_fn(
            _masked_score(score, memory_sequence_length, score_mask_value), previous
        )
        with scopes.name_scope(name, "BaseAttentionMechanismInit", nest.flatten(memory)):
            self._values = _prepared(memory, memory_sequence_length, check_inner_dims_defined)
            self._keys = self.memory_layer(self._values) if self.memory_layer else self._values
            if custom_key_value_fn is not None:
                self._keys, self._values = custom_key_value_fn(self._keys, self._values)
            batch, steps = self._keys.shape.as_list()[:2]
            self._batch_size = batch or array.shape(self._keys)[0]
            self._alignments_size = steps or array.shape(self._keys)[1]

    @property
    def memory_layer(self) -> Any:
        return self._memory_layer

    @property
    def query_layer(self) -> Any:
        return self._query_layer

    @property
    def values(self) -> Any:
        return self._values

    @property
    def keys(self) -> Any:
        return self._keys

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def alignments_size(self) -> Any:
        return self._alignments_size

    @property
    def state_size(self) -> Any:
        return self._alignments_size

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        """The alignments before the first step: zeros [batch, time]."""
        return zeros_of(self._alignments_size, batch_size, dtype)

    def initial_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state before the first step."""
        return self.initial_alignments(batch_size, dtype)


def _prepared(memory: Any, lengths: Any, check_inner_dims_defined: bool) -> Any:
    """The memory as tensors, zero past `lengths`."""
    memory = nest.map_leaves(lambda m: to_tensor(m, name="memory"), memory)
    if lengths is not None:
        lengths = to_tensor(lengths, name="memory_sequence_length")
    if check_inner_dims_defined:
        for m in nest.flatten(memory):
            if not m.get_shape()[2:].is_fully_defined():
                raise ValueError(
                    f"Expected memory {m.name} to have fully defined inner dims, but saw shape: {m.get_shape()}"
                )
    if lengths is None:
        return memory
    first = nest.flatten(memory)[0]
    mask = array.sequence_mask(lengths, maxlen=array.shape(first)[1], dtype=first.dtype.base_dtype)

    def masked(m: Any) -> Any:
        rank = array.rank(m) if m.dims is None else len(m.dims)
        ones = array.ones(rank - 2, dtype=dtypes.int32)
        return m * array.reshape(mask, array.concat((array.shape(mask), ones), 0))

    return nest.map_leaves(masked, memory)


def _masked_score(score: Any, lengths: Any, value: Any) -> Any:
    """`score` [batch, time], with `value` past `lengths`; these must be positive."""
    if lengths is None:
        return score
    message = "All values in memory_sequence_length must be greater than zero."
    with get_default_graph().control_dependencies([checks.assert_positive(lengths, message=message)]):
        mask = array.sequence_mask(lengths, maxlen=array.shape(score)[1])
    return array.where(mask, score, value * array.ones_like(score))


def _dense(name: str, units: int, dtype: Any) -> Dense:
    return Dense(units, name=name, use_bias=False, dtype=dtype)


def _soft(probability_fn: Any) -> Any:
    """`probability_fn` of the scores alone."""
    fn = probability_fn or softmax.softmax
    return lambda score, _: fn(score)


def _luong_score(query: Any, keys: Any, scale: Any) -> Any:
    """query · key for each key: [batch, time]. Raises ValueError for different depths."""
    depth, units = query.get_shape()[-1], keys.get_shape()[-1]
    if depth != units:
        raise ValueError(
            "Incompatible or unknown inner dimensions between query and keys.  "
            f"Query ({query}) has units: {depth}.  Keys ({keys}) have units: {units}.  "
            f"Perhaps you need to set num_units to the keys' dimension ({units})?"
        )
    score = math.matmul(array.expand_dims(query, 1), keys, transpose_b=True)
    score = array.squeeze(score, [1])
    return score if scale is None else scale * score


def _bahdanau_score(query: Any, keys: Any, v: Any, g: Any = None, b: Any = None) -> Any:
    """v · tanh(query + key) for each key: [batch, time]; v normalized to the length g where that is given."""
    query = array.expand_dims(query, 1)
    if g is None:
        return math.reduce_sum(v * math.tanh(keys + query), [2])
    v = g * v * math.rsqrt(math.reduce_sum(math.square(v)))
    return math.reduce_sum(v * math.tanh(keys + query + b), [2])


class _Luong(Memory):
    """Scores that are products (Luong et al., 2015)."""

    _scope = "luong_attention"
    _scale: bool

    def _score(self, query: Any) -> Any:
        g = None
        if self._scale:
            ones = initializers.ones_initializer()
            g = variable_scope.get_variable("attention_g", dtype=query.dtype, initializer=ones, shape=())
        return _luong_score(query, self._keys, g)

    def __call__(self, query: Any, state: Any) -> Any:
        with variable_scope.variable_scope(None, self._scope, [query]):
            score = self._score(query)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class LuongAttention(_Luong):
    """Attention by products of the query with keys of its depth; `scale` puts a learned factor before them."""

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Any = None,
        score_mask_value: Any = None,
        dtype: Any = None,
        custom_key_value_fn: Any = None,
        name: str = "LuongAttention",
    ):
        super().__init__(
            query_layer=None,
            memory_layer=_dense("memory_layer", num_units, dtype or dtypes.float32),
            memory=memory,
            probability_fn=_soft(probability_fn),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
            name=name,
        )
        self._num_units, self._scale, self._name = num_units, scale, name


class _Bahdanau(Memory):
    """Scores that are sums through a tanh (Bahdanau et al., 2014)."""

    _scope = "bahdanau_attention"
    _num_units: int
    _normalize: bool

    def _score(self, query: Any) -> Any:
        n, dtype = self._num_units, query.dtype.base_dtype
        processed = self.query_layer(query) if self.query_layer else query
        v = variable_scope.get_variable("attention_v", [n], dtype=dtype)
        if not self._normalize:
            return _bahdanau_score(processed, self._keys, v)
        first = initializers.constant_initializer(numbers.sqrt(1.0 / n))
        g = variable_scope.get_variable("attention_g", dtype=dtype, initializer=first, shape=())
        b = variable_scope.get_variable("attention_b", [n], dtype=dtype, initializer=initializers.zeros_initializer())
        return _bahdanau_score(processed, self._keys, v, g, b)

    def __call__(self, query: Any, state: Any) -> Any:
        with variable_scope.variable_scope(None, self._scope, [query]):
            score = self._score(query)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class BahdanauAttention(_Bahdanau):
    """Attention by sums of query and key; `normalize` gives the weights a learned length (Salimans and Kingma, 2016)."""

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Any = None,
        score_mask_value: Any = None,
        dtype: Any = None,
        custom_key_value_fn: Any = None,
        name: str = "BahdanauAttention",
    ):
        dtype = dtype or dtypes.float32
        super().__init__(
            query_layer=_dense("query_layer", num_units, dtype),
            memory_layer=_dense("memory_layer", num_units, dtype),
            memory=memory,
            probability_fn=_soft(probability_fn),
            custom_key_value_fn=custom_key_value_fn,
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units, self._normalize, self._name = num_units, normalize, name


# -- attention that only moves on (Raffel et al., 2017)


def safe_cumprod(x: Any, *args: Any, **kwargs: Any) -> Any:
    """The cumulative product of numbers in [0, 1], as the exponential of a sum of logarithms."""
    with scopes.name_scope(None, "SafeCumprod", [x]):
        x = to_tensor(x, name="x")
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return math.exp(math.cumsum(math.log(clip.clip_by_value(x, tiny, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> Any:
    """The attention [batch, time] of a step, from the probabilities to stop at each place and the attention before.

    `mode`: "recursive" (exact), "parallel" (faster; may underflow), "hard" (probabilities 0 and 1). Raises ValueError for others.
    """
    p = to_tensor(p_choose_i, name="p_choose_i")
    before = to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        batch = p.shape.as_list()[0] or array.shape(p)[0]
        shifted = array.concat([array.ones((batch, 1)), 1 - p[:, :-1]], 1)
        rows = higher_order.scan(
            lambda x, yz: array.reshape(yz[0] * x + yz[1], (batch,)),
            [array.transpose(shifted), array.transpose(before)],
            array.zeros((batch,)),
        )
        return p * array.transpose(rows)
    if mode == "parallel":
        passed = safe_cumprod(1 - p, axis=1, exclusive=True)
        return p * passed * math.cumsum(before / clip.clip_by_value(passed, 1e-10, 1.0), axis=1)
    if mode == "hard":
        p *= math.cumsum(before, axis=1)
        return p * math.cumprod(1 - p, axis=1, exclusive=True)
    raise ValueError("mode must be 'recursive', 'parallel', or 'hard'.")


def _monotonic(score: Any, previous: Any, sigmoid_noise: float, mode: str, seed: int | None = None) -> Any:
    if sigmoid_noise > 0:
        noise = random.random_normal(array.shape(score), dtype=score.dtype.base_dtype, seed=seed)
        score += sigmoid_noise * noise
    p = math.cast(score > 0, score.dtype.base_dtype) if mode == "hard" else math.sigmoid(score)
    return monotonic_attention(p, previous, mode)


class _Monotonic(Memory):
    """A mechanism that begins at the first entry, and whose scores have a learned bias."""

    _score_bias_init: float

    def initial_alignments(self, batch_size: Any, dtype: Any) -> Any:
        first = array.zeros((batch_size,), dtype=dtypes.int32)
        return array.one_hot(first, self._alignments_size, dtype=dtype)

    def _score(self, query: Any) -> Any:
        score = super()._score(query)  # type: ignore[misc]
        bias = variable_scope.get_variable(
            "attention_score_bias", dtype=query.dtype.base_dtype, initializer=float(self._score_bias_init)
        )
        return score + bias


class BahdanauMonotonicAttention(_Monotonic, _Bahdanau):
    """`BahdanauAttention` that only moves on along the memory."""

    _scope = "bahdanau_monotonic_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        score_mask_value: Any = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "BahdanauMonotonicAttention",
    ):
        dtype = dtype or dtypes.float32
        super().__init__(
            query_layer=_dense("query_layer", num_units, dtype),
            memory_layer=_dense("memory_layer", num_units, dtype),
            memory=memory,
            probability_fn=functools.partial(
                _monotonic, sigmoid_noise=sigmoid_noise, mode=mode, seed=sigmoid_noise_seed
            ),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units, self._normalize, self._name = num_units, normalize, name
        self._score_bias_init = score_bias_init


class LuongMonotonicAttention(_Monotonic, _Luong):
    """`LuongAttention` that only moves on along the memory."""

    _scope = "luong_monotonic_attention"

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        score_mask_value: Any = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "LuongMonotonicAttention",
    ):
        super().__init__(
            query_layer=None,
            memory_layer=_dense("memory_layer", num_units, dtype or dtypes.float32),
            memory=memory,
            probability_fn=functools.partial(
                _monotonic, sigmoid_noise=sigmoid_noise, mode=mode, seed=sigmoid_noise_seed
            ),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units, self._scale, self._name = num_units, scale, name
        self._score_bias_init = score_bias_init


def hardmax(logits: Any, name: str | None = None) -> Any:
    """One at the largest of each row, zeros elsewhere."""
    with scopes.name_scope(name, "Hardmax", [logits]):
        logits = to_tensor(logits, name="logits")
        depth = logits.get_shape()[-1].value
        depth = array.shape(logits)[-1] if depth is None else depth
        return array.one_hot(math.argmax(logits, -1), depth, dtype=logits.dtype.base_dtype)
