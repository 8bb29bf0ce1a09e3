"""`tf.compat.v2`: which names mean something else there, as TensorFlow 1.15 has them.

`second.tsv`, recorded by tests/oracle/record_second.py, has a line per function: what it takes there, in which order, with
which defaults. What takes the same in our plain namespace is the same object; the others are called by the names of their
arguments.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thalweg._src.compat.internals import tf_inspect
from thalweg._src.core import dtypes, scopes
from thalweg._src.ops.images.image_resizing import resize_by_half_pixels
from thalweg._src.ops.stateful import initializers
from thalweg._src.ops.stateful.variables import Variable as AnyVariable

# modules that stand under another path
MODULES = {
    "initializers": "keras.initializers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
}
# functions that our plain namespace has under another name
NAMES = {
    "debugging.assert_none_equal": "assert_none_equal",
    "nn.avg_pool": "nn.avg_pool_v2",
    "nn.ctc_loss": "nn.ctc_loss_v2",
    "nn.max_pool": "nn.max_pool_v2",
    "random.set_seed": "set_random_seed",
    "where": "where_v2",
}
# an argument of compat.v2: what ours calls it
OLD_NAMES = {
    "debugging.assert_all_finite": {"message": "msg"},
    "nest.is_nested": {"seq": "value"},
    "device": {"device_name": "device_name_or_function"},
    "image.crop_and_resize": {"box_indices": "box_ind"},
    "math.count_nonzero": {"input": "input_tensor"},
    "nn.conv3d": {"filters": "filter"},
    "ones_like": {"input": "tensor"},
    "zeros_like": {"input": "tensor"},
}
# arguments of ours that compat.v2 has no more, with the value that it takes for granted
FIXED: dict[str, dict[str, Any]] = {"cond": {"strict": True}, "while_loop": {"return_same_structure": True}}

NAMES_OF_VARIABLE = (
    *("initial_value", "trainable", "validate_shape", "caching_device", "name", "variable_def", "dtype"),
    *("import_scope", "constraint", "synchronization", "aggregation", "shape"),
)


class Kind(type(AnyVariable)):  # type: ignore[misc]
    """Calls make resource variables; every variable is an instance."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(NAMES_OF_VARIABLE, args, strict=False)) | kwargs
        return AnyVariable(use_resource=True, **given)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, AnyVariable)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, AnyVariable)


class Variable(AnyVariable, metaclass=Kind):
    """`tf.Variable`, a resource variable always, and without `collections`."""


class name_scope:
    """Prefix the names of what is made in the block. A name that ends in '/' re-enters a scope."""

    def __init__(self, name: str):
        if not isinstance(name, str):
            raise ValueError("name for name_scope must be a string.")
        self._name, self._entered = name, contextlib.ExitStack()

    @property
    def name(self) -> str:
        return self._name

    def __enter__(self) -> str:
        return self._entered.enter_context(scopes.name_scope(self._name))

    def __exit__(self, *error: Any) -> None:
        self._entered.__exit__(*error)


class random_normal_initializer(initializers.RandomNormal):
    """Normal values, of a smaller deviation than the plain namespace's."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(mean, stddev, seed)


class random_uniform_initializer(initializers.RandomUniform):
    """Values between `minval` and `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(minval, maxval, seed)


OBJECTS: dict[str, Any] = {
    "Variable": Variable,
    "image.resize": resize_by_half_pixels,
    "name_scope": name_scope,
    "random_normal_initializer": random_normal_initializer,
    "random_uniform_initializer": random_uniform_initializer,
}


def value(path: str, public_value: Callable[[str], Any]) -> Any:
    """What compat.v2 has under `path`; `public_value` finds names of the plain namespace. LookupError for none."""
    if path in OBJECTS:
        return OBJECTS[path]
    if path in MODULES:
        return public_value(MODULES[path])
    ours = public_value(NAMES.get(path, path))
    if path in signatures() and not inspect.isclass(ours):
        return restated(path, ours)
    return ours


@functools.cache
def signatures() -> dict[str, inspect.Signature]:
    """What each function of compat.v2 takes.."""
    found = {}
    for line in Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines():
        path, names, defaults = line.split("\t")
        args, values = json.loads(names), [default(v) for v in json.loads(defaults)]
        all_defaults = [inspect.Parameter.empty] * (len(args) - len(values)) + values
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        found[path] = inspect.Signature(
            [inspect.Parameter(name, kind, default=v) for name, v in zip(args, all_defaults, strict=True)]
        )
    return found


def default(recorded: Any) -> Any:
    """A default as second.tsv writes it."""
    if isinstance(recorded, dict):
        return dtypes.as_dtype(recorded["dtype"]) if "dtype" in recorded else None
    return recorded


@functools.cache
def restated(path: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as compat.v2 takes it under `path`. An argument that has its default is left to ours where that is None."""
    signature = signatures()[path]
    if inspect.isfunction(function):
        ours = inspect.signature(function)
        if tf_inspect.getfullargspec(function) == spec_of(signature) and path not in FIXED:
            return function
    else:
        ours = inspect.Signature()
    old, fixed = OLD_NAMES.get(path, {}), FIXED.get(path, {})
    defaults = {name: p.default for name, p in signature.parameters.items()}
    # a default that differs from ours must be said
    said = {
        name
        for name, v in defaults.items()
        if v not in (None, inspect.Parameter.empty)
        and (mine := ours.parameters.get(old.get(name, name))) is not None
        and mine.default != v
    }

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = {
            old.get(name, name): v for name, v in bound.arguments.items() if name in said or v is not defaults[name]
        }
        return function(**fixed, **given)

    call.__name__ = call.__qualname__ = path.rpartition(".")[2]
    call.__doc__ = function.__doc__
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def spec_of(signature: inspect.Signature) -> inspect.FullArgSpec:
    """The same as `getfullargspec` says it."""
    parameters = list(signature.parameters.values())
    defaults = tuple(p.default for p in parameters if p.default is not p.empty)
    return inspect.FullArgSpec([p.name for p in parameters], None, None, defaults or None, [], None, {})
