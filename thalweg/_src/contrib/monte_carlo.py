"""Expectations, as means over samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.late import array, math


def _samples(dist: Any, z: Any, n: Any, seed: int | None) -> Any:
    if (n is None) == (z is None):
        raise ValueError(f'Must specify exactly one of arguments "n" and "z".  Found: n = {n}, z = {z}')
    return to_tensor(z, name="z") if n is None else dist.sample(n, seed=seed)


def _log_mean(logs: Any) -> Any:
    """log(mean(exp(logs))) over the first axis."""
    center = array.stop_gradient(math.reduce_max(logs, 0))
    return math.log(math.reduce_mean(math.exp(logs - center), 0)) + center


def expectation_importance_sampler(
    f: Callable[[Any], Any],
    log_p: Callable[[Any], Any],
    sampling_dist_q: Any,
    z: Any = None,
    n: Any = None,
    seed: int | None = None,
    name: str = "expectation_importance_sampler",
) -> Any:
    """The mean of `f` under the density exp(`log_p`), from samples `z` of q, or `n` new ones. ValueError for none and for both."""
    with name_scope(name, values=[z, n]):
        z = _samples(sampling_dist_q, z, n, seed)
        shift = log_p(z) - sampling_dist_q.log_prob(z)
        value = f(z)
        plus, minus = (_log_mean(math.log(math.relu(v) + 1.0) + shift) for v in (value, -1.0 * value))
        return math.exp(plus) - math.exp(minus)


def expectation_importance_sampler_logspace(
    log_f: Callable[[Any], Any],
    log_p: Callable[[Any], Any],
    sampling_dist_q: Any,
    z: Any = None,
    n: Any = None,
    seed: int | None = None,
    name: str = "expectation_importance_sampler_logspace",
) -> Any:
    """The logarithm of the mean of exp(`log_f`), in the same way."""
    with name_scope(name, values=[z, n]):
        z = _samples(sampling_dist_q, z, n, seed)
        return _log_mean(log_f(z) + log_p(z) - sampling_dist_q.log_prob(z))


def expectation(
    f: Callable[[Any], Any],
    samples: Any,
    log_prob: Callable[[Any], Any] | None = None,
    use_reparametrization: bool = True,
    axis: Any = 0,
    keep_dims: bool = False,
    name: str | None = None,
) -> Any:
    """The mean of `f` over `samples`. Its gradient goes through the samples, or, without reparametrization, by `log_prob`.

    ValueError where a function that is needed is not callable.
    """
    with name_scope(name, "expectation", [samples]):
        if not callable(f):
            raise ValueError("`f` must be a callable function.")
        if use_reparametrization:
            return math.reduce_mean(f(samples), axis=axis, keepdims=keep_dims)
        if not callable(log_prob):
            raise ValueError("`log_prob` must be a callable function.")
        x = array.stop_gradient(samples)
        logs, value = log_prob(x), f(x)
        value = value + array.stop_gradient(value) * (logs - array.stop_gradient(logs))
        return math.reduce_mean(value, axis=axis, keepdims=keep_dims)
