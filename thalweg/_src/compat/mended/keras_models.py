"""What models and layers of tf.keras do that those of Keras 2.2 and 2.3 do not: run at once under eager execution, be called with
`training=`, and be saved by `tf.train.Checkpoint`.

Under eager execution `Input` makes a symbolic tensor in a graph of its own. A model that is built from such tensors only serves
to be called: its layers then run at once, one after the other. What they have made is not noted down, or memory would fill.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from thalweg._src.compat.mended import keras_data
from thalweg._src.core.convert import convert_to_tensor
from thalweg._src.core.eager import executing_eagerly, is_symbolic
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.scopes import init_scope
from thalweg._src.lib.tracking.object_graph import Reference, children
from thalweg._src.runtime.eager_functions import FunctionSession

# Attributes in which Keras itself keeps weights, layers and the tensors of calls; what they hold has names of its own.
_KEPT_BY_KERAS = frozenset(
    ("_layers", "_trainable_weights", "_non_trainable_weights", "_inbound_nodes", "_outbound_nodes", "_network_nodes")
    + ("_losses", "_updates", "_per_input_losses", "_per_input_updates", "inputs", "outputs")
    + ("_output_tensor_cache", "_output_mask_cache", "_output_shape_cache")
)


@functools.cache
def _symbolic() -> FuncGraph:
    """The graph of the tensors that `Input` makes under eager execution."""
    return FuncGraph("keras_graph")


@contextlib.contextmanager
def _where_they_are(tensors: Any) -> Iterator[None]:
    """The graph of symbolic tensors, as the default one, where operations would otherwise run at once."""
    first = tensors[0] if isinstance(tensors, list | tuple) and tensors else tensors
    if executing_eagerly() and is_symbolic(first):
        with first.graph.as_default():
            yield
    else:
        yield


@functools.cache
def _session() -> FunctionSession:
    """Runs what is in that graph, on the variables of eager execution."""
    return FunctionSession(_symbolic())


def backend(module: ModuleType) -> None:
    """Under eager execution placeholders are symbolic, and variables that are made for the symbolic graph (slots) are the program's."""
    own = module.placeholder

    @functools.wraps(own)
    def placeholder(*args: Any, **kwargs: Any) -> Any:
        if not executing_eagerly():
            return own(*args, **kwargs)
        with _symbolic().as_default():
            return own(*args, **kwargs)

    module.placeholder = placeholder  # type: ignore[attr-defined]
    for name in ("variable", "zeros", "ones"):
        setattr(module, name, _outside(getattr(module, name)))
    for name, at_once in (("get_value", _value), ("batch_get_value", lambda ops: [*map(_value, ops)])):
        setattr(module, name, _unless_eager(getattr(module, name), at_once))
    average = functools.partial(_average, module.moving_average_update)
    module.moving_average_update = average  # type: ignore[attr-defined]
    module.set_value = _unless_eager(module.set_value, lambda x, value: _assign([(x, value)]))  # type: ignore[attr-defined]
    module.batch_set_value = _unless_eager(module.batch_set_value, _assign)  # type: ignore[attr-defined]


def _unless_eager(own: Any, at_once: Any) -> Any:
    """`own`, and outside of graphs `at_once`."""

    @functools.wraps(own)
    def function(*args: Any, **kwargs: Any) -> Any:
        with init_scope():
            return (at_once if executing_eagerly() else own)(*args, **kwargs)

    return function


def _average(own: Any, x: Any, value: Any, momentum: Any) -> Any:
    """The next moving average; at once it is that of tf.keras, which does not correct the first steps and keeps nothing else."""
    return x.assign_sub((x - value) * (1.0 - momentum)) if executing_eagerly() else own(x, value, momentum)


def normalization(module: ModuleType) -> None:
    """A batch normalization that is called at once and is not told whether it trains asks the learning phase, and does not train."""
    kind = module.BatchNormalization
    own = kind.call

    @functools.wraps(own)
    def call(self: Any, inputs: Any, training: Any = None) -> Any:
        if training is None and executing_eagerly():
            training = bool(module.K.learning_phase())
        return own(self, inputs, training=training)

    kind.call = call


def _value(x: Any) -> Any:
    return x.numpy() if hasattr(x, "numpy") else x.read_value().numpy()


def _assign(pairs: Any) -> None:
    for variable, value in pairs:
        variable.assign(np.asarray(value, variable.dtype.base_dtype.as_numpy_dtype))


def _outside(own: Any) -> Any:
    """`own`, which makes a variable, called outside of the symbolic graph."""

    @functools.wraps(own)
    def make(*args: Any, **kwargs: Any) -> Any:
        if not get_default_graph().building_function:
            return own(*args, **kwargs)
        with init_scope():
            return own(*args, **kwargs)

    return make


def training(module: ModuleType) -> None:
    """Under eager execution a model is compiled and trained as one of the symbolic graph; datasets stand for arrays."""
    keras_data.training(module)
    batches = ("train_on_batch", "test_on_batch", "predict_on_batch")
    for name in (
        "compile",
        "fit",
        "evaluate",
        "predict",
        "fit_generator",
        "evaluate_generator",
        "predict_generator",
        *batches,
    ):
        setattr(module.Model, name, _symbolically(getattr(module.Model, name)))


def _symbolically(own: Any) -> Any:
    @functools.wraps(own)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not executing_eagerly():
            return own(self, *args, **kwargs)
        with _symbolic().as_default(), _session().as_default():
            return own(self, *args, **kwargs)

    return method


def _tensors(inputs: Any) -> Any:
    """NumPy arrays as tensors, alone or in a list: a layer may be called on them at once."""
    if isinstance(inputs, list):
        return [_tensors(x) for x in inputs]
    return convert_to_tensor(inputs) if isinstance(inputs, np.ndarray) else inputs


def layers(module: ModuleType) -> None:
    """Layers that are called on symbolic tensors and at once, that keep nothing of the latter, and that checkpoints take."""
    kind = module.Layer
    own_call, own_add, own_weight, own_update = kind.__call__, kind._add_inbound_node, kind.add_weight, kind.add_update

    @functools.wraps(own_call)
    def __call__(self: Any, inputs: Any, **kwargs: Any) -> Any:
        if executing_eagerly():
            inputs = _tensors(inputs)
        with _where_they_are(inputs):
            return own_call(self, inputs, **kwargs)

    @functools.wraps(own_add)
    def _add_inbound_node(self: Any, *args: Any, **kwargs: Any) -> Any:
        return None if executing_eagerly() else own_add(self, *args, **kwargs)

    @functools.wraps(own_weight)
    def add_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not get_default_graph().building_function:
            return own_weight(self, *args, **kwargs)
        with init_scope():
            return own_weight(self, *args, **kwargs)

    @functools.wraps(own_update)
    def add_update(self: Any, *args: Any, **kwargs: Any) -> Any:
        return None if executing_eagerly() else own_update(self, *args, **kwargs)

    kind.__call__, kind._add_inbound_node, kind.add_weight, kind.add_update = (
        __call__,
        _add_inbound_node,
        add_weight,
        add_update,
    )
    kind._checkpoint_dependencies = property(_held)


def _held(layer: Any) -> list[Reference]:
    """What a checkpoint saves of a layer: its attributes, or the layers of a model that is made of tensors, by their places."""
    if not getattr(layer, "_is_graph_network", False) and not _is_sequence(layer):
        return list(children({k: v for k, v in vars(layer).items() if k not in _KEPT_BY_KERAS}))
    found = []
    weighty = 0
    for i, part in enumerate(layer.layers):
        if part.weights:
            found.append(Reference(f"layer_with_weights-{weighty}", part))
            weighty += 1
        found.append(Reference(f"layer-{i}", part))
    return found


def _is_sequence(layer: Any) -> bool:
    return any(kind.__name__ == "Sequential" for kind in type(layer).__mro__)


def networks(module: ModuleType) -> None:
    """A model of tensors may be called with `training=`, which its layers get; called at once, it looks for no earlier results."""
    kind = module.Network
    own = kind.call

    @functools.wraps(own)
    def call(self: Any, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        results = self._output_tensor_cache
        if executing_eagerly():  # results are known by the addresses of tensors, which do not last
            for cache in (results, self._output_mask_cache, self._output_shape_cache):
                cache.clear()
        if training is None:
            return own(self, inputs, mask)
        before = dict(results)
        results.clear()
        try:
            with _told(self.layers, training):
                return own(self, inputs, mask)
        finally:
            results.clear()
            results.update(before)

    call.__signature__ = inspect.signature(call, follow_wrapped=False)  # type: ignore[attr-defined]
    kind.call = call


@contextlib.contextmanager
def _told(layers: list[Any], training: Any) -> Iterator[None]:
    """Inside of the block the `call` of those layers that ask for it is given `training`."""
    asking = [x for x in layers if "call" not in vars(x) and "training" in inspect.signature(x.call).parameters]
    for layer in asking:
        object.__setattr__(layer, "call", functools.partial(layer.call, training=training))
    try:
        yield
    finally:
        for layer in asking:
            object.__delattr__(layer, "call")
