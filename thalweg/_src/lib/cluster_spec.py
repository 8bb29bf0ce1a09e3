"""tf.train.ClusterSpec: the jobs of a cluster, and the addresses of their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_message(value: Any, name: str) -> bool:
    """Whether `value` is a protocol message of that name, of whichever copy of the schemas."""
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
        elif is_message(cluster, "ClusterDef"):
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
