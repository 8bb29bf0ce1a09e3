"""Elastic averaging: workers explore, tied to a common center by springs (Zhang, Choromanska and LeCun 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.opt.averaging import (
    CopyingGetter,
    PeriodicOptimizer,
    StartHook,
    require_variables,
    toward,
    with_local_slots,
)
from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.saving.saveables import op_list_to_dict
from thalweg._src.ops import basic
from thalweg._src.ops.late import math
from thalweg._src.ops.nets import normalization
from thalweg._src.ops.queueing.queue_api import FIFOQueue
from thalweg._src.ops.stateful.assigning import assign, assign_add
from thalweg._src.ops.stateful.variable_lists import trainable_variables


class ElasticAverageCustomGetter(CopyingGetter):
    """Copies for `ElasticAverageOptimizer`, each with the center as the worker saw it last."""


class ElasticAverageOptimizer(PeriodicOptimizer):
    """Each `communication_period` steps the worker's copy and the center move toward each other by `moving_rate`.

    `rho` weighs the squared distance from the center in the loss. `synchronous` workers start together.
    """

    BETA = 0.9

    def __init__(
        self,
        opt: Any,
        num_worker: int,
        ea_custom_getter: ElasticAverageCustomGetter,
        communication_period: int = 10,
        moving_rate: Any = None,
        rho: Any = None,
        use_locking: bool = True,
        synchronous: bool = False,
        name: str = "ElasticAverageOptimizer",
    ):
        super().__init__(opt, num_worker, communication_period, use_locking, name)
        self._local_map, self._global_map = ea_custom_getter._beside, ea_custom_getter._global_map
        self._synchronous = synchronous
        self._moving_rate = self.BETA / communication_period / num_worker if moving_rate is None else moving_rate
        self._rho = self._moving_rate / opt._learning_rate if rho is None else rho

    def compute_gradients(self, loss: Any, var_list: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As the wrapped optimizer's, of the loss and the distances from the centers."""
        variables = list(var_list) if var_list else trainable_variables()
        distances = [normalization.l2_loss(math.subtract(v, self._local_map[v])) for v in variables]
        return self._opt.compute_gradients(loss + self._rho * math.add_n(distances), variables, *args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        pairs = list(grads_and_vars)
        moved = with_local_slots(lambda: self._opt.apply_gradients(pairs))
        variables = [v for g, v in pairs if g is not None]

        def meet() -> Any:
            centers, seen = [self._global_map[v] for v in variables], [self._local_map[v] for v in variables]
            graph = get_default_graph()
            with graph.control_dependencies([s.assign(c) for s, c in zip(seen, centers, strict=True)]):
                differences = []
                for v, s in zip(variables, seen, strict=True):
                    with graph.device(v.device):
                        differences.append(math.subtract(v, s))
                updates = toward(centers, variables, differences, self._moving_rate)
                if global_step is not None:
                    updates.append(assign_add(global_step, 1))
            return basic.group(*updates)

        return self._at_the_end_of_a_period([moved], meet)

    def get_init_op(self, task_index: int) -> Any:
        """Brings the worker's variables to the centers; synchronous workers wait for each other."""
        variables = trainable_variables()
        require_variables(variables)
        starts = [assign(v, self._global_map[v]) for v in variables]
        starts += [assign(self._local_map[v], self._global_map[v]) for v in variables]
        return self._barrier(starts, task_index) if self._synchronous else basic.group(*starts)

    def _barrier(self, starts: Sequence[Any], task_index: int) -> Any:
        """Tells all other workers, then waits for a word of each."""
        queues = [
            FIFOQueue(self._num_worker, [dtypes.bool], shapes=[[]], shared_name=f"variable_init_sync_queue{i}")
            for i in range(self._num_worker)
        ]
        with get_default_graph().control_dependencies(starts):
            told = [q.enqueue(False) for i, q in enumerate(queues) if i != task_index]
        return basic.group(*starts, *told, queues[task_index].dequeue_many(len(queues) - 1))

    def make_session_run_hook(self, is_chief: bool, task_index: int) -> SessionRunHook:
        """A hook that starts the worker where the centers are."""
        return StartHook(lambda: self.get_init_op(task_index), is_chief)

    def swapping_saver(self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any) -> Saver:
        """A Saver that writes the centers under the names of the variables. Raises RuntimeError without centers."""
        if not self._global_map:
            raise RuntimeError("There are no centers: make the model under the custom getter before the saver.")
        by_name = {v.op.name: center for v, center in self._global_map.items()}

        def center(found: Any) -> Any:
            return by_name.get(found.op.name, found)

        if var_list is None:
            var_list = trainable_variables()
        named = var_list if isinstance(var_list, dict) else op_list_to_dict(var_list)
        swapped = {
            key: [center(part) for part in found] if isinstance(found, list) else center(found)
            for key, found in named.items()
        }
        return Saver(swapped, name=name, **kwargs)
