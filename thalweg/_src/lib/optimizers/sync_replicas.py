"""Synchronous training: gradients of several replicas are averaged before they are applied once."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.queue_runner import QueueRunner
from thalweg._src.lib.session_manager import readiness
from thalweg._src.ops.arrays.constants import fill
from thalweg._src.ops.basic import control_dependencies, group, no_op
from thalweg._src.ops.queueing.accumulator_api import ConditionalAccumulator, SparseConditionalAccumulator
from thalweg._src.ops.queueing.queue_api import FIFOQueue
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices
from thalweg._src.ops.stateful.assigning import assign
from thalweg._src.ops.stateful.variable_lists import global_variables, report_uninitialized_variables
from thalweg._src.ops.stateful.variables import Variable


class SyncReplicasOptimizer(Optimizer):
    """Averages the gradients of `replicas_to_aggregate` replicas, then lets `opt` apply them once.

    Each replica adds its gradients to accumulators, then waits for a token; the chief's queue runner takes the averages,
    applies them, adds one to the global step and gives out tokens for the next one. Gradients of an earlier step are dropped.
    Add `make_session_run_hook(is_chief)` to the hooks of the session. `replica_id` is what 0.12 asked for and nobody needs.
    """

    def __init__(
        self,
        opt: Optimizer,
        replicas_to_aggregate: int,
        total_num_replicas: int | None = None,
        variable_averages: Any = None,
        variables_to_average: Any = None,
        use_locking: bool = False,
        name: str = "sync_replicas",
        replica_id: int | None = None,
    ):
        super().__init__(use_locking, name)
        total = replicas_to_aggregate if total_num_replicas is None else total_num_replicas
        log.info("SyncReplicasV2: replicas_to_aggregate=%s; total_num_replicas=%s", replicas_to_aggregate, total)
        self._opt, self._replicas_to_aggregate, self._total_num_replicas = opt, replicas_to_aggregate, total
        self._variable_averages, self._variables_to_average = variable_averages, variables_to_average
        self._tokens_per_step = max(total, replicas_to_aggregate)
        self._gradients_applied = False
        self._global_step: Any = None
        self._sync_token_queue: Any = None
        self._chief_queue_runner: Any = None
        self._accumulator_list: list[tuple[Any, str]] = []

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """The gradients of this replica, by the optimizer within."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """The operation that a replica runs: add the gradients, then wait until the chief has applied the averages.

        Raises ValueError without gradients or without `global_step`.
        """
        if not grads_and_vars:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        no_op()  # TensorFlow has one here, which counts in the names of later ones
        self._local_step = Variable(
            initial_value=0,
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
            dtype=global_step.dtype.base_dtype,
            name="sync_rep_local_step",
        )
        self.local_step_init_op = assign(self._local_step, global_step)
        chief_init = [self.local_step_init_op]
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        graph = get_default_graph()
        with name_scope(None, self._name):
            added, averages = self._accumulate(grads_and_vars)
            with graph.device(global_step.device), name_scope(""):
                update = self._opt.apply_gradients(averages, global_step)
                step_type = global_step.dtype.base_dtype
                tokens = FIFOQueue(-1, step_type, shapes=(), name="sync_token_q", shared_name="sync_token_q")
                self._sync_token_queue = tokens
                dummy = FIFOQueue(1, dtypes.int32, shapes=(), name="dummy_queue", shared_name="dummy_queue")
                with control_dependencies(added):
                    token = tokens.dequeue()
                train_op = assign(self._local_step, token)
                with control_dependencies([update]):
                    sync = tokens.enqueue_many((fill([self._tokens_per_step], global_step),))
                if self._variable_averages is not None:
                    with control_dependencies([sync]), name_scope(""):
                        sync = self._variable_averages.apply(self._variables_to_average)
                self._chief_queue_runner = QueueRunner(dummy, [sync])
            for accumulator, device in self._accumulator_list:
                with graph.device(device):
                    chief_init.append(accumulator.set_global_step(global_step, name="SetGlobalStep"))
            self.chief_init_op = group(*chief_init)
            self._gradients_applied = True
            return train_op

    def _accumulate(self, grads_and_vars: Any) -> tuple[list[Operation], list[tuple[Any, Any]]]:
        """The operations that add this replica's gradients, and the averages of all, each with its variable."""
        added: list[Operation] = []
        averages: list[tuple[Any, Any]] = []
        for grad, var in grads_and_vars:
            with get_default_graph().device(var.device):
                if grad is None:
                    averages.append((None, var))
                    continue
                shared = var.name + "/grad_accum"
                accumulator: Any
                if isinstance(grad, Tensor):
                    accumulator = ConditionalAccumulator(grad.dtype, shape=var.shape, shared_name=shared)
                    added.append(accumulator.apply_grad(grad, local_step=self._local_step))
                    averages.append((accumulator.take_grad(self._replicas_to_aggregate), var))
                elif isinstance(grad, IndexedSlices):
                    accumulator = SparseConditionalAccumulator(grad.dtype, shape=(), shared_name=shared)
                    added.append(accumulator.apply_indexed_slices_grad(grad, local_step=self._local_step))
                    averages.append((accumulator.take_indexed_slices_grad(self._replicas_to_aggregate), var))
                else:
                    raise ValueError("Unknown grad type!")
                self._accumulator_list.append((accumulator, var.device))
        return added, averages

    def get_chief_queue_runner(self) -> QueueRunner:
        """The queue runner that applies the averages; the chief starts it. ValueError before `apply_gradients`."""
        if not self._gradients_applied:
            raise ValueError("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """A slot of the optimizer within."""
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> list[str]:
        """The names of the slots of the optimizer within."""
        return self._opt.get_slot_names(*args, **kwargs)

    def variables(self) -> list[Variable]:
        """The variables of the optimizer within."""
        return self._opt.variables()

    def get_init_tokens_op(self, num_tokens: int = -1) -> Operation:
        """The operation that gives out the first tokens. ValueError before `apply_gradients`, or for too few of them."""
        if not self._gradients_applied:
            raise ValueError("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} (needed)")
        if num_tokens <= 0:
            return no_op(name="no_init_tokens")
        with get_default_graph().device(self._global_step.device), name_scope(""):
            return self._sync_token_queue.enqueue_many((fill([num_tokens], self._global_step),))

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> SessionRunHook:
        """The hook that prepares the session of a replica; the chief's also starts the queue runner."""
        return _Prepare(self, is_chief, num_tokens)


class _Prepare(SessionRunHook):
    """Sets the local step, and for the chief gives out tokens and starts its queue runner."""

    def __init__(self, optimizer: SyncReplicasOptimizer, is_chief: bool, num_tokens: int):
        self._optimizer, self._is_chief, self._num_tokens = optimizer, is_chief, num_tokens

    def begin(self) -> None:
        optimizer = self._optimizer
        if not optimizer._gradients_applied:
            raise ValueError("SyncReplicasOptimizer.apply_gradient should be called before using the hook.")
        self._ready = optimizer.ready_for_local_init_op
        if self._is_chief:
            self._init = optimizer.chief_init_op
            self._runner: QueueRunner | None = optimizer.get_chief_queue_runner()
            self._tokens: Operation | None = optimizer.get_init_tokens_op(self._num_tokens)
        else:
            self._init, self._runner, self._tokens = optimizer.local_step_init_op, None, None

    def after_create_session(self, session: Any, coord: Any) -> None:
        ready, message = readiness(self._ready, session, "Model is not ready for SyncReplicasOptimizer local init.")
        if not ready:
            raise RuntimeError(
                "Init operations did not make model ready for SyncReplicasOptimizer local_init. "
                f"Init op: {self._init.name}, error: {message}"
            )
        session.run(self._init)
        if self._tokens is not None:
            session.run(self._tokens)
        if self._runner is not None:
            self._runner.create_threads(session, coord=coord, daemon=True, start=True)
