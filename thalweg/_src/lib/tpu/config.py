"""How a TPUEstimator runs: RunConfig, TPUConfig, InputPipelineConfig."""

from __future__ import annotations

import collections
import copy
from typing import Any

from thalweg._src.lib.estimators.run_config import RunConfig as BaseConfig


class InputPipelineConfig:
    """Where the input functions of a TPU run; with one shard all are the same."""

    PER_SHARD_V1 = 1
    PER_HOST_V1 = 2
    PER_HOST_V2 = 3
    BROADCAST = 4
    SLICED = 5


class TPUConfig(
    collections.namedtuple(
        "TPUConfig",
        [
            *("iterations_per_loop", "num_shards", "num_cores_per_replica", "per_host_input_for_training"),
            *("tpu_job_name", "initial_infeed_sleep_secs", "input_partition_dims", "eval_training_input_configuration"),
            "experimental_host_call_every_n_steps",
        ],
    )
):
    """What a RunConfig says of the TPU. Raises ValueError for numbers below 1, and for settings that do not go together."""

    def __new__(
        cls,
        iterations_per_loop: int = 2,
        num_shards: int | None = None,
        num_cores_per_replica: int | None = None,
        per_host_input_for_training: Any = True,
        tpu_job_name: str | None = None,
        initial_infeed_sleep_secs: int | None = None,
        input_partition_dims: Any = None,
        eval_training_input_configuration: int = InputPipelineConfig.PER_HOST_V1,
        experimental_host_call_every_n_steps: int = 1,
    ) -> TPUConfig:
        _positive(iterations_per_loop, "TPUConfig iterations_per_loop")
        _positive(num_shards, "TPUConfig num_shards")
        _positive(initial_infeed_sleep_secs, "TPUConfig initial_infeed_sleep_secs")
        if input_partition_dims is not None:
            if not 0 < len(input_partition_dims) <= 2:
                raise ValueError("input_partition_dims must be a list/tuple with one or two elements.")
            if num_cores_per_replica is None:
                raise ValueError("input_partition_dims requires setting num_cores_per_replica.")
        if num_cores_per_replica is not None and num_cores_per_replica not in (1, 2, 4, 8, 16):
            raise ValueError(f"num_cores_per_replica must be 1, 2, 4, 8, or 16; got {num_cores_per_replica}")
        if isinstance(per_host_input_for_training, bool):
            kind = InputPipelineConfig
            per_host_input_for_training = kind.PER_HOST_V1 if per_host_input_for_training else kind.PER_SHARD_V1
        return super().__new__(
            cls,
            *(iterations_per_loop, num_shards, num_cores_per_replica, per_host_input_for_training, tpu_job_name),
            *(initial_infeed_sleep_secs, input_partition_dims, eval_training_input_configuration),
            experimental_host_call_every_n_steps,
        )


def _positive(value: int | None, name: str) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{name} must be positive, got {value}")


class RunConfig(BaseConfig):
    """`tf.estimator.RunConfig` with a `tpu_config`, and the address of a TPU (`master`) or a `cluster` that knows it."""

    def __init__(
        self,
        tpu_config: TPUConfig | None = None,
        evaluation_master: str | None = None,
        master: str | None = None,
        cluster: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if cluster is not None and master is not None:
            raise ValueError("You cannot specify both master and cluster.")
        self._tpu_config = tpu_config or TPUConfig()
        self._cluster = cluster
        if master is not None:
            self._master = master
        elif cluster is not None:
            self._master = cluster.master()
        self._evaluation_master = self._master if evaluation_master is None else evaluation_master

    @property
    def master(self) -> str:
        return self._master

    @property
    def evaluation_master(self) -> str:
        return self._evaluation_master

    @property
    def tpu_config(self) -> TPUConfig:
        return self._tpu_config

    @property
    def cluster(self) -> Any:
        return self._cluster

    def replace(self, **kwargs: Any) -> RunConfig:
        """A copy with other values; `tpu_config` among them."""
        if "tpu_config" not in kwargs:
            return super().replace(**kwargs)
        tpu_config = kwargs.pop("tpu_config")
        changed = super().replace(**kwargs) if kwargs else copy.deepcopy(self)
        changed._tpu_config = tpu_config
        return changed
