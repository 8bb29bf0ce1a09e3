"""Maxima and means of windows, as layers."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.lib.layers.arguments import (
    as_function,
    conv_output_length,
    convert_data_format,
    normalize_data_format,
    normalize_padding,
    normalize_tuple,
)
from thalweg._src.lib.layers.base import InputSpec
from thalweg._src.lib.layers.core import Described
from thalweg._src.ops.arrays import shaping, transposing
from thalweg._src.ops.nets import pooling_api


class Pooling(Described):
    """What all pools share: `rank` spatial dimensions, `pool` from nn."""

    rank = 2
    pool: Any = None

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        name: Any = None,
        **kwargs: Any,
    ):
        if strides is None:
            raise ValueError("Argument `strides` must not be None.")
        super().__init__(name=name, **kwargs)
        self.pool_size = normalize_tuple(pool_size, self.rank, "pool_size")
        self.strides = normalize_tuple(strides, self.rank, "strides")
        self.padding = normalize_padding(padding)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = as_shape(input_shape).as_list()
        start = 2 if self._first else 1
        for i in range(self.rank):
            sizes[start + i] = conv_output_length(sizes[start + i], self.pool_size[i], self.padding, self.strides[i])
        return TensorShape(sizes)

    def _pooled(self, inputs: Any, size: tuple[int, ...], strides: tuple[int, ...], data_format: str) -> Any:
        first = data_format.startswith("NC")
        return type(self).pool(
            inputs,
            ksize=(1, 1, *size) if first else (1, *size, 1),
            strides=(1, 1, *strides) if first else (1, *strides, 1),
            padding=self.padding.upper(),
            data_format=data_format,
        )


class _Pooling1D(Pooling):
    rank = 1

    def call(self, inputs: Any) -> Any:
        axis = 3 if self._first else 2
        images = shaping.expand_dims(inputs, axis)
        form = convert_data_format(self.data_format, 4)
        return shaping.squeeze(self._pooled(images, (*self.pool_size, 1), (*self.strides, 1), form), axis)


class _Pooling2D(Pooling):
    def call(self, inputs: Any) -> Any:
        return self._pooled(inputs, self.pool_size, self.strides, convert_data_format(self.data_format, 4))


class _Pooling3D(Pooling):
    rank = 3

    def call(self, inputs: Any) -> Any:
        if self._first:
            inputs = transposing.transpose(inputs, (0, 2, 3, 4, 1))
        outputs = self._pooled(inputs, self.pool_size, self.strides, "NDHWC")
        return transposing.transpose(outputs, (0, 4, 1, 2, 3)) if self._first else outputs


class AveragePooling1D(_Pooling1D):
    """The mean of every window of signals [batch, length, channels]."""

    pool = staticmethod(pooling_api.avg_pool)


class MaxPooling1D(_Pooling1D):
    """The maximum of every window of signals [batch, length, channels]."""

    pool = staticmethod(pooling_api.max_pool)


class AveragePooling2D(_Pooling2D):
    """The mean of every window of images [batch, height, width, channels]."""

    pool = staticmethod(pooling_api.avg_pool)


class MaxPooling2D(_Pooling2D):
    """The maximum of every window of images [batch, height, width, channels]."""

    pool = staticmethod(pooling_api.max_pool)


class AveragePooling3D(_Pooling3D):
    """The mean of every window of volumes [batch, depth, height, width, channels]."""

    pool = staticmethod(pooling_api.avg_pool3d)


class MaxPooling3D(_Pooling3D):
    """The maximum of every window of volumes [batch, depth, height, width, channels]."""

    pool = staticmethod(pooling_api.max_pool3d)


average_pooling1d = as_function(AveragePooling1D, "The mean of every window of signals.", reuse=False)
max_pooling1d = as_function(MaxPooling1D, "The maximum of every window of signals.", reuse=False)
average_pooling2d = as_function(AveragePooling2D, "The mean of every window of images.", reuse=False)
max_pooling2d = as_function(MaxPooling2D, "The maximum of every window of images.", reuse=False)
average_pooling3d = as_function(AveragePooling3D, "The mean of every window of volumes.", reuse=False)
max_pooling3d = as_function(MaxPooling3D, "The maximum of every window of volumes.", reuse=False)
