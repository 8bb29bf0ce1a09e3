"""What every recurrent cell is: `RNNCell`, its zero states, and the sizes of states."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, infer, nest, scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dimension import as_dimension
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.platform import logging
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations, softmax
from thalweg._src.ops.stateful import variable_scope


class RNNCell(Layer):
    """One step of a recurrent network: `cell(inputs, state) -> (output, new_state)`.

    A subclass says its `state_size` and `output_size` (an integer, a TensorShape or a structure of them) and either builds its variables in
    `build` and computes in `call`, or takes them by `get_variable` in `call` or `__call__`.
    """

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(trainable=trainable, name=name, dtype=dtype, **without_input_size(self, kwargs))
        self._is_tf_rnn_cell = True

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """(output, new state) of one step: inputs [batch, ...], state as `state_size` says, with a batch in front."""
        self._note_uncalled()
        if scope is not None:
            with variable_scope.variable_scope(scope, custom_getter=self._noted) as scope:
                return super().__call__(inputs, state, scope=scope)
        if getattr(self, "_rnncell_scope", None) is None:
            here = variable_scope.get_variable_scope()
            self._rnncell_scope = variable_scope.variable_scope(here, custom_getter=self._noted)
        with self._rnncell_scope:
            return super().__call__(inputs, state)

    def _note_uncalled(self) -> None:
        """Before the first call, keep what the cell is without its variables."""
        if "_uncalled" not in self.__dict__:
            self._uncalled = {k: list(v) if type(v) is list else v for k, v in self.__dict__.items()}

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        """A cell that has not been called: it makes its variables, or finds them, in the scope where it is called first."""
        return self._copied_from(self.__dict__.get("_uncalled", self.__dict__), memo)

    def _noted(self, getter: Any, *args: Any, **kwargs: Any) -> Any:
        """`getter`'s variable, which from now on is one of this cell's."""
        v = getter(*args, **kwargs)
        trained = {id(t) for t in scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES)}
        parts = list(v) if hasattr(v, "_get_variable_list") else [v]
        own = self._trainable_weights if id(parts[0]) in trained else self._non_trainable_weights
        if all(v is not w for w in own):
            own.append(v)
        return v

    @property
    def state_size(self) -> Any:
        """The size of the state: an integer, a TensorShape, or a structure of them."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        """The size of the output: an integer, a TensorShape, or a structure of them."""
        raise NotImplementedError("Abstract method")

    def build(self, _: Any) -> None:
        """Nothing: the variables of a plain cell come with its first call."""

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """The zero state for a batch like `inputs`, or of `batch_size` and `dtype`. Raises ValueError where these are missing or differ."""
        if inputs is not None:
            inputs = to_tensor(inputs, name="inputs")
            found = None if inputs.dims is None else inputs.dims[0]
            if batch_size is not None:
                given = infer.constant_value(batch_size) if isinstance(batch_size, Tensor) else batch_size
                if found != given:
                    raise ValueError(
                        "batch size from input tensor is different from the input param. "
                        f"Input tensor batch: {found}, batch_size: {batch_size}"
                    )
            if dtype is not None and inputs.dtype != dtype:
                raise ValueError(
                    "dtype from input tensor is different from the input param. "
                    f"Input tensor dtype: {inputs.dtype}, dtype: {dtype}"
                )
            batch_size, dtype = found or array.shape(inputs)[0], inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "batch_size and dtype cannot be None while constructing initial state: "
                f"batch_size={batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros in the shape of `state_size`, with `batch_size` in front."""
        with scopes.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return zeros_of(self.state_size, batch_size, dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config()


class EnclosingCell(RNNCell):
    """A cell with the sizes and states of another one, `_cell`."""

    def __init__(self, cell: Any, reuse: Any = None):
        super().__init__(_reuse=reuse)
        assert_like_rnncell("cell", cell)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with scopes.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)


class LayerRNNCell(RNNCell):
    """A cell that builds its variables as a layer does, in a scope of its own name."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._note_uncalled()
        return Layer.__call__(self, inputs, state, *args, scope=scope, **kwargs)


def without_input_size(cell: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """`kwargs` less `input_size`, which cells of 0.x took and did not use."""
    if kwargs.pop("input_size", None) is not None:
        logging.warn("%s: The input_size parameter is deprecated.", type(cell).__name__)
    return kwargs


def zeros_of(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros for each size of the structure `state_size`, with `batch_size` in front."""

    def zeros(size: Any) -> Tensor:
        out = array.zeros(joined_shape(batch_size, size), dtype=dtype)
        out.set_shape(joined_sizes(batch_size, size))
        return out

    return map_sizes(zeros, state_size)


def map_sizes(fn: Any, sizes: Any) -> Any:
    """`fn` of each size in a structure whose leaves are integers or TensorShapes."""
    return nest.map_leaves(fn, sizes)


def joined_shape(prefix: Any, suffix: Any) -> Tensor:
    """The shape vector of a batch of things: `prefix` (a size, a scalar or vector tensor) before `suffix` (the same, or a TensorShape).

    Raises ValueError where one of them is unknown or a tensor of higher rank.
    """
    front, back = _as_vector(prefix, "prefix"), _as_vector(suffix, "suffix")
    if front is None or back is None:
        raise ValueError(f"Provided a prefix or suffix of None: {prefix} and {suffix}")
    return array.concat((front, back), 0)


def _as_vector(part: Any, what: str) -> Tensor | None:
    if isinstance(part, Tensor):
        if part.dims == ():
            return array.expand_dims(part, 0)
        if part.dims is None or len(part.dims) != 1:
            raise ValueError(f"{what} tensor must be either a scalar or vector, but saw tensor: {part}")
        return part
    dims = as_sizes(part)
    if dims is None or None in dims:
        return None
    return constants.constant(list(dims), dtype=dtypes.int32)


def as_sizes(part: Any) -> Any:
    """The known sizes of an integer, a dimension, a shape or a shape tensor: a tuple, or None for an unknown rank."""
    if isinstance(part, Tensor):
        value = infer.constant_value(part)
        if value is None:
            rank = None if part.dims is None or len(part.dims) > 1 else (part.dims[0] if part.dims else 1)
            return None if rank is None else (None,) * rank
        return tuple(int(n) for n in value.reshape([-1]))
    if isinstance(part, shapes.TensorShape | list | tuple):
        return shapes.as_dims(part)
    return (as_dimension(part).value,)


def joined_sizes(prefix: Any, suffix: Any) -> shapes.TensorShape:
    """What is known of `joined_shape(prefix, suffix)`."""
    # TensorFlow makes the vectors here too; the seeds of what is drawn later follow from the number of nodes.
    _as_vector(prefix, "prefix"), _as_vector(suffix, "suffix")
    front, back = as_sizes(prefix), as_sizes(suffix)
    return shapes.TensorShape(None if front is None or back is None else [*front, *back])


def assert_like_rnncell(name: str, cell: Any) -> None:
    """Raises TypeError unless `cell` has what a cell has."""
    there = dir(cell)
    wrong = [f"'{need}' property is missing" for need in ("output_size", "state_size") if need not in there]
    if "zero_state" not in there and "get_initial_state" not in there:
        wrong.append("either 'zero_state' or 'get_initial_state' method is required")
    if not callable(cell):
        wrong.append("is not callable")
    if wrong:
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {', '.join(wrong)}.")


def assert_real(tensors: Any) -> None:
    """Raises ValueError unless all tensors of a structure are floating or complex."""
    for t in nest.flatten(tensors):
        assert_real_type(t.dtype)


def assert_real_type(dtype: Any) -> None:
    """Raises ValueError unless `dtype` is None, floating or complex."""
    if dtype is None:
        return
    dtype = dtypes.as_dtype(dtype)
    if not (dtype.is_floating or dtype.is_complex):
        raise ValueError(f"RNN cell only supports floating point inputs, but saw dtype: {dtype}")


def depth_of(shape: Any) -> int:
    """The last size of the inputs' shape. Raises ValueError where it is unknown."""
    dims = shapes.as_dims(shape)
    if dims is None or dims[-1] is None:
        raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {shape}")
    return dims[-1]


_ACTIVATIONS = ("elu", "relu", "relu6", "selu", "sigmoid", "softplus", "softsign", "tanh", "softmax", "swish")


def activation_of(given: Any, otherwise: Any = None) -> Any:
    """The function that `given` is or names; `otherwise` (tanh) for None. Raises ValueError for names that no activation has."""
    if not given:
        return otherwise or math.tanh
    if callable(given):
        return given
    if given == "linear":
        return lambda x: x
    if given not in _ACTIVATIONS:
        raise ValueError(f"Unknown activation function:{given}")
    return getattr(activations, given, None) or getattr(math, given, None) or getattr(softmax, given)


def initializer_of(given: Any) -> Any:
    """The initializer that `given` is, or makes where it is a class; None for None."""
    return given() if isinstance(given, type) else given
