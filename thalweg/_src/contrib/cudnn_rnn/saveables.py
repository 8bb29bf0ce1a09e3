"""The weights of a cuDNN layer in checkpoints: under the names and in the shapes that cells of TensorFlow's own have."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.cudnn_rnn import formats
from thalweg._src.core.graph import Tensor
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import state
from thalweg._src.ops.stateful.variable_scope import VariableScope


class CudnnOpaqueParamsSaveable(SaveableObject):
    """Saves the vector `opaque_params` as the kernels and biases of the cells in `scope`, and restores it from them."""

    _format_converter_cls: type[formats.CudnnParamsFormatConverter]
    _rnn_cell_name = ""
    _kernels: tuple[str, ...] = ("",)  # in front of "kernel" and "bias"

    def __init__(
        self,
        opaque_params: Any,
        num_layers: int,
        num_units: int,
        input_size: int,
        input_mode: str = formats.LINEAR_MODE,
        direction: str = formats.UNIDIRECTION,
        scope: Any = None,
        name: str = "cudnn_rnn_saveable",
    ):
        self.format_converter = self._format_converter_cls(
            num_layers, num_units, input_size, input_mode=input_mode, direction=direction
        )
        self._variable = opaque_params
        own = scope.name if isinstance(scope, VariableScope) else scope
        front = f"{own}/" if own else ""
        cells = [front + c for c in _cells(num_layers, direction, self._rnn_cell_name)]
        kernels, biases = self.format_converter.opaque_to_tf_canonical(opaque_params)
        names = [f"{cell}/{part}{kind}" for kind in ("kernel", "bias") for cell in cells for part in self._kernels]
        specs = [SaveSpec(t, "", n) for t, n in zip([*kernels, *biases], names, strict=True)]
        super().__init__(basic.identity(opaque_params), specs, name)

    def restore(self, restored_tensors: list[Tensor], restored_shapes: list[Any] | None) -> Any:
        vector = self.format_converter.tf_canonical_to_opaque(restored_tensors)
        return state.assign(self._variable, vector, validate_shape=False)


def _cells(layers: int, direction: str, cell: str) -> list[str]:
    """The scopes of the cells that `MultiRNNCell` or `stack_bidirectional_dynamic_rnn` would make, in order."""
    if direction == formats.UNIDIRECTION:
        return [f"rnn/multi_rnn_cell/cell_{i}/{cell}" for i in range(layers)]
    return [
        f"stack_bidirectional_rnn/cell_{i}/bidirectional_rnn/{way}/{cell}"
        for i in range(layers)
        for way in ("fw", "bw")
    ]


class CudnnLSTMSaveable(CudnnOpaqueParamsSaveable):
    """Fits `CudnnCompatibleLSTMCell`."""

    _format_converter_cls, _rnn_cell_name = formats.CudnnParamsFormatConverterLSTM, "cudnn_compatible_lstm_cell"


class CudnnGRUSaveable(CudnnOpaqueParamsSaveable):
    """Fits `CudnnCompatibleGRUCell`."""

    _format_converter_cls, _rnn_cell_name = formats.CudnnParamsFormatConverterGRU, "cudnn_compatible_gru_cell"
    _kernels = ("gates/", "candidate/input_projection/", "candidate/hidden_projection/")


class CudnnRNNTanhSaveable(CudnnOpaqueParamsSaveable):
    """Fits `BasicRNNCell`."""

    _format_converter_cls, _rnn_cell_name = formats.CudnnParamsFormatConverterTanh, "basic_rnn_cell"


class CudnnRNNReluSaveable(CudnnOpaqueParamsSaveable):
    """Fits `BasicRNNCell` with `tf.nn.relu`."""

    _format_converter_cls, _rnn_cell_name = formats.CudnnParamsFormatConverterRelu, "basic_rnn_cell"
