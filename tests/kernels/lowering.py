"""What the tests of kernels share: an op's lowering for the CPU called by itself, images, and how near results are to be;
convolutions and their gradients in float64."""

import os
import subprocess
import sys

import numpy as np
import pytest

from thalweg._src.core import apply, machine
from thalweg._src.kernels import library

other_levels = pytest.mark.parametrize("level", ["avx2", "portable"])


def run_with(level, module, code):
    """Run `code` where the kernels have the instructions of a level; the module of tests `module` is `t` there."""
    if not library.LEVELS[level].needs <= machine.features():
        pytest.skip(f"this processor has no {level}")
    begin = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import {module} as t
from thalweg._src.kernels import library
assert library.library().level == {level!r}
"""
    variables = os.environ | {"THALWEG_KERNELS": level, "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run(
        [sys.executable, "-c", begin + code], env=variables, capture_output=True, text=True, timeout=250
    )
    assert ran.returncode == 0, ran.stderr


def lowered(opdef, *args, **how):
    """The lowering of `opdef` for the CPU on `args`, with the attrs `how` and otherwise their defaults."""
    kwargs = {name: how.get(name, opdef.attrs[name].default) for name in opdef.attrs if name != "T"}
    return apply.call(opdef, kwargs, args, platform="cpu")


def normal(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def near(found, expected):
    size = np.abs(expected).max() + 1e-6
    np.testing.assert_allclose(np.asarray(found) / size, expected / size, atol=2e-5)


def windows(x, w_shape, found):
    """The padded image, and the slices of it that each tap of the filter reads."""
    padded = np.pad(x, [(0, 0), *((max(b, 0), max(a, 0)) for b, a in found.pads), (0, 0)])
    counts = found.shape[1:3]
    for i in range(w_shape[0]):
        for j in range(w_shape[1]):
            at = [k * d for k, d in zip((i, j), found.rates, strict=True)]
            yield i, j, tuple(slice(a, a + (c - 1) * s + 1, s) for a, c, s in zip(at, counts, found.steps, strict=True))
    yield padded


def by_taps(x, w, g, found):
    """The convolution, its gradient by the image and by the filter, in float64 and one tap after the other."""
    *taps, padded = windows(x.astype(np.float64), w.shape, found)
    y, dx, dw = np.zeros(found.shape), np.zeros_like(padded), np.zeros(w.shape)
    for i, j, (rows, columns) in taps:
        part = padded[:, rows, columns]
        y += part @ w[i, j]
        dx[:, rows, columns] += g @ w[i, j].T
        dw[i, j] = np.tensordot(part, g, ((0, 1, 2), (0, 1, 2)))
    (top, _), (left, _) = found.pads
    return y, dx[:, top : top + x.shape[1], left : left + x.shape[2]], dw
