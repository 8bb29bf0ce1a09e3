"""Activations, initializers, regularizers and constraints that a layer is given by name, by class or as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.ops.nets import activations, softmax
from thalweg._src.ops.numeric import arithmetic, elementwise
from thalweg._src.ops.numeric.clip import clip_by_value
from thalweg._src.ops.stateful import initializers


def _hard_sigmoid(x: Any) -> Any:
    """A sigmoid of three straight pieces: 0 below -2.5, 1 above 2.5."""
    return clip_by_value(arithmetic.add(arithmetic.multiply(x, 0.2), 0.5), 0.0, 1.0)


ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "elu": activations.elu,
    "exponential": elementwise.exp,
    "hard_sigmoid": _hard_sigmoid,
    "linear": lambda x: x,
    "relu": activations.relu,
    "selu": activations.selu,
    "sigmoid": elementwise.sigmoid,
    "softmax": softmax.softmax,
    "softplus": activations.softplus,
    "softsign": activations.softsign,
    "tanh": elementwise.tanh,
}

INITIALIZERS: dict[str, Callable[..., Any]] = {
    "constant": initializers.Constant,
    "glorot_normal": initializers.GlorotNormal,
    "glorot_uniform": initializers.GlorotUniform,
    "he_normal": initializers.he_normal,
    "he_uniform": initializers.he_uniform,
    "identity": initializers.Identity,
    "lecun_normal": initializers.lecun_normal,
    "lecun_uniform": initializers.lecun_uniform,
    "normal": lambda: initializers.RandomNormal(stddev=0.05),
    "ones": initializers.Ones,
    "orthogonal": initializers.Orthogonal,
    "random_normal": lambda: initializers.RandomNormal(stddev=0.05),
    "random_uniform": lambda: initializers.RandomUniform(-0.05, 0.05),
    "truncated_normal": lambda: initializers.TruncatedNormal(stddev=0.05),
    "uniform": lambda: initializers.RandomUniform(-0.05, 0.05),
    "variance_scaling": initializers.VarianceScaling,
    "zeros": initializers.Zeros,
}
INITIALIZERS.update({"".join(w.capitalize() for w in k.split("_")): v for k, v in list(INITIALIZERS.items())})


def activation(given: Any) -> Any:
    """A function of a tensor, or None. Raises ValueError for an unknown name, TypeError for what is neither name nor function."""
    if isinstance(given, str):
        if given not in ACTIVATIONS:
            raise ValueError(f"Unknown activation function:{given}")
        return ACTIVATIONS[given]
    return _callable(given, "activation function")


def initializer(given: Any) -> Any:
    """A function of (shape, dtype), a tensor-like first value, or None. Raises ValueError for an unknown name."""
    if isinstance(given, str):
        if given not in INITIALIZERS:
            raise ValueError(f"Unknown initializer: {given}")
        return INITIALIZERS[given]()
    if isinstance(given, dict):
        return INITIALIZERS[given["class_name"]](**given.get("config", {}))
    return given() if isinstance(given, type) else given


def regularizer(given: Any) -> Any:
    """A function of a variable that gives a loss, or None."""
    return _callable(given, "regularizer")


def constraint(given: Any) -> Any:
    """A function of a variable that gives its allowed value, or None."""
    return _callable(given, "constraint")


def _callable(given: Any, what: str) -> Any:
    if given is not None and not callable(given):
        raise TypeError(f"Could not interpret {what} identifier: {given!r}")
    return given() if isinstance(given, type) else given
