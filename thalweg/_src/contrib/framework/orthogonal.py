"""Initializers of convolutions that keep the norm of their input (Xiao et al. 2018)."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.core import dtypes
from thalweg._src.ops.arrays import constants, joining, shaping
from thalweg._src.ops.chance import random
from thalweg._src.ops.linear import linalg
from thalweg._src.ops.numeric import compare, matmul
from thalweg._src.ops.numeric.casting import cast
from thalweg._src.ops.stateful.initializers import Initializer, orthogonal_columns


def _check(shape: Any, ranks: tuple[int, ...], what: str) -> None:
    if len(shape) not in ranks:
        raise ValueError(f"The tensor to initialize must be {what}")
    if shape[-2] > shape[-1]:
        raise ValueError("In_filters cannot be greater than out_filters.")


class ConvolutionDeltaOrthogonal(Initializer):
    """A delta in space, orthogonal over channels: a filter of three to five dimensions, no more inputs than outputs."""

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32):
        self.gain, self.seed, self.dtype = gain, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        _check(shape, (3, 4, 5), "at least three-dimensional and at most five-dimensional")
        dtype = self.dtype if dtype is None else dtypes.as_dtype(dtype)
        n, m = int(shape[-1]), int(shape[-2])
        q = orthogonal_columns(self._normal([n, n], 0.0, 1.0, dtype))[:m, :] * np.asarray(
            self.gain, dtype.as_numpy_dtype
        )
        space = [int(s) for s in shape[:-2]]
        delta = np.zeros([*space, 1, 1], dtype.as_numpy_dtype)
        delta[tuple((s - 1) // 2 for s in space)] = 1
        return constants.constant(delta) * q

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}


class _Orthogonal(Initializer):
    rank = 2

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32):
        self.gain, self.seed, self.dtype = gain, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        _check(shape, (self.rank + 2,), f"{('three', 'four', 'five')[self.rank - 1]}-dimensional")
        if len({*shape[:-2]}) > 1:
            raise ValueError("Kernel sizes must be equal.")
        self._dtype = self.dtype if dtype is None else dtypes.as_dtype(dtype)
        kernel = self._kernel(int(shape[0]), int(shape[-1]), int(shape[-2]))
        return kernel * np.asarray(self.gain, self._dtype.as_numpy_dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed, "dtype": self.dtype.name}

    def _next_seed(self) -> int | None:
        """The seed of the next draw: one further than the last one, from call to call."""
        seed = self.seed
        if seed:
            self.seed = seed + 1
        return seed

    def _orthogonal(self, n: int) -> Any:
        return orthogonal_columns(random.random_normal([n, n], dtype=self._dtype, seed=self._next_seed()))

    def _projection(self, n: int) -> Any:
        """A random symmetric projection of n dimensions."""
        q = self._orthogonal(n)
        mask = compare.greater(random.random_normal([n], seed=self._next_seed()), 0)
        c = q * cast(mask, self._dtype)
        return matmul.matmul(c, c, transpose_b=True)

    def _kernel(self, k: int, n: int, m: int) -> Any:
        """[k]*rank + [m, n]: products of blocks (P, 1 - P) of random projections, one per axis, then an orthogonal matrix."""
        eye = linalg.eye(n, dtype=self._dtype)
        q = self._orthogonal(n)[:m, :]
        blocks: dict[tuple[int, ...], Any] = {(0,) * self.rank: eye}
        for _ in range(k - 1):
            for axis in range(self.rank):
                p = self._projection(n)
                first, second = (
                    (eye - p, p) if self.rank == 3 else (p, eye - p)
                )  # as TensorFlow's, whose seeds these are
                blocks = _convolved(blocks, {0: first, 1: second}, axis)
        space = [k] * self.rank
        order = np.ndindex(*space)
        parts = [matmul.matmul(q, blocks[i]) for i in order]
        return shaping.reshape(joining.concat([shaping.expand_dims(p, 0) for p in parts], 0), [*space, m, n])


def _convolved(blocks: dict[tuple[int, ...], Any], factor: dict[int, Any], axis: int) -> dict[tuple[int, ...], Any]:
    out: dict[tuple[int, ...], Any] = {}
    for at, block in blocks.items():
        for step, f in factor.items():
            key = tuple(a + step if i == axis else a for i, a in enumerate(at))
            term = matmul.matmul(block, f)
            out[key] = term if key not in out else out[key] + term
    return out


class ConvolutionOrthogonal1D(_Orthogonal):
    """An orthogonal filter [width, in, out]."""

    rank = 1


class ConvolutionOrthogonal2D(_Orthogonal):
    """An orthogonal filter [height, width, in, out]."""


class ConvolutionOrthogonal3D(_Orthogonal):
    """An orthogonal filter [depth, height, width, in, out]."""

    rank = 3
