"""The function that makes the dataset of a one-shot iterator: a copy of the operations that the dataset consists of."""

from typing import Any

from thalweg._src.core.funcgraph import FuncGraph, building
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.data import factories


def factory_of(dataset: Any) -> FuncGraph:
    """A function without arguments that makes `dataset`. Raises ValueError where that needs placeholders or state."""
    source = dataset._variant_tensor
    try:
        graph = factories.factory_of(source)
    except ValueError as error:
        if "Cannot capture a stateful node" in str(error):
            raise ValueError(
                "Failed to create a one-shot iterator for a dataset. `Dataset.make_one_shot_iterator()` does not support datasets that "
                "capture stateful objects, such as a `Variable` or `LookupTable`. In these cases, use "
                f"`Dataset.make_initializable_iterator()`. (Original error: {error})"
            ) from None
        raise
    with building(graph):
        variant = dataset.options().applied(_Made(graph.outputs[0], dataset))._variant_tensor
    graph.outputs = [variant]
    return graph


class _Made:
    """A dataset as far as options need it."""

    def __init__(self, variant: Tensor, dataset: Any):
        self._variant_tensor, self.element_spec = variant, dataset.element_spec
