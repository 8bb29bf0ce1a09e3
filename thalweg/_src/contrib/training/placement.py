"""Strategies that choose the parameter server of a variable, for `tf.train.replica_device_setter`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core.shapes import TensorShape


class RandomStrategy:
    """A server by the hash of the variable's name: the same in every program."""

    def __init__(self, num_ps_tasks: int, seed: int = 0):
        self._num_tasks, self._seed = num_ps_tasks, seed

    def __call__(self, op: Any) -> int:
        digest = hashlib.md5(f"{op.name}_{self._seed}".encode(), usedforsecurity=False).hexdigest()
        return int(digest, 16) % self._num_tasks


class GreedyLoadBalancingStrategy:
    """The server with the least load so far; `load_fn(op)` tells the load of an operation, as `byte_size_load_fn` does."""

    def __init__(self, num_tasks: int, load_fn: Callable[[Any], float]):
        self._load_fn, self._loads = load_fn, np.zeros(num_tasks)

    def __call__(self, op: Any) -> int:
        task = int(np.argmin(self._loads))
        self._loads[task] += self._load_fn(op)
        return task


def byte_size_load_fn(op: Any) -> int:
    """How many bytes the one output of `op` has. Raises ValueError for several outputs or an unknown shape."""
    if len(op.outputs) != 1:
        raise ValueError(f"Op {op} must have a single output")
    (output,) = op.outputs
    shape = output.shape if output.shape.is_fully_defined() else TensorShape(op.get_attr("shape"))
    shape.assert_is_fully_defined()
    return shape.num_elements() * output.dtype.size
