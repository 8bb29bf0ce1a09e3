"""tf.train.replica_device_setter: variables on parameter servers, the rest on the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core.devices import DeviceSpec
from thalweg._src.lib.cluster_spec import ClusterSpec
from thalweg._src.lib.platform import logging as log

STANDARD_PS_OPS = (
    "Variable",
    "VariableV2",
    "AutoReloadVariable",
    "MutableHashTable",
    "MutableHashTableV2",
    "MutableHashTableOfTensors",
    "MutableHashTableOfTensorsV2",
    "MutableDenseHashTable",
    "MutableDenseHashTableV2",
    "VarHandleOp",
    "BoostedTreesEnsembleResourceHandleOp",
    "BoostedTreesQuantileStreamResourceHandleOp",
    "ResourceConditionalAccumulator",
)


class _RoundRobinStrategy:
    """One task after the other."""

    def __init__(self, num_tasks: int):
        self._num_tasks, self._next = num_tasks, 0

    def __call__(self, op: Any) -> int:
        task = self._next
        self._next = (task + 1) % self._num_tasks
        return task


class _Chooser:
    """The devices of operations, as a function for `tf.device`."""

    def __init__(
        self,
        ps_tasks: int,
        ps_device: str,
        worker_device: str,
        merge_devices: bool,
        ps_ops: Sequence[str],
        ps_strategy: Callable[[Any], int],
    ):
        self._ps_tasks, self._ps_device, self._worker_device = ps_tasks, ps_device, worker_device
        self._merge, self._ps_ops, self._strategy = merge_devices, ps_ops, ps_strategy

    def device_function(self, op: Any) -> str:
        if not self._merge and op.device:
            return op.device
        current = DeviceSpec.from_string(op.device or "")
        kind = op.type if hasattr(op, "type") else op.op
        if not (self._ps_tasks and self._ps_device and kind in self._ps_ops):
            return DeviceSpec.from_string(self._worker_device or "").make_merged_spec(current).to_string()
        spec = DeviceSpec.from_string(self._ps_device)
        if spec.job and (not current.job or current.job == spec.job):
            spec = spec.replace(task=self._strategy(op))
        return spec.make_merged_spec(current).to_string()


def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Sequence[str] | None = None,
    ps_strategy: Callable[[Any], int] | None = None,
) -> Callable[[Any], str] | None:
    """A function for `tf.device` that puts variables (`ps_ops`) on the tasks of `ps_device`, others on `worker_device`.

    The number of parameter servers is `ps_tasks`, or that in `cluster`; where it is 0, None. `ps_strategy` gives the
    task of a variable, one after the other unless given. Raises TypeError for a `cluster` or `ps_strategy` that is none.
    """
    if cluster is not None:
        jobs = ClusterSpec(cluster).as_dict()
        job = DeviceSpec.from_string(ps_device).job
        if not jobs.get(job):
            return None
        ps_tasks = len(jobs[job])
    if ps_tasks == 0:
        return None
    if not merge_devices:
        log.warning("DEPRECATION: It is recommended to set merge_devices=true in replica_device_setter")
    if ps_strategy is None:
        ps_strategy = _RoundRobinStrategy(ps_tasks)
    if not callable(ps_strategy):
        raise TypeError("ps_strategy must be callable")
    chooser = _Chooser(ps_tasks, ps_device, worker_device, merge_devices, list(ps_ops or STANDARD_PS_OPS), ps_strategy)
    return chooser.device_function
