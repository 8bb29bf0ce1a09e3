"""tf.train.ClusterSpec: the jobs of a cluster, and the addresses of their tasks."""

from __future__ import annotations

from typing import Any


class ClusterSpec:
    """{job: [address, ...]} or {job: {number: address}}, a ClusterDef, or another ClusterSpec.

    Raises TypeError for other things.
    """

    def __init__(self, cluster: Any):
        jobs: dict[str, dict[int, str]] = {}
        if isinstance(cluster, ClusterSpec):
            jobs = {job: dict(tasks) for job, tasks in cluster._jobs.items()}
        elif hasattr(cluster, "job"):  # a ClusterDef
            jobs = {job.name: dict(job.tasks) for job in cluster.job}
        elif isinstance(cluster, dict):
            for job, tasks in cluster.items():
                if isinstance(tasks, list | tuple):
                    numbered = dict(enumerate(tasks))
                elif isinstance(tasks, dict):
                    numbered = dict(tasks)
                else:
                    raise TypeError(
                        f"The tasks for job {job!r} must be a list or a dictionary from integers to strings."
                    )
                jobs[_text(job, "job names")] = {
                    n: _text(a, f"Task address for job {job!r}") for n, a in numbered.items()
                }
        else:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a "
                "`ClusterDef` protocol buffer"
            )
        self._jobs = jobs

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._jobs)))

    def __repr__(self) -> str:
        return f"ClusterSpec({self.as_dict()!r})"

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def as_dict(self) -> dict[str, Any]:
        """{job: addresses}: a list where tasks are numbered from 0 without gaps, else a dict."""
        found: dict[str, Any] = {}
        for job, tasks in self._jobs.items():
            dense = sorted(tasks) == list(range(len(tasks)))
            found[job] = [tasks[i] for i in range(len(tasks))] if dense else dict(tasks)
        return found

    def as_cluster_def(self) -> Any:
        """The ClusterDef."""
        from thalweg._src.formats import protos

        cluster = protos.ClusterDef()
        for job, tasks in sorted(self._jobs.items()):
            entry = cluster.job.add(name=job)
            for number, address in sorted(tasks.items()):
                entry.tasks[number] = address
        return cluster

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has. Raises ValueError for an unknown one."""
        return len(self._tasks(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of its tasks."""
        return sorted(self._tasks(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """Where one task is. Raises ValueError for an unknown one."""
        tasks = self._tasks(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """The addresses by number, None in the gaps."""
        tasks = self._tasks(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def _tasks(self, job_name: str) -> dict[int, str]:
        if job_name not in self._jobs:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._jobs[job_name]


def _text(value: Any, what: str) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise TypeError(f"{what} must be bytes or unicode string")
    return value
