"""Resource variables: a handle stands for the value, which every read gives anew."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import scopes, shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import state, variables
from thalweg._src.ops.stateful.initial_values import guarded
from thalweg._src.ops.stateful.variables import Variable, declared_dims


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
            dims = declared_dims(shape, init, validate)
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
            self._cached = None
            with scopes.name_scope("Read"):
                with graph.device(self._variable.device):
                    self._graph_element = self._read()
                if caching is not None:  # the copy lies there, wherever the variable is made
                    with graph.colocate_with(None, ignore_existing=True), graph.device(None), graph.device(caching):
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
        from thalweg._src.ops.updates.updating import resource_gather

        with scopes.name_scope("Gather" if name is None else name) as scope:
            rows = resource_gather(self._variable, indices, dtype=self._dtype, name=scope)
        return basic.identity(rows)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """The parts at the index vectors in the last axis of `indices`."""
        from thalweg._src.ops.arrays.gathering import resource_gather_nd

        with scopes.name_scope("GatherNd" if name is None else name) as scope:
            parts = resource_gather_nd(self._variable, indices, dtype=self._dtype, name=scope)
        return basic.identity(parts)

    def _as_graph_element(self) -> Tensor:
        return self._graph_element

    def _lazy_read(self, done: Operation) -> ResourceVariable:
        return AssignedVariable(self, done)

    def _strided_slice_assign(self, *, value: Any, **where: Any) -> Any:
        from thalweg._src.ops.arrays.slicing import resource_strided_slice_assign

        value = to_tensor(value, self._dtype)
        return self._lazy_read(resource_strided_slice_assign(self._variable, value=value, **where))

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Whether the variable has a value."""
        return state.var_is_initialized(self._variable, name=name)

    def _update(self, op: Any, value: Any, name: str | None, read_value: bool) -> Any:
        own = self._variable.graph
        with contextlib.nullcontext() if get_default_graph().outermost is own.outermost else own.as_default():
            tensor = to_tensor(value, self._dtype)
            if op is state.assign_variable:
                self.shape.assert_is_compatible_with(tensor.shape)
            shapes.merged(self.dims, tensor.dims)
            done = op(self._variable, tensor, dtype=self._dtype, name=name)
            return AssignedVariable(self, done) if read_value else done

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        raise NotImplementedError("__deepcopy__() is only available when eager execution is enabled.")

    def numpy(self) -> Any:
        """The value as an array, under eager execution. Raises NotImplementedError in a graph."""
        raise NotImplementedError("numpy() is only available when eager execution is enabled.")

    def assign(
        self, value: Any, use_locking: bool | None = None, name: str | None = None, read_value: bool = True
    ) -> Any:
        return self._update(state.assign_variable, value, name, read_value)

    def assign_add(self, delta: Any, use_locking: Any = None, name: str | None = None, read_value: bool = True) -> Any:
        return self._update(state.assign_add_variable, delta, name, read_value)

    def assign_sub(self, delta: Any, use_locking: Any = None, name: str | None = None, read_value: bool = True) -> Any:
        return self._update(state.assign_sub_variable, delta, name, read_value)


class AssignedVariable(ResourceVariable):
    """A resource variable right after an assignment: its value is read after that, and its `op` is the assignment."""

    def __init__(self, variable: ResourceVariable, done: Operation):
        self.__dict__.update(variable.__dict__)
        self._done = done
        self._cached = None
        self._after: Tensor | None = None if get_default_graph().building_function else self._read()

    @property
    def op(self) -> Operation:
        return self._done

    @property
    def name(self) -> str:
        return self._done.name

    def _read(self) -> Tensor:
        with get_default_graph().control_dependencies([self._done]):
            return state.read_variable(self._variable, dtype=self._dtype)

    def _as_graph_element(self) -> Tensor:
        if self._after is None:
            self._after = self._read()
        return self._after

    def eval(self, session: Any = None) -> Any:
        return self._as_graph_element().eval(session=session)


variables.kinds["resource"] = ResourceVariable
