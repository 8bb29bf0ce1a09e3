"""Batch normalisation (Ioffe & Szegedy 2015), also in virtual batches, and batch renormalisation (Ioffe 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.shapes import as_shape
from thalweg._src.lib.layers import by_name
from thalweg._src.lib.layers.base import InputSpec
from thalweg._src.lib.layers.core import Described
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants, shaping
from thalweg._src.ops.control.control_flow import smart_cond, smart_constant_value
from thalweg._src.ops.nets import activations, normalization
from thalweg._src.ops.nets.batch_norm import fused_batch_norm
from thalweg._src.ops.numeric import arithmetic, elementwise, reduce
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.stateful import assigning
from thalweg._src.ops.stateful.initializers import ones_initializer, zeros_initializer
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization
from thalweg._src.ops.stateful.variables import Variable


class BatchNormalization(Described):
    """Inputs with mean 0 and variance 1 over all axes but `axis`, times gamma plus beta.

    In training the statistics are the batch's own, and `updates` move the averages towards them; otherwise the averages are
    used. `renorm` corrects towards the averages in training too, within `renorm_clipping`. `virtual_batch_size` normalises
    parts of the batch, each by itself. `adjustment` is a function of the shape that gives (scale, bias) for training.
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: Any = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = zeros_initializer(),
        gamma_initializer: Any = ones_initializer(),
        moving_mean_initializer: Any = zeros_initializer(),
        moving_variance_initializer: Any = ones_initializer(),
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: Any = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(trainable=trainable, name=name, **kwargs)
        if not isinstance(axis, int | list):
            raise TypeError(f"axis must be int or list, type given: {type(axis)}")
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self.beta_initializer = by_name.initializer(beta_initializer)
        self.gamma_initializer = by_name.initializer(gamma_initializer)
        self.moving_mean_initializer = by_name.initializer(moving_mean_initializer)
        self.moving_variance_initializer = by_name.initializer(moving_variance_initializer)
        self.beta_regularizer = by_name.regularizer(beta_regularizer)
        self.gamma_regularizer = by_name.regularizer(gamma_regularizer)
        self.beta_constraint = by_name.constraint(beta_constraint)
        self.gamma_constraint = by_name.constraint(gamma_constraint)
        self.renorm, self.renorm_momentum = renorm, renorm_momentum
        self.renorm_clipping = renorm_clipping or {}
        self.fused = True if fused is None else fused
        self.virtual_batch_size, self.adjustment = virtual_batch_size, adjustment
        self.supports_masking = True
        if renorm and set(self.renorm_clipping) - {"rmax", "rmin", "dmax"}:
            raise ValueError(f"renorm_clipping {renorm_clipping} contains keys not in {['rmax', 'rmin', 'dmax']}")

    # -- variables

    @property
    def _param_dtype(self) -> Any:
        """Halves have statistics of floats."""
        dtype = dtypes.as_dtype(self.dtype or dtypes.float32)
        return dtypes.float32 if dtype in (dtypes.float16, dtypes.bfloat16) else dtype

    def _axes(self, rank: int) -> list[int]:
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        axes = [x + rank if x < 0 else x for x in axes]
        for x in axes:
            if not 0 <= x < rank:
                raise ValueError(f"Invalid axis: {x}")
        if len(axes) != len(set(axes)):
            raise ValueError(f"Duplicate axis: {axes}")
        return axes

    def _check_virtual(self) -> None:
        if self.virtual_batch_size is None:
            return
        if self.virtual_batch_size <= 0:
            raise ValueError(
                "virtual_batch_size must be a positive integer that divides the true batch size of the input Tensor"
            )
        if 0 in self.axis:
            raise ValueError(
                "When using virtual_batch_size, the batch dimension must be 0 and thus axis cannot include 0"
            )
        if self.adjustment is not None:
            raise ValueError("When using virtual_batch_size, adjustment cannot be specified")

    def build(self, input_shape: Any) -> None:
        shape = as_shape(input_shape)
        if not shape.ndims:
            raise ValueError("Input has undefined rank:", shape)
        rank = shape.ndims
        self.axis = self._axes(rank)
        self._check_virtual()
        plain = not self.renorm and self.virtual_batch_size is None and self.adjustment is None
        self.fused = bool(self.fused and rank == 4 and plain and self.axis in ([1], [3]))
        self._data_format = "NCHW" if self.axis == [1] else "NHWC"
        sizes = {x: shape.as_list()[x] for x in self.axis}
        if None in sizes.values():
            raise ValueError("Input has undefined `axis` dimension. Input shape: ", shape)
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        if len(sizes) == 1 and self.virtual_batch_size is None:
            parameters = [sizes[self.axis[0]]]
        else:
            parameters = [sizes.get(i, 1) for i in range(rank)]
            if self.virtual_batch_size is not None:
                parameters.insert(1, 1)
                self.axis = [x + 1 for x in self.axis]
        self._add_weights(parameters)
        self.built = True

    def _add_weights(self, shape: list[int]) -> None:
        self.gamma = self._parameter("gamma", shape, self.scale, 1.0)
        self.beta = self._parameter("beta", shape, self.center, 0.0)
        partitioner = self._scope.partitioner if self._scope else None
        if self._scope:  # averages are never cut in parts
            self._scope.set_partitioner(None)
        try:
            self._add_averages(shape)
        finally:
            if self._scope and partitioner:
                self._scope.set_partitioner(partitioner)

    def _parameter(self, name: str, shape: list[int], wanted: bool, otherwise: float) -> Any:
        if not wanted:
            if self.fused:
                setattr(self, f"_{name}_const", constants.constant(otherwise, dtype=self._param_dtype, shape=shape))
            return None
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=self._param_dtype,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
            trainable=True,
        )

    def _average(self, name: str, shape: list[int], initializer: Any) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=self._param_dtype,
            initializer=initializer,
            synchronization=VariableSynchronization.ON_READ,
            trainable=False,
            aggregation=VariableAggregation.MEAN,
        )

    def _add_averages(self, shape: list[int]) -> None:
        self.moving_mean = self._average("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._average("moving_variance", shape, self.moving_variance_initializer)
        if not self.renorm:
            return

        def root(*args: Any, **kwargs: Any) -> Any:
            return elementwise.sqrt(self.moving_variance_initializer(*args, **kwargs))

        self.moving_stddev = self._average("moving_stddev", shape, root)
        self.renorm_mean = self._average("renorm_mean", shape, self.moving_mean_initializer)
        self.renorm_stddev = self._average("renorm_stddev", shape, root)

    # -- averages

    def _move(self, variable: Any, value: Any, momentum: Any) -> Any:
        with scopes.name_scope("AssignMovingAvg") as scope, scopes.colocate_with(variable):
            rest = to_tensor(1.0 - momentum, name="decay")
            if rest.dtype != variable.dtype.base_dtype:
                rest = cast(rest, variable.dtype.base_dtype)
            delta = (variable - cast(value, variable.dtype.base_dtype)) * rest
            return assigning.assign_sub(variable, delta, name=scope)

    def _set_variance(self, variance: Any, momentum: Any) -> Any:
        """With renorm the standard deviation is what moves; the variance follows it."""
        stddev = self._move(self.moving_stddev, elementwise.sqrt(variance + self.epsilon), momentum)
        value = activations.relu(stddev * stddev - self.epsilon)
        with scopes.name_scope("AssignNewValue") as scope, scopes.colocate_with(self.moving_variance):
            return assigning.assign(self.moving_variance, value, name=scope)

    # -- calling

    def call(self, inputs: Any, training: Any = False) -> Any:
        training = False if training is None else training
        if self.fused:
            return self._fused(inputs, training)
        if self.virtual_batch_size is None:
            return self._composed(inputs, training)
        sizes = [-1, *inputs.shape.as_list()[1:]]
        parts = shaping.reshape(inputs, [self.virtual_batch_size, -1, *sizes[1:]])
        return shaping.reshape(self._composed(parts, training), sizes)

    def _fused(self, inputs: Any, training: Any) -> Any:
        beta = self.beta if self.center else self._beta_const
        gamma = self.gamma if self.scale else self._gamma_const

        def in_training() -> Any:
            return fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon, data_format=self._data_format)

        def in_inference() -> Any:
            return fused_batch_norm(
                inputs,
                gamma,
                beta,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=False,
                data_format=self._data_format,
            )

        output, mean, variance = smart_cond(training, in_training, in_inference)
        known = _known(training)
        if known is None:
            momentum = smart_cond(training, lambda: self.momentum, lambda: 1.0)
        else:
            momentum = to_tensor(self.momentum)
        if known is not False:
            self.add_update(lambda: self._move(self.moving_mean, mean, momentum))
            self.add_update(lambda: self._move(self.moving_variance, variance, momentum))
        return output

    def _composed(self, inputs: Any, training: Any) -> Any:
        rank = inputs.shape.ndims
        reduced = [i for i in range(rank) if i not in self.axis]
        if self.virtual_batch_size is not None:
            del reduced[1]  # each virtual batch by itself
        beside = [1] * rank
        beside[self.axis[0]] = inputs.shape.as_list()[self.axis[0]]

        def spread(v: Any) -> Any:
            if v is None or v.shape.ndims == rank or reduced == list(range(rank - 1)):
                return v
            return shaping.reshape(v, beside)

        scale, offset = spread(self.gamma), spread(self.beta)
        if _known(training) is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            if self.adjustment:
                scale, offset = self._adjusted(inputs, training, scale, offset)
            mean, variance, new_mean, new_variance = self._statistics(inputs, training, reduced)
            if self.renorm:
                r, d, new_mean, new_variance = self._renormed(new_mean, new_variance, training)
                r = spread(basic.stop_gradient(r, name="renorm_r"))
                d = spread(basic.stop_gradient(d, name="renorm_d"))
                scale, offset = _composed_transforms(r, d, scale, offset)
            self._add_updates(new_mean, new_variance, training)
        mean, variance = cast(mean, inputs.dtype), cast(variance, inputs.dtype)
        offset = None if offset is None else cast(offset, inputs.dtype)
        scale = None if scale is None else cast(scale, inputs.dtype)
        outputs = normalization.batch_normalization(inputs, spread(mean), spread(variance), offset, scale, self.epsilon)
        outputs.set_shape(inputs.shape)
        return outputs

    def _adjusted(self, inputs: Any, training: Any, scale: Any, offset: Any) -> tuple[Any, Any]:
        by, plus = self.adjustment(shaping.shape(inputs))
        by_ = smart_cond(training, lambda: by, lambda: constants.ones_like(by))
        plus_ = smart_cond(training, lambda: plus, lambda: constants.zeros_like(plus))
        return _composed_transforms(by_, plus_, scale, offset)

    def _statistics(self, inputs: Any, training: Any, axes: list[int]) -> tuple[Any, Any, Any, Any]:
        """The mean and variance to use, then those to average."""
        keep = self.virtual_batch_size is not None or len(self.axis) > 1
        mean, variance = normalization.moments(cast(inputs, self._param_dtype), axes, keep_dims=keep)
        mean = smart_cond(training, lambda m=mean: m, lambda: to_tensor(self.moving_mean))
        variance = smart_cond(training, lambda v=variance: v, lambda: to_tensor(self.moving_variance))
        if self.virtual_batch_size is None:
            return mean, variance, mean, variance
        new_mean = reduce.reduce_mean(mean, axis=1, keepdims=True)
        return mean, variance, new_mean, reduce.reduce_mean(variance, axis=1, keepdims=True)

    def _add_updates(self, mean: Any, variance: Any, training: Any) -> None:
        def new_variance() -> Any:
            if self.renorm:
                return self._set_variance(variance, self.momentum)
            return self._move(self.moving_variance, variance, self.momentum)

        def move_mean() -> Any:
            return smart_cond(
                training, lambda: self._move(self.moving_mean, mean, self.momentum), lambda: self.moving_mean
            )

        self.add_update(move_mean)
        self.add_update(lambda: smart_cond(training, new_variance, lambda: self.moving_variance))

    def _renormed(self, mean: Any, variance: Any, training: Any) -> tuple[Any, Any, Any, Any]:
        """(r, d) of the correction x -> x r + d, and the statistics, once the averages of renorm have moved."""
        stddev = elementwise.sqrt(variance + self.epsilon)
        least = elementwise.sqrt(np.asarray(self.epsilon, self._param_dtype.as_numpy_dtype))
        renorm_stddev = arithmetic.maximum(self.renorm_stddev, least)
        r = stddev / renorm_stddev
        d = (mean - self.renorm_mean) / renorm_stddev
        with basic.control_dependencies([r, d]):  # made of the averages before they move
            mean, stddev = basic.identity(mean), basic.identity(stddev)
        rmin, rmax, dmax = (self.renorm_clipping.get(key) for key in ("rmin", "rmax", "dmax"))
        r = r if rmin is None else arithmetic.maximum(r, rmin)
        r = r if rmax is None else arithmetic.minimum(r, rmax)
        if dmax is not None:
            d = arithmetic.minimum(arithmetic.maximum(d, -dmax), dmax)
        used_r = smart_cond(training, lambda: r, lambda: constants.ones_like(r))
        used_d = smart_cond(training, lambda: d, lambda: constants.zeros_like(d))

        def moved(variable: Any, value: Any) -> Any:
            value = basic.identity(value)
            return smart_cond(
                training,
                lambda: self._move(variable, value, self.renorm_momentum),
                lambda: basic.identity(variable),
            )

        moves = [moved(self.renorm_mean, mean), moved(self.renorm_stddev, stddev)]
        with basic.control_dependencies(moves):
            return used_r, used_d, basic.identity(mean), basic.identity(variance)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def _known(training: Any) -> bool | None:
    return None if isinstance(training, Variable) else smart_constant_value(training)


def _composed_transforms(scale: Any, offset: Any, then_scale: Any, then_offset: Any) -> tuple[Any, Any]:
    """(x scale + offset) then_scale + then_offset, as one scale and one offset."""
    if then_scale is not None:
        scale, offset = scale * then_scale, offset * then_scale
    return scale, offset if then_offset is None else offset + then_offset


def batch_normalization(
    inputs: Any,
    axis: Any = -1,
    momentum: Any = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = zeros_initializer(),
    gamma_initializer: Any = ones_initializer(),
    moving_mean_initializer: Any = zeros_initializer(),
    moving_variance_initializer: Any = ones_initializer(),
    beta_regularizer: Any = None,
    gamma_regularizer: Any = None,
    beta_constraint: Any = None,
    gamma_constraint: Any = None,
    training: Any = False,
    trainable: bool = True,
    name: Any = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_momentum: Any = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Any = None,
) -> Any:
    """Batch normalisation by a layer `BatchNormalization`, in training where `training` (a bool or a tensor) is true.

    A training step must run the ops in the collection UPDATE_OPS: they move the averages.
    """
    layer = BatchNormalization(
        axis=axis,
        momentum=momentum,
        epsilon=epsilon,
        center=center,
        scale=scale,
        beta_initializer=beta_initializer,
        gamma_initializer=gamma_initializer,
        moving_mean_initializer=moving_mean_initializer,
        moving_variance_initializer=moving_variance_initializer,
        beta_regularizer=beta_regularizer,
        gamma_regularizer=gamma_regularizer,
        beta_constraint=beta_constraint,
        gamma_constraint=gamma_constraint,
        renorm=renorm,
        renorm_clipping=renorm_clipping,
        renorm_momentum=renorm_momentum,
        fused=fused,
        trainable=trainable,
        virtual_batch_size=virtual_batch_size,
        adjustment=adjustment,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer(inputs, training=training)
