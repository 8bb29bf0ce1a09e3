"""Normalisation with the variables of tf.contrib: of batches, layers, instances and groups."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.contrib.layers.arguments import check_format, collect_named_outputs, get_variable_collections
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.ops.arrays import shaping
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import ones_initializer, zeros_initializer

_FIRST = {
    "beta": zeros_initializer,
    "gamma": ones_initializer,
    "moving_mean": zeros_initializer,
    "moving_variance": ones_initializer,
}


def parameter(
    name: str,
    shape: Any,
    dtype: Any,
    initializers: dict[str, Any] | None,
    collections: Any,
    trainable: bool,
    regularizers: dict[str, Any] | None = None,
) -> Any:
    """beta, gamma, moving_mean or moving_variance."""
    return model_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=(initializers or {}).get(name) or _FIRST[name](),
        regularizer=(regularizers or {}).get(name),
        collections=get_variable_collections(collections, name),
        trainable=trainable,
    )


@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> Any:
    """Mean 0 and variance 1 over the axes from `begin_norm_axis` on, times gamma plus beta (Ba et al. 2016).

    Raises ValueError where the rank or the sizes from `begin_params_axis` on are unknown, or an axis is out of range.
    """
    with vs.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as sc:
        inputs = to_tensor(inputs)
        shape, rank = inputs.shape, inputs.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        dtype = inputs.dtype.base_dtype
        if begin_norm_axis < 0:
            begin_norm_axis += rank
        if begin_params_axis >= rank or begin_norm_axis >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({begin_norm_axis}) must be < rank(inputs) ({rank})"
            )
        sizes = shape[begin_params_axis:]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: {shape}")
        beta = gamma = None
        if center:
            beta = parameter("beta", sizes, dtype, None, variables_collections, trainable)
        if scale:
            gamma = parameter("gamma", sizes, dtype, None, variables_collections, trainable)
        mean, variance = normalization.moments(inputs, list(range(begin_norm_axis, rank)), keep_dims=True)
        epsilon = 1e-12 if dtype != dtypes.float16 else 1e-3  # what the type can tell from 0
        outputs = normalization.batch_normalization(
            inputs, mean, variance, offset=beta, scale=gamma, variance_epsilon=epsilon
        )
        outputs.set_shape(shape)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, sc.name, outputs)


@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Mean 0 and variance 1 of each channel of each image, times gamma plus beta (Ulyanov et al. 2016).

    Raises ValueError where the rank or the number of channels is unknown.
    """
    inputs = to_tensor(inputs)
    shape, rank = inputs.shape, inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    check_format(data_format, "NCHW", "NHWC")
    with vs.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as sc:
        axis = 1 if data_format == "NCHW" else rank - 1
        beside = [1, shape.as_list()[1], *[1] * (rank - 2)] if axis == 1 else None
        sizes = shape[axis : axis + 1]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {sizes}.")

        def made(name: str, wanted: bool) -> Any:
            if not wanted:
                return None
            v = parameter(name, sizes, inputs.dtype.base_dtype, param_initializers, variables_collections, trainable)
            return shaping.reshape(v, beside) if beside else v

        beta, gamma = made("beta", center), made("gamma", scale)
        axes = [i for i in range(rank) if i not in (0, axis)]
        mean, variance = normalization.moments(inputs, axes, keep_dims=True)
        outputs = normalization.batch_normalization(inputs, mean, variance, beta, gamma, epsilon, name="instancenorm")
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, sc.name, outputs)


def _group_axes(inputs: Any, groups: int, channels_axis: int, reduction_axes: Any) -> tuple[int, int, list[int]]:
    """(axis of the channels, their number, the axes to reduce), checked."""
    rank, sizes = inputs.shape.ndims, inputs.shape.as_list()
    if channels_axis > rank - 1:
        raise ValueError("Axis is out of bounds.")
    channels_axis %= rank
    channels = sizes[channels_axis]
    if channels is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channel dimension: {channels_axis}.")
    axes = [a + rank if a < 0 else a for a in reduction_axes]
    for a in axes:
        if a > rank:
            raise ValueError("Axis is out of bounds.")
        if sizes[a] is None:
            raise ValueError(f"Inputs {inputs.name} has undefined dimensions {a}.")
        if a == channels_axis:
            raise ValueError("reduction_axis must be mutually exclusive with channels_axis")
    if groups > channels:
        raise ValueError(f"Invalid groups {groups} for {channels} channels.")
    if channels % groups:
        raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")
    return channels_axis, channels, axes


@add_arg_scope
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Any = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    param_initializers: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    mean_close_to_zero: bool = False,
) -> Any:
    """Mean 0 and variance 1 of each group of channels of each image, times gamma plus beta (Wu and He 2018).

    Raises ValueError where channels don't divide into the groups, and for axes that are unknown or out of range.
    """
    inputs = to_tensor(inputs)
    if inputs.shape.ndims is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    axis, channels, reduced = _group_axes(inputs, groups, channels_axis, reduction_axes)
    dynamic = shaping.shape(inputs)
    sizes = [dynamic[i] if n is None else n for i, n in enumerate(inputs.shape.as_list())]
    before, after = sizes[:axis], sizes[axis + 1 :]
    parts = [groups, channels // groups]
    beside = [*[1] * len(before), *parts, *[1] * len(after)]
    inputs = shaping.reshape(inputs, [*before, *parts, *after])
    axes = [axis + 1, *(a + 1 if a > axis else a for a in reduced)]
    with vs.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as sc:

        def made(name: str, wanted: bool) -> Any:
            if not wanted:
                return None
            dtype = inputs.dtype.base_dtype
            v = parameter(name, [channels], dtype, param_initializers, variables_collections, trainable)
            return shaping.reshape(v, beside)

        beta, gamma = made("beta", center), made("gamma", scale)
        if mean_close_to_zero:  # one pass, which is more exact there
            counts, mean_sum, variance_sum, _ = normalization.sufficient_statistics(inputs, axes, keep_dims=True)
            mean, variance = normalization.normalize_moments(counts, mean_sum, variance_sum, shift=None)
        else:
            mean, variance = normalization.moments(inputs, axes, keep_dims=True)
        gain = elementwise.rsqrt(variance + epsilon)
        offset = -mean * gain
        if gamma is not None:
            gain, offset = gain * gamma, offset * gamma
        if beta is not None:
            offset = offset + beta
        outputs = shaping.reshape(inputs * gain + offset, sizes)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, sc.name, outputs)
