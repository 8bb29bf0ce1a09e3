"""What is minimized under which constraints."""

from __future__ import annotations

import abc
from typing import Any

from thalweg._src.core.graph import Tensor


class ConstrainedMinimizationProblem(abc.ABC):
    """An objective, and constraints that shall be at most 0."""

    @property
    @abc.abstractmethod
    def objective(self) -> Tensor:
        """The scalar to minimize."""

    @property
    @abc.abstractmethod
    def constraints(self) -> Tensor:
        """What shall not be positive. It need not be differentiable if there are `proxy_constraints`."""

    @property
    def num_constraints(self) -> int:
        """How many constraints there are. ValueError for unknown shapes, or proxies of another shape."""
        shape = self.constraints.get_shape()
        proxy = shape if self.proxy_constraints is None else self.proxy_constraints.get_shape()
        if not shape.is_fully_defined() or not proxy.is_fully_defined():
            raise ValueError("constraints and proxy_constraints must have fully-known shapes")
        if shape != proxy:
            raise ValueError("constraints and proxy_constraints must have the same shape")
        return int(shape.num_elements())

    @property
    def proxy_constraints(self) -> Tensor | None:
        """What stands for the constraints where gradients are taken."""
        return None

    @property
    def pre_train_ops(self) -> Any:
        """Operations to run before each step."""
        return None
