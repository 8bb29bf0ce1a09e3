"""tf.estimator.RunConfig: where an estimator runs, how often it saves and tells, and what TF_CONFIG says of the cluster."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from typing import Any

from thalweg._src.lib.cluster_spec import ClusterSpec
from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.platform import logging as log

_DEFAULT: Any = object()

REPLACEABLE = (
    *("model_dir", "tf_random_seed", "save_summary_steps", "save_checkpoints_steps", "save_checkpoints_secs"),
    *("session_config", "keep_checkpoint_max", "keep_checkpoint_every_n_hours", "log_step_count_steps"),
    *("train_distribute", "device_fn", "protocol", "eval_distribute", "experimental_distribute"),
    *("experimental_max_worker_delay_secs", "session_creation_timeout_secs"),
)
_BOTH = "`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set."


class TaskType:
    """The jobs of a cluster."""

    MASTER = "master"
    PS = "ps"
    WORKER = "worker"
    CHIEF = "chief"
    EVALUATOR = "evaluator"


def default_session_config() -> Any:
    """The ConfigProto that estimators run with when none is given."""
    from thalweg._src.formats import protos

    return protos.ConfigProto(allow_soft_placement=True)


class RunConfig:
    """See the module. Raises ValueError for values that do not go together, or a TF_CONFIG that contradicts itself."""

    def __init__(
        self,
        model_dir: Any = None,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_steps: Any = _DEFAULT,
        save_checkpoints_secs: Any = _DEFAULT,
        session_config: Any = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000,
        log_step_count_steps: int | None = 100,
        train_distribute: Any = None,
        device_fn: Any = None,
        protocol: str | None = None,
        eval_distribute: Any = None,
        experimental_distribute: Any = None,
        experimental_max_worker_delay_secs: int | None = None,
        session_creation_timeout_secs: float = 7200,
    ):
        if save_checkpoints_steps is _DEFAULT and save_checkpoints_secs is _DEFAULT:
            save_checkpoints_steps, save_checkpoints_secs = None, 600
        elif save_checkpoints_secs is _DEFAULT:
            save_checkpoints_secs = None
        elif save_checkpoints_steps is _DEFAULT:
            save_checkpoints_steps = None
        elif save_checkpoints_steps is not None and save_checkpoints_secs is not None:
            raise ValueError(_BOTH)
        given = {name: value for name, value in locals().items() if name in REPLACEABLE}
        environment = json.loads(os.environ.get("TF_CONFIG", "{}"))
        if environment:
            log.info("TF_CONFIG environment variable: %s", environment)
        given["model_dir"] = _model_dir(environment, None if model_dir is None else os.fsdecode(model_dir))
        self._set(given)
        self._read_cluster(environment)

    def __getattr__(self, name: str) -> Any:
        if name in REPLACEABLE:
            return self.__dict__["_" + name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *REPLACEABLE})

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def replace(self, **kwargs: Any) -> Any:
        """A copy with other values. Raises ValueError for names that cannot be replaced."""
        changed = copy.deepcopy(self)
        changed._set(kwargs)
        return changed

    def _set(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if name not in REPLACEABLE:
                raise ValueError(f"Replacing {name} is not supported. Allowed properties are {list(REPLACEABLE)}.")
            self.__dict__["_" + name] = value
        steps, seconds = values.get("save_checkpoints_steps"), values.get("save_checkpoints_secs")
        if "save_checkpoints_steps" in values and "save_checkpoints_secs" in values:
            if steps is not None and seconds is not None:
                raise ValueError(_BOTH)
        elif steps is not None:
            self._save_checkpoints_secs = None
        elif seconds is not None:
            self._save_checkpoints_steps = None
        self._check()

    def _check(self) -> None:
        from thalweg._src.formats import protos

        rules: tuple[tuple[str, Any, str], ...] = (
            ("model_dir", bool, "should be non-empty"),
            ("save_summary_steps", lambda n: n >= 0, "should be >= 0"),
            ("save_checkpoints_steps", lambda n: n >= 0, "should be >= 0"),
            ("save_checkpoints_secs", lambda n: n >= 0, "should be >= 0"),
            ("session_config", lambda c: isinstance(c, protos.ConfigProto), "must be instance of ConfigProto"),
            ("keep_checkpoint_max", lambda n: n >= 0, "should be >= 0"),
            ("keep_checkpoint_every_n_hours", lambda n: n > 0, "should be > 0"),
            ("log_step_count_steps", lambda n: n > 0, "should be > 0"),
            ("tf_random_seed", lambda n: isinstance(n, int), "must be integer."),
            ("experimental_max_worker_delay_secs", lambda n: isinstance(n, int), "must be an integer if set."),
            ("session_creation_timeout_secs", lambda n: n > 0, "should be > 0"),
            (
                "device_fn",
                lambda f: callable(f) and set(fn_args(f)) == {"op"},
                'must be callable with exactly one argument "op".',
            ),
            ("protocol", lambda p: p in (None, "grpc", "grpc+verbs"), "should be grpc or grpc+verbs"),
        )
        for name, holds, message in rules:
            value = self.__dict__.get("_" + name)
            if value is not None and not holds(value):
                raise ValueError(f"{name} {message}")

    # -- the cluster

    def _read_cluster(self, environment: dict[str, Any]) -> None:
        service = environment.get("service")
        if service is not None and not isinstance(service, dict):
            raise TypeError(f'If "service" is set in TF_CONFIG, it must be a dict. Given {type(service)}')
        self._service = service
        self._cluster_spec = ClusterSpec(environment.get("cluster", {}))
        task = environment.get("task", {})
        if not self._cluster_spec:
            self._read_alone(environment, task)
            return
        chief = TaskType.MASTER if TaskType.MASTER in self._cluster_spec.jobs else TaskType.CHIEF
        if chief == TaskType.MASTER and TaskType.CHIEF in self._cluster_spec.jobs:
            raise ValueError("If `master` node exists in `cluster`, job `chief` is not supported.")
        self._task_type, self._task_id = _check_task(self._cluster_spec, task, chief)
        if chief == TaskType.MASTER and self._task_type == TaskType.EVALUATOR:
            raise ValueError("If `master` node exists in `cluster`, task_type `evaluator` is not supported.")
        self._is_chief = self._task_type == chief
        self._evaluation_master = ""
        if self._task_type == TaskType.EVALUATOR:
            self._evaluation_master = environment.get("eval_session_master", "")
            self._cluster_spec = ClusterSpec({})
            self._master, self._num_ps_replicas, self._num_worker_replicas = "", 0, 0
            self._global_id_in_cluster: int | None = None
            return
        spec = self._cluster_spec
        self._master = _master_of(spec, self._task_type, self._task_id, environment)
        jobs = spec.as_dict()
        self._num_ps_replicas = len(jobs.get(TaskType.PS, []))
        self._num_worker_replicas = len(jobs.get(TaskType.WORKER, [])) + len(jobs.get(chief, []))
        middle = [job for job in sorted(spec.jobs) if job not in (chief, TaskType.PS)]
        order = [chief, *middle, *([TaskType.PS] if TaskType.PS in spec.jobs else [])]
        before = order[: order.index(self._task_type)]
        self._global_id_in_cluster = sum(len(spec.job_tasks(job)) for job in before) + self._task_id
        if self._session_config is None:
            self._session_config = self._config_for_cluster()

    def _read_alone(self, environment: dict[str, Any], task: dict[str, Any]) -> None:
        self._task_type, self._task_id = task.get("type", TaskType.WORKER), int(task.get("index", 0))
        self._global_id_in_cluster = 0
        if self._task_type != TaskType.WORKER:
            raise ValueError('If "cluster" is not set in TF_CONFIG, task type must be WORKER.')
        if self._task_id != 0:
            raise ValueError('If "cluster" is not set in TF_CONFIG, task index must be 0.')
        self._master = environment.get("session_master", "")
        self._evaluation_master = environment.get("eval_session_master", "")
        self._is_chief, self._num_ps_replicas, self._num_worker_replicas = True, 0, 1

    def _config_for_cluster(self) -> Any:
        seen = {
            TaskType.MASTER: ["/job:ps", "/job:master"],
            TaskType.CHIEF: ["/job:ps", "/job:chief"],
            TaskType.WORKER: ["/job:ps", f"/job:worker/task:{self._task_id}"],
            TaskType.PS: ["/job:ps", "/job:worker", "/job:chief", "/job:master"],
        }.get(self._task_type)
        if seen is None:
            return None
        config = default_session_config()
        config.device_filters.extend(seen)
        return config

    @property
    def cluster_spec(self) -> ClusterSpec:
        return self._cluster_spec

    @property
    def evaluation_master(self) -> str:
        return self._evaluation_master

    @property
    def is_chief(self) -> bool:
        return self._is_chief

    @property
    def master(self) -> str:
        return self._master

    @property
    def num_ps_replicas(self) -> int:
        return self._num_ps_replicas

    @property
    def num_worker_replicas(self) -> int:
        return self._num_worker_replicas

    @property
    def task_id(self) -> int:
        return self._task_id

    @property
    def task_type(self) -> str:
        return self._task_type

    @property
    def global_id_in_cluster(self) -> int | None:
        """The number of this task among all of the cluster; None for an evaluator."""
        return self._global_id_in_cluster

    @property
    def service(self) -> Any:
        return self._service


def with_model_dir(config: Any, model_dir: Any) -> Any:
    """A RunConfig with a folder and a session config. Raises ValueError for other things, and for two folders."""
    if config is None:
        config = RunConfig()
        log.info("Using default config.")
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be an instance of `RunConfig`, but provided {config}.")
    if config.session_config is None:
        config = RunConfig.replace(config, session_config=default_session_config())
    model_dir = None if model_dir is None else os.fsdecode(model_dir)
    if model_dir is not None and config.model_dir is not None and config.model_dir != model_dir:
        raise ValueError(
            "`model_dir` are set both in constructor and `RunConfig`, but with different values. In constructor: "
            f"'{model_dir}', in `RunConfig`: '{config.model_dir}' "
        )
    if model_dir:
        return RunConfig.replace(config, model_dir=model_dir)
    if config.model_dir is None:
        model_dir = tempfile.mkdtemp()
        log.warning("Using temporary folder as model directory: %s", model_dir)
        return RunConfig.replace(config, model_dir=model_dir)
    return config


def _check_task(spec: ClusterSpec, task: dict[str, Any], chief: str) -> tuple[str, int]:
    if chief not in spec.jobs:
        raise ValueError(f'If "cluster" is set in TF_CONFIG, it must have one "{chief}" node.')
    if len(spec.job_tasks(chief)) > 1:
        raise ValueError(f'The "cluster" in TF_CONFIG must have only one "{chief}" node.')
    kind, number = task.get("type"), task.get("index")
    if not kind:
        raise ValueError('If "cluster" is set in TF_CONFIG, task type must be set.')
    if number is None:
        raise ValueError('If "cluster" is set in TF_CONFIG, task index must be set.')
    number = int(number)
    if number < 0:
        raise ValueError("Task index must be non-negative number.")
    if kind == TaskType.EVALUATOR:
        return kind, number
    check_place(spec, kind, number)
    return kind, number


def check_place(spec: ClusterSpec, kind: str, number: int) -> None:
    """Raise ValueError where a cluster has no such task."""
    note = f"{spec}\n\nNote that these values may be coming from the TF_CONFIG environment variable."
    if kind not in spec.jobs:
        raise ValueError(f"{kind} is not a valid task_type in the cluster_spec:\n{note}")
    if not 0 <= number < len(spec.job_tasks(kind)):
        raise ValueError(f"{number} is not a valid task_id for task_type {kind} in the cluster_spec:\n{note}")


def _master_of(spec: ClusterSpec, kind: str, number: int, environment: dict[str, Any]) -> str:
    if "session_master" in environment:
        return environment["session_master"]
    if len(spec.jobs) == 1 and len(spec.job_tasks(spec.jobs[0])) == 1:
        return ""
    return f"grpc://{spec.job_tasks(kind)[number]}"


def _model_dir(environment: dict[str, Any], model_dir: str | None) -> str | None:
    if model_dir == "":
        raise ValueError("model_dir should be non-empty.")
    found = environment.get("model_dir")
    if found == "":
        raise ValueError("model_dir in TF_CONFIG should be non-empty.")
    if found and model_dir and found != model_dir:
        raise ValueError(
            "`model_dir` provided in RunConfig construct, if set, must have the same value as the model_dir in TF_CONFIG. "
            f'model_dir: {model_dir}\nTF_CONFIG["model_dir"]: {found}.\n'
        )
    return model_dir or found
