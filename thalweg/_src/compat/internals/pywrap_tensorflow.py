"""tensorflow.python.pywrap_tensorflow: what programs call of TensorFlow's C library and is not public elsewhere."""

from typing import Any

from thalweg._src.core import infer


def TF_TryEvaluateConstant_wrapper(graph: Any, output: Any) -> Any:
    """The value of a tensor where it is known while the graph is built, else None."""
    return infer.get_static_value(output)
