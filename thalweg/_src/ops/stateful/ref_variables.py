"""Reference variables of TensorFlow 1.x: the tensor of the variable is the place of its value."""

from __future__ import annotations

import contextlib
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import state, variables
from thalweg._src.ops.stateful.initial_values import guarded
from thalweg._src.ops.stateful.variables import Variable, declared_dims


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
            dims = declared_dims(shape, init, validate)
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
        from thalweg._src.ops.arrays.slicing import strided_slice_assign

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
        locking = use_locking is None or use_locking
        out = state.assign(self._variable, value, validate_shape=True, use_locking=locking, name=name)
        return out if read_value else out.op

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        out = state.assign_add(self._variable, delta, use_locking=bool(use_locking), name=name)
        return out if read_value else out.op

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        out = state.assign_sub(self._variable, delta, use_locking=bool(use_locking), name=name)
        return out if read_value else out.op


def _colocate(op: Operation, with_op: Operation) -> None:
    op._attrs.setdefault("_class", [f"loc:@{with_op.name}"])


variables.kinds["reference"] = RefVariable
