"""tf.train.Server."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from thalweg._src.lib.cluster_spec import ClusterSpec, is_message
from thalweg._src.runtime import links
from thalweg._src.runtime.servers import LocalServer, free_port
from thalweg._src.services.grpc_transport import GrpcTransport

links.transport = GrpcTransport()  # how the servers of several processes reach each other


def _server_def(given: Any, job_name: str | None, task_index: int | None, protocol: str | None, config: Any) -> Any:
    from thalweg._src.formats import protos

    if is_message(given, "ServerDef"):
        made = protos.ServerDef.FromString(given.SerializeToString())
        if job_name is not None:
            made.job_name = job_name
        if task_index is not None:
            made.task_index = task_index
        if protocol is not None:
            made.protocol = protocol
    else:
        if not isinstance(given, Mapping | ClusterSpec) and not is_message(given, "ClusterDef"):
            raise TypeError(
                "Could not convert `server_or_cluster_def` to a `tf.train.ServerDef` or `tf.train.ClusterSpec`."
            )
        cluster = ClusterSpec(given)
        if job_name is None:
            if len(cluster.jobs) != 1:
                raise ValueError("Must specify an explicit `job_name`.")
            job_name = cluster.jobs[0]
        if task_index is None:
            tasks = cluster.task_indices(job_name)
            if len(tasks) != 1:
                raise ValueError("Must specify an explicit `task_index`.")
            task_index = tasks[0]
        made = protos.ServerDef(
            cluster=cluster.as_cluster_def(), job_name=job_name, task_index=task_index, protocol=protocol or "grpc"
        )
    if config is not None:
        made.default_session_config.MergeFrom(config)
    return made


class Server:
    """One task of a cluster, in this process: sessions on its `target` share variables, queues and tables.

    What a graph places on other tasks runs there, over gRPC where they are other processes (the extra `distributed`).

    >>> server = tf.train.Server.create_local_server()
    >>> v = tf.Variable(3.0)
    >>> with tf.Session(server.target) as sess:
    ...     sess.run(v.initializer)
    >>> with tf.Session(server.target) as sess:
    ...     print(sess.run(v))
    3.0
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ):
        self._server_def = _server_def(server_or_cluster_def, job_name, task_index, protocol, config)
        tasks = ClusterSpec(self._server_def.cluster)
        own = self._server_def
        if own.task_index not in tasks._tasks.get(own.job_name, {}):
            from thalweg._src.core import errors

            raise errors.InvalidArgumentError(
                None, None, f"Task {own.task_index} was not defined in job {own.job_name!r}"
            )
        defaults = own.default_session_config if own.HasField("default_session_config") else None
        self._server = LocalServer(tasks._tasks, own.job_name, own.task_index, defaults)
        if start:
            self.start()

    def start(self) -> None:
        """Start the server, unless it runs."""
        self._server.start()

    def join(self) -> None:
        """Wait for the server to end, which it does when the process is interrupted."""
        threading.Event().wait()

    @property
    def server_def(self) -> Any:
        """The ServerDef of the server."""
        return self._server_def

    @property
    def target(self) -> str:
        """What a session is given to run on this server."""
        return self._server.target

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """A server that is the only task of its cluster."""
        return Server({"local": ["localhost:0"]}, protocol="grpc", config=config, start=start)


def create_local_cluster(
    num_workers: int, num_ps: int, protocol: str = "grpc", worker_config: Any = None, ps_config: Any = None
) -> tuple[list[Server], list[Server]]:
    """Servers of a cluster of jobs "worker" and "ps", all in this process: (workers, parameter servers)."""
    jobs = {
        job: [f"localhost:{free_port()}" for _ in range(count)]
        for job, count in (("worker", num_workers), ("ps", num_ps))
        if count
    }
    cluster = ClusterSpec(jobs)

    def servers(job: str, count: int, config: Any) -> list[Server]:
        return [Server(cluster, job, i, protocol, config) for i in range(count)]

    return servers("worker", num_workers, worker_config), servers("ps", num_ps, ps_config)
