"""Device strings: `/job:worker/task:0/device:GPU:1`, read, merged, and written as TensorFlow writes them."""

from __future__ import annotations

from typing import Any


class DeviceSpec:
    """A device, of which any part may be left open: job, replica, task, device type and index."""

    __slots__ = ("device_index", "device_type", "job", "replica", "task")

    def __init__(self, job=None, replica=None, task=None, device_type=None, device_index=None):
        self.job, self.replica, self.task = job, replica, task
        self.device_type = device_type.upper() if device_type in ("cpu", "gpu", "tpu") else device_type
        self.device_index = device_index

    @staticmethod
    def from_string(spec: str) -> DeviceSpec:
        """The spec that `/job:a/replica:0/task:1/device:CPU:0` (or `/cpu:0`) says. Raises ValueError for anything else."""
        return DeviceSpec().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        for part in self.__slots__:
            setattr(self, part, None)
        kinds = [p for p in spec.split("/") if p.split(":")[0].lower() in ("cpu", "gpu", "tpu", "device")]
        if len(kinds) > 1:
            raise ValueError(f"Cannot specify multiple device types: {spec!r}")
        for part in spec.split("/"):
            if not part:
                continue
            kind, *rest = part.split(":")
            try:
                if kind == "job" and len(rest) == 1:
                    self.job = rest[0]
                elif kind in ("replica", "task") and len(rest) == 1:
                    setattr(self, kind, None if rest[0] == "*" else int(rest[0]))
                elif kind in ("cpu", "gpu", "tpu", "CPU", "GPU", "TPU") and len(rest) <= 1:
                    self.device_type = kind.upper()
                    self.device_index = int(rest[0]) if rest and rest[0] != "*" else None
                elif kind == "device" and len(rest) in (1, 2):
                    self.device_type = None if rest[0] == "*" else rest[0].upper() if rest[0].islower() else rest[0]
                    self.device_index = int(rest[1]) if len(rest) == 2 and rest[1] != "*" else None
                else:
                    raise ValueError
            except ValueError:
                raise ValueError(f"Unknown attribute: {kind!r} is not a part of a device in {spec!r}") from None
        return self

    def merge_from(self, dev: DeviceSpec) -> None:
        """Take over every part that `dev` sets."""
        for part in self.__slots__:
            value = getattr(dev, part)
            if value is not None:
                setattr(self, part, value)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A new spec: this one, and every part that `dev` sets."""
        made = self.replace()
        made.merge_from(dev)
        return made

    def replace(self, **parts: Any) -> DeviceSpec:
        """A new spec with some parts replaced."""
        return DeviceSpec(**({part: getattr(self, part) for part in self.__slots__} | parts))

    def to_string(self) -> str:
        out = ""
        if self.job is not None:
            out += f"/job:{self.job}"
        if self.replica is not None:
            out += f"/replica:{self.replica}"
        if self.task is not None:
            out += f"/task:{self.task}"
        if self.device_type is not None:
            out += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return out

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        return f"DeviceSpec({self.to_string()!r})"


def canonical(device: Any) -> str:
    """A device string in TensorFlow's full spelling; '' for none."""
    if not device:
        return ""
    if isinstance(device, DeviceSpec):
        return device.to_string()
    return DeviceSpec.from_string(device).to_string()


class _UserDevice:
    """One `with tf.device(...)`: a spec, a function of the op, or None, which clears the blocks around."""

    __slots__ = ("function", "spec")

    def __init__(self, spec: DeviceSpec | None, function: Any = None):
        self.spec, self.function = spec, function


def user_device(device: Any) -> _UserDevice:
    if device is None:
        return _UserDevice(None)
    if callable(device) and not isinstance(device, DeviceSpec):
        return _UserDevice(None, device)
    if isinstance(device, str | DeviceSpec):
        return _UserDevice(DeviceSpec.from_string(device if isinstance(device, str) else device.to_string()))
    raise TypeError(f"A device is a string, a DeviceSpec, a function or None, not {device!r}")


def apply(stack: list[_UserDevice], op: Any) -> str:
    """The device of `op` under a stack of blocks: inner ones win, part by part."""
    spec = DeviceSpec()
    for user in reversed(stack):  # the innermost first: what it sets stays
        if user.function is not None:
            op._device = spec.to_string()
            answer = user.function(op)
            outer = DeviceSpec.from_string(answer if isinstance(answer, str) else answer.to_string() if answer else "")
            if answer is None:
                break
        elif user.spec is None:
            break
        else:
            outer = user.spec
        merged = DeviceSpec()
        merged.merge_from(outer)
        merged.merge_from(spec)
        spec = merged
    return spec.to_string()


def merge_device(spec: Any) -> Any:
    """A device function that gives ops the parts of `spec` that they leave open."""
    parsed = spec if isinstance(spec, DeviceSpec) else DeviceSpec.from_string(spec or "")

    def merge(op: Any) -> str:
        own = op.device if hasattr(op, "device") else op
        out = DeviceSpec.from_string(parsed.to_string())
        out.merge_from(own if isinstance(own, DeviceSpec) else DeviceSpec.from_string(own or ""))
        return out.to_string()

    return merge
