"""tensorflow.python.ops.rnn_cell_impl and its names in 1.0 and 1.1: the cells, and what cells of one's own take from there."""

from typing import Any

from thalweg._src.lib.rnn.basic import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, LSTMStateTuple
from thalweg._src.lib.rnn.cell import (
    LayerRNNCell,
    RNNCell,
    assert_like_rnncell,
    joined_shape,
    joined_sizes,
    zeros_of,
)
from thalweg._src.lib.rnn.linear import (
    EmbeddingWrapper,
    InputProjectionWrapper,
    Linear,
    OutputProjectionWrapper,
    linear,
)
from thalweg._src.lib.rnn.wrappers import DeviceWrapper, DropoutWrapper, MultiRNNCell, ResidualWrapper

ASSERT_LIKE_RNNCELL_ERROR_REGEXP = "is not an RNNCell"
_BIAS_VARIABLE_NAME = "bias"
_WEIGHTS_VARIABLE_NAME = "kernel"
_zero_state_tensors = zeros_of
_linear = linear
_Linear = Linear


def _concat(prefix: Any, suffix: Any, static: bool = False) -> Any:
    """The shape vector of a batch of things; with `static`, what is known of it."""
    if not static:
        return joined_shape(prefix, suffix)
    known = joined_sizes(prefix, suffix)
    return None if known.ndims is None else known.as_list()


def _like_rnncell(cell: Any) -> bool:
    """Whether `cell` has what a cell has."""
    try:
        assert_like_rnncell("cell", cell)
    except TypeError:
        return False
    return True


__all__ = [
    *("ASSERT_LIKE_RNNCELL_ERROR_REGEXP", "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper"),
    *("EmbeddingWrapper", "GRUCell", "InputProjectionWrapper", "LSTMCell", "LSTMStateTuple", "LayerRNNCell"),
    *("MultiRNNCell", "OutputProjectionWrapper", "RNNCell", "ResidualWrapper", "assert_like_rnncell"),
]
