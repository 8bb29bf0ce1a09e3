"""tfe.Network: layers that are made of layers, which they find by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.eager.saving import Saver
from thalweg._src.lib.layers.base import Layer
from thalweg._src.lib.saver import Saver as GraphSaver
from thalweg._src.ops.stateful import variable_scope as vs


class Network(Layer):
    """A layer whose `call` uses other layers, which it holds by `track_layer`: it has their variables and losses.

    >>> class TwoLayers(tfe.Network):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.first = self.track_layer(tf.layers.Dense(8, activation=tf.nn.relu))
    ...         self.second = self.track_layer(tf.layers.Dense(1))
    ...     def call(self, inputs):
    ...         return self.second(self.first(inputs))
    >>> TwoLayers()(tf.ones([3, 2])).shape
    TensorShape([Dimension(3), Dimension(1)])
    """

    def __init__(self, name: str | None = None):
        if isinstance(name, vs.VariableScope):
            raise ValueError("VariableScopes are not valid Network names.")
        if name is not None and "/" in name:
            raise ValueError("Forward slashes ('/') are not allowed in Network names.")
        super().__init__(name=name)
        self._layers: dict[str, Layer] = {}

    def track_layer(self, layer: Layer) -> Layer:
        """Hold `layer`, and give it back. Raises TypeError for what is none, ValueError for a name that another one has."""
        if not isinstance(layer, Layer):
            raise TypeError(f"Network.track_layer() passed type {type(layer)}, not a tf.layers.Layer")
        if layer.name in self._layers:
            if self._layers[layer.name] is layer:
                return layer
            raise ValueError(f"Attempt to add two Layers with the name '{layer.name}' to the same Network.")
        self._layers[layer.name] = layer
        self._track_trackable(layer, f"layer-{len(self._layers) - 1}")
        return layer

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its number. Raises ValueError where there is none."""
        if index is not None:
            if name is not None:
                raise ValueError("Exactly one of 'name' and 'index' must be specified")
            if len(self._layers) <= index:
                raise ValueError(
                    f"Attempted to retrieve layer at index {index} of a network of {len(self._layers)} layers."
                )
            return list(self._layers.values())[index]
        if name is None or name not in self._layers:
            raise ValueError(f"No such layer: {name}")
        return self._layers[name]

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("A Network defines `call`.")

    def add_variable(self, name: str, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "add_variable not supported in Network class yet. Please file an issue at https://github.com/tensorflow/tensorflow/issues/new "
            "if this is important to you"
        )

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order in which they were added."""
        return list(self._layers.values())

    @property
    def trainable_weights(self) -> list[Any]:
        if not self.trainable:
            return []
        return [w for layer in self.layers for w in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Any]:
        own = [w for layer in self.layers for w in layer.non_trainable_weights]
        return own if self.trainable else [w for layer in self.layers for w in layer.weights]

    @property
    def weights(self) -> list[Any]:
        return [w for layer in self.layers for w in layer.weights]

    @property
    def variables(self) -> list[Any]:
        return self.weights

    @property
    def losses(self) -> list[Any]:
        return [loss for layer in self.layers for loss in layer.losses]


class Sequential(Network):
    """Layers and functions, one after the other."""

    def __init__(self, layers_funcs: Any = None, name: str | None = None):
        super().__init__(name=name)
        self._layers_funcs: list[Any] = []
        for layer_func in layers_funcs or ():
            self.add(layer_func)

    def add(self, layer_func: Any) -> None:
        """Append a layer or a function. Raises TypeError for other things."""
        if isinstance(layer_func, Layer):
            self.track_layer(layer_func)
        elif not callable(layer_func):
            raise TypeError(
                "Sequential.add() takes only tf.layers.Layer objects or callables; not "
                f"'{layer_func}' of type '{type(layer_func)}'."
            )
        self._layers_funcs.append(layer_func)

    def call(self, inputs: Any, training: Any = None) -> Any:  # type: ignore[override]
        """The output of the last one. `training` is passed to the layers that take it."""
        outputs = inputs
        for f in self._layers_funcs:
            takes = getattr(f, "_expects_training_arg", False)
            outputs = f(outputs, training=training) if takes else f(outputs)
        return outputs


def _prefix_free(network: Network, map_func: Callable[[str], str] | None) -> dict[str, Any]:
    """{name in a checkpoint: variable}: names lose the network's own in front of them."""
    prefix = (network._scope.name if network._scope is not None else network.name) + "/"
    out: dict[str, Any] = {}
    for v in network.variables:
        name = v._shared_name
        mapped = map_func(name) if map_func is not None else name.removeprefix(prefix)
        if mapped in out:
            raise ValueError(
                f"The map_func passed to save_network_checkpoint resulted in two variables named '{mapped}'."
            )
        out[mapped] = v
    return out


def save_network_checkpoint(
    network: Network, save_path: Any, global_step: Any = None, map_func: Callable[[str], str] | None = None
) -> str:
    """Write the variables of `network` to a checkpoint, under names without the network's own; gives its path."""
    if not network.built:
        raise ValueError("Attempt to save the Network before it was first called.")
    path = os.fspath(save_path)
    if os.path.isdir(path):
        path = os.path.join(path, network.name.replace("/", "_"))
    named = _prefix_free(network, map_func)
    if executing_eagerly():
        return Saver(named).save(path, global_step)
    from thalweg._src.core.default_sessions import default_sessions

    return GraphSaver(named).save(default_sessions.stack[-1], path, global_step=global_step, write_meta_graph=False)  # type: ignore[return-value]


def restore_network_checkpoint(network: Network, save_path: Any, map_func: Callable[[str], str] | None = None) -> None:
    """Read the variables of `network`, which must have been called once, from a checkpoint."""
    if not network.variables:
        raise ValueError("Call the network once before its variables are restored.")
    named = _prefix_free(network, map_func)
    if executing_eagerly():
        Saver(named).restore(save_path)
        return
    from thalweg._src.core.default_sessions import default_sessions

    with get_default_graph().as_default():
        GraphSaver(named).restore(default_sessions.stack[-1], save_path)
