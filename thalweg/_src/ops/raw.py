"""tf.raw_ops: every op under the name of its type, called by keywords alone, as TensorFlow generates them."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from thalweg._src.core.opdef import OPS, REQUIRED, OpDef

# Declared by TensorFlow's contrib packages or by us: not in tf.raw_ops.
_APART = frozenset(
    (
        *("BipartiteMatch", "BytesInUse", "BytesLimit", "GatherTree", "ImageConnectedComponents", "MaxBytesInUse"),
        *("ImageProjectiveTransformV2", "KMC2ChainInitialization", "KmeansPlusPlusInitialization"),
        *("NearestNeighbors", "SparseFeatureCross"),
    )
)
_REDUCTION = {"axis": "reduction_indices"}
# The arguments that tf.raw_ops calls otherwise than the OpDef does.
_RENAMED = {
    **dict.fromkeys(("All", "Any", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"), _REDUCTION),
    "ExpandDims": {"axis": "dim"},
    "Select": {"x": "t", "y": "e"},
    "Split": {"axis": "split_dim"},
    "SplitV": {"axis": "split_dim"},
    "Squeeze": {"axis": "squeeze_dims"},
    "Where": {"condition": "input"},
}


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name in _APART or name not in OPS:
        raise AttributeError(f"module 'thalweg.raw_ops' has no attribute {name!r}")
    return _function_of(OPS[name])


def __dir__() -> list[str]:
    return sorted(name for name in OPS if not name.startswith("_") and name not in _APART)


def generated(name: str) -> Callable[..., Any]:
    """The op that TensorFlow's generated modules call `name`, `max_pool_grad` or (older) `_max_pool_grad`, which takes positional
    arguments. Raises LookupError for none.
    """
    function = _function_of(OPS[_snake_names()[name.removeprefix("_")]])
    signature = inspect.signature(function)
    either = inspect.Parameter.POSITIONAL_OR_KEYWORD
    positional = signature.replace(parameters=[p.replace(kind=either) for p in signature.parameters.values()])

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(**positional.bind(*args, **kwargs).arguments)

    call.__signature__ = positional  # type: ignore[attr-defined]
    return call


@functools.cache
def _snake_names() -> dict[str, str]:
    """The types of ops by the names of their functions: Conv2DBackpropInput is conv2d_backprop_input."""
    words = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")
    return {words.sub("_", name).lower(): name for name in OPS if not name.startswith("_")}


@functools.cache
def _function_of(opdef: OpDef) -> Callable[..., Any]:
    """A function that adds a node of `opdef`. Raises TypeError for positional, missing and unknown arguments."""
    renamed = _RENAMED.get(opdef.name, {})
    shown = {ours: theirs for theirs, ours in renamed.items()}
    only = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(shown.get(n, n), only) for n in opdef.input_names]
    attrs = sorted(opdef.explicit, key=lambda a: a.default is not REQUIRED)
    for attr in attrs:
        default = inspect.Parameter.empty if attr.default is REQUIRED else attr.default
        parameters.append(inspect.Parameter(shown.get(attr.name, attr.name), only, default=default))
    signature = inspect.Signature([*parameters, inspect.Parameter("name", only, default=None)])
    optional = {p.name for p in signature.parameters.values() if p.default is not p.empty}

    def raw(*args: Any, **kwargs: Any) -> Any:
        if args:
            raise TypeError(
                f"{opdef.name} only takes keyword args (possible keys: {list(signature.parameters)}). "
                "Please pass these args as kwargs instead."
            )
        try:
            signature.bind(**kwargs)
        except TypeError as error:
            raise TypeError(f"{opdef.name}() {error}") from None
        given = {renamed.get(k, k): v for k, v in kwargs.items() if v is not None or k not in optional}
        given["name"] = given.get("name") or opdef.name
        return opdef(*[given.pop(n) for n in opdef.input_names], **given)

    raw.__name__ = raw.__qualname__ = opdef.name
    raw.__doc__ = opdef.__doc__
    raw.__signature__ = signature  # type: ignore[attr-defined]
    return raw
