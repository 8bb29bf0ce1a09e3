"""TensorFlow's messages by name: `protos.GraphDef()`, `protos.AttrValue.ListValue()`, `protos.DataType.Name(3)`.

The schemas in proto/ are compiled when the first name is asked for; until then nothing of protobuf is imported. A name
is a top-level message, an enum, or a value of such an enum (`protos.DT_FLOAT`). The classes live in a private pool: a
message of an installed TensorFlow has the same bytes but is another class, so pass such ones over as bytes.
"""

import threading
from importlib import resources
from typing import Any

import numpy as np

_lock = threading.Lock()


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    with _lock:  # two threads must not make the classes twice
        if "DataType" not in globals():
            globals().update(_load())
    try:
        return globals()[name]
    except KeyError:
        raise AttributeError(
            f"There is no message, enum or enum value {name!r} in TensorFlow 1.15's schemas."
        ) from None


def __dir__() -> list[str]:
    __getattr__("DataType")
    return sorted(globals())


def _load() -> dict[str, Any]:
    """Every public name of the schemas."""
    from google.protobuf import message_factory
    from google.protobuf.internal import enum_type_wrapper

    from .schema import compile_schemas

    folder = resources.files(__package__) / "proto"
    texts = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".proto")}
    pool = compile_schemas(texts)

    def message_class(descriptor: Any) -> Any:
        made = message_factory.GetMessageClass(descriptor)
        made.__module__ = __name__
        for nested in descriptor.nested_types:
            if not hasattr(made, nested.name):  # protobuf's pure Python runtime leaves these to us
                setattr(made, nested.name, message_class(nested))
        return made

    names: dict[str, Any] = {}
    for file in (pool.FindFileByName(name) for name in sorted(texts)):
        for message in file.message_types_by_name.values():
            names[message.name] = message_class(message)
        for enum in file.enum_types_by_name.values():
            names[enum.name] = enum_type_wrapper.EnumTypeWrapper(enum)
            names.update((value.name, value.number) for value in enum.values)
    _take_booleans(names["Int64List"])
    return names


def _take_booleans(message: Any) -> None:
    """`Int64List(value=mask)` with a mask of NumPy's: until NumPy 2 its booleans were integers to protobuf."""
    plain = message.__init__

    def init(self: Any, *args: Any, **fields: Any) -> None:
        if "value" in fields and not hasattr(fields["value"], "__len__"):
            fields["value"] = list(fields["value"] or ())
        try:
            plain(self, *args, **fields)
        except TypeError:
            if not any(isinstance(value, np.bool_) for value in fields.get("value", ())):
                raise
            self.Clear()
            numbers = [int(value) if isinstance(value, np.bool_) else value for value in fields["value"]]
            plain(self, *args, **{**fields, "value": numbers})

    message.__init__ = init
