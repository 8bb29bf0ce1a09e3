"""The class that every layer extends: variables in a scope of the layer's name, made once and shared by all its calls."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import re
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, nest, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.layers.dependencies import depending, reachable_from, tagged_loss
from thalweg._src.lib.layers.input_spec import InputSpec, assert_input_compatibility
from thalweg._src.lib.layers.unconnected import Unconnected
from thalweg._src.lib.layers.weights import Weights
from thalweg._src.lib.tracking.module import Parted
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.variables import Variable

_KERAS_ARGUMENTS = ("input_shape", "batch_input_shape", "batch_size", "weights", "activity_regularizer", "autocast")


class _Calls(threading.local):
    """The layers whose `call` is running in this thread, outermost first: (inputs, training)."""

    def __init__(self) -> None:
        self.stack: list[tuple[Any, Any]] = []


_calls = _Calls()
_keras_style = False


@contextlib.contextmanager
def keras_style_scope() -> Iterator[None]:
    """Layers made in the block own their variables: names follow name scopes, and nothing is shared by variable scopes."""
    global _keras_style
    before, _keras_style = _keras_style, True
    try:
        yield
    finally:
        _keras_style = before


def set_keras_style() -> None:
    """`keras_style_scope` from here on, for good."""
    global _keras_style
    _keras_style = True


class Layer(Weights, Unconnected, Parted):
    """A function of tensors with variables of its own.

    Subclasses make variables in `build(input_shape)` by `add_weight` and compute in `call(inputs)`. The first call opens the variable
    scope `name` (made unique) and builds; later calls share the variables. `dtype` of the variables is that of the first input unless
    given. `trainable=False` keeps the variables out of the trainable ones. `_reuse` and `_scope` are those of `tf.layers`' functions.
    """

    def __init_subclass__(cls, **kwargs: Any):
        """A class of Keras' and of this one at once, as both are one family in TensorFlow: what Keras' layers set is theirs."""
        super().__init_subclass__(**kwargs)
        theirs = next((c for c in cls.__mro__ if c.__name__ == "Layer" and c.__module__.startswith("keras.")), None)
        if theirs is not None:
            for name in dir(Layer):
                if isinstance(getattr(Layer, name), property) and not hasattr(theirs, name) and name not in vars(cls):
                    setattr(cls, name, None)

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any):
        self._use_resource_variables = False
        scope, self._reuse = kwargs.pop("_scope", None), kwargs.pop("_reuse", None)
        self._dynamic = kwargs.pop("dynamic", False)
        for given in kwargs:
            if given not in _KERAS_ARGUMENTS:
                raise TypeError("Keyword argument not understood:", given)
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._updates: list[Any] = []
        self._losses: list[Any] = []
        self._callable_losses: list[Any] = []
        self.built = False
        self.stateful = False
        self.supports_masking = False
        self._trainable = trainable
        self._activity_regularizer = kwargs.get("activity_regularizer")
        self._initial_weights = kwargs.get("weights")
        self._dtype = dtype
        self.input_spec = None
        self._init_set_name(name)
        self._read_call_arguments()
        self._keras_style = _keras_style
        for what, value in (("scope", scope), ("reuse", self._reuse)):
            if _keras_style and value is not None:
                raise ValueError(f"{what} argument not allowed when keras style layers are enabled, but saw: {value}")
        self._scope: vs.VariableScope | None = None
        self._current_scope: Any = None
        if scope:
            with vs.variable_scope(scope) as captured:
                self._scope = captured

    def _read_call_arguments(self) -> None:
        parameters = inspect.signature(self.call).parameters
        self._call_fn_args = [p.name for p in parameters.values() if p.kind is not p.VAR_KEYWORD]
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        self._expects_training_arg = takes_any or "training" in self._call_fn_args
        self._call_has_scope_arg = "scope" in self._call_fn_args

    # -- names

    def _init_set_name(self, name: Any) -> None:
        self._base_name = name.name if isinstance(name, vs.VariableScope) else name
        self._name = name
        if not name:
            self._name, self._base_name = self._make_unique_name()
        elif isinstance(name, vs.VariableScope):
            self._name, _ = self._make_unique_name()

    def _make_unique_name(self, *_: Any, **__: Any) -> tuple[str, str]:
        """('dense_1', 'dense'): numbered in the default graph."""
        base = to_snake_case(type(self).__name__)
        counts = get_default_graph().outermost._scratch.setdefault("layer names", {})
        counts[base] = counts.get(base, 0) + 1
        return f"{base}_{counts[base]}", base

    @property
    def name(self) -> str:
        return self._name

    @property
    def scope_name(self) -> str:
        """The name of the layer's variable scope. Raises ValueError before the first call."""
        if not self._scope:
            raise ValueError(
                f'No name available for layer scope because the layer "{self._name}" has not been used yet. The scope name  is '
                "determined the first time the layer instance is called. You must therefore call the layer before querying "
                "`scope_name`."
            )
        return self._scope.name

    @property
    def graph(self) -> None:
        """Layers belong to no graph (kept for programs that ask)."""
        return None

    def _name_scope(self) -> str:
        return self.name if self._keras_style else self._current_scope.original_name_scope

    def _set_scope(self, scope: Any = None) -> None:
        if self._scope is not None:
            return
        if self._reuse:
            opened = vs.variable_scope(scope if scope is not None else self._base_name)
        else:
            opened = vs.variable_scope(scope, default_name=self._base_name)
        with opened as captured:
            self._scope = captured

    # -- facts

    @property
    def dtype(self) -> str | None:
        """The name of the variables' dtype; None before it is known."""
        return self._dtype

    @property
    def _dtype(self) -> str | None:
        return self.__dict__.get("_dtype_name")

    @_dtype.setter
    def _dtype(self, value: Any) -> None:
        self._dtype_name = None if value is None else dtypes.as_dtype(value).base_dtype.name

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value

    @property
    def activity_regularizer(self) -> Any:
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, regularizer: Any) -> None:
        self._activity_regularizer = regularizer

    @property
    def input_spec(self) -> Any:
        """What inputs must be like: an InputSpec, a nested structure of them, or None."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in nest.flatten(value):
            if spec is not None and not isinstance(spec, InputSpec):
                raise TypeError(f"Layer input_spec must be an instance of InputSpec. Got: {spec}")
        self._input_spec = value

    @property
    def updates(self) -> list[Any]:
        """The update ops that calls have added; none for a layer that is frozen."""
        return list(self._updates) if self.trainable or self.stateful else []

    @property
    def losses(self) -> list[Any]:
        """The losses of calls, then those of variables (built anew at each look)."""
        made = (loss() for loss in self._callable_losses)
        return [*self._losses, *(loss for loss in made if loss is not None)]

    @property
    def dynamic(self) -> bool:
        """Whether the layer was said to run in eager execution only."""
        return self._dynamic

    # -- for subclasses

    def build(self, input_shape: Any) -> None:
        """Make the variables: called once, before the first `call`."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of that shape, where a subclass says it."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer. Raises NotImplementedError where a subclass takes more and doesn't say."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        extra = [a for a in list(inspect.signature(type(self).__init__).parameters)[1:] if a not in (*config, "kwargs")]
        if extra and type(self).get_config is Layer.get_config:
            raise NotImplementedError("Layers with arguments in `__init__` must override `get_config`.")
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        return cls(**config)

    def _regularize(self, name: str, parts: list[Any], regularizer: Any) -> None:
        def loss(v: Any) -> Any:
            with scopes.name_scope(name + "/Regularizer"):
                return regularizer(v)

        lifted = scopes.init_scope() if get_default_graph().building_function else contextlib.nullcontext()
        with lifted:
            for v in parts:
                self.add_loss(functools.partial(loss, v))

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add losses: tensors, or functions without arguments that make them. They go to REGULARIZATION_LOSSES too.

        `inputs`: anything but None says that the losses are conditional on the inputs of this call.
        """
        new = []
        for loss in nest.flatten(losses):
            if callable(loss):
                self._callable_losses.append(functools.partial(tagged_loss, loss, inputs is None))
                loss = self._callable_losses[-1]()
            elif loss is not None:
                loss = tagged_loss(loss, inputs is None)
                self._losses.append(loss)
            if loss is not None:
                new.append(loss)
        add_elements_to_collection(new, GraphKeys.REGULARIZATION_LOSSES)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add update ops (or functions that make them): a training step runs them. Which depend on the inputs is found out."""
        if executing_eagerly():
            for update in updates if isinstance(updates, list | tuple) else [updates]:
                if callable(update) and not isinstance(update, Tensor | Variable):
                    update()
            return  # they have run
        sources = nest.flatten(_calls.stack[-1][0]) if _calls.stack else []
        for update in updates if isinstance(updates, list | tuple) else [updates]:
            while callable(update) and not isinstance(update, Tensor | Operation):
                update = update()
            if not isinstance(update, Operation):
                update = update.op if hasattr(update, "op") else to_tensor(update)
            update._unconditional_update = update not in reachable_from(sources, [update])
            self._updates.append(update)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on `inputs`; with None, those that depend on no input."""
        return depending(self.updates, inputs, "_unconditional_update")

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on `inputs`; with None, those that depend on no input."""
        return depending(self.losses, inputs, "_unconditional_loss")

    # -- calling

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs of `call`, in the layer's scopes. `scope` is used for the first call if no scope was given before."""
        scope = kwargs.pop("scope", None)
        if self._keras_style:
            if scope is not None:
                raise ValueError(f"scope argument not allowed when keras style layers are enabled, but saw: {scope}")
            return self._called(inputs, args, kwargs)
        self._set_scope(scope)
        reuse = True if self.built else self._reuse
        with vs.variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            if self._call_has_scope_arg:
                kwargs["scope"] = scope
            outputs = self._called(inputs, args, kwargs)
        add_elements_to_collection(self.updates, GraphKeys.UPDATE_OPS)
        return outputs

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer(inputs)`."""
        return self.__call__(inputs, *args, **kwargs)

    def _called(self, inputs: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if any(isinstance(x, np.ndarray | float | int) for x in nest.flatten(inputs)):
            inputs = nest.map_leaves(lambda x: to_tensor(x) if isinstance(x, np.ndarray | float | int) else x, inputs)
        training = self._training(args, kwargs)
        assert_input_compatibility(self.input_spec, inputs, self.name)
        _calls.stack.append((inputs, training))
        try:
            with scopes.name_scope(self._name_scope()):
                self._maybe_build(inputs)
                outputs = self.call(inputs, *args, **kwargs)
                if outputs is None:
                    raise ValueError(
                        "A layer's `call` method should return a Tensor or a list of Tensors, not None "
                        f"(layer: {self.name})."
                    )
                self._regularize_activity(inputs, outputs)
        finally:
            _calls.stack.pop()
        return outputs

    def _training(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """The argument `training` of this call: as passed, or that of the layer whose call this is in."""
        positional = dict(zip(self._call_fn_args[1:], args, strict=False))
        if "training" in positional:
            return positional["training"]
        if "training" in kwargs:
            return kwargs["training"] if self._expects_training_arg else kwargs.pop("training")
        training = _calls.stack[-1][1] if _calls.stack else None
        if training is not None and self._expects_training_arg:
            kwargs["training"] = cast(training, dtypes.bool) if isinstance(training, Tensor) else bool(training)
        return training

    def _maybe_build(self, inputs: Any) -> None:
        if not self.built:
            assert_input_compatibility(self.input_spec, inputs, self.name)
            leaves = nest.flatten(inputs)
            if leaves and self._dtype is None and hasattr(leaves[0], "dtype"):
                self._dtype = leaves[0].dtype
            known = all(hasattr(x, "shape") for x in leaves)
            self.build(nest.map_leaves(lambda x: x.shape, inputs) if known else None)
            self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _regularize_activity(self, inputs: Any, outputs: Any) -> None:
        if not self._activity_regularizer:
            return
        from thalweg._src.ops.arrays.shaping import shape

        with scopes.name_scope("ActivityRegularizer"):
            for output in nest.flatten(outputs):
                loss = self._activity_regularizer(output)
                self.add_loss(loss / cast(shape(output)[0], loss.dtype), inputs=inputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        return self._copied_from(self.__dict__, memo)

    def _copied_from(self, attributes: dict[str, Any], memo: dict[int, Any]) -> Layer:
        """A layer of this class with copies of `attributes`; tensors and variables are shared."""
        result = type(self).__new__(type(self))
        memo[id(self)] = result
        for key, value in attributes.items():
            result.__dict__[key] = _copied(key, value, memo)
        return result


_SHARED_BY_COPIES = ("_scope", "_current_scope", "_tracked", "_losses", "_callable_losses", "_updates")


def _copied(key: str, value: Any, memo: dict[int, Any]) -> Any:
    if key in _SHARED_BY_COPIES:
        return copy.copy(value)
    if any(isinstance(v, Tensor | Operation | Variable) for v in nest.flatten(value)):
        return copy.copy(value) if isinstance(value, list | dict) else value
    return copy.deepcopy(value, memo)


def to_snake_case(name: str) -> str:
    """'Conv2DTranspose' -> 'conv2d_transpose'; a private class is called 'private_…'."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()
    return "private" + words if words.startswith("_") else words


def add_elements_to_collection(elements: Any, names: Any) -> None:
    """Append to collections what is not in them yet. In eager execution nothing is kept for its caller."""
    if executing_eagerly():
        return
    for name in nest.flatten(names):
        collection = scopes.get_collection_ref(name)
        known = {id(e) for e in collection}
        collection += [e for e in nest.flatten(elements) if id(e) not in known]
