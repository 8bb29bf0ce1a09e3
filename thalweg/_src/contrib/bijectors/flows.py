"""Normalizing flows: bijectors that are networks (Germain et al., 2015; Dinh et al., 2016; Papamakarios et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.contrib.bijectors.base import Bijector
from thalweg._src.core import scopes
from thalweg._src.lib.layers.core import Dense
from thalweg._src.lib.layers.normalization import BatchNormalization as BatchNormalizationLayer
from thalweg._src.ops import basic
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, normalization
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.stateful.initializers import glorot_normal_initializer
from thalweg._src.ops.stateful.template import make_template


def _moved(x: Any, shift: Any, log_scale: Any) -> Any:
    y = x if log_scale is None else x * elementwise.exp(log_scale)
    return y if shift is None else y + shift


def _moved_back(y: Any, shift: Any, log_scale: Any) -> Any:
    x = y if shift is None else y - shift
    return x if log_scale is None else x * elementwise.exp(-log_scale)


def _total(log_scale: Any, dtype: Any) -> Any:
    return array.constant(0.0, dtype) if log_scale is None else math.reduce_sum(log_scale, -1)


def _depth(x: Any) -> int:
    size = x.get_shape().with_rank_at_least(1).as_list()[-1]
    if size is None:
        raise NotImplementedError("Rightmost dimension must be known prior to graph execution.")
    return size


class MaskedAutoregressiveFlow(Bijector):
    """y_i = x_i exp(log_scale_i) + shift_i, both functions of y_0 ... y_{i-1} that `shift_and_log_scale_fn(y)` gives for all i.

    `inverse` takes one evaluation of that function, `forward` as many as a vector has elements; those are unrolled with
    `unroll_loop`. Either of the two results may be None.
    """

    def __init__(
        self,
        shift_and_log_scale_fn: Callable[..., Any],
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        unroll_loop: bool = False,
        name: str | None = None,
    ):
        name = name or "masked_autoregressive_flow"
        super().__init__(None, is_constant_jacobian, validate_args, forward_min_event_ndims=1, name=name)
        self._shift_and_log_scale_fn, self._unroll_loop = shift_and_log_scale_fn, unroll_loop

    def _forward(self, x: Any) -> Any:
        size = x.get_shape().with_rank_at_least(1).as_list()[-1]
        y = array.zeros_like(x)
        if self._unroll_loop:
            if size is None:
                raise ValueError(
                    "The final dimension of `x` must be known at graph construction time if `unroll_loop=True`. "
                    f"`x.shape: {x.get_shape()!r}`"
                )
            for _ in range(size):
                y = _moved(x, *self._shift_and_log_scale_fn(y))
            return y
        self._shift_and_log_scale_fn(y)  # variables are made outside of the loop
        turns = array.shape(x)[-1] if size is None else size
        return while_loop(
            lambda i, _: i < turns,
            lambda i, y: (i + 1, _moved(x, *self._shift_and_log_scale_fn(y))),
            (0, y),
            maximum_iterations=size,
        )[1]

    def _inverse(self, y: Any) -> Any:
        return _moved_back(y, *self._shift_and_log_scale_fn(y))

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -_total(self._shift_and_log_scale_fn(y)[1], y.dtype)


class RealNVP(Bijector):
    """The first `num_masked` elements of a vector stay; they say how the others are stretched and moved.

    `shift_and_log_scale_fn(those that stay, how many others there are)` gives (shift, log_scale), either of which may be None.
    """

    def __init__(
        self,
        num_masked: int,
        shift_and_log_scale_fn: Callable[..., Any],
        is_constant_jacobian: bool = False,
        validate_args: bool = False,
        name: str | None = None,
    ):
        if num_masked <= 0:
            raise ValueError("num_masked must be a positive integer.")
        super().__init__(None, is_constant_jacobian, validate_args, forward_min_event_ndims=1, name=name or "real_nvp")
        self._num_masked, self._shift_and_log_scale_fn = num_masked, shift_and_log_scale_fn

    def _halves(self, x: Any) -> tuple[Any, Any, tuple[Any, Any]]:
        depth = _depth(x)
        if self._num_masked >= depth:
            raise ValueError("Number of masked units must be smaller than the event size.")
        kept, others = x[..., : self._num_masked], x[..., self._num_masked :]
        return kept, others, self._shift_and_log_scale_fn(kept, depth - self._num_masked)

    def _forward(self, x: Any) -> Any:
        kept, others, how = self._halves(x)
        return array.concat([kept, _moved(others, *how)], -1)

    def _inverse(self, y: Any) -> Any:
        kept, others, how = self._halves(y)
        return array.concat([kept, _moved_back(others, *how)], -1)

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return _total(self._halves(x)[2][1], x.dtype)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -_total(self._halves(y)[2][1], y.dtype)


class BatchNormalization(Bijector):
    """The inverse of a batch normalization: `inverse` normalizes, in training by the statistics of the batch, whose averages the
    layer's `updates` move; `forward` goes back by these averages. ValueError for a layer that renormalizes or splits batches.
    """

    def __init__(
        self,
        batchnorm_layer: Any = None,
        training: bool = True,
        validate_args: bool = False,
        name: str = "batch_normalization",
    ):
        layer = batchnorm_layer or BatchNormalizationLayer(gamma_constraint=lambda g: activations.relu(g) + 1e-6)
        if not isinstance(layer, BatchNormalizationLayer):
            raise ValueError("batchnorm_layer must be an instance of BatchNormalization layer.")
        if layer.renorm:
            raise ValueError("BatchNorm Bijector does not support renormalization.")
        if layer.virtual_batch_size:
            raise ValueError("BatchNorm Bijector does not support virtual batch sizes.")
        self.batchnorm, self._training = layer, training
        least = 1 if isinstance(layer.axis, int) else len(layer.axis)
        super().__init__(None, False, validate_args, forward_min_event_ndims=least, name=name)

    def _axes(self, value: Any) -> list[int]:
        """The axes of the layer, from the left. Raises ValueError where the shape is not known."""
        if not value.get_shape().is_fully_defined():
            raise ValueError("Input must have shape known at graph construction.")
        rank = value.get_shape().ndims
        axis = self.batchnorm.axis
        return [a % rank for a in ([axis] if isinstance(axis, int) else axis)]

    def _build(self, value: Any) -> list[int]:
        axes = self._axes(value)
        if not self.batchnorm.built:
            self.batchnorm.build(value.get_shape())
            self.batchnorm.built = True
        return axes

    def _forward(self, x: Any) -> Any:
        axes = self._build(x)
        shape = [n if i in axes else 1 for i, n in enumerate(x.get_shape().as_list())]
        layer = self.batchnorm
        mean, variance = (array.reshape(v, shape) for v in (layer.moving_mean, layer.moving_variance))
        root = elementwise.sqrt(variance + layer.epsilon)
        if layer.scale:
            root = root / array.reshape(layer.gamma, shape)
        return (x - array.reshape(layer.beta, shape) if layer.center else x) * root + mean

    def _inverse(self, y: Any) -> Any:
        return self.batchnorm.apply(y, training=self._training)

    def _log_det(self, variance: Any) -> Any:
        """That of normalizing by `variance`."""
        stretched = -0.5 * math.reduce_sum(elementwise.log(variance + self.batchnorm.epsilon))
        if not self.batchnorm.scale:
            return stretched
        return math.reduce_sum(elementwise.log(self.batchnorm.gamma)) + stretched

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        self._build(x)
        return -self._log_det(self.batchnorm.moving_variance)

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        axes = self._build(y)
        if not self._training:
            return self._log_det(self.batchnorm.moving_variance)
        others = [i for i in range(y.get_shape().ndims) if i not in axes]
        return self._log_det(normalization.moments(y, others, keep_dims=True)[1])


# -- networks for the flows


def _mask(blocks: int, inputs: int, units: int, exclusive: bool) -> np.ndarray:
    """[inputs, units], 1 where a unit may see an input: those of its own block (not if `exclusive`) and of the blocks before."""
    mask = np.zeros((inputs, units), np.float32)
    wide, high = inputs // blocks, units // blocks
    for block in range(blocks):
        mask[block * wide : (block + 1) * wide, (block + exclusive) * high :] = 1.0
    return mask


def masked_dense(
    inputs: Any,
    units: int,
    num_blocks: int | None = None,
    exclusive: bool = False,
    kernel_initializer: Any = None,
    reuse: bool | None = None,
    name: str | None = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """A tf.layers.dense whose kernel is masked: inputs and units are `num_blocks` blocks each, and a unit sees what lies before it.

    Its own block too unless `exclusive`. NotImplementedError where the last size is unknown.
    """
    depth = _depth(inputs)
    mask = _mask(depth if num_blocks is None else num_blocks, depth, units, exclusive)
    kernel_initializer = kernel_initializer or glorot_normal_initializer()

    def masked(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return mask * kernel_initializer(shape, dtype, partition_info)

    with scopes.name_scope(name, "masked_dense", [inputs]):
        layer = Dense(
            units,
            *args,
            kernel_initializer=masked,
            kernel_constraint=lambda kernel: mask * kernel,
            name=name,
            dtype=inputs.dtype.base_dtype,
            _scope=name,
            _reuse=reuse,
            **kwargs,
        )
        return layer.apply(inputs)


def masked_autoregressive_default_template(
    hidden_layers: Sequence[int],
    shift_only: bool = False,
    activation: Any = activations.relu,
    log_scale_min_clip: Any = -5.0,
    log_scale_max_clip: Any = 3.0,
    log_scale_clip_gradient: bool = False,
    name: str | None = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """MADE (Germain et al., 2015), for a MaskedAutoregressiveFlow: a template of masked layers that gives (shift, log_scale).

    `log_scale` is kept between the two bounds; its gradient passes there unless `log_scale_clip_gradient`. With `shift_only` it
    is None. The other arguments are those of tf.layers.dense.
    """

    def network(x: Any) -> Any:
        depth, shape = _depth(x), x.get_shape()
        sizes = shape.as_list() if shape.is_fully_defined() else array.shape(x)
        for i, units in enumerate(hidden_layers):
            x = masked_dense(x, units, depth, i == 0, None, None, None, *args, activation=activation, **kwargs)
        outputs = (1 if shift_only else 2) * depth
        x = masked_dense(x, outputs, depth, False, None, None, None, *args, activation=None, **kwargs)
        if shift_only:
            return array.reshape(x, sizes), None
        x = array.reshape(x, array.concat([sizes, [2]], 0))
        shift, log_scale = array.unstack(x, 2, -1)
        clipped = math.clip_by_value(log_scale, log_scale_min_clip, log_scale_max_clip)
        if log_scale_clip_gradient:
            return shift, clipped
        return shift, log_scale + basic.stop_gradient(clipped - log_scale)

    return make_template(name or "masked_autoregressive_default_template", network)


def real_nvp_default_template(
    hidden_layers: Sequence[int],
    shift_only: bool = False,
    activation: Any = activations.relu,
    name: str | None = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """A template of dense layers that gives (shift, log_scale) for RealNVP; with `shift_only`, log_scale is None.

    The other arguments are those of tf.layers.dense.
    """

    def network(x: Any, output_units: int) -> Any:
        for units in hidden_layers:
            x = Dense(units, activation, *args, **kwargs).apply(x)
        x = Dense((1 if shift_only else 2) * output_units, None, *args, **kwargs).apply(x)
        if shift_only:
            return x, None
        shift, log_scale = array.split(x, 2, axis=-1)
        return shift, log_scale

    with scopes.name_scope(name, "real_nvp_default_template"):
        return make_template("real_nvp_default_template", network)
