"""What Keras asks of a layer's calls: layers of `tf.layers` remember none, so there is no input and no output to tell."""

from __future__ import annotations

from typing import Any, NoReturn

from thalweg._src.core import errors, nest
from thalweg._src.core.type_spec import TensorSpec


class Unconnected:
    """The part of a layer that tells of connections between layers, where none are kept.

    As in TensorFlow: a property raises AttributeError, a method that takes the number of a call RuntimeError.
    """

    name: Any
    dtype: Any

    def compute_output_shape(self, input_shape: Any) -> Any:
        raise NotImplementedError

    @property
    def inbound_nodes(self) -> list[Any]:
        return []

    @property
    def outbound_nodes(self) -> list[Any]:
        return []

    @property
    def input(self) -> NoReturn:
        raise AttributeError(f"Layer {self.name} is not connected, no input to return.")

    @property
    def output(self) -> NoReturn:
        raise AttributeError(f"Layer {self.name} has no inbound nodes.")

    input_mask, output_mask = input, output

    @property
    def input_shape(self) -> NoReturn:
        raise AttributeError("The layer has never been called and thus has no defined input shape.")

    @property
    def output_shape(self) -> NoReturn:
        raise AttributeError("The layer has never been called and thus has no defined output shape.")

    def get_input_at(self, node_index: int) -> NoReturn:
        _never_called("input")

    def get_output_at(self, node_index: int) -> NoReturn:
        _never_called("output")

    get_input_mask_at, get_output_mask_at = get_input_at, get_output_at

    def get_input_shape_at(self, node_index: int) -> NoReturn:
        _never_called("input shape")

    def get_output_shape_at(self, node_index: int) -> NoReturn:
        _never_called("output shape")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs: the inputs' own."""
        return mask

    def compute_output_signature(self, input_signature: Any) -> Any:
        """The TensorSpec of the output for inputs of `input_signature`. Raises TypeError for what is no TensorSpec."""
        for spec in nest.flatten(input_signature):
            if not isinstance(spec, TensorSpec):
                raise TypeError(
                    f"Only TensorSpec signature types are supported, but saw signature signature entry: {spec}."
                )
        dtype = self.dtype or next(spec.dtype for spec in nest.flatten(input_signature))
        shape = self.compute_output_shape(nest.map_leaves(lambda spec: spec.shape, input_signature))
        return nest.map_leaves(lambda dims: TensorSpec(dims, dtype), shape)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the layer's calls: none, see `add_metric`."""
        return []

    def add_metric(self, value: Any, aggregation: str | None = None, name: str | None = None) -> NoReturn:
        """Raises UnimplementedError: a layer of `tf.layers` keeps no metrics of Keras."""
        raise errors.UnimplementedError(
            None,
            None,
            f"Layer {self.name} keeps no metrics, which are Keras's: tf.metrics.mean(value) is one of the graph.",
        )


def _never_called(what: str) -> NoReturn:
    raise RuntimeError(f"The layer has never been called and thus has no defined {what}.")
