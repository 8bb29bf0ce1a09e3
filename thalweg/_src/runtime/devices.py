"""The devices of this machine, as TensorFlow describes them."""

from __future__ import annotations

from typing import Any

from thalweg._src.runtime.placing import of_kind


class DeviceAttributes:
    """A device that a session can use: `name`, `device_type`, `memory_limit_bytes`, `incarnation`."""

    def __init__(self, name: str, device_type: str, memory_limit_bytes: int, incarnation: int = 1):
        self.name, self.device_type = name, device_type
        self.memory_limit_bytes, self.incarnation = memory_limit_bytes, incarnation

    def __repr__(self) -> str:
        return f"_DeviceAttributes({self.name}, {self.device_type}, {self.memory_limit_bytes}, {self.incarnation})"


def _memory(device: Any) -> int:
    stats = device.memory_stats() or {}
    return int(stats.get("bytes_limit", 256 << 20))


def session_devices(config: Any = None, prefix: str = "/job:localhost/replica:0/task:0") -> list[DeviceAttributes]:
    """The devices of a session, as `Session.list_devices` gives them; `device_count` may name the one processor several times."""
    counted = config.device_count.get("CPU", 0) if config is not None else 0
    cpus = of_kind("cpu")
    if counted > len(cpus) == 1:
        return [DeviceAttributes(f"{prefix}/device:CPU:{i}", "CPU", _memory(cpus[0])) for i in range(counted)]
    return [
        DeviceAttributes(f"{prefix}/device:{kind.upper()}:{i}", kind.upper(), _memory(d))
        for kind in ("cpu", "gpu", "tpu")
        for i, d in enumerate(of_kind(kind))
    ]


def list_local_devices(session_config: Any = None) -> list[Any]:
    """The devices of this machine as DeviceAttributes protos."""
    from thalweg._src.formats import protos

    out = []
    for kind in ("cpu", "gpu", "tpu"):
        for i, d in enumerate(of_kind(kind)):
            proto = protos.DeviceAttributes(name=f"/device:{kind.upper()}:{i}", device_type=kind.upper())
            proto.memory_limit, proto.incarnation = _memory(d), i + 1
            proto.physical_device_desc = "" if kind == "cpu" else f"device: {i}, name: {d.device_kind}"
            out.append(proto)
    return out
