"""tf.config: devices and switches of the process.

What the functions set goes into no session: sessions take a ConfigProto. They answer with what was set, so that programs
that look at their own settings see them.
"""

import inspect
from typing import Any, NamedTuple

from thalweg._src.runtime.placing import of_kind

_settings: dict[str, Any] = {}


class PhysicalDevice:
    """A device: its `name` ('/physical_device:CPU:0') and `device_type`."""

    def __init__(self, name: str, device_type: str):
        self.name, self.device_type = name, device_type

    def __repr__(self) -> str:
        return f"PhysicalDevice(name={self.name!r}, device_type={self.device_type!r})"


class LogicalDevice:
    """A device of sessions: its `name` ('/device:CPU:0') and `device_type`."""

    def __init__(self, name: str, device_type: str):
        self.name, self.device_type = name, device_type

    def __repr__(self) -> str:
        return f"LogicalDevice(name={self.name!r}, device_type={self.device_type!r})"


class VirtualDeviceConfiguration(NamedTuple):
    """How much memory a part of a device has."""

    memory_limit: int | None = None


def _devices(make: Any, pattern: str, device_type: str | None) -> list[Any]:
    kinds = ["CPU", "GPU"] if device_type is None else [device_type.upper()]
    return [make(pattern.format(kind, i), kind) for kind in kinds for i in range(len(of_kind(kind.lower())))]


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """The devices of this machine, of all kinds or one ('CPU', 'GPU')."""
    return _devices(PhysicalDevice, "/physical_device:{}:{}", device_type)


def list_logical_devices(device_type: str | None = None) -> list[Any]:
    """The devices that sessions use, of all kinds or one ('CPU', 'GPU')."""
    return _devices(LogicalDevice, "/device:{}:{}", device_type)


def get_visible_devices(device_type: str | None = None) -> list[Any]:
    """The devices that were set to be visible; all, where none were."""
    visible = _settings.get("visible")
    return [
        d
        for d in list_physical_devices(device_type)
        if visible is None or visible.get(d.device_type) is None or d.name in visible[d.device_type]
    ]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Note which devices are to be visible. XLA sees all the same; name devices with tf.device."""
    wanted = list(devices) if isinstance(devices, list | tuple) else [devices]
    kinds = ["CPU", "GPU"] if device_type is None else [device_type.upper()]
    visible = _settings.setdefault("visible", {})
    for kind in kinds:
        visible[kind] = [d.name for d in wanted if d.device_type == kind]


def get_memory_growth(device: Any) -> bool:
    """What set_memory_growth noted of `device`, False without."""
    return _settings.get(("growth", device.name), False)


def set_memory_growth(device: Any, enable: bool) -> None:
    """Note it. How XLA takes a GPU's memory is a matter of its environment variables."""
    _settings["growth", device.name] = enable


def get_virtual_device_configuration(device: Any) -> Any:
    """What set_virtual_device_configuration noted of `device`, None without."""
    return _settings.get(("virtual", device.name))


def set_virtual_device_configuration(device: Any, virtual_devices: Any) -> None:
    """Raises NotImplementedError for more than one part of a device; one part is the device itself."""
    if len(virtual_devices) > 1:
        raise NotImplementedError("devices can't be divided into virtual ones")
    _settings["virtual", device.name] = virtual_devices


def _switch(name: str, default: Any, argument: str) -> tuple[Any, Any]:
    signature = inspect.Signature([inspect.Parameter(argument, inspect.Parameter.POSITIONAL_OR_KEYWORD)])

    def get() -> Any:
        return _settings.get(name, default)

    def put(*args: Any, **named: Any) -> None:
        _settings[name] = signature.bind(*args, **named).arguments[argument]

    put.__signature__ = signature  # type: ignore[attr-defined]
    get.__name__, put.__name__ = f"get_{name}", f"set_{name}"
    get.__doc__ = f"The setting {name!r}."
    put.__doc__ = f"Note the setting {name!r}. Sessions take theirs from a ConfigProto."
    return get, put


get_intra_op_parallelism_threads, set_intra_op_parallelism_threads = _switch(
    "intra_op_parallelism_threads", 0, "num_threads"
)
get_inter_op_parallelism_threads, set_inter_op_parallelism_threads = _switch(
    "inter_op_parallelism_threads", 0, "num_threads"
)
get_soft_device_placement, set_soft_device_placement = _switch("soft_device_placement", True, "enabled")
get_jit, set_jit = _switch("jit", True, "enabled")  # XLA compiles everything


get_device_policy, set_device_policy = _switch("device_policy", "silent", "device_policy")
get_synchronous_execution, set_synchronous_execution = _switch("synchronous_execution", True, "enable")
get_log_device_placement, set_log_device_placement = _switch("log_device_placement", False, "enabled")


def list_devices() -> list[str]:
    """The names of the devices of this process."""
    return [device.name for device in list_logical_devices()]


def get_experimental_options() -> dict[str, Any]:
    """The options of the graph optimizer that were set."""
    return dict(_settings.get("optimizer", {}))


def set_experimental_options(options: dict[str, Any]) -> None:
    """Note options of TensorFlow's graph optimizer. XLA optimizes in their place."""
    _settings.setdefault("optimizer", {}).update(options)
