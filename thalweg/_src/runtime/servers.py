"""The servers of this process, and what they keep for the sessions that connect to them."""

from __future__ import annotations

import itertools
import logging
import socket
import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from thalweg._src.compiler.partition import Elsewhere
from thalweg._src.core import errors
from thalweg._src.core.devices import DeviceSpec
from thalweg._src.runtime import links
from thalweg._src.runtime.state import Store

log = logging.getLogger("thalweg")

_servers: dict[str, LocalServer] = {}  # by their targets: one that was started lives as long as the process
_all: weakref.WeakSet[LocalServer] = weakref.WeakSet()
_lock = threading.Lock()
_numbers = itertools.count(49152)  # of servers that no other process can reach, for addresses that leave the port to us


class LocalServer:
    """One task of a cluster: variables and resources that outlive the sessions, which are of this process or of others.

    `cluster` maps jobs to {task: address}. Tasks of one cluster that are in one process are one place: they share what they keep.
    """

    def __init__(self, cluster: dict[str, dict[int, str]], job: str, task: int, config: Any = None):
        self.cluster, self.job, self.task, self.config = cluster, job, task, config
        if not cluster[job][task].rpartition(":")[2].isdigit():
            raise errors.InvalidArgumentError(
                None, None, f"Could not parse port for local server from {cluster[job][task]!r}: host:port is wanted"
            )
        with _lock:
            mates = [s for s in _all if s.cluster == cluster and not self._is_nameless()]
            self.store: Store = mates[0].store if mates else Store()
            _all.add(self)
        self.sessions: weakref.WeakSet[Any] = weakref.WeakSet()
        self.target = ""

    def _is_nameless(self) -> bool:
        """Whether an address leaves the port to us: then equal addresses are not the same place."""
        return any(a.endswith(":0") for tasks in self.cluster.values() for a in tasks.values())

    def is_here(self, job: str, task: int) -> bool:
        """Whether another task of the cluster is in this process too."""
        return any(s.store is self.store and (s.job, s.task) == (job, task) for s in list(_all))

    def others(self) -> list[Elsewhere]:
        """The tasks of the cluster that are not this one."""
        return [task for task in addresses_of(self.cluster) if task != (self.job, self.task)]

    def start(self) -> None:
        """Make the server known under its target, and to other processes. Raises UnknownError where its port is in use."""
        if self.target:
            return
        host, _, port = self.cluster[self.job][self.task].rpartition(":")
        with _lock:
            if port != "0" and f"grpc://localhost:{port}" in _servers:
                raise errors.UnknownError(None, None, f"Could not start gRPC server: {host}:{port} is in use")
            self.target = f"grpc://localhost:{self._listen(port)}"
            _servers[self.target] = self

    def _listen(self, port: str) -> int | str:
        """The port under which other processes reach this task; any number where none does."""
        alone = len(self.others()) == 0
        if alone and port == "0":  # nobody else can know it
            return next(_numbers)
        try:
            return links.transport.serve(self, f"0.0.0.0:{port}")
        except ImportError as error:
            if not alone:
                log.warning("No other process can reach /job:%s/task:%d. %s", self.job, self.task, error)
            return next(_numbers) if port == "0" else port

    def reset(self, containers: list[str] | None) -> None:
        """Forget what is in the containers, all of them if None, and abort the sessions."""
        for session in list(self.sessions):
            session._abort("The server was reset.")
        with self.store.lock:
            names = set(containers or ())
            for key in list(self.store.values):
                if not names or _container_of(key) in names:
                    self.store.remove(key)
            for key in list(self.store.resources):
                if not names or (isinstance(key[1], str) and key[1] in names):
                    del self.store.resources[key]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def _container_of(key: Any) -> str:
    return key.partition("//")[0] if isinstance(key, str) and "//" in key else ""


def server_of(target: str) -> LocalServer | None:
    """The server of this process behind a session's target; None for targets that name no server, or one of another process."""
    return _servers.get(target.replace("grpc://127.0.0.1:", "grpc://localhost:"))


def addresses_of(cluster: dict[str, dict[int, str]]) -> dict[Elsewhere, str]:
    """The tasks of a cluster and their addresses."""
    return {Elsewhere(job, i): a for job, tasks in cluster.items() for i, a in tasks.items()}


def admitted(cluster: dict[str, dict[int, str]], own: tuple[str, int], config: Any) -> dict[str, dict[int, str]]:
    """The tasks of a cluster that a session of the task `own` may use: all, or those that its `device_filters` name."""
    filters = [DeviceSpec.from_string(f) for f in (config.device_filters if config is not None else ())]

    def admits(job: str, task: int) -> bool:
        named = any(f.job in (None, job) and f.task in (None, task) for f in filters)
        return not filters or named or (job, task) == own

    return {job: {i: a for i, a in tasks.items() if admits(job, i)} for job, tasks in cluster.items()}


class Standing(NamedTuple):
    """Where a session stands: the tasks that it may use, the one that it is, and which others are in this process; whether it is `alone`
    with its variables.
    """

    cluster: dict[str, dict[int, str]]
    own: Elsewhere
    is_here: Callable[[str, int], bool]
    alone: bool


def standing(server: LocalServer, target: str, config: Any, own: Elsewhere | None = None) -> Standing:
    """Where a session of `server` stands. A cluster in its `config` renames the tasks, for this session alone; `own` is its task then, if
    that is known. Raises InvalidArgumentError where the cluster does not have the target.
    """
    alone = config is not None and config.isolate_session_state
    given = propagated(config)
    if not given:
        task = Elsewhere(server.job, server.task)
        return Standing(admitted(server.cluster, task, config), task, server.is_here, alone)
    addresses = addresses_of(given)
    found = own or task_at(given, lambda address: server_of(f"grpc://{address}") is server, target)

    def is_here(job: str, task: int) -> bool:
        return server_of(f"grpc://{addresses.get(Elsewhere(job, task))}") is not None

    shared = config.experimental.share_session_state_in_clusterspec_propagation
    return Standing(admitted(given, found, config), found, is_here, alone or not shared)


def task_at(cluster: dict[str, dict[int, str]], fits: Callable[[str], bool], target: str) -> Elsewhere:
    """The task whose address `fits`. Raises InvalidArgumentError where there is none."""
    found = next((task for task, address in addresses_of(cluster).items() if fits(address)), None)
    if found is None:
        raise errors.InvalidArgumentError(
            None, None, f"The provided ClusterSpec does not contain the target {target!r}: {cluster}"
        )
    return found


def propagated(config: Any) -> dict[str, dict[int, str]]:
    """The cluster that a session's config names, if it does."""
    return {} if config is None else {job.name: dict(job.tasks) for job in config.cluster_def.job}


def address_of(target: str) -> str | None:
    """The host:port of a target that names a server."""
    return target.removeprefix("grpc://") if target.startswith("grpc://") else None
