"""`tf.Variable`: a tensor that a session keeps between runs. Two kinds: reference variables, and resource variables."""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import EagerGraph
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.reference import Reference
from thalweg._src.core.shapes import Dims, TensorShape, as_shape
from thalweg._src.ops.stateful.partitioned import SaveSliceInfo
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization, mode_of

# Decides between the two kinds where the caller does not; the variable scope sets it.
default_use_resource: list[Callable[[], bool]] = [lambda: False]
# "reference", "resource" and "eager": each file of a kind puts its class here.
kinds: dict[str, type] = {}


_creators = threading.local()  # .stack: functions of variable_creator_scope, the innermost last


@contextlib.contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """Variables of this thread are made by `variable_creator(next_creator, **arguments)` in the block.

    `next_creator(**arguments)` makes the variable, through the creators of the blocks around it.
    """
    before = getattr(_creators, "stack", ())
    _creators.stack = (*before, variable_creator)
    try:
        yield
    finally:
        _creators.stack = before


class _Made(type):
    """`Variable(...)` goes through the creators of the blocks around it."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        stack = getattr(_creators, "stack", ())
        if not stack or cls is not Variable:
            return super().__call__(*args, **kwargs)
        bound = inspect.signature(Variable.__init__).bind(None, *args, **kwargs)
        bound.apply_defaults()
        make: Any = super().__call__
        for creator in stack:
            make = functools.partial(creator, make)
        return make(**{name: value for name, value in bound.arguments.items() if name != "self"})


def declared_dims(shape: TensorShape | None, initial: Tensor, validate: bool) -> Dims:
    """The static shape of a variable: `shape` where that was given, else that of its initial value where it may not change.

    Raises ValueError where the initial value does not have the shape that was given.
    """
    if shape is None:
        return initial.dims if validate else None
    if not initial.shape.is_compatible_with(shape):
        raise ValueError(
            f"The initial value's shape ({initial.shape}) is not compatible with the explicitly supplied `shape` argument ({shape})."
        )
    return shape._dims


class Variable(metaclass=_Made):
    """A tensor that a session keeps between runs. It must be initialized before it is used.

    `initial_value`: a tensor, anything that converts to one, or a function of no arguments that gives one. `trainable` variables
    are what optimizers change. `validate_shape=False` allows assignments of other shapes. Raises ValueError without an initial value
    or where its shape is not known.

    >>> v = tf.Variable([1.0, 2.0])
    >>> with tf.Session() as sess:
    ...     sess.run(v.initializer)
    ...     sess.run(v.assign_add([1.0, 1.0]))
    array([2., 3.], dtype=float32)
    """

    SaveSliceInfo = SaveSliceInfo
    _update_slice_name: str | None
    _op_name: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Variable:
        if cls is not Variable:
            return object.__new__(cls)
        use_resource = kwargs.get("use_resource")
        if use_resource is None:
            use_resource = default_use_resource[0]()
        if kwargs.get("variable_def") is not None:
            use_resource = kwargs["variable_def"].is_resource
        elif type(get_default_graph().outermost) is EagerGraph:
            return object.__new__(kinds["eager"])
        return object.__new__(kinds["resource" if use_resource else "reference"])

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
    ):
        self._constraint = constraint
        self._synchronization = mode_of(VariableSynchronization, synchronization, "synchronization", name)
        self._aggregation = mode_of(VariableAggregation, aggregation, "aggregation", name)
        self._save_slice_info: Any = None
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._from_proto(variable_def, import_scope)
            return
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        if isinstance(trainable, list | tuple) or isinstance(collections, str):
            raise ValueError("collections argument to Variable constructor must be a list, tuple, or set.")
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        self._trainable = True if trainable is None else bool(trainable)
        if self._synchronization == VariableSynchronization.ON_READ and trainable is None:
            self._trainable = False
        names = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
        if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in names:
            names.append(GraphKeys.TRAINABLE_VARIABLES)
        element = None if dtype is None else dtypes.as_dtype(dtype)
        with scopes.init_scope():
            self._make(
                initial_value, element, validate_shape, caching_device, name, None if shape is None else as_shape(shape)
            )
            if type(get_default_graph()) is not EagerGraph:  # there, what nobody holds is gone
                get_default_graph().add_to_collections(names, self)
            elif GraphKeys.GLOBAL_STEP in names:
                get_default_graph().add_to_collection(GraphKeys.GLOBAL_STEP, self)

    # -- what the kinds differ in

    def _make(
        self, initial_value: Any, dtype: DType | None, validate: bool, caching: Any, name: Any, shape: Any
    ) -> None:
        raise NotImplementedError

    def _from_proto(self, variable_def: Any, import_scope: str | None) -> None:
        raise NotImplementedError

    def value(self) -> Tensor:
        """The variable's value as a tensor, read where it is used."""
        raise NotImplementedError

    def read_value(self) -> Tensor:
        """A tensor that reads the variable under the control dependencies of this place."""
        raise NotImplementedError

    # -- facts

    @property
    def name(self) -> str:
        return self._variable.name

    _variable: Tensor
    _initial_value: Any
    _initializer_op: Operation
    _trainable: bool

    @property
    def op(self) -> Operation:
        """The operation that holds the variable."""
        return self._variable.op

    @property
    def graph(self) -> Graph:
        return self._variable.graph

    @property
    def device(self) -> str:
        return self._variable.device

    @property
    def dtype(self) -> DType:
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        return self._variable.shape

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self.shape

    def _shape_as_list(self) -> Any:
        return self.shape.as_list() if self.shape.ndims is not None else None

    @property
    def dims(self) -> Any:
        return self.shape._dims

    @property
    def initializer(self) -> Operation:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Any:
        """The tensor that the initializer assigns."""
        return self._initial_value

    @property
    def trainable(self) -> bool:
        return self._trainable

    @property
    def constraint(self) -> Any:
        """The function that optimizers apply after every update, or None."""
        return self._constraint

    @property
    def synchronization(self) -> VariableSynchronization:
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        return self._aggregation

    @property
    def _shared_name(self) -> str:
        return self.name[:-2]

    def _set_save_slice_info(self, info: Any) -> None:
        self._save_slice_info = info

    def _get_save_slice_info(self) -> Any:
        return self._save_slice_info

    def _as_graph_element(self) -> Tensor:
        return self._variable

    def set_shape(self, shape: Any) -> None:
        """Add what you know to the static shape."""
        self._variable.set_shape(shape)
        self.value().set_shape(shape)

    def initialized_value(self) -> Tensor:
        """The variable's value if it is initialized, else its initial value: for the initial values of other variables."""
        from thalweg._src.ops.control.control_flow import cond

        with scopes.init_scope():
            return cond(self.is_initialized(), self.read_value, lambda: self.initial_value)

    def eval(self, session: Any = None) -> Any:
        """The value in `session`, or in the default session."""
        return self._as_graph_element().eval(session=session)

    def load(self, value: Any, session: Any = None) -> None:
        """Put `value` into the variable, in `session` or in the default session."""
        from thalweg._src.core.default_sessions import default_sessions

        session = session or (default_sessions.stack[-1] if default_sessions.stack else None)
        if session is None:
            raise ValueError("Either session argument should be provided or default session should be established")
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The variable as a VariableDef, or None if it is outside of `export_scope`."""
        if export_scope is not None and not self._variable.name.startswith(export_scope):
            return None
        from thalweg._src.formats import protos

        strip = scopes.strip_name_scope
        proto = protos.VariableDef(
            variable_name=strip(self._variable.name, export_scope),
            initializer_name=strip(self.initializer.name, export_scope),
            trainable=self._trainable,
            synchronization=self._synchronization.value,
            aggregation=self._aggregation.value,
        )
        if isinstance(self._initial_value, Tensor):
            proto.initial_value_name = strip(self._initial_value.name, export_scope)
        self._proto_extras(proto, lambda name: strip(name, export_scope))
        if self._save_slice_info is not None:
            proto.save_slice_info_def.MergeFrom(self._save_slice_info.to_proto(export_scope=export_scope))
        return proto

    def _proto_extras(self, proto: Any, strip: Any) -> None:
        raise NotImplementedError

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable that a VariableDef describes, whose ops are in the default graph."""
        return Variable(variable_def=variable_def, import_scope=import_scope)

    def _read_proto(self, proto: Any, import_scope: str | None) -> None:
        graph = get_default_graph()

        def find(name: str) -> Any:
            return graph.as_graph_element(scopes.prepend_name_scope(name, import_scope))

        self._variable = find(proto.variable_name)
        self._initializer_op = find(proto.initializer_name)
        self._initial_value = find(proto.initial_value_name) if proto.initial_value_name else None
        self._trainable = proto.trainable or not proto.DESCRIPTOR.fields_by_name.get("trainable")
        if proto.HasField("save_slice_info_def"):
            self._save_slice_info = SaveSliceInfo(
                save_slice_info_def=proto.save_slice_info_def, import_scope=import_scope
            )

    # -- assignments; `read_value=False` gives the operation alone

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Put `value` into the variable; gives the variable's tensor, or the operation."""
        raise NotImplementedError

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Add `delta` to the variable."""
        raise NotImplementedError

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtract `delta` from the variable."""
        raise NotImplementedError

    def _scatter(self, which: str, sparse_delta: Any, use_locking: bool, name: str | None) -> Any:
        from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
        from thalweg._src.ops.updates import updating

        if not isinstance(sparse_delta, IndexedSlices):
            raise ValueError(f"sparse_delta is not IndexedSlices: {sparse_delta}")
        f = getattr(updating, which)
        return f(self, sparse_delta.indices, sparse_delta.values, use_locking=use_locking, name=name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Add rows (IndexedSlices) to the variable."""
        return self._scatter("scatter_add", sparse_delta, use_locking, name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtract rows (IndexedSlices) from the variable."""
        return self._scatter("scatter_sub", sparse_delta, use_locking, name)

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace rows (IndexedSlices) of the variable."""
        return self._scatter("scatter_update", sparse_delta, use_locking, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace rows by the maximum of themselves and those of IndexedSlices."""
        return self._scatter("scatter_max", sparse_delta, use_locking, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace rows by the minimum of themselves and those of IndexedSlices."""
        return self._scatter("scatter_min", sparse_delta, use_locking, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Multiply rows by those of IndexedSlices."""
        return self._scatter("scatter_mul", sparse_delta, use_locking, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Divide rows by those of IndexedSlices."""
        return self._scatter("scatter_div", sparse_delta, use_locking, name)

    def batch_scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace rows within each entry of the leading axes by those of IndexedSlices."""
        from thalweg._src.ops.updates import updating

        return updating.batch_scatter_update(
            self, sparse_delta.indices, sparse_delta.values, use_locking=use_locking, name=name
        )

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows with these numbers."""
        from thalweg._src.ops.late import array

        return array.gather(self.value(), indices, name=name)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The entries at these places."""
        from thalweg._src.ops.late import array

        return array.gather_nd(self.value(), indices, name=name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Subtract `updates` at `indices`."""
        from thalweg._src.ops.updates import updating

        return updating.scatter_nd_sub(self, indices, updates, use_locking=True, name=name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Add `updates` at `indices`."""
        from thalweg._src.ops.updates import updating

        return updating.scatter_nd_add(self, indices, updates, use_locking=True, name=name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Put `updates` at `indices`."""
        from thalweg._src.ops.updates import updating

        return updating.scatter_nd_update(self, indices, updates, use_locking=True, name=name)

    def count_up_to(self, limit: int) -> Tensor:
        """The value, which grows by one with every run until it is `limit`; then OutOfRangeError."""
        from thalweg._src.ops.stateful.counters import count_up_to

        return count_up_to(self, limit)

    # -- as a value in expressions

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable.")

    def __getitem__(self, key: Any) -> Any:
        from thalweg._src.ops.arrays.indexing import getitem

        return getitem(self.value(), key, var=self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: Any) -> bool:
        return self is other

    def __ne__(self, other: Any) -> bool:
        return self is not other

    def experimental_ref(self) -> Reference:
        """What stands for this variable in sets and dicts; its `deref()` is the variable."""
        return Reference(self)

    ref = experimental_ref

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.get_shape()} dtype={self.dtype.name}>"

    __array_priority__ = 100


def _forward(operator: str) -> Callable[..., Any]:
    def run(self: Variable, *args: Any) -> Any:
        return getattr(Tensor, operator)(self.value(), *args)

    run.__name__ = operator
    return run


for _operator in (
    *("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "div", "rdiv", "floordiv", "rfloordiv"),
    *(
        "mod",
        "rmod",
        "pow",
        "rpow",
        "matmul",
        "rmatmul",
        "lt",
        "le",
        "gt",
        "ge",
        "and",
        "rand",
        "or",
        "ror",
        "xor",
        "rxor",
    ),
    *("neg", "abs", "invert"),
):
    setattr(Variable, f"__{_operator}__", _forward(f"__{_operator}__"))
