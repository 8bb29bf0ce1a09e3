"""Functions that give the gradients of functions: by their parameters, or by the variables that they use."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import nest, recording
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.ops import basic
from thalweg._src.ops.derivatives.tape import GradientTape


def implicit_value_and_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives the value of `f` and a list of (gradient, variable), for each trainable variable that `f` used.

    Raises ValueError where `f` gives None or uses no variable.
    """

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        with GradientTape() as tape:
            value = f(*args, **kwargs)
            _check_value(f, value)
        variables = tape.watched_variables()
        if not variables:
            raise ValueError("No trainable variables were accessed while the function was being computed.")
        found = tape.gradient(value, list(variables))
        return value, list(zip(found, variables, strict=True))

    return both


def implicit_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives a list of (gradient, variable), for each trainable variable that `f` used."""
    both = implicit_value_and_gradients(f)
    return functools.wraps(f)(lambda *args, **kwargs: both(*args, **kwargs)[1])


def gradients_function(f: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """A function that gives the gradients of `f` by its parameters, or by those that `params` names or counts.

    The sum of what `f` gives is differentiated, weighed by `dy` where the function is called with that. Raises ValueError for params that
    are neither all names nor all numbers.

    >>> [g.numpy() for g in tfe.gradients_function(lambda x, y: x * y)(2.0, 3.0)]
    [3.0, 2.0]
    """
    both = value_and_gradients_function(f, params)
    return functools.wraps(f)(lambda *args, **kwargs: both(*args, **kwargs)[1])


def value_and_gradients_function(f: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """As `gradients_function`, of a function that gives the value of `f` too."""

    @functools.wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        dy = kwargs.pop("dy", None)
        if kwargs:
            raise ValueError("Functions to be differentiated cannot receive keyword arguments.")
        value, pull = make_vjp(f, params)(*args)
        return value, pull(dy)

    return both


def make_vjp(f: Callable[..., Any], params: Any = None, persistent: bool = True) -> Callable[..., Any]:
    """A function that gives the value of `f` and a function from its weights to the gradients of the parameters."""

    def both(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise ValueError("Functions to be differentiated cannot receive keyword arguments.")
        places = _places(f, params, args)
        with GradientTape(persistent=persistent) as tape:
            given: list[Any] = list(args)
            sources: list[Any] = []
            for i in places:
                x = args[i] if hasattr(args[i], "handle") else to_tensor(args[i])
                if any(x is s for s in sources):
                    x = basic.identity(x)
                sources.append(x)
                given[i] = x
                tape.watch(x)
            value = f(*given)
            _check_value(f, value)
            leaves = [x if isinstance(x, Tensor) else to_tensor(x) for x in nest.flatten(value)]
            packed = nest.pack(value, leaves) if nest.is_nested(value) else leaves[0]

        def pull(dy: Any = None) -> Any:
            weights = None if dy is None else [to_tensor(w) for w in nest.flatten(dy)]
            return tape.gradient(leaves, sources, weights)

        return packed, pull

    return both


def _check_value(f: Callable[..., Any], value: Any) -> None:
    if value is None:
        name = getattr(f, "__name__", str(f))
        raise ValueError(
            f"Cannot differentiate a function that returns None; did you forget to return a value from {name}?"
        )


def _places(f: Callable[..., Any], params: Any, args: Sequence[Any]) -> list[int]:
    """The places of the parameters to differentiate by."""
    if params is not None and all(isinstance(p, int) for p in params):
        return list(params)
    try:
        names = [
            n
            for n, p in inspect.signature(f).parameters.items()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    if params is None:
        return list(range(min(len(names), len(args)) if names else len(args)))
    if all(isinstance(p, str) for p in params):
        return [names.index(p) for p in params]
    raise ValueError(f"params must be all strings or all integers; got {params}.")


def stop_recording() -> Any:
    """A block that no tape hears of."""
    return recording.silence()
