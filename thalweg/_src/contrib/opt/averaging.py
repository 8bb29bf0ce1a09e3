"""Optimizers of workers that train copies of their own, and only now and then meet at the parameter servers.

A custom getter gives each trainable variable a copy on the worker (a local variable, which the model uses) and a center
(a global variable). A step moves the copy; each `period` steps the centers and copies are brought together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import math
from thalweg._src.ops.stateful.assigning import assign, assign_add, assign_sub
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.variable_lists import (
    global_variables_initializer,
    local_variables_initializer,
    trainable_variables,
)
from thalweg._src.ops.stateful.variable_scope import get_variable

GLOBAL_VARIABLE_NAME = "global_center_variable"
LOCAL_VARIABLE_NAME = "local_center_variable"
GRAD_VARIABLE_NAME = "grad_variable"


class CopyingGetter:
    """Makes three variables of a trainable one: the copy on the worker, the center, and one more on the worker."""

    beside_name = LOCAL_VARIABLE_NAME

    def __init__(self, worker_device: Any):
        self._worker_device = worker_device
        self._beside: dict[Any, Any] = {}
        self._global_map: dict[Any, Any] = {}

    def __call__(self, getter: Any, name: str, trainable: Any, collections: Any, *args: Any, **kwargs: Any) -> Any:
        if not trainable:
            return self._other(getter, name, collections, *args, **kwargs)
        graph = get_default_graph()
        mine = [GraphKeys.LOCAL_VARIABLES]
        with graph.device(self._worker_device):
            copy = getter(name, *args, trainable=True, collections=mine, **kwargs)
        if kwargs["reuse"] is True:
            return copy
        rest = {**kwargs, "trainable": False}
        center = getter(f"{GLOBAL_VARIABLE_NAME}/{name}", *args, collections=[GraphKeys.GLOBAL_VARIABLES], **rest)
        with graph.device(self._worker_device):
            beside = getter(f"{self.beside_name}/{name}", *args, collections=mine, **rest)
        for v, c, b in zip(_parts(copy), _parts(center), _parts(beside), strict=True):
            self._global_map[v], self._beside[v] = c, b
        return copy

    def _other(self, getter: Any, name: str, collections: Any, *args: Any, **kwargs: Any) -> Any:
        """A variable that is not trained: on the worker if it is a local one."""
        if GraphKeys.LOCAL_VARIABLES not in (collections or ()):
            return getter(name, *args, trainable=False, collections=collections, **kwargs)
        with get_default_graph().device(self._worker_device):
            return getter(name, *args, trainable=False, collections=collections, **kwargs)


class AGNCustomGetter(CopyingGetter):
    """Copies for `AGNOptimizer`, each with a sum of gradients beside it."""

    beside_name = GRAD_VARIABLE_NAME


class PeriodicOptimizer(Optimizer):
    """Counts the steps of this worker; a subclass says what happens when `period` of them are done."""

    def __init__(self, opt: Any, num_worker: int, period: int, use_locking: bool, name: str):
        super().__init__(use_locking, name)
        self._opt, self._num_worker, self._period = opt, num_worker, period
        self._local_step = get_variable(
            "local_step", initializer=0, trainable=False, collections=[GraphKeys.LOCAL_VARIABLES]
        )
        self._opt._prepare()

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        return self._opt.compute_gradients(*args, **kwargs)

    def _at_the_end_of_a_period(self, after: Sequence[Any], meet: Callable[[], Any]) -> Any:
        """An operation that counts one step once `after` is done, and calls on `meet` at the end of a period."""
        graph = get_default_graph()
        with graph.control_dependencies(after):
            counted = assign_add(self._local_step, 1, name="local_step_update").op
        with graph.control_dependencies([counted]):
            due = math.equal(math.mod(self._local_step, self._period), 0)
            return cond(due, meet, basic.no_op)


class AGNOptimizer(PeriodicOptimizer):
    """Accumulated gradient normalization (Hermans, Spanakis and Möckel 2017): the center takes the mean gradient of a
    period as one step of `optimizer`, and the worker goes on from there."""

    def __init__(
        self,
        optimizer: Any,
        num_worker: int,
        custom_getter: AGNCustomGetter,
        communication_period: int = 10,
        use_locking: bool = True,
        name: str = "AGNOptimizer",
    ):
        super().__init__(optimizer, num_worker, communication_period, use_locking, name)
        self._global_map, self._grad_map = custom_getter._global_map, custom_getter._beside

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        sums = [self._grad_map[v] for _, v in pairs]
        moved = with_local_slots(lambda: self._opt.apply_gradients(pairs))
        added = [assign_add(total, g) for total, (g, _) in zip(sums, pairs, strict=True)]

        def meet() -> Any:
            graph = get_default_graph()
            with graph.control_dependencies([assign(g, g / self._period) for g in sums]):
                centers = [self._global_map[v] for _, v in pairs]
                applied = self._opt.apply_gradients(list(zip(sums, centers, strict=True)))
            with graph.control_dependencies([applied]):
                updates = [] if global_step is None else [assign_add(global_step, 1)]
                updates += [assign(v, self._global_map[v].read_value()) for _, v in pairs]
                updates += [assign(total, constants.zeros_like(total)) for total in sums]
            return basic.group(*updates)

        return self._at_the_end_of_a_period([moved, *added], meet)

    def get_init_op(self, task_index: int) -> Any:
        """Brings the worker's copies to the centers, and its sums to zero. Raises ValueError without variables."""
        variables = trainable_variables()
        require_variables(variables)
        starts = [assign(v, self._global_map[v]) for v in variables]
        zeros = [assign(self._grad_map[v], constants.zeros_like(self._grad_map[v])) for v in variables]
        return basic.group(*starts, *zeros)

    def make_session_run_hook(self, is_chief: bool, task_index: int) -> SessionRunHook:
        """A hook that starts the worker where the centers are."""
        return StartHook(lambda: self.get_init_op(task_index), is_chief)


class StartHook(SessionRunHook):
    """Initializes variables, then brings a worker's copies to the centers when its session begins."""

    def __init__(self, start: Callable[[], Any], is_chief: bool):
        self._start, self._is_chief = start, is_chief
        self._variable_init_op: Any = None

    def begin(self) -> None:
        local_variables_initializer()
        if self._is_chief:
            global_variables_initializer()
        self._variable_init_op = self._start()

    def after_create_session(self, session: Any, coord: Any) -> None:
        session.run(self._variable_init_op)


def _parts(variable: Any) -> list[Any]:
    return list(variable) if isinstance(variable, PartitionedVariable) else [variable]


def require_variables(variables: Sequence[Any]) -> None:
    """Raises ValueError where there are no variables."""
    if not variables:
        raise ValueError("There are no trainable variables that the custom getter has made copies of.")


def with_local_slots(apply: Callable[[], Any]) -> Any:
    """What `apply` gives; the variables that it makes belong to the worker, as the copies do."""
    graph = get_default_graph()
    before = set(graph.get_collection(GraphKeys.GLOBAL_VARIABLES))
    done = apply()
    everywhere = graph.get_collection_ref(GraphKeys.GLOBAL_VARIABLES)
    for v in [v for v in everywhere if v not in before]:
        everywhere.remove(v)
        graph.add_to_collection(GraphKeys.LOCAL_VARIABLES, v)
    return done


def toward(centers: Sequence[Any], variables: Sequence[Any], differences: Sequence[Any], rate: Any) -> list[Any]:
    """The writes that bring copies and centers closer by `rate` times their difference."""
    graph = get_default_graph()
    writes = []
    for write, found in ((assign_sub, variables), (assign_add, centers)):
        for v, difference in zip(found, differences, strict=True):
            with graph.device(v.device):
                writes.append(write(v, math.multiply(rate, difference)))
    return writes
