"""Batch normalisation with the arguments and variables of tf.contrib."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope
from thalweg._src.contrib.layers.arguments import (
    add_variable_to_collections,
    check_format,
    collect_named_outputs,
    constant_value,
    model_variable_getter,
    smart_cond,
)
from thalweg._src.contrib.layers.normalization import parameter
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.layers.normalization import BatchNormalization
from thalweg._src.lib.moving_averages import assign_moving_average
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants, shaping
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.nets.batch_norm import fused_batch_norm
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import ones_initializer, zeros_initializer

PARAMETERS = ("moving_mean", "moving_variance", "beta", "gamma")


@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: Any = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Any = None,
    param_initializers: Any = None,
    param_regularizers: Any = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: bool | None = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_decay: Any = 0.99,
    adjustment: Any = None,
) -> Any:
    """Mean 0 and variance 1 of each channel over the batch, times gamma (with `scale`) plus beta.

    In training the averages move by ops in `updates_collections`, or, where that is None, before the outputs are there.
    Raises ValueError for unknown ranks and channels, and for renorm where the averages move in another way.
    """
    fused = True if fused is None else fused
    inputs = to_tensor(inputs)
    rank = inputs.get_shape().ndims
    own_updates = zero_debias_moving_mean or updates_collections is not GraphKeys.UPDATE_OPS
    possible = batch_weights is None and not renorm and rank in (2, 4) and adjustment is None
    facts = {
        "decay": decay,
        "center": center,
        "scale": scale,
        "epsilon": epsilon,
        "initializers": param_initializers,
        "regularizers": param_regularizers,
        "updates": updates_collections,
        "training": is_training,
        "collections": variables_collections,
        "trainable": trainable,
        "data_format": data_format,
        "zero_debias": zero_debias_moving_mean,
    }
    by_hand_fused = fused and possible and (own_updates or rank == 2)
    check_format(data_format, "NCHW", "NHWC")
    getter = None if by_hand_fused else model_variable_getter()
    with vs.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=getter) as sc:
        if by_hand_fused:
            outputs = _fused(inputs, **facts)
        elif batch_weights is None and not own_updates:
            layer = BatchNormalization(
                axis=1 if data_format == "NCHW" else -1,
                momentum=decay,
                epsilon=epsilon,
                center=center,
                scale=scale,
                **_of_layer(param_initializers, param_regularizers),
                trainable=trainable,
                renorm=renorm,
                renorm_clipping=renorm_clipping,
                renorm_momentum=renorm_decay,
                adjustment=adjustment,
                name=sc.name,
                _scope=sc,
                _reuse=reuse,
                fused=fused,
            )
            outputs = layer(inputs, training=is_training)
            for name in PARAMETERS:
                if getattr(layer, name) is not None:
                    add_variable_to_collections(getattr(layer, name), variables_collections, name)
        elif renorm:
            raise ValueError(
                "renorm is not supported with batch_weights, updates_collections or zero_debias_moving_mean"
            )
        else:
            outputs = _weighted(inputs, batch_weights, **facts)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, sc.name, outputs)


def _of_layer(initializers: Any, regularizers: Any) -> dict[str, Any]:
    initializers, regularizers = initializers or {}, regularizers or {}
    first = {"beta": zeros_initializer(), "gamma": ones_initializer()}
    first |= {"moving_mean": zeros_initializer(), "moving_variance": ones_initializer()}
    found = {f"{name}_initializer": initializers.get(name, default) for name, default in first.items()}
    return found | {f"{name}_regularizer": regularizers.get(name) for name in ("beta", "gamma")}


def _averages(shape: Any, dtype: Any, initializers: Any, collections: Any) -> tuple[Any, Any]:
    with vs.variable_scope(vs.get_variable_scope()) as scope:
        scope.set_partitioner(None)  # averages are never cut in parts
        return tuple(  # type: ignore[return-value]
            parameter(name, shape, dtype, initializers, collections, False) for name in PARAMETERS[:2]
        )


def _fused(inputs: Any, **f: Any) -> Any:
    """By the fused op, of rank 2 or 4, with updates of its own."""
    original, first = inputs, f["data_format"] == "NCHW"
    if inputs.get_shape().ndims == 2:
        channels = inputs.get_shape().as_list()[-1]
        if channels is None:
            raise ValueError("`C` dimension must be known but is None")
        inputs = shaping.reshape(inputs, [-1, channels, 1, 1] if first else [-1, 1, 1, channels])
    shape = inputs.get_shape()
    sizes = shape[1:2] if first else shape[-1:]
    if not sizes.is_fully_defined():
        raise ValueError(f"Inputs {inputs.name} has undefined `C` dimension {sizes}.")
    dtype = dtypes.float32  # also for halves, which lose too much

    def made(name: str, wanted: bool, otherwise: float) -> Any:
        if not wanted:
            return constants.constant(otherwise, dtype=dtype, shape=sizes)
        return parameter(name, sizes, dtype, f["initializers"], f["collections"], f["trainable"], f["regularizers"])

    beta, gamma = made("beta", f["center"], 0.0), made("gamma", f["scale"], 1.0)
    moving_mean, moving_variance = _averages(sizes, dtype, f["initializers"], f["collections"])
    how = {"epsilon": f["epsilon"], "data_format": f["data_format"]}

    def of_batch() -> Any:
        return fused_batch_norm(inputs, gamma, beta, **how)

    def of_averages() -> Any:
        return fused_batch_norm(
            inputs, gamma, beta, mean=moving_mean, variance=moving_variance, is_training=False, **how
        )

    outputs, mean, variance = smart_cond(f["training"], of_batch, of_averages)
    known = constant_value(f["training"])
    if known is None or known:
        averages = (moving_mean, moving_variance)
        if f["updates"] is None:
            outputs = smart_cond(
                f["training"],
                lambda y=outputs: _moved_first(averages, (mean, variance), f, [y])[0],
                lambda y=outputs: y,
            )
        else:
            _collect_moves(averages, (mean, variance), f)
    outputs.set_shape(shape)
    return shaping.reshape(outputs, shaping.shape(original)) if original.get_shape().ndims == 2 else outputs


def _move(averages: Any, batch: Any, f: Any) -> tuple[Any, Any]:
    mean = assign_moving_average(averages[0], batch[0], f["decay"], zero_debias=f["zero_debias"])
    return mean, assign_moving_average(averages[1], batch[1], f["decay"], zero_debias=False)


def _moved_first(averages: Any, batch: Any, f: Any, values: Any) -> list[Any]:
    """`values`, once the averages have moved."""
    with basic.control_dependencies(list(_move(averages, batch, f))):
        return [basic.identity(v) for v in values]


def _collect_moves(averages: Any, batch: Any, f: Any) -> None:
    for update in smart_cond(f["training"], lambda: _move(averages, batch, f), lambda: averages):
        scopes.add_to_collections(f["updates"], update)


def _weighted(inputs: Any, batch_weights: Any, **f: Any) -> Any:
    """By ops, with weights of the examples or updates of its own."""
    shape, rank, first = inputs.get_shape(), inputs.get_shape().ndims, f["data_format"] == "NCHW"
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    dtype = inputs.dtype.base_dtype
    if batch_weights is not None:
        batch_weights = to_tensor(batch_weights)
        shape[0:1].assert_is_compatible_with(batch_weights.get_shape())
        batch_weights = shaping.reshape(batch_weights, [-1, *[1] * (rank - 1)])
    axes = [0, *range(2, rank)] if first else list(range(rank - 1))
    sizes = shape[1:2] if first else shape[-1:]
    if not sizes.is_fully_defined():
        raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {sizes}.")

    def made(name: str, wanted: bool) -> Any:
        if not wanted:
            return None
        return parameter(name, sizes, dtype, f["initializers"], f["collections"], f["trainable"])

    beta, gamma = made("beta", f["center"]), made("gamma", f["scale"])
    averages = _averages(sizes, dtype, f["initializers"], f["collections"])
    known = constant_value(f["training"])
    mean, variance = averages
    if known is None or known:
        batch = _moments(inputs, axes, batch_weights, first)
        if f["updates"] is None:
            mean, variance = smart_cond(
                f["training"], lambda: tuple(_moved_first(averages, batch, f, batch)), lambda: averages
            )
        else:
            _collect_moves(averages, batch, f)
            mean, variance = smart_cond(f["training"], lambda: batch, lambda: averages)
    if first:
        beside = [1, shape.as_list()[1], *[1] * (rank - 2)]
        mean, variance = shaping.reshape(mean, beside), shaping.reshape(variance, beside)
        beta = None if beta is None else shaping.reshape(beta, beside)
        gamma = None if gamma is None else shaping.reshape(gamma, beside)
    outputs = normalization.batch_normalization(inputs, mean, variance, beta, gamma, f["epsilon"])
    outputs.set_shape(shape)
    return outputs


def _moments(inputs: Any, axes: list[int], weights: Any, first: bool) -> tuple[Any, Any]:
    if weights is None:
        found = normalization.moments(inputs, axes, keep_dims=first)
    else:
        found = normalization.weighted_moments(inputs, axes, weights, keepdims=first)
    return tuple(shaping.reshape(m, [-1]) for m in found) if first else tuple(found)  # type: ignore[return-value]
