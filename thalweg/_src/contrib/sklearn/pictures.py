"""Convolutional networks on rows that are pictures."""

from __future__ import annotations

from collections.abc import Hashable
from math import isqrt, prod
from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import Interval

from thalweg._src.contrib.sklearn.classification import Classification
from thalweg._src.contrib.sklearn.perceptron import dense, sizes
from thalweg._src.contrib.sklearn.training import Trained
from thalweg._src.ops.arrays.shaping import reshape
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.nets.convolution_api import conv2d
from thalweg._src.ops.nets.pooling_api import max_pool
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable


class ConvClassifier(Classification):
    """Convolutions with a 2 x 2 maximum after each, then dense layers.

    `image_shape`: (height, width) or (height, width, channels) of the picture that a row is, in this order; without it a row whose
    length is a square is a square picture, and any other a line. `filters`: how many each convolution has.

    >>> from thalweg.sklearn import ConvClassifier
    >>> ConvClassifier((28, 28), filters=(16, 32)).image_shape
    (28, 28)
    """

    _parameter_constraints = Trained._parameter_constraints | {
        "image_shape": [tuple, list, None],
        "filters": ["array-like", Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, image_shape=None, filters=(16,), kernel_size=3, hidden_layer_sizes=(64,), *,
                 alpha=0.0001, batch_size="auto", learning_rate_init=0.002, max_iter=200,
                 shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False, early_stopping=False,
                 validation_fraction=0.1, n_iter_no_change=10):  # fmt: skip
        super().__init__(alpha=alpha, batch_size=batch_size, learning_rate_init=learning_rate_init, max_iter=max_iter,
                         shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
                         early_stopping=early_stopping, validation_fraction=validation_fraction,
                         n_iter_no_change=n_iter_no_change)  # fmt: skip
        self.image_shape = image_shape
        self.filters = filters
        self.kernel_size = kernel_size
        self.hidden_layer_sizes = hidden_layer_sizes

    def _structure(self) -> Hashable:
        shape = None if self.image_shape is None else tuple(self.image_shape)
        return shape, sizes(self.filters), self.kernel_size, sizes(self.hidden_layer_sizes)

    def _picture(self, n: int) -> tuple[int, ...]:
        if self.image_shape is None:
            side = isqrt(n)
            return (side, side, 1) if side * side == n else (1, n, 1)
        shape = (*self.image_shape, 1)[:3]
        if prod(shape) != n:
            raise ValueError(f"X has {n} features, but pictures of image_shape={self.image_shape} have {prod(shape)}.")
        return shape

    def _model(self, x: Any, n_outputs: int, training: Any) -> dict[str, Any]:
        x = reshape(x, [-1, *self._picture(x.shape.as_list()[1])])
        for i, width in enumerate(sizes(self.filters)):
            shape = [self.kernel_size, self.kernel_size, x.shape.as_list()[3], width]
            kernel = get_variable(f"filters_{i}", shape, dtype=x.dtype, initializer=zeros_initializer())
            bias = get_variable(f"biases_{i}", [width], dtype=x.dtype, initializer=zeros_initializer())
            x = max_pool(relu(conv2d(x, kernel, 1, "SAME") + bias), 2, 2, "SAME")
        x = reshape(x, [-1, prod(x.shape.as_list()[1:])])
        widths = sizes(self.hidden_layer_sizes)
        for i, width in enumerate(widths):
            x = relu(dense(x, width, i))
        return {"out": dense(x, n_outputs, len(widths))}
