"""The weights of a whole network over time: as one vector, as cuDNN's matrices, and as the kernels and biases of TensorFlow's cells.

The vector holds the matrices of every layer and direction (those for the inputs, gate by gate, then those for the state; each is
[units, width]), and then all biases in the same order: one for the inputs and one for the state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from thalweg._src.core.graph import Tensor
from thalweg._src.ops.late import array

UNIDIRECTION, BIDIRECTION = "unidirectional", "bidirectional"
LINEAR_MODE, SKIP_MODE, AUTO_MODE = "linear_input", "skip_input", "auto_select"
LSTM, GRU, RELU, TANH = "lstm", "gru", "rnn_relu", "rnn_tanh"

# How many gates a cell has: each has two matrices and two biases.
GATES = {LSTM: 4, GRU: 3, RELU: 1, TANH: 1}


def check_direction(direction: str) -> None:
    """Raises ValueError for what is no direction."""
    if direction not in (UNIDIRECTION, BIDIRECTION):
        raise ValueError(f"Invalid direction: {direction}. Expecting {UNIDIRECTION} or {BIDIRECTION}")


def check_input_mode(mode: str, input_size: int | None, units: int) -> None:
    """Raises ValueError for what is no way to take inputs, NotImplementedError where the first layer would have no matrix for them."""
    if mode not in (LINEAR_MODE, SKIP_MODE, AUTO_MODE):
        raise ValueError(f"Invalid input_mode: {mode}. Expecting {LINEAR_MODE}, {SKIP_MODE} or {AUTO_MODE}.")
    if mode == SKIP_MODE or (mode == AUTO_MODE and input_size == units):
        raise NotImplementedError(
            "Inputs that skip the first layer's matrices: only input_mode='linear_input' is there."
        )


class Layout:
    """The shapes of the matrices and biases of a network of `mode`, in order."""

    def __init__(self, mode: str, num_layers: int, num_units: int, input_size: int, direction: str):
        self.mode, self.num_layers, self.num_units, self.input_size = mode, num_layers, num_units, input_size
        self.directions = 1 if direction == UNIDIRECTION else 2

    def of_layer(self, layer: int) -> list[tuple[int, int]]:
        """The matrices of one layer, all directions."""
        units, gates = self.num_units, GATES[self.mode]
        width = self.input_size if layer == 0 else self.directions * units
        return ([(units, width)] * gates + [(units, units)] * gates) * self.directions

    @property
    def weights(self) -> list[tuple[int, int]]:
        return [shape for layer in range(self.num_layers) for shape in self.of_layer(layer)]

    @property
    def biases(self) -> list[list[int]]:
        return [[self.num_units]] * (2 * GATES[self.mode] * self.directions * self.num_layers)

    @property
    def size(self) -> int:
        return sum(map(math.prod, self.weights)) + sum(map(math.prod, self.biases))

    def joined(self, weights: Sequence[Any], biases: Sequence[Any]) -> Tensor:
        """The vector of all of them."""
        return array.concat([array.reshape(x, [-1]) for x in [*weights, *biases]], 0)

    def parts(self, vector: Any) -> tuple[list[Tensor], list[Tensor]]:
        """The matrices and the biases that a vector holds."""
        shapes = [*self.weights, *self.biases]
        flat = array.split(vector, list(map(math.prod, shapes)), 0)
        made = [array.reshape(x, shape) for x, shape in zip(flat, shapes, strict=True)]
        return made[: len(self.weights)], made[len(self.weights) :]


class CudnnParamsFormatConverter:
    """Between the vector and the kernels and biases of cells; a subclass knows one kind of cell."""

    _rnn_mode = ""

    def __init__(
        self,
        num_layers: int,
        num_units: int,
        input_size: int,
        num_proj: int | None = None,
        input_mode: str = LINEAR_MODE,
        direction: str = UNIDIRECTION,
    ):
        check_direction(direction)
        check_input_mode(input_mode, input_size, num_units)
        if num_proj:
            raise NotImplementedError("Projections of what a layer gives out are not there.")
        self.layout = Layout(self._rnn_mode, num_layers, num_units, input_size, direction)

    def tf_canonical_to_opaque(self, tf_canonicals: Sequence[Any], weights_proj: Any = None) -> Tensor:
        """The vector of the kernels of all layers and directions, followed by their biases."""
        places = self.layout.num_layers * self.layout.directions
        half = len(tf_canonicals) // 2
        each = half // places
        weights, biases = [], []
        for place in range(places):
            at = slice(place * each, (place + 1) * each)
            weights += self._matrices(place // self.layout.directions, tf_canonicals[:half][at])
            biases += self._biases(tf_canonicals[half:][at])
        return self.layout.joined(weights, biases)

    def opaque_to_tf_canonical(self, opaque_param: Any) -> tuple[list[Tensor], list[Tensor]]:
        """(kernels, biases) of the cells of all layers and directions."""
        weights, biases = self.layout.parts(opaque_param)
        each = 2 * GATES[self._rnn_mode]
        kernels: list[Tensor] = []
        sums: list[Tensor] = []
        for place in range(self.layout.num_layers * self.layout.directions):
            at = slice(place * each, (place + 1) * each)
            kernels += self._kernels(weights[at])
            sums += self._sums(biases[at])
        return kernels, sums

    def _width(self, layer: int) -> int:
        return self.layout.of_layer(layer)[0][1]

    def _kernels(self, matrices: list[Any]) -> list[Tensor]:
        """A cell's kernels, of cuDNN's matrices."""
        raise NotImplementedError

    def _matrices(self, layer: int, kernels: Sequence[Any]) -> list[Tensor]:
        raise NotImplementedError

    def _sums(self, biases: list[Any]) -> list[Tensor]:
        """A cell's biases, of cuDNN's pairs."""
        raise NotImplementedError

    def _biases(self, sums: Sequence[Any]) -> list[Tensor]:
        raise NotImplementedError


class _OneKernel(CudnnParamsFormatConverter):
    """Cells with one kernel, [input and state, gates]; `_order` says which of cuDNN's gates the cell has first, second, ..."""

    _order: tuple[int, ...] = (0,)

    def _kernels(self, matrices: list[Any]) -> list[Tensor]:
        gates = len(self._order)
        rows = [array.concat([matrices[i], matrices[gates + i]], 1) for i in self._order]
        return [array.transpose(array.concat(rows, 0))]

    def _matrices(self, layer: int, kernels: Sequence[Any]) -> list[Tensor]:
        width, units = self._width(layer), self.layout.num_units
        gates = array.split(array.transpose(kernels[0]), len(self._order), 0)
        pairs = [array.split(gates[self._order.index(i)], [width, units], 1) for i in range(len(self._order))]
        return [*(p[0] for p in pairs), *(p[1] for p in pairs)]

    def _sums(self, biases: list[Any]) -> list[Tensor]:
        gates = len(self._order)
        return [array.concat([biases[i] + biases[gates + i] for i in self._order], 0)]

    def _biases(self, sums: Sequence[Any]) -> list[Tensor]:
        gates = array.split(sums[0], len(self._order), 0)
        return [gates[self._order.index(i)] * 0.5 for i in range(len(self._order))] * 2


class CudnnParamsFormatConverterLSTM(_OneKernel):
    """cuDNN's gates are i, f, j, o; a cell's i, j, f, o."""

    _rnn_mode, _order = LSTM, (0, 2, 1, 3)


class CudnnParamsFormatConverterTanh(_OneKernel):
    """Plain cells with tanh."""

    _rnn_mode = TANH


class CudnnParamsFormatConverterRelu(_OneKernel):
    """Plain cells that rectify."""

    _rnn_mode = RELU


class CudnnParamsFormatConverterGRU(CudnnParamsFormatConverter):
    """Gates r, u in one kernel; the candidate has one for the inputs and one for the state, and a bias for each."""

    _rnn_mode = GRU

    def _kernels(self, matrices: list[Any]) -> list[Tensor]:
        gates = [array.concat([matrices[i], matrices[3 + i]], 1) for i in (0, 1)]
        return [array.transpose(x) for x in (array.concat(gates, 0), matrices[2], matrices[5])]

    def _matrices(self, layer: int, kernels: Sequence[Any]) -> list[Tensor]:
        width, units = self._width(layer), self.layout.num_units
        gates, of_input, of_state = map(array.transpose, kernels)
        pairs = [array.split(gate, [width, units], 1) for gate in array.split(gates, 2, 0)]
        return [*(p[0] for p in pairs), of_input, *(p[1] for p in pairs), of_state]

    def _sums(self, biases: list[Any]) -> list[Tensor]:
        return [array.concat(biases[:2], 0) + array.concat(biases[3:5], 0), biases[2], biases[5]]

    def _biases(self, sums: Sequence[Any]) -> list[Tensor]:
        r, u = array.split(sums[0] * 0.5, 2, 0)
        return [r, u, sums[1], r, u, sums[2]]


CONVERTERS: dict[str, type[CudnnParamsFormatConverter]] = {
    c._rnn_mode: c
    for c in (
        CudnnParamsFormatConverterLSTM,
        CudnnParamsFormatConverterGRU,
        CudnnParamsFormatConverterRelu,
        CudnnParamsFormatConverterTanh,
    )
}
