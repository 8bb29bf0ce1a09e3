"""tensorflow.python.client.device_lib: the devices of this machine."""

from typing import Any

from thalweg._src.formats import protos
from thalweg._src.runtime.placing import of_kind


def list_local_devices(session_config: Any = None) -> list[Any]:
    """A DeviceAttributes for each device: its name ('/device:CPU:0') and device_type."""
    found = []
    for kind in ("CPU", "GPU"):
        for i, device in enumerate(of_kind(kind.lower())):
            entry = protos.DeviceAttributes(name=f"/device:{kind}:{i}", device_type=kind)
            if kind == "GPU":
                entry.physical_device_desc = f"device: {i}, name: {getattr(device, 'device_kind', kind)}"
                stats = device.memory_stats() or {}
                entry.memory_limit = stats.get("bytes_limit", 0)
            found.append(entry)
    return found
