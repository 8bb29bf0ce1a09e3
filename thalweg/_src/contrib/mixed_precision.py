"""The loss scales of tf.contrib.mixed_precision, and the optimizer around another one that uses them."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.lib.mixed_precision.loss_scale import all_finite
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.basic import group, no_op
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import math
from thalweg._src.ops.sparse_tensors.indexed_slices import scaled
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.variables import Variable


class LossScaleManager:
    """What a loss is multiplied by, and how that changes after a step."""

    def get_loss_scale(self) -> Any:
        """The scale, a float32 scalar."""
        raise NotImplementedError

    def update_loss_scale(self, finite_grads: Any) -> Any:
        """The operation for after a step, whose gradients were finite or not."""
        raise NotImplementedError


class FixedLossScaleManager(LossScaleManager):
    """One scale for all steps. ValueError for one less than 1."""

    def __init__(self, loss_scale: float):
        if loss_scale < 1:
            raise ValueError("loss scale must be at least 1.")
        self._loss_scale = to_tensor(loss_scale, dtypes.float32)

    def get_loss_scale(self) -> Any:
        return self._loss_scale

    def update_loss_scale(self, finite_grads: Any) -> Any:
        return no_op()


class ExponentialUpdateLossScaleManager(LossScaleManager):
    """A scale that grows by `incr_ratio` after `incr_every_n_steps` finite steps in a row, and shrinks by `decr_ratio` after
    `decr_every_n_nan_or_inf` others in a row, never below 1.
    """

    def __init__(
        self,
        init_loss_scale: float,
        incr_every_n_steps: int,
        decr_every_n_nan_or_inf: int = 2,
        incr_ratio: float = 2,
        decr_ratio: float = 0.8,
    ):
        self._often, self._seldom = incr_every_n_steps, decr_every_n_nan_or_inf
        self._growth, self._decay = incr_ratio, decr_ratio
        self._loss_scale = Variable(float(init_loss_scale), name="loss_scale", dtype=dtypes.float32, trainable=False)
        self._good = Variable(0, name="good_steps", dtype=dtypes.int32, trainable=False)
        self._bad = Variable(0, name="bad_steps", dtype=dtypes.int32, trainable=False)

    def get_loss_scale(self) -> Any:
        return self._loss_scale

    def _become(self, scale: Any) -> Any:
        """Another scale; counting begins anew."""
        return group(assign(self._loss_scale, scale), assign(self._good, 0), assign(self._bad, 0))

    def update_loss_scale(self, finite_grads: Any) -> Any:
        def after_good() -> Any:
            larger = self._loss_scale * self._growth
            grown = math.is_finite(larger)
            many = self._good + 1 >= self._often
            return cond(
                many,
                lambda: cond(grown, lambda: self._become(larger), no_op),
                lambda: group(assign_add(self._good, 1)),
            )

        def after_bad() -> Any:
            many = self._bad + 1 >= self._seldom
            return cond(
                many,
                lambda: self._become(math.maximum(1.0, self._loss_scale * self._decay)),
                lambda: group(assign_add(self._bad, 1), assign(self._good, 0)),
            )

        return cond(finite_grads, after_good, after_bad)


class LossScaleOptimizer(Optimizer):
    """`opt` on a loss times the manager's scale; its gradients are divided by that again. A step whose gradients are not finite
    changes no variable but the scale.
    """

    def __init__(self, opt: Any, loss_scale_manager: LossScaleManager):
        super().__init__(opt._use_locking, "LossScaleOptimizer")
        self._opt, self._manager = opt, loss_scale_manager

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """(gradient, variable) of the loss as it is, computed from the scaled one."""
        loss = loss() if callable(loss) else loss
        scale = self._manager.get_loss_scale()
        larger = loss * math.cast(scale, loss.dtype.base_dtype)
        pairs = self._opt.compute_gradients(
            *(larger, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss)
        )
        return [(_divided(g, scale), v) for g, v in pairs]

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """The operation that applies gradients where all are finite, and changes the scale."""
        pairs = tuple(grads_and_vars)
        finite = all_finite([g for g, _ in pairs])

        def applied() -> Any:
            return group(self._opt.apply_gradients(pairs, global_step, name))

        return group(cond(finite, applied, no_op), self._manager.update_loss_scale(finite))


def _divided(gradient: Any, scale: Any) -> Any:
    return None if gradient is None else scaled(gradient, math.cast(1.0 / scale, gradient.dtype.base_dtype))
