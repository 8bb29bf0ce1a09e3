"""The variables of a layer: made once in the scope of its name, counted, read and loaded."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.layers import by_name
from thalweg._src.lib.tracking.object_graph import Trackable, is_trackable
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful import variable_store
from thalweg._src.ops.stateful.eager_variables import EagerVariable
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization
from thalweg._src.ops.stateful.variables import Variable


class Weights(Trackable):
    """The part of a layer that is its variables, trainable ones and others."""

    name: Any
    dtype: Any
    trainable: Any
    built: bool

    @property
    def trainable_weights(self) -> list[Any]:
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        own = list(self._non_trainable_weights)
        return own if self.trainable else list(self._trainable_weights) + own

    @property
    def weights(self) -> list[Any]:
        """The variables, trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def variables(self) -> list[Any]:
        return self.weights

    @property
    def trainable_variables(self) -> list[Any]:
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        return self.non_trainable_weights

    def count_params(self) -> int:
        """The number of scalars in the variables. Raises ValueError before the layer is built."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You can build it manually via: "
                f"`{self.name}.build(batch_input_shape)`."
            )
        return int(sum(np.prod(w.shape.as_list()) for w in self.weights))

    def get_weights(self) -> list[Any]:
        """The values of the variables in the default session."""
        return [w.numpy() if isinstance(w, EagerVariable) else w.eval() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Load the variables in the default session. Raises ValueError for another number or other shapes."""
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a  weight list of length {len(weights)}, but the '
                f"layer was expecting {len(own)} weights. Provided weights: {str(weights)[:50]}..."
            )
        for variable, value in zip(own, weights, strict=True):
            if not variable.shape.is_compatible_with(np.shape(value)):
                raise ValueError(
                    f"Layer weight shape {variable.shape} not compatible with provided weight shape {np.shape(value)}"
                )
            variable.load(value)

    def add_weight(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> Any:
        """The variable `name` of the layer's scope, made or shared; a PartitionedVariable with a `partitioner`.

        `regularizer` adds to the layer's losses and to REGULARIZATION_LOSSES, once for each variable. Raises ValueError for
        trainable=True with ON_READ, TypeError for unknown arguments.
        """
        for given in kwargs:
            if given not in ("experimental_autocast", "collections", "getter"):
                raise TypeError("Unknown keyword argument:", given)
        if trainable and synchronization == VariableSynchronization.ON_READ:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You have "
                "specified trainable=True and synchronization=VariableSynchronization.ON_READ."
            )
        trainable = variable_store.settled_trainable(trainable, synchronization)
        made = {
            "name": name,
            "shape": () if shape is None else shape,
            "dtype": dtypes.as_dtype(self.dtype or dtypes.float32 if dtype is None else dtype),
            "trainable": trainable and self.trainable,
            "constraint": by_name.constraint(constraint),
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        regularizer = by_name.regularizer(regularizer)
        if self._keras_style:
            made["initializer"] = by_name.initializer(initializer)
            return self._own_weight(made, use_resource, regularizer)
        with scopes.init_scope():
            existing = {id(v) for v in get_default_graph().get_collection_ref(GraphKeys.GLOBAL_VARIABLES)}
        self._set_scope(None)
        with vs.variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            with scopes.name_scope(self._name_scope()):
                use_resource = use_resource or self._use_resource_variables or scope.use_resource
                chosen = by_name.initializer(scope.initializer if initializer is None else initializer)
                if chosen is None:
                    chosen = self._default_initializer(name, made["dtype"])
                variable = vs.get_variable(
                    initializer=chosen, partitioner=partitioner, use_resource=use_resource, **made, **kwargs
                )
                self._keep(variable, name, made["trainable"])
                parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
                if regularizer and not any(id(v) in existing for v in parts):
                    self._regularize(name, parts, regularizer)
        return variable

    add_variable = add_weight

    def _default_initializer(self, name: str, dtype: Any) -> Any:
        try:
            return variable_store.default_initializer(name, dtype)
        except ValueError:
            raise ValueError(
                f"An initializer for variable {name} of type {dtype.base_dtype} is required for layer {self.name}"
            ) from None

    def _own_weight(self, made: dict[str, Any], use_resource: bool | None, regularizer: Any) -> Any:
        """A variable that no scope knows."""
        make = made.pop("initializer") or self._default_initializer(made["name"], made["dtype"])
        shape, dtype = made.pop("shape"), made["dtype"]
        first = functools.partial(make, shape, dtype=dtype) if callable(make) else make
        variable = Variable(first, use_resource=True if use_resource is None else use_resource, **made)
        self._keep(variable, made["name"], made["trainable"])
        if regularizer:
            self._regularize(made["name"], [variable], regularizer)
        return variable

    def _keep(self, variable: Any, name: str, trainable: bool | None) -> None:
        if trainable and not _is_trainable(variable):  # a custom getter has said otherwise
            trainable = False
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)
        if is_trackable(variable):
            self._track_trackable(variable, name, overwrite=True)


def _is_trainable(variable: Any) -> bool:
    parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
    if all(isinstance(v, EagerVariable) for v in parts):
        return all(v.trainable for v in parts)
    with scopes.init_scope():
        trainable = get_default_graph().get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
    known = {id(v) for v in trainable}
    return all(id(v) in known for v in parts)
