"""A linear map of several inputs side by side, its variables in the current scope; and the cells of 0.x that wrap one around a cell."""

from __future__ import annotations

import math as numbers
from typing import Any

from thalweg._src.core import dtypes, nest, scopes
from thalweg._src.lib.platform import logging
from thalweg._src.lib.rnn.cell import EnclosingCell
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, embedding
from thalweg._src.ops.stateful import initializers, variable_scope


def _total_size(args: Any) -> int:
    """The sum of the second sizes. Raises ValueError for no inputs, other ranks and unknown sizes."""
    shapes = [a.get_shape() for a in args]
    for shape in shapes:
        if shape.ndims != 2:
            raise ValueError(f"linear is expecting 2D arguments: {shapes}")
        if shape.dims[1].value is None:
            raise ValueError(f"linear expects shape[1] to be provided for shape {shape}, but saw {shape[1]}")
    return sum(shape.dims[1].value for shape in shapes)


def _as_list(args: Any) -> list[Any]:
    if args is None or (nest.is_nested(args) and not args):
        raise ValueError("`args` must be specified")
    return list(args) if nest.is_nested(args) else [args]


class Linear:
    """[args side by side] W + b, with W and b made once, as `kernel` and `bias` of the scope where it is made."""

    def __init__(
        self,
        args: Any,
        output_size: int,
        build_bias: bool,
        bias_initializer: Any = None,
        kernel_initializer: Any = None,
    ):
        args = _as_list(args)
        total, dtype = _total_size(args), args[0].dtype.base_dtype
        with variable_scope.variable_scope(variable_scope.get_variable_scope()) as outer:
            self._weights = variable_scope.get_variable(
                "kernel", [total, output_size], dtype=dtype, initializer=kernel_initializer
            )
            self._biases = None
            if build_bias:
                with variable_scope.variable_scope(outer) as inner:
                    inner.set_partitioner(None)
                    zeros = bias_initializer or initializers.constant_initializer(0.0, dtype=dtype)
                    self._biases = variable_scope.get_variable("bias", [output_size], dtype=dtype, initializer=zeros)

    def __call__(self, args: Any) -> Any:
        args = _as_list(args)
        joined = args[0]
        if len(args) > 1:
            one = constants.constant(1, dtype=dtypes.int32)
            joined = array.concat(args, one)
        out = math.matmul(joined, self._weights)
        return out if self._biases is None else activations.bias_add(out, self._biases)


def linear(
    args: Any,
    output_size: int,
    bias: bool,
    bias_initializer: Any = None,
    kernel_initializer: Any = None,
    scope: Any = None,
    bias_start: float = 0.0,
) -> Any:
    """[args side by side] W (+ b): [batch, output_size]. W and b are `kernel` and `bias` of the current scope, or of `scope` inside it.

    `bias_initializer` may be a number, as until 1.1, where it was called `bias_start`.
    Raises ValueError for no inputs, inputs of another rank than 2 or unknown sizes.
    """
    args = _as_list(args)
    total, dtype = _total_size(args), args[0].dtype.base_dtype
    if isinstance(bias_initializer, int | float):
        bias_initializer = initializers.constant_initializer(bias_initializer, dtype=dtype)
    within = variable_scope.get_variable_scope() if scope is None else scope
    with variable_scope.variable_scope(within) as outer:
        weights = variable_scope.get_variable(
            "kernel", [total, output_size], dtype=dtype, initializer=kernel_initializer
        )
        out = math.matmul(args[0] if len(args) == 1 else array.concat(args, 1), weights)
        if not bias:
            return out
        with variable_scope.variable_scope(outer) as inner:
            inner.set_partitioner(None)
            start = bias_initializer or initializers.constant_initializer(bias_start, dtype=dtype)
            biases = variable_scope.get_variable("bias", [output_size], dtype=dtype, initializer=start)
        return activations.bias_add(out, biases)


class EmbeddingWrapper(EnclosingCell):
    """A cell whose inputs are ids: they are looked up in a table [embedding_classes, embedding_size] first.

    Raises ValueError for sizes that are not positive.
    """

    def __init__(
        self, cell: Any, embedding_classes: int, embedding_size: int, initializer: Any = None, reuse: Any = None
    ):
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                f"Both embedding_classes and embedding_size must be > 0: {embedding_classes}, {embedding_size}."
            )
        self._embedding_classes, self._embedding_size = embedding_classes, embedding_size
        self._initializer = initializer

    def call(self, inputs: Any, state: Any) -> Any:
        with scopes.device("/cpu:0"):
            initializer = self._initializer or variable_scope.get_variable_scope().initializer
            if not initializer:
                wide = numbers.sqrt(3)  # a uniform distribution of variance one
                initializer = initializers.random_uniform_initializer(-wide, wide)
            dtype = (state[0] if isinstance(state, tuple) else state).dtype.base_dtype
            table = variable_scope.get_variable(
                "embedding", [self._embedding_classes, self._embedding_size], initializer=initializer, dtype=dtype
            )
            return self._cell(embedding.embedding_lookup(table, array.reshape(inputs, [-1])), state)


class InputProjectionWrapper(EnclosingCell):
    """A cell whose inputs go through a linear map to `num_proj` first, and through `activation`."""

    def __init__(self, cell: Any, num_proj: int, activation: Any = None, input_size: Any = None, reuse: Any = None):
        super().__init__(cell, reuse)
        if input_size is not None:
            logging.warn("%s: The input_size parameter is deprecated.", self)
        self._num_proj, self._activation, self._linear = num_proj, activation, None

    def call(self, inputs: Any, state: Any) -> Any:
        if self._linear is None:
            self._linear = Linear(inputs, self._num_proj, True)
        projected = self._linear(inputs)
        return self._cell(self._activation(projected) if self._activation else projected, state)


class OutputProjectionWrapper(EnclosingCell):
    """A cell whose outputs go through a linear map to `output_size`, and through `activation`. Raises ValueError for a size below 1."""

    def __init__(self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None):
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size, self._activation, self._linear = output_size, activation, None

    @property
    def output_size(self) -> int:
        return self._output_size

    def call(self, inputs: Any, state: Any) -> Any:
        output, new_state = self._cell(inputs, state)
        if self._linear is None:
            self._linear = Linear(output, self._output_size, True)
        projected = self._linear(output)
        return self._activation(projected) if self._activation else projected, new_state
