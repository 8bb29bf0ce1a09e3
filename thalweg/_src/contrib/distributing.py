"""The strategies of tf.contrib.distribute, which count GPUs: one replica each, as those of tf.distribute."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib import distributing


class MirroredStrategy(distributing.MirroredStrategy):
    """One replica, whatever the number of GPUs; a warning says so where more than one is asked for."""

    def __init__(
        self,
        devices: Any = None,
        num_gpus: int | None = None,
        num_gpus_per_worker: int | None = None,
        cross_device_ops: Any = None,
        auto_shard_dataset: bool = False,
        cross_tower_ops: Any = None,
        prefetch_on_device: Any = None,
    ):
        if num_gpus is not None and num_gpus_per_worker is not None:
            raise ValueError("You cannot specify both `num_gpus` and `num_gpus_per_worker`.")
        asked = num_gpus if num_gpus is not None else num_gpus_per_worker
        super().__init__(devices if asked is None else [f"/gpu:{i}" for i in range(asked)])


class CollectiveAllReduceStrategy(MirroredStrategy):
    """One replica: its sum over workers is its own value."""

    def __init__(self, num_gpus_per_worker: int = 0, communication: Any = None):
        super().__init__(num_gpus_per_worker=num_gpus_per_worker)


class ParameterServerStrategy(CollectiveAllReduceStrategy):
    """One replica, which keeps its variables itself."""

    def __init__(self, num_gpus_per_worker: int = 0):
        super().__init__(num_gpus_per_worker)
