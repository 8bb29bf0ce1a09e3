"""Datasets whose elements lie on a device before a step asks for them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core.dtypes import variant
from thalweg._src.core.lazy import jax
from thalweg._src.ops.data.passing import Same
from thalweg._src.ops.data.pipeline import SHAPES, TYPES, Data, Run, data_of, dataset, made


class OnDevice(Same):
    """The elements, their numbers copied to a device; strings and objects stay on the host. A copy goes on while the next is made."""

    def __init__(self, source: Data, device: Any):
        super().__init__(source)
        self.device = device

    def iterate(self, run: Run) -> Iterator[tuple]:
        return map(self._put, super().iterate(run))

    def _put(self, element: tuple) -> tuple:
        with jax.enable_x64(True):
            return tuple([self._put_one(x) for x in element])

    def _put_one(self, x: Any) -> Any:
        if isinstance(x, np.ndarray | np.generic) and x.dtype != object:
            return jax.device_put(x, self.device)
        return x


@dataset("_OnDeviceDataset")
def on_device_dataset(input_dataset: variant, *, output_types: TYPES, output_shapes: SHAPES, ctx) -> variant:
    """The elements, on the device that this operation is placed on."""
    return made(OnDevice(data_of(input_dataset), ctx.device), output_types, output_shapes)
