"""An optimizer around another one that scales the loss, and the switch for products in half precision."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib.mixed_precision.loss_scale import DynamicLossScale, scale_for
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.basic import group, no_op
from thalweg._src.ops.control.control_flow import smart_cond
from thalweg._src.ops.sparse_tensors.indexed_slices import scaled
from thalweg._src.runtime import precision


class MixedPrecisionLossScaleOptimizer(Optimizer):
    """`opt` on a loss times `loss_scale` (a LossScale, a number, or 'dynamic'); its gradients are divided by that again.

    Under a dynamic scale a step whose gradients are not finite changes no variable but the scale. Raises ValueError where `opt` is no
    optimizer.
    """

    def __init__(self, opt: Any, loss_scale: Any):
        if not isinstance(opt, Optimizer):
            raise ValueError(f'"opt" must be an instance of Optimizer, but got: {type(opt)}')
        super().__init__(opt._use_locking, opt.get_name())
        self._optimizer, self._loss_scale = opt, scale_for(loss_scale)

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
        scale = self._loss_scale()
        larger = (lambda: loss() * scale) if callable(loss) else loss * scale
        pairs = self._optimizer.compute_gradients(
            *(larger, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss)
        )
        factor = 1 / self._loss_scale()
        return [(scaled(g, factor), v) for g, v in pairs]

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """The operation that applies gradients, and changes the scale where it is dynamic."""
        if not isinstance(self._loss_scale, DynamicLossScale):
            return self._optimizer.apply_gradients(grads_and_vars, global_step, name)
        pairs, name = tuple(grads_and_vars), self.get_name() if name is None else name
        changed, finite = self._loss_scale.update([g for g, _ in pairs])

        def applied() -> Any:
            return group(self._optimizer.apply_gradients(pairs, global_step, f"{name}-wrapped"))

        return group(smart_cond(finite, applied, no_op), changed, name=name)

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot of the optimizer inside."""
        return self._optimizer.get_slot(var, name)

    def get_slot_names(self) -> list[str]:
        return self._optimizer.get_slot_names()

    def variables(self) -> list[Any]:
        """Those of the optimizer inside, and of the scale."""
        return [*self._optimizer.variables(), *self._loss_scale._weights.values()]


def enable_mixed_precision_graph_rewrite(opt: Any, loss_scale: Any = "dynamic") -> MixedPrecisionLossScaleOptimizer:
    """`opt` with a scaled loss; sessions made from here on compute products in half precision, where the device gains by it.

    Raises ValueError for what is no optimizer, or has a scaled loss already.
    """
    if isinstance(opt, MixedPrecisionLossScaleOptimizer):
        raise ValueError(
            '"opt" must not already be an instance of a MixedPrecisionLossScaleOptimizer. `enable_mixed_precision_graph_rewrite` '
            "will automatically wrap the optimizer with a MixedPrecisionLossScaleOptimizer."
        )
    if not isinstance(opt, Optimizer):
        raise ValueError(
            f'"opt" must be an instance of a tf.train.Optimizer or a tf.keras.optimizers.Optimizer, but got: {opt}'
        )
    if precision.made_without[0]:
        log.warning(
            "You already have existing Sessions that do not use mixed precision. enable_mixed_precision_graph_rewrite() will not "
            "affect these Sessions."
        )
    wrapped = MixedPrecisionLossScaleOptimizer(opt, loss_scale)
    precision.everywhere[0] = True
    return wrapped


def disable_mixed_precision_graph_rewrite() -> None:
    """Sessions made from here on compute in float32 again."""
    if not precision.everywhere[0]:
        log.warning("disable_mixed_precision_graph_rewrite() called when mixed precision is already disabled.")
    precision.everywhere[0] = False
