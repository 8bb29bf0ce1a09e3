"""tf.contrib.learn.RunConfig: the RunConfig of tf.estimator with the arguments of contrib."""

from __future__ import annotations

import json
import os
from typing import Any

from thalweg._src.lib.cluster_spec import ClusterSpec
from thalweg._src.lib.estimators.run_config import RunConfig as CoreRunConfig
from thalweg._src.lib.estimators.run_config import TaskType as CoreTaskType
from thalweg._src.lib.estimators.run_config import check_place

_HOW_OFTEN = (
    *("tf_random_seed", "save_summary_steps", "save_checkpoints_steps", "save_checkpoints_secs", "session_config"),
    *("keep_checkpoint_max", "keep_checkpoint_every_n_hours", "log_step_count_steps"),
)


class TaskType(CoreTaskType):
    """The jobs of a cluster."""


class Environment:
    """Where a program runs."""

    LOCAL = "local"
    CLOUD = "cloud"
    GOOGLE = "google"


class RunConfig(CoreRunConfig):
    """Where an estimator runs, and how often it saves.

    `num_cores`, `log_device_placement` and `gpu_memory_fraction` go into `tf_config`, a ConfigProto. 0.x called the folder of a
    cluster `cluster_config` and took `verbose`.
    """

    def __init__(
        self,
        master: str | None = None,
        num_cores: int = 0,
        log_device_placement: bool = False,
        gpu_memory_fraction: float = 1,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_secs: int | None = 0,
        save_checkpoints_steps: int | None = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100,
        protocol: str | None = None,
        evaluation_master: str = "",
        model_dir: Any = None,
        session_config: Any = None,
        session_creation_timeout_secs: float = 7200,
        verbose: int | None = None,
    ):
        from thalweg._src.formats import protos

        if save_checkpoints_secs == 0:
            save_checkpoints_secs = 600 if save_checkpoints_steps is None else None
        self._tf_config = protos.ConfigProto(
            log_device_placement=log_device_placement,
            inter_op_parallelism_threads=num_cores,
            intra_op_parallelism_threads=num_cores,
            gpu_options=protos.GPUOptions(per_process_gpu_memory_fraction=gpu_memory_fraction),
        )
        self._master: Any = master
        super().__init__(
            model_dir=model_dir or None,
            tf_random_seed=tf_random_seed,
            save_summary_steps=save_summary_steps,
            session_config=session_config,
            keep_checkpoint_max=keep_checkpoint_max,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            log_step_count_steps=log_step_count_steps,
            protocol=protocol,
            session_creation_timeout_secs=session_creation_timeout_secs,
        )
        # Here both may be given.
        self._save_checkpoints_secs, self._save_checkpoints_steps = save_checkpoints_secs, save_checkpoints_steps
        if evaluation_master:
            self._evaluation_master = evaluation_master
        self._environment = json.loads(os.environ.get("TF_CONFIG") or "{}").get("environment", Environment.LOCAL)

    def _read_cluster(self, environment: dict[str, Any]) -> None:
        """The place of this task. A cluster needs no chief here, and workers elsewhere than in the cloud are led by their first."""
        task = environment.get("task", {})
        spec = self._cluster_spec = ClusterSpec(environment.get("cluster", {}))
        self._service, self._evaluation_master, self._global_id_in_cluster = environment.get("service"), "", 0
        self._task_type, self._task_id = task.get("type"), int(task.get("index") or 0)
        jobs = spec.as_dict()
        self._num_ps_replicas = len(jobs.get(TaskType.PS, []))
        self._num_worker_replicas = len(jobs.get(TaskType.WORKER, [])) + len(jobs.get(TaskType.MASTER, []))
        first = self._task_id == 0
        if self._task_type is None:
            self._is_chief = first
        else:
            in_cloud = environment.get("environment") == Environment.CLOUD
            self._is_chief = first and self._task_type == (TaskType.MASTER if in_cloud else TaskType.WORKER)
        alone = len(jobs) == 1 and len(next(iter(jobs.values()))) == 1
        if self._master is not None:  # the program says it
            return
        self._master = ""
        if spec and self._task_type and not alone:
            check_place(spec, self._task_type, self._task_id)
            self._master = f"grpc://{spec.job_tasks(self._task_type)[self._task_id]}"

    @property
    def tf_config(self) -> Any:
        """The ConfigProto."""
        return self._tf_config

    @property
    def environment(self) -> str:
        return self._environment

    @staticmethod
    def get_task_id() -> int:
        """The number of the task in TF_CONFIG; 0 without one."""
        task = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {})
        return int(task.get("index") or 0)

    def uid(self, whitelist: Any = None) -> str:
        """A text of the values by which configurations differ; those of `whitelist` do not count, by default how often is saved."""
        left_out = {"_" + name for name in (_HOW_OFTEN if whitelist is None else whitelist)}
        state = {k: v for k, v in self.__dict__.items() if k not in left_out}
        state["_cluster_spec"] = sorted(self._cluster_spec.as_dict().items())
        return ", ".join(f"{k}={v!r}" for k, v in sorted(state.items()))


ClusterConfig = RunConfig
