"""The base of all optimizers: gradients of a loss, and operations that apply them to variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, infer, nest, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.optimizers import slot_creator
from thalweg._src.ops import basic
from thalweg._src.ops.derivatives import gradients
from thalweg._src.ops.derivatives.tape import GradientTape
from thalweg._src.ops.late import array, math
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices, convert_to_tensor_or_indexed_slices
from thalweg._src.ops.stateful.assigning import assign_add
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variable_lists import trainable_variables
from thalweg._src.ops.stateful.variables import Variable


class Optimizer:
    """Minimizes a loss: `compute_gradients`, then `apply_gradients`; `minimize` is both.

    A subclass says how one variable is updated: `_apply_dense` and `_apply_sparse` for reference variables,
    `_resource_apply_dense` and `_resource_apply_sparse` for resource variables. `_create_slots` makes the variables
    it keeps beside each of them, `_prepare` its tensors, `_finish` what happens after all updates.
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str):
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking, self._name = use_locking, name
        self._slots: dict[str, dict[Any, Variable]] = {}
        self._non_slot_dict: dict[Any, Variable] = {}

    def get_name(self) -> str:
        """The name under which the optimizer adds its operations."""
        return self._name

    # -- what users call

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Operation:
        """An operation that takes one step down the gradient of `loss`, and adds one to `global_step`.

        Raises ValueError where no variable has a gradient.

        >>> w = tf.Variable(1.0)
        >>> step = tf.train.GradientDescentOptimizer(0.1).minimize(w * w)
        >>> run([step, w], after=w.initializer)[1]
        0.8
        """
        pairs = self.compute_gradients(
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        return self._step_down(pairs, loss, global_step, name)

    def _step_down(self, pairs: Sequence[tuple[Any, Any]], loss: Any, global_step: Any, name: str | None) -> Any:
        """`apply_gradients`, for the gradients of `loss`."""
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {[str(v) for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """(gradient, variable) pairs; a gradient is a Tensor, IndexedSlices, or None where the loss does not depend
        on it.

        `var_list` is all trainable variables unless given. `loss` may be a function that gives the loss. Raises
        ValueError without variables, or where a type is not one of floats.
        """
        if callable(loss):
            return self._gradients_of_function(loss, var_list, grad_loss)
        return self._gradients_of_tensor(
            loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss
        )

    def _gradients_of_tensor(
        self,
        loss: Any,
        var_list: Any,
        gate_gradients: int,
        aggregation_method: Any,
        colocate_gradients_with_ops: bool,
        grad_loss: Any,
        stop_gradients: Any = None,
    ) -> list[tuple[Any, Any]]:
        """The pairs for a loss of the graph; the tensors of `stop_gradients` count as constants."""
        if executing_eagerly():
            raise RuntimeError(
                "`loss` passed to Optimizer.compute_gradients should be a function when eager execution is enabled."
            )
        if gate_gradients not in (Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  "
                f"Not {gate_gradients}"
            )
        self._assert_valid_dtypes([loss])
        if grad_loss is not None:
            self._assert_valid_dtypes([grad_loss])
        variables = trainable_variables() if var_list is None else nest.flatten(var_list)
        variables = variables + scopes.get_collection(GraphKeys._STREAMING_MODEL_PORTS)
        for v in variables:
            _check_kind(v)
        if not variables:
            raise ValueError("No variables to optimize.")
        grads = gradients.gradients(
            loss,
            [v._ref() if hasattr(v, "_ref") else v for v in variables],
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == Optimizer.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            stop_gradients=stop_gradients,
        )
        if gate_gradients == Optimizer.GATE_GRAPH:
            grads = basic.tuple_(grads)
        pairs = list(zip(grads, variables, strict=True))
        self._assert_valid_dtypes([v for g, v in pairs if g is not None and v.dtype != dtypes.resource])
        return pairs

    def _gradients_of_function(self, loss: Any, var_list: Any, grad_loss: Any) -> list[tuple[Any, Any]]:
        """The pairs for a loss that a function computes: by what a tape sees of it."""
        with GradientTape() as tape:
            if var_list is not None:
                tape.watch(var_list)
            value = loss()
        if var_list is None:
            var_list = tape.watched_variables()
        with get_default_graph().control_dependencies([value]):
            grads = tape.gradient(value, var_list, grad_loss)
        return list(zip(grads, var_list, strict=True))

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """An operation that applies (gradient, variable) pairs, then adds one to `global_step`.

        Raises ValueError without pairs or where all gradients are None, TypeError for what is no gradient.
        """
        pairs = [(_as_gradient(g), v) for g, v in tuple(grads_and_vars)]
        if not pairs:
            raise ValueError("No variables provided.")
        for _, v in pairs:
            _check_kind(v)
        variables = [v for g, v in pairs if g is not None]
        if not variables:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in pairs]}.")
        graph = get_default_graph()
        with scopes.init_scope():
            self._create_slots(variables)
        with scopes.name_scope(name, self._name) as scope:
            self._prepare()
            updates = []
            for g, v in pairs:
                if g is not None:
                    with graph.name_scope(f"update_{v.op.name}"), graph.colocate_with(v.op):
                        updates.append(self._update(g, v))
            if global_step is None:
                done = self._finish(updates, scope)
            else:
                with graph.control_dependencies([self._finish(updates, "update")]):
                    with graph.colocate_with(global_step.op):
                        done = _add_one(global_step, scope)
        if executing_eagerly():
            return None
        done = done.op if isinstance(done, Tensor) else done
        train_ops = graph.get_collection_ref(GraphKeys.TRAIN_OP)
        if done not in train_ops:
            train_ops.append(done)
        return done

    # -- slots and other variables of the optimizer

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot `name` of `var`, or None if there is none."""
        return self._slots.get(name, {}).get(_key(var))

    def get_slot_names(self) -> list[str]:
        """The names of the slots that have been made."""
        return sorted(self._slots)

    def variables(self) -> list[Variable]:
        """All variables that the optimizer has made in the default graph, by name."""
        graph = get_default_graph().outermost
        slots = [v for by_var in self._slots.values() for v in by_var.values()]
        return sorted([v for v in [*self._non_slot_variables(), *slots] if v.op.graph is graph], key=lambda v: v.name)

    def _slot_dict(self, slot_name: str) -> dict[Any, Variable]:
        return self._slots.setdefault(slot_name, {})

    def _get_or_make_slot(self, var: Any, val: Any, slot_name: str, op_name: str) -> Variable:
        slots = self._slot_dict(slot_name)
        if _key(var) not in slots:
            slots[_key(var)] = slot_creator.create_slot(var, val, op_name)
        return slots[_key(var)]

    def _get_or_make_slot_with_initializer(
        self, var: Any, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Variable:
        slots = self._slot_dict(slot_name)
        if _key(var) not in slots:
            slots[_key(var)] = slot_creator.create_slot_with_initializer(var, initializer, shape, dtype, op_name)
        return slots[_key(var)]

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Variable:
        slots = self._slot_dict(slot_name)
        if _key(var) not in slots:
            slots[_key(var)] = slot_creator.create_zeros_slot(var, op_name)
        return slots[_key(var)]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Variable:
        """A variable that belongs to no other one, made once per graph."""
        key = (name, colocate_with.op.graph)
        if key not in self._non_slot_dict:
            with get_default_graph().colocate_with(colocate_with.op):
                self._non_slot_dict[key] = Variable(
                    initial_value, name=name, trainable=False, use_resource=isinstance(colocate_with, ResourceVariable)
                )
        return self._non_slot_dict[key]

    def _get_non_slot_variable(self, name: str, graph: Any = None) -> Any:
        return self._non_slot_dict.get((name, graph))

    def _non_slot_variables(self) -> list[Variable]:
        return list(self._non_slot_dict.values())

    # -- what subclasses say

    def _valid_dtypes(self) -> set[DType]:
        return {dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64}

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Make the slots that `var_list` needs."""

    def _prepare(self) -> None:
        """Make the tensors that all updates share, in the name scope of the training operation."""

    # A rule that is the same for reference and resource variables says it once, in `_dense` and `_sparse`.

    def _dense(self, grad: Tensor, var: Any) -> Any:
        raise NotImplementedError

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        raise NotImplementedError

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        return self._dense(grad, var)

    def _resource_apply_dense(self, grad: Tensor, handle: Any) -> Any:
        return self._dense(grad, handle)

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        """`grad` names no row twice."""
        return self._sparse(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Tensor, handle: Any, indices: Tensor) -> Any:
        """`indices` names no row twice."""
        return self._sparse(grad, handle, indices)

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Operation:
        """For optimizers that can take rows named twice; otherwise their gradients are summed first."""
        values, indices = _deduplicate_indexed_slices(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad: Tensor, handle: Any, indices: Tensor) -> Operation:
        """For optimizers that can take rows named twice; otherwise their gradients are summed first."""
        values, unique = _deduplicate_indexed_slices(grad, indices)
        return self._resource_apply_sparse(values, handle, unique)

    def _finish(self, update_ops: list[Any], name_scope: str) -> Any:
        """The operation that is done when `update_ops` are."""
        return basic.group(*update_ops, name=name_scope)

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    def _number(self, value: Any, name: str) -> Tensor:
        """A parameter as a tensor; a function gives it now. Raises ValueError for one that is known not to be finite."""
        tensor = to_tensor(self._call_if_callable(value), None, name)
        known = infer.constant_value(tensor)
        if known is not None and not np.all(np.isfinite(known.astype(np.float64))):
            raise ValueError(
                f"The {name} of {self._name} is {known}: one step would make every weight NaN or infinite. Give it a finite "
                "number; where it was computed, print what went into it."
            )
        return tensor

    # -- one variable

    def _update(self, grad: Any, var: Any) -> Any:
        resource = isinstance(var, ResourceVariable)
        if isinstance(grad, IndexedSlices):
            if getattr(var, "constraint", None) is not None:
                raise RuntimeError("Cannot use a constraint function on a sparse variable.")
            if resource:
                return self._resource_apply_sparse_duplicate_indices(grad.values, var, grad.indices)
            return self._apply_sparse_duplicate_indices(grad, var)
        if isinstance(var, Tensor):
            raise NotImplementedError("Trying to update a Tensor ", var)
        done = self._resource_apply_dense(grad, var) if resource else self._apply_dense(grad, var)
        if var.constraint is None:
            return done
        with get_default_graph().control_dependencies([done]):
            return var.assign(var.constraint(var))

    def _assert_valid_dtypes(self, tensors: Sequence[Any]) -> None:
        valid = self._valid_dtypes()
        for t in tensors:
            dtype = t.dtype.base_dtype
            if dtype not in valid:
                raise ValueError(f"Invalid type {dtype!r} for {t.name}, expected: {list(valid)}.")

    def _scalars(self, var: Any, *tensors: Any) -> list[Any]:
        """`tensors` in the type of `var`."""
        dtype = var.dtype.base_dtype
        return [t if t.dtype.base_dtype == dtype else math.cast(t, dtype) for t in tensors]


def _key(var: Any) -> tuple[Any, str]:
    return var.op.graph, var.op.name


def _check_kind(v: Any) -> None:
    if not isinstance(v, Variable | Tensor):
        raise NotImplementedError("Trying to optimize unsupported type ", v)


def _as_gradient(g: Any) -> Any:
    if g is None:
        return None
    try:
        g = convert_to_tensor_or_indexed_slices(g)
    except TypeError:
        raise TypeError(f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {g}") from None
    if not isinstance(g, Tensor | IndexedSlices):
        raise TypeError(f"Gradient must be a Tensor, IndexedSlices, or None: {g}")
    return g


def _add_one(global_step: Any, name: str) -> Any:
    if isinstance(global_step, ResourceVariable):
        return global_step.assign_add(1, name=name, read_value=False)
    return assign_add(global_step, 1, name=name)


def _deduplicate_indexed_slices(values: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Each row that `indices` names once, with the sum of its `values`."""
    from thalweg._src.ops.arrays.distinct import unique

    rows, positions = unique(indices)
    return math.unsorted_segment_sum(values, positions, array.shape(rows)[0]), rows
