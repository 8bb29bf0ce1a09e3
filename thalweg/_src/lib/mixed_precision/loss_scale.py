"""Loss scales: what a loss is multiplied by, so that small gradients are no zeros in half precision."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, nest
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.tracking.object_graph import Trackable
from thalweg._src.ops.basic import group, no_op
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import math
from thalweg._src.ops.numeric.elementwise import is_finite
from thalweg._src.ops.stateful.variables import Variable


class LossScale(Trackable):
    """A scale that gradients may change: `loss_scale()` is the scale, `update(grads)` what happens after a step."""

    def __init__(self) -> None:
        self._weights: dict[Any, Any] = {}

    def __call__(self) -> Any:
        """The scale, a float32 scalar."""
        raise NotImplementedError

    def update(self, grads: Any) -> tuple[Any, Any]:
        """(the operation that changes the scale, whether `grads` should be applied)."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal scale."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossScale:
        return cls(**config)

    def _add_weight(self, name: str, initial_value: Any, dtype: Any = None) -> Any:
        """A variable of the scale, of the default graph. Raises RuntimeError for a name that is taken."""
        key = (name, None if executing_eagerly() else id(get_default_graph().outermost))
        if key in self._weights:
            raise RuntimeError(f"Duplicate variables detected. {key}")
        made = Variable(initial_value, trainable=False, name=name, dtype=dtype, use_resource=True)
        self._weights[key] = made
        self._track_trackable(made, name, overwrite=True)
        return made


class FixedLossScale(LossScale):
    """One scale for all steps. Raises ValueError for what is no number, or less than 1."""

    def __init__(self, loss_scale_value: float):
        super().__init__()
        if not isinstance(loss_scale_value, int | float):
            raise ValueError("loss_scale_value must be a Python int or float.")
        if loss_scale_value < 1:
            raise ValueError("loss_scale_value must be at least 1.")
        self._loss_scale_value = float(loss_scale_value)

    def __call__(self) -> Any:
        return to_tensor(self._loss_scale_value)

    def update(self, grads: Any) -> tuple[Any, Any]:
        return no_op(), True

    def __repr__(self) -> str:
        return f"FixedLossScale({self._loss_scale_value})"

    def get_config(self) -> dict[str, Any]:
        return {"loss_scale_value": self._loss_scale_value}


class DynamicLossScale(LossScale):
    """A scale that grows by `multiplier` after `increment_period` steps with finite gradients, and shrinks after one with others."""

    def __init__(self, initial_loss_scale: float = 2**15, increment_period: int = 2000, multiplier: float = 2.0):
        super().__init__()
        self._initial_loss_scale, self._increment_period = float(initial_loss_scale), int(increment_period)
        self._multiplier = float(multiplier)
        self._scale = self._add_weight("current_loss_scale", self._initial_loss_scale, dtypes.float32)
        self._good_steps = self._add_weight("good_steps", 0, dtypes.int64)

    @property
    def initial_loss_scale(self) -> float:
        return self._initial_loss_scale

    @property
    def increment_period(self) -> int:
        return self._increment_period

    @property
    def multiplier(self) -> float:
        return self._multiplier

    def __call__(self) -> Any:
        return to_tensor(self._scale)

    def update(self, grads: Any) -> tuple[Any, Any]:
        finite = all_finite(nest.flatten(grads))

        def grow() -> Any:
            larger = self._scale * self._multiplier
            grown = cond(is_finite(larger), lambda: _done(self._scale.assign(larger)), no_op)
            return group(grown, _done(self._good_steps.assign(0)))

        def after_good() -> Any:
            many = self._good_steps + 1 >= self._increment_period
            return cond(many, grow, lambda: _done(self._good_steps.assign_add(1)))

        def after_bad() -> Any:
            smaller = math.maximum(self._scale / self._multiplier, 1)
            return group(_done(self._good_steps.assign(0)), _done(self._scale.assign(smaller)))

        return cond(finite, after_good, after_bad), finite

    def __repr__(self) -> str:
        own = f"increment_period={self.increment_period}, multiplier={self.multiplier})"
        if executing_eagerly():
            now = f"current_loss_scale={self._scale.numpy()}, num_good_steps={self._good_steps.numpy()}, "
            return f"DynamicLossScale({now}initial_loss_scale={self.initial_loss_scale}, {own}"
        return f"DynamicLossScale(initial_loss_scale={self.initial_loss_scale}, {own}"

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_loss_scale": self.initial_loss_scale,
            "increment_period": self.increment_period,
            "multiplier": self.multiplier,
        }


def _done(assigned: Any) -> Any:
    return assigned if executing_eagerly() else assigned.op


def all_finite(grads: Any) -> Any:
    """Whether no gradient has a NaN or an infinity; None stands for no gradient."""
    dense = [getattr(g, "values", g) for g in grads if g is not None]
    return math.reduce_all([math.reduce_all(is_finite(g)) for g in dense])


def scale_for(identifier: Any) -> LossScale:
    """A LossScale for one, a number or 'dynamic'. Raises ValueError for other things."""
    if isinstance(identifier, LossScale):
        return identifier
    if isinstance(identifier, int | float):
        return FixedLossScale(identifier)
    if identifier == "dynamic":
        return DynamicLossScale()
    raise ValueError(f"Could not interpret loss scale identifier: {identifier}")
