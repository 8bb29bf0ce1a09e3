"""Optimizers of a model and, at the same time, of how much each constraint weighs (arXiv 1804.06500)."""

from __future__ import annotations

import abc
import math as numbers
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.constrained.problem import ConstrainedMinimizationProblem
from thalweg._src.contrib.constrained.projections import (
    onto_ball,
    onto_log_stochastic,
    onto_stochastic,
    stationary,
)
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import colocate_with
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.variables import Variable

Problem = ConstrainedMinimizationProblem


class ConstrainedOptimizer(abc.ABC):
    """Minimizes a problem with `optimizer`. Subclasses say how constraints are dealt with."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer of the model's variables."""
        return self._optimizer

    @abc.abstractmethod
    def _minimize_constrained(
        self, minimization_problem: Problem, global_step: Any = None, name: str | None = None, **gradients: Any
    ) -> Any:
        """The step, without what runs before it."""

    def minimize_constrained(
        self,
        minimization_problem: Problem,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """A step that heeds the constraints."""
        return _after_preparation(
            minimization_problem,
            lambda: self._minimize_constrained(
                minimization_problem,
                global_step=global_step,
                name=name,
                var_list=var_list,
                gate_gradients=gate_gradients,
                aggregation_method=aggregation_method,
                colocate_gradients_with_ops=colocate_gradients_with_ops,
                grad_loss=grad_loss,
            ),
        )

    def minimize_unconstrained(self, minimization_problem: Problem, **options: Any) -> Any:
        """A step that does not: `options` are those of `Optimizer.minimize`."""
        return _after_preparation(
            minimization_problem, lambda: self.optimizer.minimize(minimization_problem.objective, **options)
        )

    def minimize(
        self,
        minimization_problem: Problem,
        unconstrained_steps: Any = None,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = Optimizer.GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """A step that heeds the constraints after the first `unconstrained_steps`, for which `global_step` is needed.

        Raises ValueError without it.
        """
        options = {
            "global_step": global_step,
            "var_list": var_list,
            "gate_gradients": gate_gradients,
            "aggregation_method": aggregation_method,
            "colocate_gradients_with_ops": colocate_gradients_with_ops,
            "name": name,
            "grad_loss": grad_loss,
        }
        if unconstrained_steps is None:
            return self.minimize_constrained(minimization_problem, **options)
        if global_step is None:
            raise ValueError("global_step cannot be None if unconstrained_steps is provided")
        steps = to_tensor(unconstrained_steps)
        return cond(
            math.cast(global_step, steps.dtype) < steps,
            lambda: self.minimize_unconstrained(minimization_problem, **options),
            lambda: self.minimize_constrained(minimization_problem, **options),
        )


def _after_preparation(problem: Problem, step: Callable[[], Any]) -> Any:
    before = problem.pre_train_ops
    if not before:
        return step()
    with basic.control_dependencies(before):
        return step()


class _GameOptimizer(ConstrainedOptimizer):
    """The model minimizes a loss weighed by a state; the state follows what the constraints say, and is projected back.

    `constraint_optimizer` moves the state, or the model's optimizer does both in one update.
    """

    _state_name = ""

    def __init__(self, optimizer: Optimizer, constraint_optimizer: Optimizer | None = None) -> None:
        super().__init__(optimizer)
        self._constraint_optimizer = constraint_optimizer

    @property
    def constraint_optimizer(self) -> Optimizer | None:
        """The optimizer of the state."""
        return self._constraint_optimizer

    @abc.abstractmethod
    def _initial_state(self, num_constraints: int) -> Tensor:
        """The state to begin with."""

    @abc.abstractmethod
    def _loss_and_direction(self, state: Any, objective: Tensor, constraints: Tensor, proxies: Tensor) -> Any:
        """(the model's loss, where the state is to go)."""

    @abc.abstractmethod
    def _projected(self, state: Any) -> Tensor:
        """The nearest admissible state."""

    def _minimize_constrained(
        self, minimization_problem: Problem, global_step: Any = None, name: str | None = None, **gradients: Any
    ) -> Any:
        objective, constraints = minimization_problem.objective, minimization_problem.constraints
        proxies = minimization_problem.proxy_constraints
        proxies = constraints if proxies is None else proxies
        if len({t.dtype.base_dtype for t in (objective, constraints, proxies)}) > 1:
            raise ValueError("objective, constraints and proxy_constraints must have the same dtype")
        count = minimization_problem.num_constraints
        state = Variable(lambda: self._initial_state(count), trainable=False, name=self._state_name)
        loss, direction = self._loss_and_direction(
            state, objective, array.reshape(constraints, [count]), array.reshape(proxies, [count])
        )
        pairs = self.optimizer.compute_gradients(loss, **gradients)
        uphill = [(-direction, state)]
        if self.constraint_optimizer is None:
            updates = [self.optimizer.apply_gradients([*pairs, *uphill], name="update")]
        else:
            with basic.control_dependencies([g for g, _ in [*pairs, *uphill] if g is not None]):
                updates = [
                    self.optimizer.apply_gradients(pairs, name="update"),
                    self.constraint_optimizer.apply_gradients(uphill, name="optimizer_state_update"),
                ]
        with basic.control_dependencies(updates):
            with colocate_with(state):
                back = assign(state, self._projected(state), name=name if global_step is None else "project")
            if global_step is None:
                return back
            with colocate_with(global_step):
                counted = assign_add(global_step, 1, name="global_step_increment")
            return basic.group(back, counted, name=name)


class AdditiveExternalRegretOptimizer(_GameOptimizer):
    """Lagrange multipliers that follow the constraints; their sum is at most `maximum_multiplier_radius`, if that is given."""

    _state_name = "external_regret_optimizer_state"

    def __init__(
        self,
        optimizer: Optimizer,
        constraint_optimizer: Optimizer | None = None,
        maximum_multiplier_radius: float | None = None,
    ) -> None:
        super().__init__(optimizer, constraint_optimizer)
        if maximum_multiplier_radius and maximum_multiplier_radius <= 0.0:
            raise ValueError("maximum_multiplier_radius must be strictly positive")
        self._radius = maximum_multiplier_radius

    def _initial_state(self, num_constraints: int) -> Tensor:
        return array.zeros([num_constraints], dtypes.float32)

    def _lagrange_multipliers(self, state: Any) -> Any:
        return state

    def _loss_and_direction(self, state: Any, objective: Tensor, constraints: Tensor, proxies: Tensor) -> Any:
        weights = math.cast(self._lagrange_multipliers(state), proxies.dtype)
        return objective + math.tensordot(weights, proxies, 1), math.cast(constraints, dtypes.float32)

    def _projected(self, state: Any) -> Tensor:
        if self._radius:
            return onto_ball(basic.identity(state), self._radius)
        return math.maximum(state, 0.0)


class _SwapRegretOptimizer(_GameOptimizer):
    """A stochastic matrix whose stationary distribution weighs the objective and the constraints."""

    _state_name = "swap_regret_optimizer_state"

    @abc.abstractmethod
    def _stochastic_matrix(self, state: Any) -> Tensor:
        """The matrix that the state stands for."""

    def _distribution(self, state: Any) -> Tensor:
        found = math.abs(stationary(self._stochastic_matrix(state)))
        return found / math.reduce_sum(found)

    def _loss_and_direction(self, state: Any, objective: Tensor, constraints: Tensor, proxies: Tensor) -> Any:
        weights = self._distribution(state)
        known = array.concat([array.zeros([1], constraints.dtype), constraints], axis=0)
        losses = array.concat([array.expand_dims(objective, 0), proxies], axis=0)
        loss = math.tensordot(math.cast(weights, losses.dtype), losses, 1)
        column = array.expand_dims(math.cast(known, weights.dtype), 1)
        return loss, math.matmul(column, array.expand_dims(weights, 0))


class AdditiveSwapRegretOptimizer(_SwapRegretOptimizer):
    """The matrix itself is moved and projected; it begins with all weight on the objective."""

    def _initial_state(self, num_constraints: int) -> Tensor:
        size = num_constraints + 1
        return array.concat([array.ones([1, size]), array.zeros([size - 1, size])], axis=0)

    def _stochastic_matrix(self, state: Any) -> Tensor:
        return basic.identity(state)

    def _projected(self, state: Any) -> Tensor:
        return onto_stochastic(basic.identity(state))


class MultiplicativeSwapRegretOptimizer(_SwapRegretOptimizer):
    """The logarithm of the matrix is moved; no entry falls below a size-th of `minimum_multiplier_radius`.

    Raises ValueError for radii that are not between 0 and 1, or an initial one below the least.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        constraint_optimizer: Optimizer | None = None,
        minimum_multiplier_radius: float = 1e-3,
        initial_multiplier_radius: float | None = None,
    ) -> None:
        super().__init__(optimizer, constraint_optimizer)
        if not 0.0 < minimum_multiplier_radius < 1.0:
            raise ValueError("minimum_multiplier_radius must be in the range (0,1)")
        initial = minimum_multiplier_radius if initial_multiplier_radius is None else initial_multiplier_radius
        if not minimum_multiplier_radius <= initial <= 1.0:
            raise ValueError("initial_multiplier_radius must be in the range [minimum_multiplier_radius,1]")
        self._least, self._initial = minimum_multiplier_radius, initial

    def _initial_state(self, num_constraints: int) -> Tensor:
        size = num_constraints + 1
        first = numbers.log(1.0 - self._initial * (size - 1) / size)
        other = numbers.log(self._initial / size)
        rows = [array.fill([1, size], first), array.fill([size - 1, size], other)]
        return math.cast(array.concat(rows, axis=0), dtypes.float32)

    def _stochastic_matrix(self, state: Any) -> Tensor:
        return math.exp(state)

    def _projected(self, state: Any) -> Tensor:
        size = state.get_shape().as_list()[0]
        return math.maximum(onto_log_stochastic(basic.identity(state)), numbers.log(self._least / size))
