"""From the device strings of a graph to JAX devices."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from thalweg._src.compiler.partition import Elsewhere
from thalweg._src.core import errors
from thalweg._src.core.devices import DeviceSpec
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax

log = logging.getLogger("thalweg")
_without_gpu = {"allowed": False, "told": False}


def allow_programs_without_gpu(allowed: bool = True) -> None:
    """From now on an op that names a GPU runs elsewhere on a machine that has none; the first one says so. For `thalweg run`."""
    _without_gpu["allowed"] = allowed


def _runs_without_gpu(spec: DeviceSpec) -> bool:
    kind = (spec.device_type or "").lower().removeprefix("xla_")
    return _without_gpu["allowed"] and kind in ("gpu", "tpu") and not of_kind(kind)


class Devices:
    """The devices of a session: which JAX device an op's device string means."""

    def __init__(
        self,
        config: Any,
        job: str = "localhost",
        task: int = 0,
        cluster: dict[str, dict[int, str]] | None = None,
        shares: Callable[[str, int], bool] = lambda job, task: False,
        *,
        is_far: bool = False,
    ):
        """`is_far`: the task of the session is another process, and so is everything that is not placed elsewhere."""
        self._job, self._task, self._cluster, self._shares = job, task, cluster or {}, shares
        self._is_far = is_far
        self._tasks: dict[str, Elsewhere | None] = {}
        self._soft = bool(config.allow_soft_placement) if config is not None else False
        self._cache: dict[str, Any] = {}
        self._default: Any = None
        self._known: set[str] = set()

    @property
    def default(self) -> Any:
        """Where ops without a device string go: the first device of JAX's default backend."""
        if self._default is None:
            self._default = jax.devices()[0]
        return self._default

    @property
    def prefix(self) -> str:
        """What the names of the devices begin with."""
        return f"/job:{self._job}/replica:0/task:{self._task}"

    def task_of(self, op: Operation) -> Elsewhere | None:
        """The other task that a device string names, or None for what runs here."""
        name = op._device
        if name not in self._tasks:
            self._tasks[name] = self._find_task(name)
        return self._tasks[name]

    def _find_task(self, name: str) -> Elsewhere | None:
        spec = DeviceSpec.from_string(name)
        if not self._is_here(spec) and (spec.task or 0) in self._cluster.get(spec.job or self._job, {}):
            return Elsewhere(spec.job or self._job, spec.task or 0)
        is_own = spec.job in (None, self._job) and spec.task in (None, self._task)
        return Elsewhere(self._job, self._task) if self._is_far and is_own else None

    def prefix_of(self, op: Operation) -> str:
        """What the name of a device in this process begins with, on which `op` runs: that of another task, maybe."""
        spec = DeviceSpec.from_string(op._device)
        mate = spec.job in self._cluster and self._is_here(spec)
        return str(Elsewhere(spec.job, spec.task or 0)) if mate else self.prefix  # type: ignore[arg-type]

    def name_of(self, op: Operation) -> str:
        """TensorFlow's name of the device on which `op` runs."""
        place, spec = self.place(op), DeviceSpec.from_string(op._device)
        if type(place) is Elsewhere:
            return f"{place}/device:{spec.device_type or 'CPU'}:{spec.device_index or 0}"
        return f"{self.prefix_of(op)}/device:{spec.device_type or place.platform.upper()}:{spec.device_index or 0}"

    def _is_here(self, spec: DeviceSpec) -> bool:
        if spec.replica:
            return False
        own = spec.job in (None, self._job) and spec.task in (None, self._task)
        if self._is_far:
            return False
        return own or (spec.job in self._cluster and self._shares(spec.job, spec.task or 0))

    def check(self, op: Operation) -> None:
        """Raise InvalidArgumentError where the device of `op` is not there. The first CPU always is, without asking JAX."""
        name = op._device
        if name not in self._known:
            spec = DeviceSpec.from_string(name)
            local = self._is_here(spec)
            if not (local and (spec.device_type or "CPU") == "CPU" and not spec.device_index):
                self.place(op)
            self._known.add(name)

    def place(self, op: Operation) -> Any:
        """The JAX device of `op`, or the task that has it. Raises InvalidArgumentError for one that is not there, unless
        placement is soft.
        """
        name = op._device
        found = self._cache.get(name)
        if found is None:
            found = self._find(name)
            if found is None:
                spec = DeviceSpec.from_string(name)
                if self._is_here(spec) and _runs_without_gpu(spec):
                    if not _without_gpu["told"]:
                        _without_gpu["told"] = True
                        log.warning("There is no %s here: what is placed on one runs on %s.", name, self.default)
                elif not self._soft:
                    raise errors.InvalidArgumentError(
                        None,
                        op,
                        f"Cannot assign a device for operation {op.name}: node {op.name} was explicitly assigned to {name} but "
                        f"available devices are [ {', '.join(names_of_local_devices(self.prefix))} ]. Make sure the device specification "
                        f"refers to a valid device, or use tf.ConfigProto(allow_soft_placement=True).",
                    )
                found = self.default
            self._cache[name] = found
        return found

    def _find(self, name: str) -> Any:
        if not name and not self._is_far:
            return self.default
        task = self._find_task(name)
        if task is not None:
            return task
        spec = DeviceSpec.from_string(name)
        if not self._is_here(spec):
            return None
        if spec.device_type is None:
            return self.default
        kind = spec.device_type.lower()
        if kind.startswith("xla_"):
            kind = kind[4:]
        index = spec.device_index or 0
        candidates = of_kind(kind)
        if kind == "cpu" and len(candidates) == 1 and self.default.platform == "cpu":
            return candidates[0]  # TensorFlow has one CPU device by default; programs name /cpu:1 by mistake only
        return candidates[index] if index < len(candidates) else None


def of_kind(kind: str) -> list[Any]:
    """The local JAX devices of a kind: 'cpu', 'gpu', 'tpu'."""
    try:
        return list(jax.local_devices(backend=kind))
    except RuntimeError:
        return []


def names_of_local_devices(prefix: str = "/job:localhost/replica:0/task:0") -> list[str]:
    """TensorFlow's names of the devices that are there."""
    out = []
    for kind in ("cpu", "gpu", "tpu"):
        out += [f"{prefix}/device:{kind.upper()}:{i}" for i, _ in enumerate(of_kind(kind))]
    return out
