"""tensorflow.python.layers.convolutional: the class below all convolutions, which programs make layers of their own from."""

from typing import Any

from thalweg._src.lib.layers.convolutional import ConvolutionLayer


class _Conv(ConvolutionLayer):
    """A convolution over `rank` dimensions, as until 1.8."""

    def __init__(self, rank: int, *args: Any, **kwargs: Any):
        self.rank = rank
        super().__init__(*args, **kwargs)
