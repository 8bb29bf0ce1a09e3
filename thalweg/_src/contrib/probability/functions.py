"""Functions beside distributions: triangles of vectors, moving moments, percentiles, correlations."""

from __future__ import annotations

import math as numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.distributions.continuous import Normal
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.sorting import sort
from thalweg._src.ops.numeric import elementwise
from thalweg._src.ops.signals import fft
from thalweg._src.ops.stateful import initializers, variable_scope
from thalweg._src.ops.stateful.assigning import assign_add, assign_sub


def softplus_inverse(x: Any, name: str | None = None) -> Any:
    """y so that softplus(y) is x: log(exp(x) - 1)."""
    with scopes.name_scope(name, "softplus_inverse", values=[x]):
        x = to_tensor(x, name="x")
        edge = np.log(np.finfo(x.dtype.as_numpy_dtype).eps) + 2.0
        small, large = x < np.exp(edge), x > -edge
        safe = array.where(math.logical_or(small, large), array.ones_like(x), x)
        between = safe + elementwise.log(-elementwise.expm1(-safe))
        return array.where(small, elementwise.log(x), array.where(large, x, between))


def fill_triangular(x: Any, upper: bool = False, name: str | None = None) -> Any:
    """[..., n (n + 1) / 2] as lower (or upper) triangles [..., n, n], filled in a spiral. ValueError for another length."""
    with scopes.name_scope(name, "fill_triangular", values=[x]):
        x = to_tensor(x, name="x")
        count = x.get_shape().as_list()[-1]
        if count is None:
            raise ValueError("fill_triangular: the length of the last axis must be known")
        n = (numbers.isqrt(8 * count + 1) - 1) // 2
        if n * (n + 1) // 2 != count:
            raise ValueError(f"Input right-most shape ({count}) does not correspond to a triangular matrix.")
        back = array.reverse(x[..., n:] if upper else x, [-1])
        rows = array.concat([x, back] if upper else [x[..., n:], back], -1)
        square = array.reshape(rows, array.concat([array.shape(x)[:-1], [n, n]], 0))
        square.set_shape(x.get_shape()[:-1].concatenate([n, n]))
        return array.matrix_band_part(square, 0 if upper else -1, -1 if upper else 0)


def fill_triangular_inverse(x: Any, upper: bool = False, name: str | None = None) -> Any:
    """The vectors [..., n (n + 1) / 2] of which `fill_triangular` makes the triangles `x`: [..., n, n]."""
    with scopes.name_scope(name, "fill_triangular_inverse", values=[x]):
        x = to_tensor(x, name="x")
        n = x.get_shape().as_list()[-1]
        if n is None:
            raise ValueError("fill_triangular_inverse: the size of the matrices must be known")
        flat = array.reshape(x, array.concat([array.shape(x)[:-2], [n * n]], 0))
        places = np.arange(n * (n + 1) // 2)
        back = places[::-1] if not upper else places[n:][::-1]
        rows = np.concatenate([places, back] if upper else [places[n:], back]).reshape(n, n)
        kept = np.triu(np.ones((n, n), bool)) if upper else np.tril(np.ones((n, n), bool))
        where = np.zeros(len(places), np.int32)
        where[rows[kept]] = np.flatnonzero(kept)
        found = array.gather(flat, where, axis=-1)
        found.set_shape(x.get_shape()[:-2].concatenate([len(places)]))
        return found


def matrix_diag_transform(matrix: Any, transform: Any = None, name: str | None = None) -> Any:
    """`matrix` with `transform` of its diagonal in place of that."""
    with scopes.name_scope(name, "matrix_diag_transform", values=[matrix]):
        matrix = to_tensor(matrix, name="matrix")
        return matrix if transform is None else array.matrix_set_diag(matrix, transform(array.matrix_diag_part(matrix)))


def tridiag(below: Any = None, diag: Any = None, above: Any = None, name: str | None = None) -> Any:
    """Matrices of three diagonals; those that are None are zero. ValueError where all are."""
    with scopes.name_scope(name, "tridiag", [below, diag, above]):
        parts = [None if d is None else to_tensor(d) for d in (below, diag, above)]
        given = [d for d in parts if d is not None]
        if not given:
            raise ValueError("Must specify at least one of `below`, `diag`, `above`.")
        made = []
        for d, place in zip(parts, ("below", "diag", "above"), strict=True):
            if d is None:
                continue
            none = array.zeros_like(d[..., :1])
            wide = d if place == "diag" else array.concat([none, d, none], -1)
            square = array.matrix_diag(wide)
            made.append(
                square if place == "diag" else square[..., :-1, 1:] if place == "below" else square[..., 1:, :-1]
            )
        return sum(made[1:], made[0])


def reduce_weighted_logsumexp(
    logx: Any,
    w: Any = None,
    axis: Any = None,
    keep_dims: bool = False,
    return_sign: bool = False,
    name: str | None = None,
) -> Any:
    """log|sum w exp(logx)|, and with `return_sign` the sign of that sum too."""
    with scopes.name_scope(name, "reduce_weighted_logsumexp", [logx, w]):
        logx = to_tensor(logx, name="logx")
        if w is None:
            total = math.reduce_logsumexp(logx, axis=axis, keepdims=keep_dims)
            return (total, array.ones_like(total)) if return_sign else total
        w = to_tensor(w, logx.dtype, name="w")
        logs = logx + elementwise.log(elementwise.abs(w))
        most = math.reduce_max(logs, axis=axis, keepdims=True)
        most = array.stop_gradient(array.where(elementwise.is_inf(most), array.zeros_like(most), most))
        total = math.reduce_sum(elementwise.sign(w) * elementwise.exp(logs - most), axis=axis, keepdims=keep_dims)
        most = most if keep_dims else array.squeeze(most, axis=axis)
        logs = most + elementwise.log(elementwise.abs(total))
        return (logs, elementwise.sign(total)) if return_sign else logs


def assign_moving_mean_variance(
    mean_var: Any, variance_var: Any, value: Any, decay: Any, name: str | None = None
) -> Any:
    """Let a moving mean and a moving variance take in `value`: both after that. TypeError unless they are of one float type."""
    with scopes.name_scope(name, "assign_moving_mean_variance", [variance_var, mean_var, value, decay]):
        kind = mean_var.dtype.base_dtype
        if not kind.is_floating:
            raise TypeError(f"mean_var.base_dtype({kind.name}) does not have float type `dtype`.")
        if kind != variance_var.dtype.base_dtype:
            raise TypeError(
                f"mean_var.base_dtype({kind.name}) != variance_var.base_dtype({variance_var.dtype.base_dtype.name})"
            )
        value, decay = to_tensor(value, kind, name="value"), to_tensor(decay, kind, name="decay")
        delta = value - mean_var
        off = (1.0 - decay) * (variance_var - decay * elementwise.square(delta))
        return assign_add(mean_var, (1.0 - decay) * delta), assign_sub(variance_var, off)


def assign_log_moving_mean_exp(log_mean_exp_var: Any, log_value: Any, decay: Any, name: str | None = None) -> Any:
    """Let the logarithm of a moving mean take in a value by its logarithm. TypeError where it is not of a float type."""
    with scopes.name_scope(name, "assign_log_moving_mean_exp", [log_mean_exp_var, log_value, decay]):
        kind = log_mean_exp_var.dtype.base_dtype
        if not kind.is_floating:
            raise TypeError(f"log_mean_exp_var.base_dtype({kind.name}) does not have float type `dtype`.")
        log_value, decay = to_tensor(log_value, kind, name="log_value"), to_tensor(decay, kind, name="decay")
        delta = log_value - log_mean_exp_var
        both = array.stack([elementwise.log(decay) * array.ones_like(delta), delta + elementwise.log1p(-decay)])
        return assign_add(log_mean_exp_var, math.reduce_logsumexp(both, 0))


def moving_mean_variance(
    value: Any, decay: Any, collections: Sequence[str] | None = None, name: str | None = None
) -> Any:
    """Variables of a moving mean and a moving variance of `value`, which every run of either updates."""
    with variable_scope.variable_scope(name, "moving_mean_variance", [value, decay]):
        value = to_tensor(value, name="value")
        if not value.dtype.is_floating:
            raise TypeError(f"value.base_dtype({value.dtype.name}) does not have float type `dtype`.")

        def made(what: str) -> Any:
            return variable_scope.get_variable(
                what,
                value.get_shape(),
                value.dtype.base_dtype,
                initializers.zeros_initializer(),
                trainable=False,
                collections=list(collections or [GraphKeys.GLOBAL_VARIABLES]),
            )

        variance = made("moving_variance")
        return assign_moving_mean_variance(made("moving_mean"), variance, value, decay)


def _last(x: Any, axis: Any) -> tuple[Any, list[int]]:
    """`x` with the axes `axis` (None for all) as one, the last; and which they were."""
    rank = x.get_shape().ndims
    axes = sorted(range(rank) if axis is None else {int(a) % rank for a in np.atleast_1d(axis)})
    rest = [a for a in range(rank) if a not in axes]
    moved = array.transpose(x, [*rest, *axes])
    shape = array.shape(moved)
    return array.reshape(moved, array.concat([shape[: len(rest)], [-1]], 0)), axes


def percentile(
    x: Any,
    q: Any,
    axis: Any = None,
    interpolation: str | None = None,
    keep_dims: bool = False,
    validate_args: bool = False,
    name: str | None = None,
) -> Any:
    """The number of `x` along `axis` (one or several, None for all) that `q` percent of them do not exceed.

    Between two numbers it is the "nearest", the "lower" or the "higher"; ValueError for another `interpolation`.
    """
    allowed = {"lower": elementwise.ceil, "higher": elementwise.floor, "nearest": elementwise.round}
    if interpolation is not None and interpolation not in allowed:
        raise ValueError(f"Argument 'interpolation' must be in {set(allowed)}.  Found {interpolation}")
    with scopes.name_scope(name, "percentile", values=[x, q]):
        x = to_tensor(x, name="x")
        q = math.cast(q, dtypes.float64, name="q")
        flat, axes = _last(x, axis)
        last = array.shape(flat)[-1] - 1
        place = allowed[interpolation or "nearest"](math.cast(last, dtypes.float64) * (1.0 - q / 100.0))
        place = math.minimum(math.maximum(math.cast(place, dtypes.int32), 0), last)
        found = array.gather(sort(flat, direction="DESCENDING"), place, axis=-1)
        found.set_shape(flat.get_shape()[:-1])
        for a in axes if keep_dims else ():
            found = array.expand_dims(found, a)
        return found


def auto_correlation(
    x: Any,
    axis: int = -1,
    max_lags: int | None = None,
    center: bool = True,
    normalize: bool = True,
    name: str = "auto_correlation",
) -> Any:
    """The mean product of `x` with itself moved along `axis` by 0, 1, ... `max_lags` places.

    With `center` of what differs from the mean; with `normalize` over its value at 0. TypeError for whole numbers.
    """
    with scopes.name_scope(name, values=[x]):
        x = to_tensor(x, name="x")
        if not (x.dtype.is_floating or x.dtype.is_complex):
            raise TypeError(f"Argument x must have either float or complex dtype found: {x.dtype}")
        rank = x.get_shape().ndims
        order = [a for a in range(rank) if a != axis % rank] + [axis % rank]
        moved = array.transpose(x, order)
        count = moved.get_shape().as_list()[-1]
        if count is None:
            raise ValueError("auto_correlation: the length of the axis must be known")
        if center:
            moved = moved - math.reduce_mean(moved, -1, keepdims=True)
        length = 2 ** numbers.ceil(numbers.log2(2 * count))
        padded = array.pad(moved, [[0, 0]] * (rank - 1) + [[0, length - count]])
        waves = fft.fft(padded if x.dtype.is_complex else math.complex(padded, array.zeros_like(padded)))
        product = fft.ifft(waves * math.conj(waves))
        product = product if x.dtype.is_complex else math.real(product)
        lags = count - 1 if max_lags is None else min(count - 1, max_lags)
        sums = product[..., : lags + 1] / math.cast(count - np.arange(lags + 1.0), x.dtype)
        found = sums / sums[..., :1] if normalize else sums
        return array.transpose(found, [int(i) for i in np.argsort(order)])


def normal_conjugates_known_scale_posterior(prior: Any, scale: Any, s: Any, n: Any) -> Normal:
    """The normal distribution of a mean, once `n` numbers of the deviation `scale` with the sum `s` were seen. TypeError unless
    `prior` is a Normal of their type.
    """
    _check_prior(prior, s)
    n, known = math.cast(n, prior.dtype), math.cast(scale, prior.dtype)
    precision = 1 / elementwise.square(prior.scale) + n / elementwise.square(known)
    weighed = prior.loc / elementwise.square(prior.scale) + s / elementwise.square(known)
    return Normal(loc=weighed / precision, scale=elementwise.sqrt(1 / precision))


def normal_conjugates_known_scale_predictive(prior: Any, scale: Any, s: Any, n: Any) -> Normal:
    """The normal distribution of the next number, after the same."""
    posterior = normal_conjugates_known_scale_posterior(prior, scale, s, n)
    spread = elementwise.square(posterior.scale) + elementwise.square(math.cast(scale, prior.dtype))
    return Normal(loc=posterior.loc, scale=elementwise.sqrt(spread))


def _check_prior(prior: Any, s: Any) -> None:
    if not isinstance(prior, Normal):
        raise TypeError(f"Expected prior to be an instance of type Normal, but got: {prior}")
    if to_tensor(s).dtype != prior.dtype:
        raise TypeError(f"Observation sum s.dtype does not match prior dtype: {to_tensor(s).dtype} vs. {prior.dtype}")
