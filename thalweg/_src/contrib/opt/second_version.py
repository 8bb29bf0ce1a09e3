"""tf.contrib.optimizer_v2: tf.train's optimizers with the arguments that their second version took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.lib.optimizers import adadelta, adagrad, adam, gradient_descent, momentum, rmsprop
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops.late import array, math


class OptimizerV2(Optimizer):
    """An optimizer whose gradients stop at `stop_gradients`. Subclasses are written as those of tf.train.Optimizer.

    `scale_loss_by_num_replicas` divides a loss by the number of replicas; there is one.
    """

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
        stop_gradients: Any = None,
        scale_loss_by_num_replicas: Any = None,
    ) -> Any:
        """An operation that takes one step down the gradient of `loss`. Raises ValueError where no variable has a gradient."""
        pairs = self.compute_gradients(
            loss,
            var_list,
            gate_gradients,
            aggregation_method,
            colocate_gradients_with_ops,
            grad_loss,
            stop_gradients,
            scale_loss_by_num_replicas,
        )
        return self._step_down(pairs, loss, global_step, name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
        stop_gradients: Any = None,
        scale_loss_by_num_replicas: Any = None,
    ) -> list[tuple[Any, Any]]:
        """(gradient, variable) pairs, where the tensors of `stop_gradients` count as constants."""
        if callable(loss):
            return self._gradients_of_function(loss, var_list, grad_loss)
        return self._gradients_of_tensor(
            loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss, stop_gradients
        )


class AdadeltaOptimizer(OptimizerV2, adadelta.AdadeltaOptimizer):
    """tf.train.AdadeltaOptimizer, an OptimizerV2."""


class AdagradOptimizer(OptimizerV2, adagrad.AdagradOptimizer):
    """tf.train.AdagradOptimizer, an OptimizerV2."""


class AdamOptimizer(OptimizerV2, adam.AdamOptimizer):
    """tf.train.AdamOptimizer, an OptimizerV2."""


class GradientDescentOptimizer(OptimizerV2, gradient_descent.GradientDescentOptimizer):
    """tf.train.GradientDescentOptimizer, an OptimizerV2."""


class MomentumOptimizer(OptimizerV2, momentum.MomentumOptimizer):
    """tf.train.MomentumOptimizer, an OptimizerV2."""


class RMSPropOptimizer(OptimizerV2, rmsprop.RMSPropOptimizer):
    """tf.train.RMSPropOptimizer, an OptimizerV2 whose averages of squares begin with `epsilon`, which then is not added to them."""

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            kind = v.dtype.base_dtype
            least = math.cast(self._number(self._epsilon, "epsilon"), kind) * array.ones_like(v)
            self._get_or_make_slot_with_initializer(v, least, v.get_shape(), kind, "rms", self._name)
            for slot in ("mg", "momentum") if self._centered else ("momentum",):
                self._zeros_slot(v, slot, self._name)

    def _prepare(self) -> None:
        super()._prepare()
        self._epsilon_tensor = self._number(0.0, "epsilon")
