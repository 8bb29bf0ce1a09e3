"""Where a decoder's inputs come from: the truth, its own samples, or a mixture of both."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.rnn.steps import transpose_batch_time
from thalweg._src.ops.chance import random
from thalweg._src.ops.control import control_flow
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import embedding
from thalweg._src.ops.numeric import compare


def _scope(name: str | None, default: str, values: Any) -> Any:
    return scopes.name_scope(name, default, [v for v in nest.objects(values) if isinstance(v, Tensor)])


def bernoulli_sample(
    probs: Any = None, logits: Any = None, dtype: Any = dtypes.int32, sample_shape: Any = (), seed: Any = None
) -> Any:
    """Ones with probability `probs`, else zeros: of shape `sample_shape` + that of `probs`."""
    p = math.sigmoid(logits, name="probs") if probs is None else to_tensor(probs, name="probs")
    batch = array.shape(p)
    return _drawn(
        lambda n: math.cast(
            compare.less(random.random_uniform(array.concat([[n], batch], 0), seed=seed, dtype=p.dtype.base_dtype), p),
            dtype,
        ),
        sample_shape,
    )


def categorical_sample(logits: Any, dtype: Any = dtypes.int32, sample_shape: Any = (), seed: Any = None) -> Any:
    """Class ids with the probabilities of `logits` [..., classes]: of shape `sample_shape` + [...]."""
    logits = to_tensor(logits, name="logits")
    classes, batch = array.shape(logits)[-1], array.shape(logits)[:-1]
    flat = logits if len(logits.dims or ()) == 2 else array.reshape(logits, [-1, classes])
    kind = dtypes.int64 if logits.dtype.size > 4 else dtypes.int32

    def draw(n: Any) -> Any:
        ids = random.multinomial(flat, n, seed=seed, output_dtype=kind)
        return math.cast(array.reshape(array.transpose(ids), array.concat([[n], batch], 0)), dtype)

    return _drawn(draw, sample_shape)


def _drawn(draw: Any, sample_shape: Any) -> Any:
    """`draw(n)` in the shape `sample_shape` instead of [n]."""
    with scopes.name_scope(None, "call_sampler"):
        shape = to_tensor(sample_shape, dtypes.int32, name="sample_shape")
        # A scalar becomes a vector of one size, with as many nodes as TensorFlow takes: seeds follow from their number.
        missing = math.cast(math.equal(array.rank(shape), 0), dtypes.int32)
        shape = array.reshape(shape, array.pad(array.shape(shape), paddings=[[missing, 0]], constant_values=1))
        samples = draw(math.reduce_prod(shape))
        return array.reshape(samples, array.concat([shape, array.shape(samples)[1:]], 0))


def _stored(x: Any) -> TensorArray:
    return TensorArray(dtype=x.dtype.base_dtype, size=array.shape(x)[0], element_shape=x.get_shape()[1:]).unstack(x)


def embedder(table: Any) -> Any:
    """The function of ids that `table` is, or that looks them up in it."""
    return table if callable(table) else (lambda ids: embedding.embedding_lookup(table, ids))


class Helper:
    """What a BasicDecoder asks for ids and inputs: `initialize`, `sample`, `next_inputs`."""

    @property
    def batch_size(self) -> Any:
        raise NotImplementedError("batch_size has not been implemented")

    @property
    def sample_ids_shape(self) -> Any:
        raise NotImplementedError("sample_ids_shape has not been implemented")

    @property
    def sample_ids_dtype(self) -> Any:
        raise NotImplementedError("sample_ids_dtype has not been implemented")

    def initialize(self, name: str | None = None) -> Any:
        """(finished, first inputs)."""
        raise NotImplementedError

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """The ids of this step."""
        raise NotImplementedError

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        """(finished, next inputs, next state)."""
        raise NotImplementedError


class _ScalarIds(Helper):
    """Ids are scalars of type int32."""

    _batch_size: Any

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        return shapes.TensorShape([])

    @property
    def sample_ids_dtype(self) -> Any:
        return dtypes.int32


class CustomHelper(Helper):
    """A helper of three functions."""

    def __init__(
        self,
        initialize_fn: Any,
        sample_fn: Any,
        next_inputs_fn: Any,
        sample_ids_shape: Any = None,
        sample_ids_dtype: Any = None,
    ):
        self._initialize_fn, self._sample_fn, self._next_inputs_fn = initialize_fn, sample_fn, next_inputs_fn
        self._batch_size: Any = None
        self._sample_ids_shape = shapes.TensorShape(sample_ids_shape or [])
        self._sample_ids_dtype = sample_ids_dtype or dtypes.int32

    @property
    def batch_size(self) -> Any:
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        return self._sample_ids_shape

    @property
    def sample_ids_dtype(self) -> Any:
        return self._sample_ids_dtype

    def initialize(self, name: str | None = None) -> Any:
        with scopes.name_scope(name, f"{type(self).__name__}Initialize"):
            finished, inputs = self._initialize_fn()
            if self._batch_size is None:
                self._batch_size = array.size(finished)
        return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        with _scope(name, f"{type(self).__name__}Sample", (time, outputs, state)):
            return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        with _scope(name, f"{type(self).__name__}NextInputs", (time, outputs, state)):
            return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class TrainingHelper(_ScalarIds):
    """The true inputs, step by step. Raises ValueError where `sequence_length` is no vector."""

    def __init__(self, inputs: Any, sequence_length: Any, time_major: bool = False, name: str | None = None):
        with _scope(name, "TrainingHelper", [inputs, sequence_length]):
            inputs = nest.map_leaves(lambda x: to_tensor(x, name="inputs"), inputs)
            self._inputs = inputs
            if not time_major:
                inputs = nest.map_leaves(transpose_batch_time, inputs)
            self._input_tas = nest.map_leaves(_stored, inputs)
            self._sequence_length = to_tensor(sequence_length, name="sequence_length")
            if self._sequence_length.get_shape().ndims != 1:
                raise ValueError(
                    f"Expected sequence_length to be a vector, but received shape: {self._sequence_length.get_shape()}"
                )
            self._zero_inputs = nest.map_leaves(lambda x: array.zeros_like(x[0, :]), inputs)
            self._batch_size = array.size(sequence_length)

    @property
    def inputs(self) -> Any:
        return self._inputs

    @property
    def sequence_length(self) -> Any:
        return self._sequence_length

    def _read(self, time: Any, finished: Any) -> Any:
        """The inputs at `time`, zeros when all rows are finished."""
        return control_flow.cond(
            math.reduce_all(finished),
            lambda: self._zero_inputs,
            lambda: nest.map_objects(lambda store: store.read(time), self._input_tas),
        )

    def initialize(self, name: str | None = None) -> Any:
        with scopes.name_scope(name, "TrainingHelperInitialize"):
            finished = math.equal(0, self._sequence_length)
            return finished, self._read(0, finished)

    def sample(  # type: ignore[override]
        self, time: Any, outputs: Any, name: str | None = None, **unused: Any
    ) -> Any:
        with _scope(name, "TrainingHelperSample", [time, outputs]):
            return math.cast(math.argmax(outputs, axis=-1), dtypes.int32)

    def next_inputs(  # type: ignore[override]
        self, time: Any, outputs: Any, state: Any, name: str | None = None, **unused: Any
    ) -> Any:
        with _scope(name, "TrainingHelperNextInputs", [time, outputs, state]):
            next_time = time + 1
            finished = next_time >= self._sequence_length
            return finished, self._read(next_time, finished), state


def _probability(given: Any) -> Tensor:
    p = to_tensor(given, name="sampling_probability")
    if p.get_shape().ndims not in (0, 1):
        raise ValueError(f"sampling_probability must be either a scalar or a vector. saw shape: {p.get_shape()}")
    return p


def _merged(base: Any, sampled_rows: Any, other_rows: Any, sampled: Any) -> Any:
    """`base` with the rows at `sampled_rows` replaced by `sampled`."""
    shape = array.shape(base)
    return array.scatter_nd(indices=sampled_rows, updates=sampled, shape=shape) + array.scatter_nd(
        indices=other_rows, updates=array.gather_nd(base, other_rows), shape=shape
    )


def _rows(chosen: Any) -> Any:
    return math.cast(array.where(chosen), dtypes.int32)


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """The true inputs, but with `sampling_probability` the embedding of a sample of the model's own (Bengio et al., 2015)."""

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        embedding: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        scheduling_seed: int | None = None,
        name: str | None = None,
    ):
        with _scope(name, "ScheduledEmbeddingSamplingWrapper", [embedding, sampling_probability]):
            self._embedding_fn = embedder(embedding)
            self._sampling_probability = _probability(sampling_probability)
            self._seed, self._scheduling_seed = seed, scheduling_seed
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:  # type: ignore[override]
        with _scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs, state]):
            choose = bernoulli_sample(
                probs=self._sampling_probability,
                dtype=dtypes.bool,
                sample_shape=self.batch_size,
                seed=self._scheduling_seed,
            )
            ids = categorical_sample(logits=outputs, seed=self._seed)
            return array.where(choose, ids, array.fill([self.batch_size], -1))

    def next_inputs(  # type: ignore[override]
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        with _scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, base, state = super().next_inputs(time=time, outputs=outputs, state=state, name=name)

            def maybe_sample() -> Any:
                rows, others = _rows(sample_ids > -1), _rows(sample_ids <= -1)
                return _merged(base, rows, others, self._embedding_fn(array.gather_nd(sample_ids, rows)))

            return finished, control_flow.cond(math.reduce_all(finished), lambda: base, maybe_sample), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """The true inputs, but with `sampling_probability` the model's last outputs, through `next_inputs_fn`."""

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        next_inputs_fn: Any = None,
        auxiliary_inputs: Any = None,
        name: str | None = None,
    ):
        with _scope(name, "ScheduledOutputTrainingHelper", [inputs, auxiliary_inputs, sampling_probability]):
            self._sampling_probability = _probability(sampling_probability)
            joined = inputs
            self._auxiliary_input_tas: Any = None
            if auxiliary_inputs is not None:
                inputs, more = to_tensor(inputs, name="inputs"), to_tensor(auxiliary_inputs, name="auxiliary_inputs")
                joined = array.concat((inputs, more), -1)
                self._auxiliary_input_tas = _stored(more if time_major else transpose_batch_time(more))
            self._seed, self._next_inputs_fn = seed, next_inputs_fn
            super().__init__(joined, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:  # type: ignore[override]
        with _scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs, state]):
            return bernoulli_sample(probs=self._sampling_probability, sample_shape=self.batch_size, seed=self._seed)

    def next_inputs(  # type: ignore[override]
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        with _scope(name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, base, state = super().next_inputs(time=time, outputs=outputs, state=state, name=name)
            chosen = math.cast(sample_ids, dtypes.bool)

            def with_auxiliary(x: Any, rows: Any = None) -> Any:
                if self._auxiliary_input_tas is None:
                    return x
                more = self._auxiliary_input_tas.read(time + 1)
                return array.concat((x, more if rows is None else array.gather_nd(more, rows)), -1)

            def maybe_sample() -> Any:
                if self._next_inputs_fn is None:
                    return array.where(chosen, with_auxiliary(outputs), base)
                rows, others = _rows(chosen), _rows(compare.logical_not(chosen))
                sampled = with_auxiliary(self._next_inputs_fn(array.gather_nd(outputs, rows)), rows)
                return _merged(base, rows, others, sampled)

            stays = compare.logical_or(math.reduce_all(finished), compare.logical_not(math.reduce_any(chosen)))
            return finished, control_flow.cond(stays, lambda: base, maybe_sample), state


class GreedyEmbeddingHelper(_ScalarIds):
    """The embedding of the most likely id of the last step, until `end_token`. Raises ValueError where tokens have another rank."""

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any):
        self._embedding_fn = embedder(embedding)
        self._start_tokens = to_tensor(start_tokens, dtypes.int32, name="start_tokens")
        self._end_token = to_tensor(end_token, dtypes.int32, name="end_token")
        if self._start_tokens.get_shape().ndims != 1:
            raise ValueError("start_tokens must be a vector")
        self._batch_size = array.size(start_tokens)
        if self._end_token.get_shape().ndims != 0:
            raise ValueError("end_token must be a scalar")
        self._start_inputs = self._embedding_fn(self._start_tokens)

    def initialize(self, name: str | None = None) -> Any:
        return array.tile([False], [self._batch_size]), self._start_inputs

    def _logits(self, outputs: Any) -> Any:
        if not isinstance(outputs, Tensor):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
        return outputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        return math.argmax(self._logits(outputs), axis=-1, output_type=dtypes.int32)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        finished = math.equal(sample_ids, self._end_token)
        next_inputs = control_flow.cond(
            math.reduce_all(finished), lambda: self._start_inputs, lambda: self._embedding_fn(sample_ids)
        )
        return finished, next_inputs, state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """The embedding of an id drawn with the probabilities of the last step's logits over `softmax_temperature`."""

    def __init__(
        self,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        softmax_temperature: Any = None,
        seed: int | None = None,
    ):
        super().__init__(embedding, start_tokens, end_token)
        self._softmax_temperature, self._seed = softmax_temperature, seed

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        logits = self._logits(outputs)
        if self._softmax_temperature is not None:
            logits = logits / self._softmax_temperature
        return categorical_sample(logits=logits, seed=self._seed)


class InferenceHelper(Helper):
    """Inputs that are samples of the outputs, until `end_fn` says so."""

    def __init__(
        self,
        sample_fn: Any,
        sample_shape: Any,
        sample_dtype: Any,
        start_inputs: Any,
        end_fn: Any,
        next_inputs_fn: Any = None,
    ):
        self._sample_fn, self._end_fn, self._next_inputs_fn = sample_fn, end_fn, next_inputs_fn
        self._sample_shape, self._sample_dtype = shapes.TensorShape(sample_shape), sample_dtype
        self._batch_size = array.shape(start_inputs)[0]
        self._start_inputs = to_tensor(start_inputs, name="start_inputs")

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        return self._sample_shape

    @property
    def sample_ids_dtype(self) -> Any:
        return self._sample_dtype

    def initialize(self, name: str | None = None) -> Any:
        return array.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        return self._sample_fn(outputs)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        next_inputs = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), next_inputs, state
