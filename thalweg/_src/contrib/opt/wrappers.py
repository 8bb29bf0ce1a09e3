"""Optimizers around optimizers: decoupled weight decay, averages of weights, limits on rows, rates by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.opt.rows import scatter_add, scatter_update
from thalweg._src.contrib.opt.shampoo import ShampooOptimizer
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.lib.moving_averages import ExponentialMovingAverage
from thalweg._src.lib.optimizers.adam import AdamOptimizer
from thalweg._src.lib.optimizers.momentum import MomentumOptimizer
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.saving.saveables import op_list_to_dict
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.linear import matrix_functions
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.assigning import assign_sub
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.variable_lists import global_variables
from thalweg._src.ops.updates import training


class DecoupledWeightDecayExtension:
    """Weight decay beside the gradient instead of in it (Loshchilov and Hutter 2017); a mixin in front of an optimizer."""

    def __init__(self, weight_decay: Any, **kwargs: Any):
        self._weight_decay = weight_decay
        self._decay_var_list: set[Any] | None = None
        super().__init__(**kwargs)

    def minimize(self, loss: Any, *args: Any, decay_var_list: Any = None, **kwargs: Any) -> Any:
        """As the optimizer's; only `decay_var_list` decays, where it is given."""
        self._decay_var_list = set(decay_var_list) if decay_var_list else None
        return super().minimize(loss, *args, **kwargs)  # type: ignore[misc]

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: Any = None, decay_var_list: Any = None
    ) -> Any:
        """As the optimizer's; only `decay_var_list` decays, where it is given."""
        if decay_var_list is not None:
            self._decay_var_list = set(decay_var_list)
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)  # type: ignore[misc]

    def _prepare(self) -> None:
        self._weight_decay_tensor = self._number(self._weight_decay, "weight_decay")  # type: ignore[attr-defined]
        super()._prepare()  # type: ignore[misc]

    def _decays(self, var: Any) -> bool:
        return not self._decay_var_list or var in self._decay_var_list

    def _dense(self, grad: Tensor, var: Any) -> Any:
        rule = super()._dense  # type: ignore[misc]
        if not self._decays(var):
            return rule(grad, var)
        decay = math.cast(self._weight_decay_tensor, var.dtype.base_dtype)
        with get_default_graph().control_dependencies([assign_sub(var, decay * var)]):
            return rule(grad, var)

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rule = super()._sparse  # type: ignore[misc]
        if not self._decays(var):
            return rule(grad, var, indices)
        decay = math.cast(self._weight_decay_tensor, var.dtype.base_dtype)
        with get_default_graph().control_dependencies([scatter_add(var, indices, -decay * array.gather(var, indices))]):
            return rule(grad, var, indices)


def extend_with_decoupled_weight_decay(base_optimizer: Any) -> Any:
    """A class of optimizers: `base_optimizer` with weight decay, its first argument."""

    class OptimizerWithDecoupledWeightDecay(DecoupledWeightDecayExtension, base_optimizer):
        def __init__(self, weight_decay: Any, *args: Any, **kwargs: Any):
            self._weight_decay, self._decay_var_list = weight_decay, None
            base_optimizer.__init__(self, *args, **kwargs)

    return OptimizerWithDecoupledWeightDecay


class AdamWOptimizer(DecoupledWeightDecayExtension, AdamOptimizer):
    """Adam with weight decay."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
    ):
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            use_locking=use_locking,
            name=name,
        )


class MomentumWOptimizer(DecoupledWeightDecayExtension, MomentumOptimizer):
    """Momentum with weight decay."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "MomentumW",
        use_nesterov: bool = False,
    ):
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            momentum=momentum,
            use_locking=use_locking,
            name=name,
            use_nesterov=use_nesterov,
        )


class MovingAverageOptimizer(Optimizer):
    """Keeps the moving averages of the variables that another optimizer trains, and saves those in their place."""

    def __init__(self, opt: Any, average_decay: Any = 0.9999, num_updates: Any = None, sequential_update: bool = True):
        self._optimizer = opt
        self._ema = ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._swapped_variable_name_map: dict[str, str] | None = None
        self._sequential_update = sequential_update

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        grads_and_vars = list(grads_and_vars)
        moved = self._optimizer.apply_gradients(grads_and_vars, global_step=global_step, name=name)
        trained = [v for g, v in grads_and_vars if g is not None]
        if self._sequential_update:
            with get_default_graph().control_dependencies([moved]):
                averaged = self._ema.apply(trained)
        else:
            averaged = self._ema.apply(trained)
        names = self._swapped_variable_name_map = {}
        for v in trained:
            average = self._ema.average(v).op.name
            names[v.op.name], names[average] = average, v.op.name
        return basic.group(moved, averaged, name="train_with_avg")

    def _swapped(self, by_name: dict[str, Any], name: str, tensor: Any) -> Any:
        other = (self._swapped_variable_name_map or {}).get(name)
        if other is None:
            return tensor
        if other not in by_name:
            raise ValueError(
                f"Variable to swap {other} is not part of variables to save. This breaks MovingAverageOptimizer."
            )
        return by_name[other]

    def swapping_saver(self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any) -> Saver:
        """A Saver that writes averages under the names of the variables. Raises RuntimeError before `apply_gradients`."""
        if self._swapped_variable_name_map is None:
            raise RuntimeError("Must call apply_gradients or minimize before creating the swapping_saver")
        if var_list is None:
            var_list = global_variables()
        if not isinstance(var_list, dict):
            var_list = op_list_to_dict(var_list)
        by_name: dict[str, Any] = {}
        for key, found in var_list.items():
            by_name.update({part.op.name: part for part in found} if _in_parts(found) else {key: found})
        swapped = {
            key: [self._swapped(by_name, part.op.name, part) for part in found]
            if _in_parts(found)
            else self._swapped(by_name, key, found)
            for key, found in var_list.items()
        }
        return Saver(swapped, name=name, **kwargs)


def _in_parts(found: Any) -> bool:
    return isinstance(found, list | PartitionedVariable)


class VariableClippingOptimizer(Optimizer):
    """Another optimizer, after which the variables are no longer than `max_norm` along the axes `vars_to_clip_dims` says."""

    def __init__(
        self,
        opt: Any,
        vars_to_clip_dims: dict[Any, Any],
        max_norm: Any,
        use_locking: bool = False,
        colocate_clip_ops_with_vars: bool = False,
        name: str = "VariableClipping",
    ):
        super().__init__(use_locking, name)
        self._opt, self._vars_to_clip_dims, self._max_norm = opt, vars_to_clip_dims, max_norm

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.compute_gradients(*args, **kwargs)

    def get_slot(self, var: Any, name: str) -> Any:
        return self._opt.get_slot(var, name)

    def get_slot_names(self) -> list[str]:
        return self._opt.get_slot_names()

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        graph = get_default_graph()
        grads_and_vars = list(grads_and_vars)
        with graph.name_scope(name or self._name) as scope:
            moved = self._opt.apply_gradients(grads_and_vars, global_step=global_step)
            clips = []
            with graph.control_dependencies([moved]):
                for grad, var in grads_and_vars:
                    if grad is not None and var in self._vars_to_clip_dims:
                        clips.append(self._clipped(grad, var, list(self._vars_to_clip_dims[var])))
            return basic.group(moved, *clips, name=scope)

    def _clipped(self, grad: Any, var: Any, axes: list[int]) -> Any:
        """The write that brings the variable back, or the rows of it that have moved."""
        if isinstance(grad, IndexedSlices) and 0 not in axes:
            rows = clip.clip_by_norm(array.gather(var.read_value(), grad.indices), self._max_norm, axes)
            return scatter_update(var, grad.indices, rows, self._use_locking)
        return var.assign(clip.clip_by_norm(var.read_value(), self._max_norm, axes), use_locking=self._use_locking)


class ShampooWOptimizer(DecoupledWeightDecayExtension, ShampooOptimizer):
    """Shampoo with weight decay."""

    def __init__(self, weight_decay: Any, *args: Any, name: str = "ShampooW", **kwargs: Any):
        self._weight_decay, self._decay_var_list = weight_decay, None
        ShampooOptimizer.__init__(self, *args, name=name, **kwargs)


class LARSOptimizer(Optimizer):
    """Momentum with a rate for each layer: as long as the weights are to the gradient (You et al. 2017).

    `skip_list` names variables that keep the plain rate. Raises ValueError for negative momentum or decay.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any = 0.9,
        weight_decay: float = 0.0001,
        eeta: float = 0.001,
        epsilon: float = 0.0,
        name: str = "LARSOptimizer",
        skip_list: Any = None,
        use_nesterov: bool = False,
    ):
        for what, value in (("momentum", momentum), ("weight_decay", weight_decay)):
            if value < 0.0:
                raise ValueError(f"{what} should be positive: {value}")
        super().__init__(False, name)
        self._learning_rate, self._momentum, self._weight_decay = learning_rate, momentum, weight_decay
        self._eeta, self._epsilon, self._skip_list, self._use_nesterov = eeta, epsilon, skip_list, use_nesterov

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        for v in var_list:
            self._zeros_slot(v, "momentum", self._name)

    def _prepare(self) -> None:
        self._rate_t = self._number(self._learning_rate, "learning_rate")
        self._momentum_t = self._number(self._momentum, "momentum")

    def compute_lr(self, grad: Any, var: Any) -> tuple[Any, Any]:
        """(the rate of the variable, the gradient with decay)."""
        rate = self._learning_rate
        if self._skip_list is None or not any(v in var.name for v in self._skip_list):
            w, g = matrix_functions.norm(var, ord=2), matrix_functions.norm(grad, ord=2)
            trust = self._eeta * w / (g + self._weight_decay * w + self._epsilon)
            rate = rate * array.where(math.greater(w, 0), array.where(math.greater(g, 0), trust, 1.0), 1.0)
            grad = grad + self._weight_decay * var
        return rate, grad

    def _dense(self, grad: Tensor, var: Any) -> Any:
        rate, grad = self.compute_lr(grad, var)
        one, momentum = self._scalars(var, to_tensor(1.0), self._momentum_t)
        slot = self.get_slot(var, "momentum")
        return training.apply_momentum(
            var, slot, one, grad * rate, momentum, use_locking=False, use_nesterov=self._use_nesterov
        )

    def _sparse(self, grad: Tensor, var: Any, indices: Tensor) -> Any:
        rate, momentum = self._scalars(var, self._rate_t, self._momentum_t)
        slot = self.get_slot(var, "momentum")
        return training.sparse_apply_momentum(
            var, slot, rate, grad, indices, momentum, use_locking=False, use_nesterov=self._use_nesterov
        )
