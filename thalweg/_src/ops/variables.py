"""`tf.Variable`: a tensor that a session keeps between runs. Two kinds: reference variables, and resource variables."""

from __future__ import annotations

import contextlib
import enum
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import register_tensor_conversion_function, to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import EagerGraph
from thalweg._src.core.graph import Graph, Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.shapes import TensorShape, as_dims
from thalweg._src.ops import basic, state
from thalweg._src.ops.initial_values import guarded
from thalweg._src.ops.partitioned import SaveSliceInfo


class VariableSynchronization(enum.Enum):
    """When a variable that several devices hold is brought together. Kept for programs; one process needs none."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How the values of several devices become one."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3
    ONLY_FIRST_TOWER = 3


def _mode(kind: type[enum.Enum], given: Any, what: str, name: str | None) -> Any:
    """A member of `kind` for a member or its value, the first for None. Raises ValueError for another value."""
    try:
        return next(iter(kind)) if given is None else kind(given)
    except ValueError:
        raise ValueError(f"Invalid variable {what} mode: {given} for variable: {name}") from None


# Decides between the two kinds where the caller does not; the variable scope sets it.
default_use_resource: list[Callable[[], bool]] = [lambda: False]
# The kind of eager execution, which ops/eager_variables puts here.
eager_kind: list[type] = []


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
            return object.__new__(eager_kind[0])
        return object.__new__(ResourceVariable if use_resource else RefVariable)

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
        self._synchronization = _mode(VariableSynchronization, synchronization, "synchronization", name)
        self._aggregation = _mode(VariableAggregation, aggregation, "aggregation", name)
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
                initial_value, element, validate_shape, caching_device, name, None if shape is None else as_dims(shape)
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
        from thalweg._src.ops.control_flow import cond

        with scopes.init_scope():
            return cond(is_variable_initialized(self), self.read_value, lambda: self.initial_value)

    def eval(self, session: Any = None) -> Any:
        """The value in `session`, or in the default session."""
        return self._as_graph_element().eval(session=session)

    def load(self, value: Any, session: Any = None) -> None:
        """Put `value` into the variable, in `session` or in the default session."""
        from thalweg._src.core.graph import default_sessions

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
        from thalweg._src.ops import updating
        from thalweg._src.ops.indexed_slices import IndexedSlices

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

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Subtract `updates` at `indices`."""
        from thalweg._src.ops import updating

        return updating.scatter_nd_sub(self, indices, updates, use_locking=True, name=name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Add `updates` at `indices`."""
        from thalweg._src.ops import updating

        return updating.scatter_nd_add(self, indices, updates, use_locking=True, name=name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Any:
        """Put `updates` at `indices`."""
        from thalweg._src.ops import updating

        return updating.scatter_nd_update(self, indices, updates, use_locking=True, name=name)

    def count_up_to(self, limit: int) -> Tensor:
        """The value, which grows by one with every run until it is `limit`; then OutOfRangeError."""
        from thalweg._src.ops.counters import count_up_to

        return count_up_to(self, limit)

    # -- as a value in expressions

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable.")

    def __getitem__(self, key: Any) -> Any:
        from thalweg._src.ops.indexing import getitem

        return getitem(self.value(), key, var=self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: Any) -> bool:
        return self is other

    def __ne__(self, other: Any) -> bool:
        return self is not other

    def experimental_ref(self) -> Variable:
        return self

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


class RefVariable(Variable):
    """The variables of TensorFlow 0.x and 1.x: an op whose output is a reference to the buffer."""

    def _make(
        self, initial_value: Any, dtype: DType | None, validate: bool, caching: Any, name: Any, shape: Any
    ) -> None:
        graph = get_default_graph()
        from_function = callable(initial_value)
        with scopes.name_scope(name, "Variable", [] if from_function else [initial_value]) as scope:
            own = {"_class": [f"loc:@{scopes.name_from_scope(scope)}"]}
            if from_function:
                with graph._attr_scope(own):
                    with scopes.name_scope("Initializer"), graph.device(None):
                        self._initial_value = to_tensor(initial_value(), dtype, "initial_value")
            else:
                self._initial_value = to_tensor(initial_value, dtype, "initial_value")
            init = self._initial_value
            if not isinstance(init, Tensor):
                raise TypeError(f"initial_value must be a Tensor: {init}")
            dims = shape if shape is not None else init.dims if validate else None
            if validate and (init.dims is None or None in init.dims):
                raise ValueError(f"initial_value must have a shape specified: {init}")
            with graph._attr_scope(own) if from_function else contextlib.nullcontext():
                self._variable = state.variable_v2(shape=dims, dtype=init.dtype.base_dtype, name=scope)
            assigned = guarded(self._variable.op.name, init)
            self._initializer_op = state.assign(
                self._variable, assigned, validate_shape=validate, use_locking=True, name="Assign"
            ).op
            _colocate(self._initializer_op, self._variable.op)
            if caching is not None:
                with graph.device(caching):
                    self._snapshot = basic.identity(self._variable, name="read")
            else:
                with graph.colocate_with(self._variable.op):
                    self._snapshot = basic.identity(self._variable, name="read")
        self._caching_device = caching
        self._validate = validate

    def _from_proto(self, variable_def: Any, import_scope: str | None) -> None:
        self._read_proto(variable_def, import_scope)
        name = scopes.prepend_name_scope(variable_def.snapshot_name, import_scope)
        self._snapshot = get_default_graph().as_graph_element(name)
        self._caching_device = None

    def _proto_extras(self, proto: Any, strip: Any) -> None:
        proto.snapshot_name = strip(self._snapshot.name)

    def value(self) -> Tensor:
        return self._snapshot

    def _strided_slice_assign(self, *, value: Any, **where: Any) -> Any:
        from thalweg._src.ops.slicing import strided_slice_assign

        return strided_slice_assign(self._variable, value=value, **where)

    def read_value(self) -> Tensor:
        return basic.identity(self._variable, name="read")

    def _ref(self) -> Tensor:
        return self._variable

    def _as_graph_element(self) -> Tensor:
        return self._variable

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether the variable has a value."""
        return state.is_variable_initialized(self._variable, name=name)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        out = assign(self, value, use_locking=use_locking, name=name)
        return out if read_value else out.op

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        out = assign_add(self, delta, use_locking=use_locking, name=name)
        return out if read_value else out.op

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        out = assign_sub(self, delta, use_locking=use_locking, name=name)
        return out if read_value else out.op


class ResourceVariable(Variable):
    """A variable behind a handle: every read is an operation of its own, ordered by control dependencies."""

    def _make(
        self, initial_value: Any, dtype: DType | None, validate: bool, caching: Any, name: Any, shape: Any
    ) -> None:
        graph = get_default_graph()
        from_function = callable(initial_value)
        with scopes.name_scope(name, "Variable", [] if from_function else [initial_value]) as scope:
            own = scopes.name_from_scope(scope)
            with graph._attr_scope({"_class": [f"loc:@{own}"]}):
                with scopes.name_scope("Initializer"), graph.device(None):
                    value = initial_value() if from_function else initial_value
                    self._initial_value = to_tensor(value, dtype, "initial_value")
            init = self._initial_value
            dims = shape if shape is not None else init.dims if validate else None
            if validate and (init.dims is None or None in init.dims):
                raise ValueError(f"initial_value must have a shape specified: {init}")
            element = init.dtype.base_dtype
            self._dtype = element
            with graph._attr_scope({"_class": [f"loc:@{own}"]}):
                self._variable = state.var_handle(shape=dims, dtype=element, shared_name=own, name=scope)
            with scopes.name_scope("IsInitialized"):
                self._is_initialized = state.var_is_initialized(self._variable)
            with scopes.name_scope("Assign") as n, self._beside():
                self._initializer_op = state.assign_variable(self._variable, guarded(own, init), dtype=element, name=n)
            with scopes.name_scope("Read"), graph.device(self._variable.device):
                self._graph_element = self._read()
            self._cached = None
            if caching is not None:
                with graph.device(caching):
                    self._cached = basic.identity(self._graph_element)

    def _from_proto(self, variable_def: Any, import_scope: str | None) -> None:
        self._read_proto(variable_def, import_scope)
        graph = get_default_graph()
        self._dtype = self._variable.op.attrs["dtype"]
        if variable_def.snapshot_name:
            name = scopes.prepend_name_scope(variable_def.snapshot_name, import_scope)
            snapshot = graph.as_graph_element(name)
            self._cached = snapshot if snapshot.op.type != "ReadVariableOp" else None
            self._graph_element = snapshot if self._cached is None else snapshot.op.inputs[0]
        else:
            self._cached = None
            self._graph_element = graph.get_tensor_by_name(self._variable.op.name + "/Read/ReadVariableOp:0")

    def _proto_extras(self, proto: Any, strip: Any) -> None:
        proto.is_resource = True
        proto.snapshot_name = strip((self._cached if self._cached is not None else self._graph_element).name)

    def _read(self) -> Tensor:
        return state.read_variable(self._variable, dtype=self._dtype)

    @property
    def handle(self) -> Tensor:
        """The handle of the variable, a scalar tensor of type resource."""
        return self._variable

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        return TensorShape._of(self._variable.op.attrs["shape"])

    def set_shape(self, shape: Any) -> None:
        self._graph_element.set_shape(shape)

    @property
    def create(self) -> Operation:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    def value(self) -> Tensor:
        if self._cached is not None:
            return self._cached
        with self._beside():
            return self._read()

    @contextlib.contextmanager
    def _beside(self) -> Iterator[None]:
        """On the variable's device, whatever the block around is colocated with."""
        graph = get_default_graph()
        with graph.colocate_with(None, ignore_existing=True), graph.device(self._variable.device):
            yield

    def read_value(self) -> Tensor:
        with scopes.name_scope("Read"):
            value = self._read()
        return basic.identity(value)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """The rows at `indices`."""
        from thalweg._src.ops.updating import resource_gather

        with scopes.name_scope("Gather" if name is None else name) as scope:
            rows = resource_gather(self._variable, indices, dtype=self._dtype, name=scope)
        return basic.identity(rows)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The parts at the index vectors in the last axis of `indices`."""
        from thalweg._src.ops.gathering import resource_gather_nd

        with scopes.name_scope("GatherNd" if name is None else name) as scope:
            parts = resource_gather_nd(self._variable, indices, dtype=self._dtype, name=scope)
        return basic.identity(parts)

    def _as_graph_element(self) -> Tensor:
        return self._graph_element

    def _lazy_read(self, done: Operation) -> ResourceVariable:
        return _Assigned(self, done)

    def _strided_slice_assign(self, *, value: Any, **where: Any) -> Any:
        from thalweg._src.ops.slicing import resource_strided_slice_assign

        value = to_tensor(value, self._dtype)
        return self._lazy_read(resource_strided_slice_assign(self._variable, value=value, **where))

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether the variable has a value."""
        return state.var_is_initialized(self._variable, name=name)

    def _update(self, op: Any, value: Any, name: str | None, read_value: bool) -> Any:
        from thalweg._src.core import shapes as shapes_lib

        tensor = to_tensor(value, self._dtype)
        if shapes_lib.merge(self.dims, tensor.dims) is False:
            raise ValueError(f"Shapes {self.shape} and {tensor.shape} are incompatible")
        done = op(self._variable, tensor, dtype=self._dtype, name=name)
        return _Assigned(self, done) if read_value else done

    def assign(
        self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True
    ) -> Any:
        return self._update(state.assign_variable, value, name, read_value)

    def assign_add(self, delta: Any, use_locking: Any = None, name: str | None = None, read_value: bool = True) -> Any:
        return self._update(state.assign_add_variable, delta, name, read_value)

    def assign_sub(self, delta: Any, use_locking: Any = None, name: str | None = None, read_value: bool = True) -> Any:
        return self._update(state.assign_sub_variable, delta, name, read_value)


class _Assigned(ResourceVariable):
    """A resource variable right after an assignment: its value is read after that, and its `op` is the assignment."""

    def __init__(self, variable: ResourceVariable, done: Operation):
        self.__dict__.update(variable.__dict__)
        self._done = done
        self._cached = None
        self._after: Tensor | None = None if get_default_graph().building_function else self._read()

    @property
    def op(self) -> Operation:
        return self._done

    def _read(self) -> Tensor:
        with get_default_graph().control_dependencies([self._done]):
            return state.read_variable(self._variable, dtype=self._dtype)

    def _as_graph_element(self) -> Tensor:
        if self._after is None:
            self._after = self._read()
        return self._after

    def eval(self, session: Any = None) -> Any:
        return self._as_graph_element().eval(session=session)


def _colocate(op: Operation, with_op: Operation) -> None:
    op._attrs.setdefault("_class", [f"loc:@{with_op.name}"])


def _convert(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type '{value.dtype.name}'"
        )
    if as_ref and isinstance(value, RefVariable):
        return value._variable
    return value.value()


register_tensor_conversion_function(Variable, _convert, 100)


def assign(
    ref: Any, value: Any, validate_shape: bool | None = None, use_locking: bool | None = None, name: str | None = None
) -> Any:
    """Put `value` into the variable `ref`; gives its tensor, read after that."""
    if isinstance(ref, ResourceVariable):
        return ref.assign(value, name=name)
    tensor = _ref_of(ref)
    validate = True if validate_shape is None else validate_shape
    locking = True if use_locking is None else use_locking
    return state.assign(tensor, value, validate_shape=validate, use_locking=locking, name=name)


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Add `value` to the variable `ref`."""
    if isinstance(ref, ResourceVariable):
        return ref.assign_add(value, name=name)
    return state.assign_add(_ref_of(ref), value, use_locking=bool(use_locking), name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Subtract `value` from the variable `ref`."""
    if isinstance(ref, ResourceVariable):
        return ref.assign_sub(value, name=name)
    return state.assign_sub(_ref_of(ref), value, use_locking=bool(use_locking), name=name)


def _ref_of(ref: Any) -> Any:
    return ref._variable if isinstance(ref, RefVariable) else ref


def is_variable_initialized(variable: Any) -> Tensor:
    """Whether the variable has a value, as a bool tensor."""
    if isinstance(variable, Variable):
        return variable.is_initialized()  # type: ignore[attr-defined]
    return state.is_variable_initialized(variable)


# -- lists of variables, and operations on lists


def global_variables(scope: str | None = None) -> list[Variable]:
    """The variables that are shared and saved."""
    return scopes.get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def all_variables() -> list[Variable]:
    """`global_variables`, by its name of 0.11."""
    return global_variables()


def local_variables(scope: str | None = None) -> list[Variable]:
    """The variables of this process alone, which are not saved: counters of metrics and epochs."""
    return scopes.get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Variable]:
    """The variables that inference needs."""
    return scopes.get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Variable]:
    """The variables that optimizers change."""
    return scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Variable]:
    """The variables that have moving averages."""
    return scopes.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """An operation that gives all of `var_list` their initial values."""
    if var_list:
        return basic.group(*[v.initializer for v in var_list], name=name)
    return basic.group(name=name)


def initialize_variables(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """`variables_initializer`, by its name of 0.x."""
    return variables_initializer(var_list, name)


def global_variables_initializer() -> Operation:
    """An operation that gives all global variables their initial values."""
    return variables_initializer(global_variables())


def initialize_all_variables() -> Operation:
    """`global_variables_initializer`, by its name of 0.11."""
    return global_variables_initializer()


def local_variables_initializer() -> Operation:
    """An operation that gives all local variables their initial values."""
    return variables_initializer(local_variables())


def initialize_local_variables() -> Operation:
    """`local_variables_initializer`, by its name of 0.x."""
    return local_variables_initializer()


def assert_variables_initialized(var_list: Sequence[Variable] | None = None) -> Any:
    """A tensor whose evaluation raises FailedPreconditionError if a variable is not initialized; None without variables."""
    found = global_variables() + local_variables() if var_list is None else list(var_list)
    if not found:
        return None
    from thalweg._src.ops.late import array

    ranks = []
    for v in found:
        with get_default_graph().colocate_with(v.op):
            ranks.append(array.rank_internal(v.value(), optimize=False))
    return array.stack(ranks)


def report_uninitialized_variables(
    var_list: Sequence[Variable] | None = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names of the variables that have no value yet, as a vector of strings."""
    from thalweg._src.ops import constants
    from thalweg._src.ops.compare import logical_not
    from thalweg._src.ops.late import array

    found = global_variables() + local_variables() if var_list is None else list(var_list)
    with scopes.name_scope(name):
        if not found:
            return constants.constant([], dtype=dtypes.string)
        missing = logical_not(array.stack([is_variable_initialized(v) for v in found]))
        names = constants.constant([v.op.name if not isinstance(v, _Assigned) else v.name[:-2] for v in found])
        return array.boolean_mask(names, missing)
