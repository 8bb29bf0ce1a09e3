"""`tf.contrib.cudnn_rnn`: networks over time as one layer with one variable, as cuDNN has them."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.cudnn_rnn import formats, saveables
from thalweg._src.contrib.cudnn_rnn.networks import network
from thalweg._src.core import dtypes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.layers.input_spec import InputSpec
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful import initializers
from thalweg._src.ops.stateful import variable_scope as vs


class _CudnnRNN(Layer):
    """`num_layers` layers of `num_units` cells each, from [time, batch, input] to [time, batch, directions x units].

    Its variable `opaque_kernel` is the vector of all weights. Checkpoints hold them as kernels and biases under the names of
    `MultiRNNCell`s (or `stack_bidirectional_dynamic_rnn`s) of `CudnnCompatible...` cells, so that either reads the other's. Raises
    ValueError for an unknown direction, input mode or dtype, NotImplementedError for inputs that skip the first matrices.
    """

    _rnn_mode = ""
    _saveable_cls: type[saveables.CudnnOpaqueParamsSaveable]

    def __init__(
        self,
        num_layers: int,
        num_units: int,
        input_mode: str = formats.LINEAR_MODE,
        direction: str = formats.UNIDIRECTION,
        dropout: float = 0.0,
        seed: int | None = None,
        dtype: Any = dtypes.float32,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
    ):
        super().__init__(dtype=dtype, name=name)
        formats.check_direction(direction)
        formats.check_input_mode(input_mode, None, num_units)
        if dtypes.as_dtype(dtype) not in (dtypes.float16, dtypes.float32, dtypes.float64):
            raise ValueError(f"Only support float16, float32, float64, provided {dtype}")
        self._plain_dtype = dtypes.as_dtype(dtype)
        self._num_layers, self._num_units, self._input_mode, self._direction = (
            num_layers,
            num_units,
            input_mode,
            direction,
        )
        self._dropout, self._seed = dropout, seed
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer
        self._input_size: int | None = None
        self._saveable: Any = None

    @property
    def num_layers(self) -> int:
        return self._num_layers

    @property
    def num_units(self) -> int:
        return self._num_units

    @property
    def input_mode(self) -> str:
        return self._input_mode

    @property
    def input_size(self) -> int:
        """The width of the inputs. Raises ValueError before the layer is built."""
        if not self._input_size:
            raise ValueError("'input_size' is unknown since layer has not been built.")
        return self._input_size

    @property
    def rnn_mode(self) -> str:
        return self._rnn_mode

    @property
    def direction(self) -> str:
        return self._direction

    @property
    def num_dirs(self) -> int:
        return 1 if self._direction == formats.UNIDIRECTION else 2

    @property
    def saveable(self) -> Any:
        """What saves the weights in the cells' format."""
        return self._saveable

    @property
    def canonical_weight_shapes(self) -> list[tuple[int, int]]:
        """The shapes of cuDNN's matrices. Raises RuntimeError before the layer is built."""
        return self._layout("canonical_weight_shapes").weights

    @property
    def canonical_bias_shapes(self) -> list[list[int]]:
        """The shapes of cuDNN's biases."""
        return formats.Layout(self._rnn_mode, self._num_layers, self._num_units, 1, self._direction).biases

    def _layout(self, asked: str) -> formats.Layout:
        if not self._input_size:
            raise RuntimeError(f"{type(self).__name__}.{asked} invoked before input shape is known")
        return formats.Layout(self._rnn_mode, self._num_layers, self._num_units, self._input_size, self._direction)

    def build(self, inputs_shape: Any) -> None:
        if self.built:
            return
        dims = shapes.as_dims(inputs_shape)
        if dims is None or len(dims) != 3:
            raise ValueError(f"Expecting input_shape with 3 dims, got {None if dims is None else len(dims)}")
        if dims[-1] is None:
            raise ValueError("The last dimension of the inputs to `CudnnRNN` should be defined. Found `None`.")
        self._input_size = dims[-1]
        formats.check_input_mode(self._input_mode, self._input_size, self._num_units)
        self.input_spec = InputSpec(ndim=3, axes={-1: self._input_size})
        self._set_scope(None)
        with vs.variable_scope(self._scope):
            self.kernel = self.add_variable("opaque_kernel", [self._layout("build").size], initializer=self._first)
        if vs.get_variable_scope().reuse is not True:
            self._saveable = self._saveable_cls(
                self.kernel,
                self._num_layers,
                self._num_units,
                self._input_size,
                input_mode=self._input_mode,
                direction=self._direction,
                scope=vs.get_variable_scope(),
                name=f"{self.kernel.name.split(':')[0]}_saveable",
            )
            get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, self._saveable)
        self.built = True

    def _first(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        """The vector that the layer begins with: every matrix drawn on its own."""
        kernel = self._kernel_initializer or initializers.glorot_uniform_initializer(
            seed=self._seed, dtype=self._plain_dtype
        )
        bias = self._bias_initializer or initializers.constant_initializer(0.0, dtype=self._plain_dtype)
        layout = self._layout("build")
        return layout.joined(
            [kernel(s, dtype=self._plain_dtype) for s in layout.weights],
            [bias(s, dtype=self._plain_dtype) for s in layout.biases],
        )

    def call(
        self,
        inputs: Any,
        initial_state: Any = None,
        sequence_lengths: Any = None,
        time_major: bool = True,
        training: Any = True,
    ) -> Any:
        """(outputs, states): `initial_state` and states are tuples, (h, c) of an LSTM and (h,) of others.

        Raises TypeError where `initial_state` is no tuple.
        """
        if initial_state is not None and not isinstance(initial_state, tuple):
            raise TypeError(f"Invalid initial_state type: {initial_state}, expecting tuple.")
        inputs = to_tensor(inputs, dtype=self._plain_dtype)
        if initial_state is None:
            batch = array.shape(inputs)[1 if time_major else 0]
            initial_state = tuple(
                array.zeros(s if time_major else [s[1], s[0], s[2]], dtype=self._plain_dtype)
                for s in self.state_shape(batch)
            )
        converter = formats.CONVERTERS[self._rnn_mode](
            self._num_layers, self._num_units, self.input_size, direction=self._direction
        )
        return network(
            converter,
            inputs,
            tuple(to_tensor(s, dtype=self._plain_dtype) for s in initial_state),
            self.kernel,
            lengths=sequence_lengths,
            time_major=time_major,
            dropout=self._dropout,
            training=training,
            seed=self._seed,
        )

    def state_shape(self, batch_size: Any) -> Any:
        """The shapes of the states, a list for each."""
        return ([self._num_layers * self.num_dirs, batch_size, self._num_units],)


class CudnnLSTM(_CudnnRNN):
    """LSTMs without peepholes or a forget bias. Its states are h, c."""

    _rnn_mode, _saveable_cls = formats.LSTM, saveables.CudnnLSTMSaveable

    def state_shape(self, batch_size: Any) -> Any:
        (one,) = super().state_shape(batch_size)
        return one, one


class CudnnGRU(_CudnnRNN):
    """Gated recurrent units, of cuDNN's kind."""

    _rnn_mode, _saveable_cls = formats.GRU, saveables.CudnnGRUSaveable


class CudnnRNNTanh(_CudnnRNN):
    """Plain cells with tanh."""

    _rnn_mode, _saveable_cls = formats.TANH, saveables.CudnnRNNTanhSaveable


class CudnnRNNRelu(_CudnnRNN):
    """Plain cells that rectify."""

    _rnn_mode, _saveable_cls = formats.RELU, saveables.CudnnRNNReluSaveable
