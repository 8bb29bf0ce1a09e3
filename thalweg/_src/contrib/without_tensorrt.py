"""What programs call to have TensorRT run a frozen graph: here the compiler takes the whole graph, TensorRT no part of it."""

from typing import Any, NoReturn

from thalweg._src.core import errors


def create_inference_graph(input_graph_def: Any, outputs: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises UnimplementedError: import `input_graph_def` as it is."""
    raise errors.UnimplementedError(
        None,
        None,
        "TensorRT is not used: tf.import_graph_def takes the frozen graph as it is, and the session compiles it",
    )
