"""The session that eager execution is: its variables, resources and devices, for all who need a session."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import eager
from thalweg._src.core.lazy import jax
from thalweg._src.runtime.base_session import BaseSession


class EagerSession(BaseSession):
    """What the runtime knows as a session: the variables and resources of eager execution."""

    def __init__(self, config: Any = None):
        super().__init__("", eager.graph(), config)

    _is_eager = True


_session: list[EagerSession] = []


def session() -> EagerSession:
    """The state of eager execution."""
    if not _session:
        _session.append(EagerSession())
    return _session[0]


def _forget_streams() -> None:
    if _session:
        values = _session[0]._store.values
        for key in [k for k in values if isinstance(k, tuple) and k[0] == "rng"]:
            del values[key]


def _device_of(value: Any) -> str:
    platform, index = "CPU", 0
    if isinstance(value, jax.Array):
        found = next(iter(value.devices()))
        if found.platform != "cpu":
            platform, index = found.platform.upper(), found.id
    return f"/job:localhost/replica:0/task:0/device:{platform}:{index}"


eager.forget.append(_forget_streams)
eager.device_of.append(_device_of)
