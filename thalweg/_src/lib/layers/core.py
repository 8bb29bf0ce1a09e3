"""Dense layers, dropout and flattening."""

from __future__ import annotations

import inspect
import math
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.layers import by_name
from thalweg._src.lib.layers.arguments import as_function, normalize_data_format
from thalweg._src.lib.layers.base import InputSpec, Layer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import shaping, stacking, transposing
from thalweg._src.ops.chance.random import dropout as dropout_op
from thalweg._src.ops.control.control_flow import smart_cond
from thalweg._src.ops.nets import activations
from thalweg._src.ops.numeric import matmul
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.sparse_tensors import sparse_dense
from thalweg._src.ops.stateful.initializers import zeros_initializer


class Described(Layer):
    """A layer whose arguments are its attributes: `get_config` tells them."""

    def get_config(self) -> dict[str, Any]:
        names = [p.name for p in inspect.signature(type(self)).parameters.values() if p.kind is not p.VAR_KEYWORD]
        return {"dtype": self.dtype, "trainable": self.trainable, **{n: getattr(self, n) for n in names}}


class Dense(Described):
    """`activation(inputs @ kernel + bias)` over the last axis: [..., n] -> [..., units].

    Raises ValueError where the last size is unknown, TypeError for inputs that are not floating-point or complex.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = zeros_initializer(),
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: Any = None,
        **kwargs: Any,
    ):
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        self.units, self.use_bias = int(units), use_bias
        self.activation = by_name.activation(activation)
        self.kernel_initializer = by_name.initializer(kernel_initializer)
        self.bias_initializer = by_name.initializer(bias_initializer)
        self.kernel_regularizer = by_name.regularizer(kernel_regularizer)
        self.bias_regularizer = by_name.regularizer(bias_regularizer)
        self.kernel_constraint = by_name.constraint(kernel_constraint)
        self.bias_constraint = by_name.constraint(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        dtype = dtypes.as_dtype(self.dtype or dtypes.float32)
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"Unable to build `Dense` layer with non-floating point dtype {dtype}")
        last = as_shape(input_shape).as_list()[-1]
        if last is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: last})
        self.kernel = self.add_weight(
            "kernel",
            shape=[last, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            dtype=self.dtype,
            trainable=True,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                shape=[self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                dtype=self.dtype,
                trainable=True,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        rank = inputs.shape.ndims
        if rank > 2:
            outputs = matmul.tensordot(inputs, self.kernel, [[rank - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        else:
            inputs = cast(inputs, self.dtype)
            multiply = sparse_dense.sparse_tensor_dense_matmul if isinstance(inputs, SparseTensor) else matmul.matmul
            outputs = multiply(inputs, self.kernel)
        if self.bias is not None:
            outputs = activations.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        shape = as_shape(input_shape).with_rank_at_least(2)
        if shape.as_list()[-1] is None:
            raise ValueError(
                f"The innermost dimension of input_shape must be defined, but saw: {tuple(shape.as_list())}"
            )
        return shape[:-1].concatenate(self.units)


class Dropout(Described):
    """In training a part `rate` of the inputs, chosen anew at each step, is zero and the rest is scaled up."""

    def __init__(
        self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: Any = None, **kwargs: Any
    ):
        super().__init__(name=name, **kwargs)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def _get_noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None or not isinstance(self.noise_shape, list | tuple):
            return self.noise_shape
        sizes = shaping.shape(inputs)
        return stacking.stack([sizes[i] if n is None else n for i, n in enumerate(self.noise_shape)])

    def call(self, inputs: Any, training: Any = False) -> Any:
        def dropped() -> Any:
            return dropout_op(inputs, noise_shape=self._get_noise_shape(inputs), seed=self.seed, rate=self.rate)

        return smart_cond(False if training is None else training, dropped, lambda: basic.identity(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Flatten(Described):
    """[batch, a, b, ...] -> [batch, a * b * ...]. With 'channels_first' the channels are moved to the end before."""

    def __init__(self, data_format: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = inputs.shape.ndims
        if self.data_format == "channels_first" and rank is not None and rank > 1:
            inputs = transposing.transpose(inputs, [0, *range(2, rank), 1])
        batch = inputs.shape.as_list()[0] or shaping.shape(inputs)[0]
        outputs = shaping.reshape(inputs, (batch, -1))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        sizes = as_shape(input_shape).as_list()
        return TensorShape([sizes[0], math.prod(sizes[1:]) if all(sizes[1:]) else None])


dense = as_function(Dense, "`activation(inputs @ kernel + bias)` over the last axis, by a layer `Dense`.")


def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: Any = None,
) -> Any:
    """Dropout where `training` (a bool or a tensor) is true, the inputs elsewhere."""
    return Dropout(rate, noise_shape=noise_shape, seed=seed, name=name)(inputs, training=training)


def flatten(inputs: Any, name: Any = None, data_format: str = "channels_last") -> Any:
    """[batch, a, b, ...] -> [batch, a * b * ...]."""
    return Flatten(name=name, data_format=data_format)(inputs)
