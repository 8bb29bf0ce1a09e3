"""A cell that reads a memory by attention at every step."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.contrib.seq2seq.attention import AttentionMechanism
from thalweg._src.core import dtypes, nest, scopes, shapes
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.layers.core import Dense
from thalweg._src.lib.rnn.cell import RNNCell, assert_like_rnncell, zeros_of
from thalweg._src.lib.rnn.steps import first_state
from thalweg._src.ops import basic
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.late import array, math
from thalweg._src.ops.reports import checks


class AttentionWrapperState(
    collections.namedtuple(
        "AttentionWrapperState",
        ("cell_state", "attention", "time", "alignments", "alignment_history", "attention_state"),
    )
):
    """The state of an AttentionWrapper: its cell's, what was read last, and where."""

    def clone(self, **kwargs: Any) -> AttentionWrapperState:
        """This state with other parts. Raises ValueError for parts of another shape."""

        def with_same_shape(old: Any, new: Any) -> Any:
            if isinstance(old, Tensor) and isinstance(new, Tensor):
                if not old.shape.is_compatible_with(new.shape):
                    raise ValueError(f"Shapes {old.shape} and {new.shape} are incompatible")
                new.set_shape(old.shape)
            return new

        return nest.map_objects(with_same_shape, self, self._replace(**kwargs))


def _attend(mechanism: Any, cell_output: Any, attention_state: Any, layer: Any) -> Any:
    """(attention, alignments, next state): what is read, through `layer` where there is one."""
    alignments, next_state = mechanism(cell_output, state=attention_state)
    read = array.squeeze(math.matmul(array.expand_dims(alignments, 1), mechanism.values), [1])
    attention = read if layer is None else layer(array.concat([cell_output, read], 1))
    return attention, alignments, next_state


def _join(inputs: Any, attention: Any) -> Any:
    return array.concat([inputs, attention], -1)


class AttentionWrapper(RNNCell):
    """A cell whose inputs have the last attention beside them, and whose outputs query one or several mechanisms.

    The output is the attention (through `attention_layer_size` or `attention_layer`), or the cell's own with `output_attention=False`.
    `alignment_history` keeps all alignments. Raises TypeError or ValueError for parts that don't fit together.
    """

    def __init__(
        self,
        cell: Any,
        attention_mechanism: Any,
        attention_layer_size: Any = None,
        alignment_history: bool = False,
        cell_input_fn: Any = None,
        output_attention: bool = True,
        initial_cell_state: Any = None,
        name: str | None = None,
        attention_layer: Any = None,
        attention_fn: Any = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        assert_like_rnncell("cell", cell)
        self._is_multi = isinstance(attention_mechanism, list | tuple)
        mechanisms = tuple(attention_mechanism) if self._is_multi else (attention_mechanism,)
        for m in mechanisms:
            if not isinstance(m, AttentionMechanism):
                what = "contain only instances of AttentionMechanism" if self._is_multi else "be an AttentionMechanism"
                raise TypeError(f"attention_mechanism must {what}, saw type: {type(m).__name__}")
        if cell_input_fn is not None and not callable(cell_input_fn):
            raise TypeError(f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}")
        if attention_layer_size is not None and attention_layer is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        self._cell, self._attention_mechanisms = cell, mechanisms
        self._cell_input_fn = cell_input_fn or _join
        self._attention_fn = attention_fn or _attend
        self._output_attention, self._alignment_history = output_attention, alignment_history
        self._set_layers(attention_layer_size, attention_layer)
        with scopes.name_scope(name, "AttentionWrapperInit"):
            self._initial_cell_state = None
            if initial_cell_state is not None:
                self._initial_cell_state = self._checked_state(initial_cell_state)

    def _set_layers(self, sizes: Any, layers: Any) -> None:
        mechanisms = self._attention_mechanisms
        self._attention_layers: Any = None
        if sizes is None and layers is None:
            self._attention_layer_size = sum(m.values.shape.as_list()[-1] for m in mechanisms)
            return
        given = layers if sizes is None else sizes
        given = tuple(given) if isinstance(given, list | tuple) else (given,)
        if len(given) != len(mechanisms):
            what = "attention_layer" if sizes is None else "attention_layer_size"
            each = "layer" if sizes is None else "integer"
            raise ValueError(
                f"If provided, {what} must contain exactly one {each} per attention_mechanism, saw: {len(given)} vs {len(mechanisms)}"
            )
        if sizes is not None:
            self._attention_layers = tuple(
                Dense(size, name="attention_layer", use_bias=False, dtype=m.dtype)
                for size, m in zip(given, mechanisms, strict=True)
            )
            self._attention_layer_size = sum(given)
            return
        self._attention_layers = given
        self._attention_layer_size = sum(
            shapes.as_shape(
                layer.compute_output_shape([None, self._cell.output_size + m.values.shape.as_list()[-1]])
            ).as_list()[-1]
            for layer, m in zip(given, mechanisms, strict=True)
        )

    def _checked_state(self, state: Any) -> Any:
        last = nest.flatten(state)[-1]
        batch = last.shape.as_list()[0] or array.shape(last)[0]
        message = (
            f"When constructing AttentionWrapper {self._base_name}: Non-matching batch sizes between the memory (encoder output) and "
            "initial_cell_state.  Are you using the BeamSearchDecoder?  You may need to tile your initial state via the "
            "tf.contrib.seq2seq.tile_batch function with argument multiple=beam_width."
        )
        with get_default_graph().control_dependencies(self._batch_size_checks(batch, message)):
            return nest.map_leaves(lambda s: basic.identity(s, name="check_initial_cell_state"), state)

    def _batch_size_checks(self, batch_size: Any, message: str) -> list[Any]:
        return [checks.assert_equal(batch_size, m.batch_size, message=message) for m in self._attention_mechanisms]

    def _item_or_tuple(self, parts: Any) -> Any:
        parts = tuple(parts)
        return parts if self._is_multi else parts[0]

    @property
    def output_size(self) -> Any:
        return self._attention_layer_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> AttentionWrapperState:
        mechanisms = self._attention_mechanisms
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            time=shapes.TensorShape([]),
            attention=self._attention_layer_size,
            alignments=self._item_or_tuple(m.alignments_size for m in mechanisms),
            attention_state=self._item_or_tuple(m.state_size for m in mechanisms),
            alignment_history=self._item_or_tuple(
                m.alignments_size if self._alignment_history else () for m in mechanisms
            ),
        )

    def zero_state(self, batch_size: Any, dtype: Any) -> AttentionWrapperState:
        """The state to begin with. The batch must be that of the memories."""
        mechanisms = self._attention_mechanisms
        with scopes.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            state = self._initial_cell_state
            if state is None:
                state = first_state(self._cell, batch_size, dtype)
            message = (
                f"When calling zero_state of AttentionWrapper {self._base_name}: Non-matching batch sizes between the memory (encoder "
                "output) and the requested batch size.  Are you using the BeamSearchDecoder?  If so, make sure your encoder output has "
                "been tiled to beam_width via tf.contrib.seq2seq.tile_batch, and the batch_size= argument passed to zero_state is "
                "batch_size * beam_width."
            )
            with get_default_graph().control_dependencies(self._batch_size_checks(batch_size, message)):
                state = nest.map_leaves(lambda s: basic.identity(s, name="checked_cell_state"), state)
            first = [m.initial_alignments(batch_size, dtype) for m in mechanisms]
            return AttentionWrapperState(
                cell_state=state,
                time=array.zeros([], dtype=dtypes.int32),
                attention=zeros_of(self._attention_layer_size, batch_size, dtype),
                alignments=self._item_or_tuple(first),
                attention_state=self._item_or_tuple(m.initial_state(batch_size, dtype) for m in mechanisms),
                alignment_history=self._item_or_tuple(self._history(dtype, a) for a in first),
            )

    def _history(self, dtype: Any, alignment: Any) -> Any:
        if not self._alignment_history:
            return ()
        return TensorArray(dtype, size=0, dynamic_size=True, element_shape=alignment.shape)

    def call(self, inputs: Any, state: Any) -> Any:
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                f"Expected state to be instance of AttentionWrapperState. Received type {type(state)} instead."
            )
        output, next_cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        batch = output.shape.as_list()[0] or array.shape(output)[0]
        message = (
            f"When applying AttentionWrapper {self.name}: Non-matching batch sizes between the memory (encoder output) and the query "
            "(decoder output).  Are you using the BeamSearchDecoder?  You may need to tile your memory input via the "
            "tf.contrib.seq2seq.tile_batch function with argument multiple=beam_width."
        )
        with get_default_graph().control_dependencies(self._batch_size_checks(batch, message)):
            output = basic.identity(output, name="checked_cell_output")
        before, histories = state.attention_state, state.alignment_history
        if not self._is_multi:
            before, histories = [before], [histories]
        attentions, alignments, states, kept = [], [], [], []
        for i, mechanism in enumerate(self._attention_mechanisms):
            layer = self._attention_layers[i] if self._attention_layers else None
            attention, alignment, next_state = self._attention_fn(mechanism, output, before[i], layer)
            attentions.append(attention)
            alignments.append(alignment)
            states.append(next_state)
            kept.append(histories[i].write(state.time, alignment) if self._alignment_history else ())
        attention = array.concat(attentions, 1)
        new = AttentionWrapperState(
            time=state.time + 1,
            cell_state=next_cell_state,
            attention=attention,
            attention_state=self._item_or_tuple(states),
            alignments=self._item_or_tuple(alignments),
            alignment_history=self._item_or_tuple(kept),
        )
        return attention if self._output_attention else output, new
