"""tensorflow.python.pywrap_tensorflow: what programs call of TensorFlow's C library and is not public elsewhere."""

from typing import Any

from thalweg._src.core import infer
from thalweg._src.formats import protos
from thalweg._src.lib import graph_differences


def EqualGraphDefWrapper(actual: bytes, expected: bytes) -> str:
    """What two serialized GraphDefs differ by; "" where they are equal."""
    return graph_differences.difference(protos.GraphDef.FromString(actual), protos.GraphDef.FromString(expected))


def TF_TryEvaluateConstant_wrapper(graph: Any, output: Any) -> Any:
    """The value of a tensor where it is known while the graph is built, else None."""
    return infer.get_static_value(output)
