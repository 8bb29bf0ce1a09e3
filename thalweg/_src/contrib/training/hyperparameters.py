"""HParams: named values with types, set from strings, dicts and JSON."""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Callable
from typing import Any

from thalweg._src.core.collection_protos import register_proto_function
from thalweg._src.formats import protos

# name[index] = value, or name = [value, value]; a comma, or the end.
_CLAUSE = re.compile(
    r"(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*((?P<val>[^,\[]*)|\[(?P<vals>[^\]]*)\])($|,\s*)"
)


def _unparsable(name: str, kind: type, value: str, values: str) -> ValueError:
    return ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{value}' in {values}")


def _reused(name: str, values: str) -> ValueError:
    return ValueError(f"Multiple assignments to variable '{name}' in {values}")


def _bool(text: str) -> bool:
    if text in ("true", "True", "false", "False"):
        return text.lower() == "true"
    return bool(int(text))


def parse_values(values: str, type_map: dict[str, type], ignore_unknown: bool = False) -> dict[str, Any]:
    """'a=1,b=[2,3],c[1]=4' -> {'a': 1, 'b': [2, 3], 'c': {1: 4}}, of the types that `type_map` says.

    Raises ValueError for what can't be read, for unknown names, and for names that are set twice.
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(values):
        m = _CLAUSE.match(values, at)
        if not m:
            raise ValueError(f"Malformed hyperparameter value: {values[at:]}")
        at = m.end()
        name = m["name"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        _read_clause(m, type_map[name], values, found)
    return found


def _read_clause(m: re.Match[str], kind: type, values: str, found: dict[str, Any]) -> None:
    name, index = m["name"], m["index"]
    parse: Callable[[str], Any] = _bool if kind is bool else kind
    text = m["val"] if m["val"] is not None else m["vals"]
    try:
        if m["val"] is not None:
            value = parse(text)
        else:
            value = [parse(part) for part in re.split("[ ,]", text) if part]
    except ValueError:
        raise _unparsable(name, kind, text, values) from None
    if m["val"] is None and index is not None:
        raise ValueError("Assignment of a list to a list index.")
    if index is None:
        if name in found:
            raise _reused(name, values)
        found[name] = value
        return
    if not isinstance(found.setdefault(name, {}), dict):
        raise _reused(name, values)
    if int(index) in found[name]:
        raise _reused(f"{name}[{index}]", values)
    found[name][int(index)] = value


def _cast(name: str, kind: type, value: Any) -> Any:
    """`value` as a `kind`, where nothing is lost and no text becomes a number. Raises ValueError."""
    if type(value) is kind or issubclass(kind, type(None)):
        return value
    text = issubclass(kind, str | bytes) and not isinstance(value, str | bytes)
    truth = issubclass(kind, bool) != isinstance(value, bool)
    whole = issubclass(kind, numbers.Integral) and not isinstance(value, numbers.Integral)
    number = issubclass(kind, numbers.Number) and not isinstance(value, numbers.Number)
    if text or truth or whole or number:
        raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")
    return kind(value)


class HParams:
    """Hyperparameters as attributes. A list holds values of one type and can't be empty.

    >>> hp = tf.contrib.training.HParams(rate=0.1, units=[10, 5])
    >>> hp.parse("rate=0.2").rate
    0.2
    """

    _HAS_DYNAMIC_ATTRIBUTES = True

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any):
        self._hparam_types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        if hparam_def:
            if not hasattr(hparam_def, "hparam"):
                raise AssertionError(f"hparam_def must be an HParamDef message, not {hparam_def!r}")
            if kwargs:
                raise ValueError("hparam_def and initialization values are mutually exclusive")
            for name, value in hparam_def.hparam.items():
                self.add_hparam(name, _from_message(value))
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def add_hparam(self, name: str, value: Any) -> None:
        """A new parameter. Raises ValueError for a name that is in use, and for an empty list."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        if isinstance(value, list | tuple):
            if not value:
                raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
            self._hparam_types[name] = (type(value[0]), True)
        else:
            self._hparam_types[name] = (type(value), False)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Another value of the same type. Raises KeyError for an unknown name, ValueError for a value that does not fit."""
        kind, many = self._hparam_types[name]
        if isinstance(value, list) != many:
            if many:
                raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
            raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
        setattr(self, name, [_cast(name, kind, v) for v in value] if many else _cast(name, kind, value))

    def del_hparam(self, name: str) -> None:
        """Remove a parameter, if it is there."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Set from a string, 'a=1,b=[2,3]'. Raises ValueError for what can't be read."""
        return self.override_from_dict(parse_values(values, {n: kind for n, (kind, _) in self._hparam_types.items()}))

    def override_from_dict(self, values_dict: dict[str, Any]) -> HParams:
        """Set from a dict."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map: dict[str, Any]) -> HParams:
        """Set from a dict."""
        return self.override_from_dict(values_map)

    def set_model_structure(self, model_structure: Any) -> None:
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        return self._model_structure

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """The values as JSON."""
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def parse_json(self, values_json: str) -> HParams:
        """Set from JSON."""
        return self.override_from_dict(json.loads(values_json))

    def values(self) -> dict[str, Any]:
        """The values by name."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """A value, or `default`. Raises ValueError for a default of another type."""
        if key not in self._hparam_types:
            return default
        if default is not None:
            kind, many = self._hparam_types[key]
            shown = f"list<{kind}>" if many else str(kind)
            wrong = f"Hparam '{key}' of type '{shown}' is incompatible with default={default}"
            if many != isinstance(default, list):
                raise ValueError(wrong)
            try:
                for value in default if many else [default]:
                    _cast(key, kind, value)
            except ValueError as error:
                raise ValueError(f"{wrong}. {error}") from None
        return getattr(self, key)

    def __contains__(self, key: str) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return ",".join(f"{k}={v}" for k, v in self.values().items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self.values().items())})"

    def to_proto(self, export_scope: Any = None) -> Any:
        """The parameters as an HParamDef. Raises ValueError for types that it does not have."""
        message = protos.HParamDef()
        for name, (kind, many) in self._hparam_types.items():
            values = list(getattr(self, name)) if many else [getattr(self, name)]
            if issubclass(kind, str):
                values = [v.encode() for v in values]
            field = f"{_word(kind)}_{'list' if many else 'value'}"
            if many:
                getattr(message.hparam[name], field).value.extend(values)
            else:
                setattr(message.hparam[name], field, values[0])
        return message

    @staticmethod
    def from_proto(hparam_def: Any, import_scope: Any = None) -> HParams:
        return HParams(hparam_def=hparam_def)


def _word(kind: type) -> str:
    words: tuple[tuple[Any, str], ...] = ((bool, "bool"), (int, "int64"), (str | bytes, "bytes"), (float, "float"))
    for kinds, word in words:
        if issubclass(kind, kinds):
            return word
    raise ValueError(f"Unsupported parameter type: {kind}")


def _from_message(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    held = getattr(value, kind)
    values = [v.decode() if isinstance(v, bytes) else v for v in (held.value if kind.endswith("_list") else [held])]
    return values if kind.endswith("_list") else values[0]


register_proto_function("hparams", "HParamDef", HParams.to_proto, HParams.from_proto)
