"""The variables that `get_variable` made, by full name: shared where they are there, created where not."""

from __future__ import annotations

import contextlib
import enum
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.ops.stateful.partitioned import partitioned_variable
from thalweg._src.ops.stateful.variable_modes import VariableSynchronization
from thalweg._src.ops.stateful.variables import Variable


class _ReuseMode(enum.Enum):
    """AUTO_REUSE: create a variable if it is not there, share it otherwise."""

    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE


_use_resource_by_default = False


class _VariableStore:
    """The variables of a graph that `get_variable` made, by full name."""

    def __init__(self) -> None:
        self._vars: dict[str, Variable] = {}
        self._partitioned_vars: dict[str, Any] = {}
        self._store_eager_variables = False

    def get_variable(
        self, name: str, shape: Any = None, dtype: Any = dtypes.float32, custom_getter: Any = None, **kwargs: Any
    ) -> Any:
        """The variable of that full name: through the custom getter where there is one."""
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        kwargs["trainable"] = settled_trainable(kwargs.get("trainable"), kwargs.get("synchronization"))
        call = {"name": name, "shape": shape, "dtype": _base(dtype), **kwargs}
        if custom_getter is None:
            return self._get(**call)
        accepted = inspect.signature(custom_getter).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
            call = {
                k: v
                for k, v in call.items()
                if k not in ("constraint", "synchronization", "aggregation") or k in accepted
            }
        return custom_getter(getter=self._get, **call) if "getter" in accepted else custom_getter(self._get, **call)

    def _get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        initializer: Any = None,
        reuse: Any = None,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> Any:
        dtype = _base(dtype)
        if executing_eagerly():
            if reuse and not self._store_eager_variables:
                raise RuntimeError(
                    "When eager execution is enabled variable reuse is only supported when an EagerVariableStore is active. See the "
                    "documentation on EagerVariableStore for example usage."
                )
            reuse = AUTO_REUSE if self._store_eager_variables else reuse
        if partitioner is not None and not callable(partitioner):
            raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
        is_scalar = isinstance(shape, list | tuple) and not shape  # which nothing cuts
        if partitioner is not None and not is_scalar:
            with scopes.name_scope(None):
                return partitioned_variable(self, name, shape, dtype, initializer, reuse, partitioner, kwargs)
        if reuse is True and name in self._partitioned_vars:
            return partitioned_variable(self, name, shape, dtype, initializer, reuse, None, kwargs)
        if f"{name}/part_0" in self._vars:
            raise ValueError(
                f"No partitioner was provided, but a partitioned version of the variable was found: {name}/part_0. Perhaps a "
                "variable of the same name was already created with partitioning?"
            )
        return self.single(name, shape, dtype, initializer, reuse, **kwargs)

    def single(
        self,
        name: str,
        shape: Any,
        dtype: DType,
        initializer: Any,
        reuse: Any,
        *,
        regularizer: Any = None,
        partition_info: Any = None,
        use_resource: bool | None = None,
        **kwargs: Any,
    ) -> Variable:
        """One variable (or one part of a partitioned one), shared or created."""
        from_value = initializer is not None and not callable(initializer)
        if shape is not None and from_value:
            raise ValueError("If initializer is a constant, do not specify shape.")
        known = as_shape(shape)
        if name in self._vars:
            return self._shared(name, known, dtype, reuse)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). "
                "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
            )
        if initializer is None:
            initializer = default_initializer(name, dtype)
        value, value_dtype = initializer, None
        if not from_value:
            value, value_dtype = _initial_value(initializer, known, dtype, partition_info)
        for gone in ("partitioner", "custom_getter"):
            kwargs.pop(gone, None)
        v = Variable(
            initial_value=value,
            name=name,
            dtype=value_dtype,
            use_resource=_use_resource_by_default if use_resource is None else use_resource,
            **kwargs,
        )
        if executing_eagerly() and not self._store_eager_variables:
            return v  # its caller alone keeps it
        self._vars[name] = v
        if regularizer:  # libraries give an empty dict for none
            self._regularize(v, name, regularizer)
        return v

    def _shared(self, name: str, shape: TensorShape, dtype: DType, reuse: Any) -> Variable:
        found = self._vars[name]
        if reuse is False:
            where = found.op.site
            raise ValueError(
                f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
                + (f" Originally defined at: {where}" if where else "")
            )
        if not shape.is_compatible_with(found.get_shape()):
            raise ValueError(
                f"Trying to share variable {name}, but specified shape {shape} and found shape {found.get_shape()}."
            )
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(
                f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype {found.dtype.name}."
            )
        return found

    def _regularize(self, v: Variable, name: str, regularizer: Any) -> None:
        with scopes.init_scope(), scopes.colocate_with(v.op), scopes.name_scope(name + "/Regularizer/"):
            loss = regularizer(v)
        if loss is not None:
            scopes.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


def _base(dtype: Any) -> DType:
    return dtypes.as_dtype(dtype).base_dtype


def settled_trainable(trainable: bool | None, synchronization: Any) -> bool:
    """`trainable`; where it is None, whether a variable of that synchronization is."""
    return synchronization != VariableSynchronization.ON_READ if trainable is None else trainable


def _initial_value(initializer: Any, shape: TensorShape, dtype: DType, partition_info: Any) -> tuple[Any, DType | None]:
    if inspect.isclass(initializer):
        initializer = initializer()
    parameters = inspect.signature(initializer).parameters
    if shape.is_fully_defined():
        extra = {}
        if "partition_info" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            extra["partition_info"] = partition_info
        return lambda: initializer(shape.as_list(), dtype=dtype, **extra), dtype
    if all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be provided or "
        f"an instance of `tf.keras.initializers.*' and `shape` should be fully defined. The shape is {shape}."
    )


def default_initializer(name: str, dtype: DType) -> Any:
    """Glorot's uniform distribution for floats, zeros for integers, booleans and strings; ValueError for other types."""
    from thalweg._src.ops.stateful import initializers

    if dtype.is_floating:
        return initializers.glorot_uniform_initializer()
    if dtype.is_integer or dtype.is_bool or dtype == dtypes.string:
        return initializers.zeros_initializer()
    raise ValueError(f"An initializer for variable {name} of {dtype.base_dtype} is required")


def no_regularizer(_: Any) -> None:
    """Keeps a variable from the regularizer of its scope."""
    return None


def kept_by_graph(key: str, make: Callable[[], Any]) -> Any:
    scratch = get_default_graph().outermost._scratch
    found = scratch.get(key)
    if found is None:
        found = scratch[key] = make()
    return found


def variable_store() -> _VariableStore:
    """The variables of the default graph, by full name."""
    return kept_by_graph("variables", _VariableStore)


@contextlib.contextmanager
def with_variable_store(store: _VariableStore) -> Iterator[None]:
    """A block in which `get_variable` uses `store`."""
    scratch = get_default_graph().outermost._scratch
    old = variable_store()
    scratch["variables"] = store
    try:
        yield
    finally:
        scratch["variables"] = old


class EagerVariableStore:
    """Keeps what `get_variable` makes in eager execution, so that functions of layers share their variables between calls.

    >>> container = tfe.EagerVariableStore()
    >>> for input in [tf.ones([1, 2]), tf.zeros([3, 2])]:
    ...     with container.as_default():
    ...         x = tf.layers.dense(input, 4, name="l1")
    >>> [v.name for v in container.variables()]
    ['l1/bias:0', 'l1/kernel:0']
    """

    def __init__(self, store: Any = None):
        if store is not None and not store._store_eager_variables:
            raise ValueError(
                "Cannot construct EagerVariableStore from a VariableStore object that does not hold eager variables."
            )
        self._store = store if store is not None else _VariableStore()
        self._store._store_eager_variables = True

    def as_default(self) -> Any:
        """A block in which `get_variable` uses this store."""
        return with_variable_store(self._store)

    def variables(self) -> list[Any]:
        """All variables, by name."""
        return sorted(self._store._vars.values(), key=lambda v: v.name)

    def trainable_variables(self) -> list[Any]:
        """Those that optimizers change, by name."""
        return [v for v in self.variables() if v.trainable]

    def non_trainable_variables(self) -> list[Any]:
        """The others, by name."""
        return [v for v in self.variables() if not v.trainable]

    def copy(self) -> EagerVariableStore:
        """A store of copies of the variables."""
        out = EagerVariableStore()
        for key, v in self._store._vars.items():
            out._store._vars[key] = Variable(v.read_value(), name=v.name.split(":")[0], trainable=v.trainable)
        return out


def enable_resource_variables() -> None:
    """From here on, variables are resource variables unless they say otherwise."""
    global _use_resource_by_default
    _use_resource_by_default = True


def disable_resource_variables() -> None:
    """From here on, variables are reference variables unless they say otherwise."""
    global _use_resource_by_default
    _use_resource_by_default = False


def resource_variables_enabled() -> bool:
    """Whether variables are resource variables unless they say otherwise."""
    return _use_resource_by_default
