"""A decoder in a loop: `dynamic_decode`, and the decoder that a helper steers."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.contrib.seq2seq.inputs import Helper
from thalweg._src.core import dtypes, infer, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.rnn.cell import assert_like_rnncell, zeros_of
from thalweg._src.lib.rnn.steps import transpose_batch_time
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array, math
from thalweg._src.ops.numeric import compare
from thalweg._src.ops.stateful import variable_scope


class Decoder:
    """What `dynamic_decode` runs: `initialize` gives (finished, first inputs, first state), `step` what follows.

    `output_size` and `output_dtype` are structures like the outputs; `finalize` may change what the loop gave.
    """

    @property
    def batch_size(self) -> Any:
        raise NotImplementedError

    @property
    def output_size(self) -> Any:
        raise NotImplementedError

    @property
    def output_dtype(self) -> Any:
        raise NotImplementedError

    def initialize(self, name: str | None = None) -> Any:
        raise NotImplementedError

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """(outputs, next state, next inputs, finished)."""
        raise NotImplementedError

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        raise NotImplementedError

    @property
    def tracks_own_finished(self) -> bool:
        """Whether `step` says which rows are finished altogether, not just now (as a beam search, which moves rows)."""
        return False


def _element_shape(batch_size: Any, size: Any) -> Any:
    if not isinstance(size, shapes.TensorShape) or size.ndims == 0:
        return None
    known = infer.constant_value(to_tensor(batch_size, name="batch_size"))
    return shapes.TensorShape([None if known is None else int(known)]).concatenate(size)


def dynamic_decode(
    decoder: Any,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: Any = None,
    parallel_iterations: int = 32,
    swap_memory: bool = False,
    scope: Any = None,
    **kwargs: Any,
) -> Any:
    """(outputs, final state, lengths) of steps of `decoder` until all rows are finished, or `maximum_iterations` are over.

    Outputs are [batch, time, ...], or time first. `impute_finished`: rows that are finished give zeros and keep their state. Raises
    TypeError for what is no Decoder, ValueError for a limit that is no scalar.
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with variable_scope.variable_scope(scope, "decoder") as varscope:
        if not get_default_graph().building_function and varscope.caching_device is None:
            varscope.set_caching_device(lambda op: op.device)
        if maximum_iterations is not None:
            maximum_iterations = to_tensor(maximum_iterations, dtypes.int32, name="maximum_iterations")
            if maximum_iterations.get_shape().ndims != 0:
                raise ValueError("maximum_iterations must be a scalar")
        finished, inputs, state = decoder.initialize()
        zero = nest.map_objects(
            lambda size, dtype: zeros_of(size, decoder.batch_size, dtype), decoder.output_size, decoder.output_dtype
        )
        if maximum_iterations is not None:
            finished = compare.logical_or(finished, maximum_iterations <= 0)
        lengths = array.zeros_like(finished, dtype=dtypes.int32)
        time = array.constant(0, dtype=dtypes.int32)
        stores = nest.map_objects(
            lambda size, dtype: TensorArray(
                dtype=dtype, size=0, dynamic_size=True, element_shape=_element_shape(decoder.batch_size, size)
            ),
            decoder.output_size,
            decoder.output_dtype,
        )

        def goes_on(time: Any, stores: Any, state: Any, inputs: Any, finished: Any, lengths: Any) -> Any:
            return compare.logical_not(math.reduce_all(finished))

        def step(time: Any, stores: Any, state: Any, inputs: Any, finished: Any, lengths: Any) -> Any:
            outputs, next_state, next_inputs, now = decoder.step(time, inputs, state)
            if not decoder.tracks_own_finished:
                now = compare.logical_or(now, finished)
            so_far = array.fill(array.shape(lengths), time + 1)
            next_lengths = array.where(compare.logical_not(finished), so_far, lengths)
            nest.same_objects(state, next_state)
            nest.same_objects(stores, outputs)
            nest.same_objects(inputs, next_inputs)
            if impute_finished:
                outputs = nest.map_objects(lambda o, z: array.where(finished, z, o), outputs, zero)
                next_state = nest.map_objects(lambda n, o: _kept(finished, n, o), next_state, state)
            stores = nest.map_objects(lambda store, out: store.write(time, out), stores, outputs)
            return time + 1, stores, next_state, next_inputs, now, next_lengths

        result = while_loop(
            goes_on,
            step,
            loop_vars=(time, stores, state, inputs, finished, lengths),
            parallel_iterations=parallel_iterations,
            maximum_iterations=maximum_iterations,
            swap_memory=swap_memory,
        )
        stores, state, lengths = result[1], result[2], result[5]
        outputs = nest.map_objects(lambda store: store.stack(), stores)
        try:
            outputs, state = decoder.finalize(outputs, state, lengths)
        except NotImplementedError:
            pass
        if not output_time_major:
            outputs = nest.map_objects(transpose_batch_time, outputs)
    return outputs, state, lengths


def _kept(finished: Any, new: Any, old: Any) -> Any:
    """`new`, but `old` in rows that are finished; TensorArrays and scalars are new."""
    if isinstance(old, TensorArray):
        return new
    new.set_shape(old.shape)
    return new if new.dims == () else array.where(finished, old, new)


BasicDecoderOutput = collections.namedtuple("BasicDecoderOutput", ("rnn_output", "sample_id"))


class BasicDecoder(Decoder):
    """A cell whose inputs come from a helper, its outputs through `output_layer`. Raises TypeError for other kinds of these."""

    def __init__(self, cell: Any, helper: Any, initial_state: Any, output_layer: Any = None):
        assert_like_rnncell("cell", cell)
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        if output_layer is not None and not isinstance(output_layer, Layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._helper = cell, helper
        self._initial_state, self._output_layer = initial_state, output_layer

    @property
    def batch_size(self) -> Any:
        return self._helper.batch_size

    def _rnn_output_size(self) -> Any:
        return size_through(self._output_layer, self._cell.output_size)

    @property
    def output_size(self) -> Any:
        return BasicDecoderOutput(self._rnn_output_size(), self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> Any:
        dtype = nest.objects(self._initial_state)[0].dtype.base_dtype
        return BasicDecoderOutput(
            nest.map_objects(lambda _: dtype, self._rnn_output_size()), self._helper.sample_ids_dtype
        )

    def initialize(self, name: str | None = None) -> Any:
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        tensors = [t for t in nest.objects((time, inputs, state)) if isinstance(t, Tensor)]
        with scopes.name_scope(name, "BasicDecoderStep", tensors):
            outputs, cell_state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            ids = self._helper.sample(time=time, outputs=outputs, state=cell_state)
            finished, next_inputs, next_state = self._helper.next_inputs(
                time=time, outputs=outputs, state=cell_state, sample_ids=ids
            )
        return BasicDecoderOutput(outputs, ids), next_state, next_inputs, finished


def size_through(layer: Any, size: Any) -> Any:
    """The size of what a layer makes of outputs of `size`."""
    if layer is None:
        return size

    def of_row(s: Any) -> Any:
        row = shapes.TensorShape([s] if isinstance(s, int) else s)
        out = layer.compute_output_shape(shapes.TensorShape([None]).concatenate(row))
        return shapes.as_shape(out)[1:]

    return nest.map_objects(of_row, size)
