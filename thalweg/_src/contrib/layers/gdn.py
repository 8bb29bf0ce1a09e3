"""Generalised divisive normalisation (Ballé et al. 2016): each channel is divided by a root of a mixture of all squares."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.layers.input_spec import InputSpec
from thalweg._src.ops.arrays import constants, shaping
from thalweg._src.ops.derivatives.gradients import RegisterGradient
from thalweg._src.ops.linear import linalg
from thalweg._src.ops.nets import activations
from thalweg._src.ops.nets.spaced import convolution
from thalweg._src.ops.numeric import arithmetic, casting, compare, elementwise


def _lower_bound(x: Any, bound: Any) -> Tensor:
    """max(x, bound). Where x is below, only gradients that push it up reach it."""
    with name_scope(None, "GDNLowerBound", [x, bound]) as scope:
        x, bound = to_tensor(x, name="inputs"), to_tensor(bound, name="bound")
        with get_default_graph().gradient_override_map({"Maximum": "GDNLowerBound"}):
            return arithmetic.maximum(x, bound, name=scope)


@RegisterGradient("GDNLowerBound")
def _lower_bound_gradient(op: Any, g: Tensor) -> list[Any]:
    x, bound = op.inputs
    passes = compare.logical_or(compare.greater_equal(x, bound), compare.less(g, 0))
    return [casting.cast(passes, g.dtype) * g, None]


class GDN(Layer):
    """y[i] = x[i] / sqrt(beta[i] + sum over j of gamma[j, i] x[j]**2), over the channels i, j of each place.

    `inverse` multiplies in place of dividing. `beta` starts as ones, at least `beta_min`; `gamma` as `gamma_init` times the identity. Both
    are kept as roots, with `reparam_offset` added before, so that they learn slowly near zero, and do learn at zero. Inputs have rank 3 to
    5; `data_format` is 'channels_last' or 'channels_first'. Raises ValueError for another, and for channels of unknown number.
    """

    def __init__(
        self,
        inverse: bool = False,
        beta_min: float = 1e-6,
        gamma_init: float = 0.1,
        reparam_offset: float = 2**-18,
        data_format: str = "channels_last",
        activity_regularizer: Any = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(trainable=trainable, name=name, activity_regularizer=activity_regularizer, **kwargs)
        if data_format not in ("channels_first", "channels_last"):
            raise ValueError(f"Unsupported `data_format` for GDN layer: {data_format}.")
        self.inverse, self.data_format = inverse, data_format
        self._beta_min, self._gamma_init, self._offset = beta_min, gamma_init, reparam_offset
        self._axis = 1 if data_format == "channels_first" else -1
        self.input_spec = InputSpec(min_ndim=3, max_ndim=5)

    def build(self, input_shape: Any) -> None:
        shape = TensorShape(input_shape)
        n = shape.dims[self._axis].value
        if n is None:
            raise ValueError("The channel dimension of the inputs to `GDN` must be defined.")
        self._rank = shape.ndims
        self.input_spec = InputSpec(ndim=self._rank, axes={self._axis: n})
        pedestal = constants.constant(self._offset**2, self.dtype)
        beta_bound = constants.constant((self._beta_min + self._offset**2) ** 0.5, self.dtype)
        gamma_bound = constants.constant(self._offset, self.dtype)

        def first_beta(shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
            return elementwise.sqrt(constants.ones(shape, dtype) + constants.constant(self._offset**2, self.dtype))

        def first_gamma(shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
            eye = linalg.eye(shape[0], dtype=dtype)
            return elementwise.sqrt(self._gamma_init * eye + constants.constant(self._offset**2, self.dtype))

        beta = self.add_variable("reparam_beta", [n], initializer=first_beta, dtype=self.dtype, trainable=True)
        self.beta = elementwise.square(_lower_bound(beta, beta_bound)) - pedestal
        gamma = self.add_variable("reparam_gamma", [n, n], initializer=first_gamma, dtype=self.dtype, trainable=True)
        self.gamma = elementwise.square(_lower_bound(gamma, gamma_bound)) - pedestal
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        x = to_tensor(inputs)
        spatial = self._rank - 2
        gamma = shaping.reshape(self.gamma, [1] * spatial + self.gamma.shape.as_list())
        squares = elementwise.square(x)
        if self._axis == 1:
            mixed = convolution(squares, gamma, "VALID", data_format="NC" + "DHW"[-spatial:])
            mixed = mixed + shaping.reshape(self.beta, [-1] + [1] * spatial)
        else:
            mixed = activations.bias_add(convolution(squares, gamma, "VALID"), self.beta)
        root = elementwise.sqrt(mixed)
        y = x * root if self.inverse else x / root
        y.set_shape(x.shape)
        return y

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        shape = TensorShape(input_shape)
        if shape.ndims is None or not 3 <= shape.ndims <= 5:
            raise ValueError("`input_shape` must be of rank 3 to 5, inclusive.")
        if shape.dims[self._axis].value is None:
            raise ValueError("The channel dimension of `input_shape` must be defined.")
        return shape


def gdn(
    inputs: Any,
    inverse: bool = False,
    beta_min: float = 1e-6,
    gamma_init: float = 0.1,
    reparam_offset: float = 2**-18,
    data_format: str = "channels_last",
    activity_regularizer: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
) -> Tensor:
    """`inputs` under a `GDN` layer, whose variables are those of the variable scope."""
    layer = GDN(
        inverse=inverse,
        beta_min=beta_min,
        gamma_init=gamma_init,
        reparam_offset=reparam_offset,
        data_format=data_format,
        activity_regularizer=activity_regularizer,
        trainable=trainable,
        name=name,
        dtype=to_tensor(inputs).dtype.base_dtype,
        _scope=name,
        _reuse=reuse,
    )
    return layer.apply(inputs)
