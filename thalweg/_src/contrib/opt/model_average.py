"""Model averaging: workers train apart, and all take the mean of their models each so many steps."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.opt.averaging import GLOBAL_VARIABLE_NAME, PeriodicOptimizer, StartHook
from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.queueing.accumulator_api import ConditionalAccumulator
from thalweg._src.ops.queueing.queue_api import FIFOQueue
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.variable_lists import trainable_variables
from thalweg._src.ops.stateful.variables import Variable


class ModelAverageCustomGetter:
    """Gives each trainable variable a copy on the worker, and a global variable that starts with the same value."""

    def __init__(self, worker_device: Any):
        self._worker_device = worker_device
        self._local_2_global: dict[Any, Any] = {}

    def __call__(self, getter: Any, name: str, trainable: Any, collections: Any, *args: Any, **kwargs: Any) -> Any:
        graph = get_default_graph()
        if trainable:
            with graph.device(self._worker_device):
                copy = getter(name, *args, trainable=True, collections=[GraphKeys.LOCAL_VARIABLES], **kwargs)
            self._local_2_global[copy] = Variable(
                copy.initialized_value(),
                name=f"{GLOBAL_VARIABLE_NAME}/{name}",
                trainable=False,
                collections=[GraphKeys.GLOBAL_VARIABLES],
            )
            return copy
        if GraphKeys.LOCAL_VARIABLES not in (collections or ()):
            return getter(name, *args, trainable=trainable, collections=collections, **kwargs)
        with graph.device(self._worker_device):
            return getter(name, *args, trainable=trainable, collections=collections, **kwargs)


class ModelAverageOptimizer(PeriodicOptimizer):
    """Steps of `opt` on the worker's copy; each `interval_steps` all workers' copies become their mean."""

    def __init__(
        self,
        opt: Any,
        num_worker: int,
        is_chief: bool,
        ma_custom_getter: ModelAverageCustomGetter,
        interval_steps: int = 100,
        use_locking: bool = True,
        name: str = "ModelAverageOptimizer",
    ):
        super().__init__(opt, num_worker, interval_steps, use_locking, name)
        self._is_chief, self._local_2_global = is_chief, ma_custom_getter._local_2_global
        self._chief_init_op: Any = None

    def _taken_over(self, variables: list[Any]) -> Any:
        """Brings the worker's copies to the means."""
        if not variables:
            raise ValueError("The list of local_variables should not be empty")
        writes = []
        for v in variables:
            with get_default_graph().device(v.device):
                writes.append(assign(v, self._local_2_global[v].read_value()))
        return basic.group(*writes)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Raises ValueError without variables or without a global step."""
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required")
        moved = self._opt.apply_gradients(pairs)
        variables = [v for g, v in pairs if g is not None]
        # Made outside of the branch that uses them, since the chief's first operation uses them too.
        accumulators, starts = [], []
        for v in variables:
            center = self._local_2_global[v]
            with get_default_graph().device(center.device):
                accumulator = ConditionalAccumulator(
                    v.dtype.base_dtype, shape=v.get_shape(), shared_name=f"{center.name}/var_accum"
                )
                starts.append(accumulator.set_global_step(global_step, name="SetGlobalStep"))
            accumulators.append(accumulator)
        done = self._at_the_end_of_a_period([moved], lambda: self._meet(variables, accumulators, global_step))
        self._chief_init_op = basic.group(*starts)
        return done

    def _meet(self, variables: list[Any], accumulators: list[Any], global_step: Any) -> Any:
        """All workers hand in their copies; the chief writes the means and gives the others a token each."""
        graph = get_default_graph()
        with graph.colocate_with(global_step.op):
            tokens = FIFOQueue(-1, [dtypes.bool], shapes=[[]], shared_name="sync_queue")
        handed, means = [], []
        with graph.name_scope(f"{self._name}/global/"):
            for v, accumulator in zip(variables, accumulators, strict=True):
                with graph.device(self._local_2_global[v].device):
                    handed.append(accumulator.apply_grad(v.value(), local_step=global_step))
                    means.append(accumulator.take_grad(self._num_worker))
        with graph.control_dependencies(handed):
            if not self._is_chief:
                with graph.device(global_step.device):
                    met = tokens.dequeue()
            else:
                writes = []
                for mean, v in zip(means, variables, strict=True):
                    with graph.device(self._local_2_global[v].device):
                        writes.append(assign(self._local_2_global[v], mean))
                with graph.device(global_step.device):
                    writes.append(assign_add(global_step, 1))
                with graph.control_dependencies(writes), graph.device(global_step.device):
                    met = tokens.enqueue_many(constants.fill([self._num_worker - 1], False))
        with graph.control_dependencies([met]):
            return self._taken_over(variables)

    def get_init_op(self) -> Any:
        """Brings the worker's copies to the means."""
        return self._taken_over(trainable_variables())

    def make_session_run_hook(self) -> SessionRunHook:
        """A hook that starts the worker where the means are."""
        return StartHook(self.get_init_op, self._is_chief)
