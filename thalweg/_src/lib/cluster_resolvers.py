"""Cluster resolvers: where the tasks of a cluster are, asked of an argument, of TF_CONFIG, or of a TPU's address."""

from __future__ import annotations

import json
import os
from typing import Any

from thalweg._src.core import errors
from thalweg._src.lib.cluster_spec import ClusterSpec


class ClusterResolver:
    """The base: `cluster_spec()` and `master()`."""

    task_type: str | None = None
    task_id: int | None = None
    rpc_layer: str | None = None

    def cluster_spec(self) -> Any:
        """The ClusterSpec, or None where the tasks are in this process."""
        raise NotImplementedError()

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        """The address that a session is given."""
        raise NotImplementedError()

    def num_accelerators(
        self, task_type: str | None = None, task_id: int | None = None, config_proto: Any = None
    ) -> dict[str, int]:
        """{"GPU": n} of the devices of this process."""
        from thalweg._src.runtime import placing

        found = {kind.upper(): len(placing.of_kind(kind)) for kind in ("gpu", "tpu")}
        return {kind: n for kind, n in found.items() if n}

    @property
    def environment(self) -> str:
        return ""

    def _address(self, task_type: str | None, task_id: int | None, rpc_layer: str | None) -> str:
        address = self.cluster_spec().task_address(task_type, task_id)
        layer = rpc_layer or self.rpc_layer
        return f"{layer}://{address}" if layer else address


class SimpleClusterResolver(ClusterResolver):
    """What it is given. Raises TypeError for something else than a ClusterSpec."""

    def __init__(
        self,
        cluster_spec: ClusterSpec,
        master: str = "",
        task_type: str | None = None,
        task_id: int | None = None,
        environment: str = "",
        num_accelerators: dict[str, int] | None = None,
        rpc_layer: str | None = None,
    ):
        if not isinstance(cluster_spec, ClusterSpec):
            raise TypeError("cluster_spec must be a ClusterSpec.")
        self._spec, self._master, self._environment = cluster_spec, master, environment
        self._num_accelerators = num_accelerators
        self.task_type, self.task_id, self.rpc_layer = task_type, task_id, rpc_layer

    def cluster_spec(self) -> ClusterSpec:
        return self._spec

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        if task_type is not None and task_id is not None:
            return self._address(task_type, task_id, rpc_layer)
        return self._master

    def num_accelerators(
        self, task_type: str | None = None, task_id: int | None = None, config_proto: Any = None
    ) -> dict[str, int]:
        return super().num_accelerators() if self._num_accelerators is None else self._num_accelerators

    @property
    def environment(self) -> str:
        return self._environment


class TFConfigClusterResolver(ClusterResolver):
    """What the environment variable TF_CONFIG says: {"cluster": {job: [address]}, "task": {"type": job, "index": i}}."""

    def __init__(
        self,
        task_type: str | None = None,
        task_id: int | None = None,
        rpc_layer: str | None = None,
        environment: str | None = None,
    ):
        self._told = json.loads(os.environ.get("TF_CONFIG", "{}"))
        task = self._told.get("task", {})
        self.task_type = task.get("type") if task_type is None else task_type
        index = task.get("index") if task_id is None else task_id
        self.task_id = None if index is None else int(index)
        self.rpc_layer = rpc_layer or self._told.get("rpc_layer")
        self._environment = environment or self._told.get("environment", "")

    def cluster_spec(self) -> ClusterSpec:
        return ClusterSpec(self._told.get("cluster", {}))

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        if not self.cluster_spec().jobs:
            return ""
        task_type = self.task_type if task_type is None else task_type
        task_id = self.task_id if task_id is None else task_id
        return self._address(task_type, task_id or 0, rpc_layer)

    @property
    def environment(self) -> str:
        return self._environment


class TPUClusterResolver(ClusterResolver):
    """A TPU by its address `grpc://host:port`, or the one of this process (no name, "" or "local").

    A name or a zone of Google's cloud would have to be looked up there: `master()` raises UnimplementedError.
    """

    def __init__(
        self,
        tpu: Any = None,
        zone: str | None = None,
        project: str | None = None,
        job_name: str = "worker",
        coordinator_name: str | None = None,
        coordinator_address: str | None = None,
        credentials: Any = "default",
        service: Any = None,
        discovery_url: str | None = None,
    ):
        tpu = tpu[0] if isinstance(tpu, list | tuple) else tpu
        self._tpu = tpu.decode() if isinstance(tpu, bytes) else tpu or ""
        self.task_type, self.task_id, self.rpc_layer = job_name, 0, "grpc"

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        if self._tpu in ("", "local") or "://" in self._tpu:
            return "" if self._tpu == "local" else self._tpu
        raise errors.UnimplementedError(
            None,
            None,
            f"The TPU {self._tpu!r} would have to be looked up in Google's cloud: give its address, grpc://host:port.",
        )

    def get_master(self) -> str:
        """`master()`."""
        return self.master()

    def get_job_name(self) -> str | None:
        """The job of the TPU's tasks; None for one in this process."""
        return self.task_type if "://" in self._tpu else None

    def cluster_spec(self) -> ClusterSpec | None:
        address = self.master()
        return ClusterSpec({self.task_type: [address.split("://", 1)[1]]}) if address else None
