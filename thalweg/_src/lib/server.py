"""tf.train.Server and tf.train.ClusterSpec."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from thalweg._src.runtime.servers import LocalServer, free_port


def _is_message(value: Any, name: str) -> bool:
    return type(value).__name__ == name and hasattr(value, "SerializeToString")


class ClusterSpec:
    """The tasks of a cluster: {job: [address, ...]} or {job: {task: address}}, a ClusterDef or a ClusterSpec.

    >>> cluster = tf.train.ClusterSpec({"ps": ["a:2222"], "worker": ["b:2222", "c:2222"]})
    >>> cluster.num_tasks("worker"), cluster.task_address("ps", 0)
    (2, 'a:2222')
    """

    def __init__(self, cluster: Any):
        from thalweg._src.formats import protos

        self._tasks: dict[str, dict[int, str]] = {}
        if isinstance(cluster, Mapping):
            for job, tasks in cluster.items():
                if isinstance(tasks, list | tuple):
                    self._tasks[job] = dict(enumerate(tasks))
                elif isinstance(tasks, Mapping):
                    self._tasks[job] = dict(tasks)
                else:
                    raise TypeError(
                        f"The tasks for job {job!r} must be a list or a dictionary from integers to strings."
                    )
            self._check()
        elif isinstance(cluster, ClusterSpec):
            self._tasks = {job: dict(tasks) for job, tasks in cluster._tasks.items()}
        elif _is_message(cluster, "ClusterDef"):
            self._tasks = {job.name: dict(job.tasks.items()) for job in cluster.job}
        else:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a "
                "`ClusterDef` protocol buffer"
            )
        self._def = protos.ClusterDef()
        for job, tasks in sorted(self._tasks.items()):
            entry = self._def.job.add(name=job)
            for i, address in sorted(tasks.items()):
                entry.tasks[i] = address

    def _check(self) -> None:
        for job, tasks in self._tasks.items():
            if not isinstance(job, str | bytes):
                raise TypeError(f"Job name {job!r} must be bytes or unicode")
            for address in tasks.values():
                if not isinstance(address, str | bytes):
                    raise TypeError(f"Task address {address!r} must be bytes or unicode")

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def __eq__(self, other: object) -> bool:
        return self._tasks == (other._tasks if isinstance(other, ClusterSpec) else other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        entries = self.as_dict()
        return "ClusterSpec({" + ", ".join(f"{k!r}: {entries[k]!r}" for k in sorted(entries)) + "})"

    def as_dict(self) -> dict[str, Any]:
        """{job: list of addresses}, or {job: {task: address}} where the tasks are not numbered without gaps."""
        out: dict[str, Any] = {}
        for job in self.jobs:
            tasks = self.task_indices(job)
            if tasks and tasks[-1] + 1 == len(tasks):
                out[job] = self.job_tasks(job)
            else:
                out[job] = {i: self.task_address(job, i) for i in tasks}
        return out

    def as_cluster_def(self) -> Any:
        """The cluster as a ClusterDef."""
        return self._def

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._tasks)

    def _job(self, name: str) -> dict[int, str]:
        if name not in self._tasks:
            raise ValueError(f"No such job in cluster: {name!r}")
        return self._tasks[name]

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has. Raises ValueError for a job that is not there, here and below."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of the tasks of a job."""
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of a task."""
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses of the tasks of a job by number, None where there is a gap."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks) + 1)]


def _server_def(given: Any, job_name: str | None, task_index: int | None, protocol: str | None, config: Any) -> Any:
    from thalweg._src.formats import protos

    if _is_message(given, "ServerDef"):
        made = protos.ServerDef.FromString(given.SerializeToString())
        if job_name is not None:
            made.job_name = job_name
        if task_index is not None:
            made.task_index = task_index
        if protocol is not None:
            made.protocol = protocol
    else:
        if not isinstance(given, Mapping | ClusterSpec) and not _is_message(given, "ClusterDef"):
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

    thalweg runs graphs on one task; a device of another one raises UnimplementedError in the run.

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
