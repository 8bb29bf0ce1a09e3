"""Gradients against differences: `tf.test.compute_gradient` and `compute_gradient_error`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._src.core.default_sessions import default_sessions
from thalweg._src.core.graph import Tensor
from thalweg._src.ops.arrays.constants import constant
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices


def _session() -> Any:
    if not default_sessions.stack:
        raise ValueError("compute_gradient needs a default session: use `with sess.as_default():`")
    return default_sessions.stack[-1]


def _theoretical(
    x: Tensor, x_shape: Sequence[int], dy: Tensor, dy_shape: Sequence[int], dx: Any, feeds: dict
) -> np.ndarray:
    """The Jacobian, transposed, from the gradients: [size of x, size of y], complex numbers as pairs."""
    dtype, y_dtype = x.dtype.numpy_dtype, dy.dtype.numpy_dtype
    x_factor, y_factor = 1 + (dtype.kind == "c"), 1 + (y_dtype.kind == "c")
    x_size, y_size = int(np.prod(x_shape)) * x_factor, int(np.prod(dy_shape)) * y_factor
    real = np.zeros(1, dtype).real.dtype
    out = np.zeros((x_size, y_size), real)
    session = _session()
    seed = np.zeros(dy_shape, y_dtype)
    flat = seed.ravel().view(np.zeros(1, y_dtype).real.dtype)
    seed = flat.view(y_dtype).reshape(dy_shape)
    for column in range(y_size):
        flat[column] = 1
        if isinstance(dx, IndexedSlices):
            indices, values = session.run([dx.indices, dx.values], {**feeds, dy: seed})
            rows = out[:, column].view(dtype).reshape(x_shape)
            whole = np.zeros(x_shape, dtype)
            np.add.at(whole, indices, values)
            rows[...] = whole
        else:
            found = np.ascontiguousarray(session.run(dx, {**feeds, dy: seed}))
            out[:, column] = found.ravel().view(real)
        flat[column] = 0
    if dy_shape == () or y_size == 0:
        found = np.asarray(session.run(dx, {**feeds, dy: seed}) if not isinstance(dx, IndexedSlices) else 0.0)
        if not np.isfinite(found.astype(np.complex128)).all() and y_size == 0:
            raise ValueError("Gradient is not finite")
    return out


def _numeric(
    x: Tensor, x_shape: Sequence[int], x_data: np.ndarray, y: Tensor, y_shape: Sequence[int], delta: float, feeds: dict
) -> np.ndarray:
    """The Jacobian, transposed, from central differences."""
    dtype, y_dtype = x.dtype.numpy_dtype, y.dtype.numpy_dtype
    real, y_real = np.zeros(1, dtype).real.dtype, np.zeros(1, y_dtype).real.dtype
    data = np.array(x_data, dtype, order="C")  # so that the flat view below shares it
    flat = data.reshape(-1).view(real) if data.ndim else data.reshape(1).view(real)
    x_size = int(np.prod(x_shape)) * (1 + (dtype.kind == "c"))
    y_size = int(np.prod(y_shape)) * (1 + (y_dtype.kind == "c"))
    out = np.zeros((x_size, y_size), real)
    session = _session()
    for row in range(x_size):
        kept = flat[row].copy()
        flat[row] = kept + delta
        above = np.ascontiguousarray(session.run(y, {**feeds, x: data})).ravel().view(y_real)
        flat[row] = kept - delta
        below = np.ascontiguousarray(session.run(y, {**feeds, x: data})).ravel().view(y_real)
        out[row] = (above - below) / np.asarray(2 * delta, real)
        flat[row] = kept
    return out


def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Sequence[int],
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> Any:
    """The Jacobian of `y` by `x` (transposed, [size of x, size of y]) twice: from the gradients, and from differences.

    `x` is a tensor, or a list of them with lists of shapes and initial values; `x_init_value` is random unless given. A default session
    is needed; `init_targets` are run in it first. Raises ValueError where y does not depend on x.
    """
    feeds = dict(extra_feed_dict or {})
    y_shape = tuple(int(n) for n in y_shape)
    if init_targets is not None:
        for target in init_targets if isinstance(init_targets, list | tuple) else [init_targets]:
            _session().run(target)
    many = isinstance(x, list)
    xs, shapes = (list(x), list(x_shape)) if many else ([x], [x_shape])
    starts = list(x_init_value) if many and x_init_value is not None else [x_init_value] * len(xs)
    dy, grads = _gradients(xs, y, y_shape)
    out = []
    values = [_start(t, s, v) for t, s, v in zip(xs, shapes, starts, strict=True)]
    everything = dict(zip(xs, values, strict=True)) if many else {}
    for t, s, v, g in zip(xs, shapes, values, grads, strict=True):
        own = {**feeds, **everything, t: v}
        out.append((_theoretical(t, s, dy, y_shape, g, own), _numeric(t, s, v, y, y_shape, delta, own)))
    return out if many else out[0]


def _gradients(xs: list[Tensor], y: Tensor, y_shape: Sequence[int]) -> tuple[Tensor, list[Any]]:
    seed = constant(1.0 if not y.dtype.is_complex else 1.0 + 0j, dtype=y.dtype.base_dtype, shape=list(y_shape) or None)
    grads = gradients(y, xs, seed)
    for x, g in zip(xs, grads, strict=True):
        if g is None:
            raise ValueError(f"y does not depend on {x.name}")
    return seed, grads


def _start(x: Tensor, shape: Sequence[int], value: Any) -> np.ndarray:
    dtype = x.dtype.numpy_dtype
    if value is not None:
        array = np.asarray(value, dtype)
        if list(array.shape) != list(shape):
            raise ValueError(f"x_init_value has shape {array.shape}, x_shape is {tuple(shape)}")
        return array
    data = np.random.random_sample(tuple(shape)).astype(dtype)
    if dtype.kind == "c":
        data = (data + 1j * np.random.random_sample(tuple(shape))).astype(dtype)
    return data


def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Sequence[int],
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> float:
    """The largest difference between the two Jacobians of `compute_gradient`."""
    found = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    pairs = [found] if isinstance(found, tuple) else found
    error = 0.0
    for theory, numbers in pairs:
        if theory.size:
            worst = np.fabs(theory - numbers).max()
            error = float("nan") if np.isnan(worst) else max(error, float(worst))
    return error
