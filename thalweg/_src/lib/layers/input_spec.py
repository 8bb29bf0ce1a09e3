"""What a layer demands of its inputs: rank, dtype, sizes of some axes."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest


class InputSpec:
    """The rank, dtype and sizes that an input must have.

    `shape` has None for free sizes and implies the rank; `axes` maps an axis to its size. Raises TypeError for axes that are no
    integers, ValueError for an axis beyond the rank.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Any = None,
    ):
        self.dtype = dtypes.as_dtype(dtype).name if dtype is not None else None
        self.shape, self.ndim = shape, ndim if shape is None else len(shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        try:
            self.axes = {int(k): v for k, v in dict(axes or {}).items()}
        except (ValueError, TypeError):
            raise TypeError("The keys in axes must be integers.") from None
        if self.axes and (self.ndim is not None or max_ndim is not None):
            largest = (self.ndim or max_ndim or 0) - 1
            if max(self.axes) > largest:
                raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {largest}")

    def __repr__(self) -> str:
        facts = ((k, getattr(self, k)) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes"))
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in facts if v)})"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal spec."""
        return {k: getattr(self, k) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        return cls(**config)


def assert_input_compatibility(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Raises ValueError for inputs that are not as the (nested) specs say."""
    if not input_spec:
        return
    tensors, specs = nest.flatten(inputs), nest.flatten(input_spec)
    if len(tensors) != len(specs):
        raise ValueError(
            f"Layer {layer_name} expects {len(specs)} inputs, but it received {len(tensors)} input tensors. "
            f"Inputs received: {tensors}"
        )
    for i, (x, spec) in enumerate(zip(tensors, specs, strict=True)):
        if spec is not None:
            _check(x, spec, f"Input {i} of layer {layer_name} is incompatible with the layer", i, layer_name)


def _check(x: Any, spec: InputSpec, where: str, index: int, layer_name: str) -> None:
    dims = x.shape.as_list() if x.shape.ndims is not None else None
    if dims is None and not (spec.ndim is spec.min_ndim is spec.max_ndim is None):
        raise ValueError(f"{where}: its rank is undefined, but the layer requires a defined rank.")
    rank = len(dims) if dims is not None else 0
    if spec.ndim is not None and rank != spec.ndim:
        raise ValueError(f"{where}: expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {dims}")
    if spec.max_ndim is not None and rank > spec.max_ndim:
        raise ValueError(f"{where}: expected max_ndim={spec.max_ndim}, found ndim={rank}")
    if spec.min_ndim is not None and rank < spec.min_ndim:
        raise ValueError(
            f"{where}: : expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: {dims}"
        )
    if spec.dtype is not None and x.dtype != spec.dtype:
        raise ValueError(f"{where}: expected dtype={spec.dtype}, found dtype={x.dtype}")
    if dims is None:
        return
    for axis, size in spec.axes.items():
        size = getattr(size, "value", size)
        if size is not None and dims[axis] not in (size, None):
            raise ValueError(
                f"{where}: expected axis {axis} of input shape to have value {size} but received input with shape {dims}"
            )
    if spec.shape is not None:
        for wanted, found in zip(spec.shape, dims, strict=False):
            if wanted is not None and found is not None and wanted != found:
                raise ValueError(
                    f"Input {index} is incompatible with layer {layer_name}: expected shape={spec.shape}, found shape={dims}"
                )
