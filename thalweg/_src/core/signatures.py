"""The ops that TensorFlow registers and thalweg has no kernel for: a graph may hold them, a run may not.

`signatures.json` has a line for each, as `tests/oracle/opdef_facts.py` tells it. A graph with such ops can be imported, looked at,
edited and exported, and what does not need them runs; the shapes of their outputs are unknown.
"""

import functools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.opdef import ATTR_KINDS, OPS, Enum, Many, Min, Mixed, OpDef, Outputs, Ref, TypeAttr, TypesOf

_NOTES = {kind: note for note, kind in ATTR_KINDS.items()}


def find_op(name: str) -> OpDef | None:
    """The OpDef of the type `name`, or None where TensorFlow does not know it either."""
    found = OPS.get(name)
    return found if found is not None else _without_kernel(name)


@functools.cache
def _recorded() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "signatures.json").read_text())
    return found


@functools.cache
def _without_kernel(name: str) -> OpDef | None:
    fact = _recorded().get(name)
    if fact is None:
        return None
    opdef = OpDef(name, _Signature(name, fact), host=True, foldable=False, stateful="s" in fact.get("flags", ""))
    opdef.infer_shapes = lambda op: [None] * len(op.outputs)
    opdef.refusal = opdef.fn
    opdef.removed_in = fact.get("gone")
    return opdef.not_differentiable()


class _Signature:
    """What an OpDef reads off the function of an op, from a record."""

    def __init__(self, name: str, fact: dict[str, Any]):
        self.__name__ = name
        self.__doc__ = f"The op {name} of TensorFlow, which has no kernel here."
        self.__module__ = __name__
        self._attrs = {a[0]: (a[1], a[2] if len(a) > 2 else {}) for a in fact["attr"]}
        self._types = {
            n: TypeAttr(n, _types(more.get("allowed")), _type(more.get("default")))
            for n, (kind, more) in self._attrs.items()
            if kind == "type"
        }
        inputs = {n: self._argument(kind) for n, kind in fact["in"]}
        self.__annotations__ = inputs | {n: self._note(n) for n in self._attrs}
        if fact["out"]:
            self.__annotations__["return"] = Outputs(**{n: self._argument(kind) for n, kind in fact["out"]})
        self.__kwdefaults__ = {
            n: _default(kind, more["default"])
            for n, (kind, more) in self._attrs.items()
            if "default" in more and kind != "tensor"
        }
        names = (*inputs, *self._attrs)
        self.__code__ = SimpleNamespace(
            co_varnames=names, co_argcount=len(inputs), co_kwonlyargcount=len(names) - len(inputs)
        )

    def _argument(self, kind: str) -> Any:
        """The annotation of an argument that reads `float32`, `T`, `N*T`, `Tlist` or `Ref(T)`."""
        is_ref = kind.startswith("Ref(")
        kind = kind[4:-1] if is_ref else kind
        if "*" in kind:
            number, of = kind.split("*")
            of = f"Ref({of})" if is_ref else of
            return Many(self._argument(of), number, self._attrs[number][1].get("min", 0))
        if is_ref:
            return Ref(self._argument(kind), init=False)
        if kind in self._types:
            return self._types[kind]
        if kind in self._attrs:
            more = self._attrs[kind][1]
            return Mixed(kind, more.get("min", 0), allowed=_types(more.get("allowed")))
        return _type(kind)

    def _note(self, name: str) -> Any:
        kind, more = self._attrs[name]
        if kind == "type":
            return self._types[name]
        if kind == "list(type)" and "allowed" in more:
            return TypesOf(*_types(more["allowed"]), minimum=more.get("min", 0))
        if kind == "string" and "allowed" in more:
            return Enum(*more["allowed"])
        return Min(_NOTES[kind], more["min"]) if "min" in more else _NOTES[kind]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"No OpKernel was registered to support Op '{self.__name__}': thalweg knows its signature alone."
        )


def _type(name: str | None) -> Any:
    return None if name is None else dtypes.as_dtype(name)


def _types(names: list[str] | None) -> Any:
    return None if names is None else [dtypes.as_dtype(n) for n in names]


def _default(kind: str, value: Any) -> Any:
    if kind == "type":
        return _type(value)
    return _types(value) if kind == "list(type)" else value
