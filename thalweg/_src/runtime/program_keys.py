"""A digest of all that decides what a cluster is compiled to: what stands for it in the cache of programs.

It tells everything that a trace can see: the operations with their attrs, names, bodies and static shapes, the values that are built
in, the shapes and types of what goes in, how the session compiles, the versions, sources and settings of what traces and compiles, the
processor. What it has no words for (an attr that is an object of the user's, an op that somebody else declared) has no digest.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg._src.compiler.lower import Executable
from thalweg._src.core import machine
from thalweg._src.core.calls import Call
from thalweg._src.core.dtypes import DType
from thalweg._src.core.funcgraph import FuncGraph
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.structured import Structured
from thalweg._src.runtime import processor

_OURS = "thalweg._src."
_PACKAGE = Path(__file__).parents[2]
_NOT_ASKED = {
    "THALWEG_CACHE",
    "THALWEG_ENVIRONMENT",
    "THALWEG_STORED_PROGRAMS",
    "THALWEG_KEEP_MEMORY",
    "THALWEG_UNCOMPILED",
}  # settings that change no program
_OTHER = ("XLA_FLAGS", "JAX_PLATFORMS", "NPROC", "OMP_NUM_THREADS")


class Untold(Exception):
    """Something of which no text tells all that a trace may see."""


def key_of(exe: Executable, given: Sequence[Any]) -> str | None:
    """The digest of what `exe` is compiled to for the arguments `given`, or None where there is none."""
    try:
        parts = [_surroundings(), *_settings(exe), _arguments(given), *_Teller(exe).told()]
    except Untold:
        return None
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _arguments(given: Sequence[Any]) -> list[Any]:
    """Types and shapes; weak types count, as they do while tracing."""
    found: list[Any] = []
    for group in given:
        if any(isinstance(v, Structured) for v in group):
            raise Untold("a value of several arrays")
        found.append([(str(v.dtype), tuple(v.shape), getattr(v, "weak_type", False)) for v in group])
    return found


def _settings(exe: Executable) -> Iterator[Any]:
    cluster = exe.cluster
    yield exe.device.platform, exe.device.device_kind, exe.device.id
    yield exe.kernels, exe.donates, exe.half, sorted((exe.recompute or {}).items())
    yield exe.hasty_runs, cluster.varies
    yield exe.donated, exe.kept, exe.replayed, sorted(cluster.rooms.items()), exe.packed


@functools.cache
def _surroundings() -> tuple[Any, ...]:
    """What is the same for all programs of a process."""
    versions = [importlib.metadata.version(name) for name in ("jax", "jaxlib", "numpy")]
    settings = {k: v for k, v in os.environ.items() if k.startswith("THALWEG_") and k not in _NOT_ASKED}
    settings |= {k: os.environ.get(k, "") for k in _OTHER}
    config = {k: repr(v) for k, v in jax.config.values.items() if "cache" not in k}
    place = platform.machine(), sorted(machine.features()), os.cpu_count(), processor.threads()
    return (versions, sources(), sorted(settings.items()), sorted(config.items()), place)


def sources() -> str:
    """What changes when a file of the package does: names, sizes and times of all of them."""
    digest = hashlib.sha256()
    for path in sorted(_files(_PACKAGE)):
        found = os.stat(path)
        digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                yield from _files(Path(entry.path))
        else:
            yield entry.path


class _Teller:
    """Writes down the operations of a cluster. Tensors, operations and graphs have numbers, in the order in which they come up."""

    def __init__(self, exe: Executable):
        self.exe, self.cluster = exe, exe.cluster
        self.big = set(exe.big)
        self.numbers: dict[Any, int] = {}
        self.graphs: dict[FuncGraph, int] = {}

    def told(self) -> Iterator[Any]:
        cluster = self.cluster
        for t in (*cluster.inputs, *cluster.statics):
            yield self._tensor(t)
        for t, value in self.exe.statics.items():
            yield self._number(t), self._array(value)
        for op in cluster.ops:
            yield op in cluster.fold, self._operation(op)
        yield [self._number(t) for t in cluster.outputs]

    def _number(self, thing: Any) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))

    def _tensor(self, t: Tensor) -> tuple[Any, ...]:
        return self._number(t), t.name, t.dtype._name, t._dims

    def _operation(self, op: Operation) -> tuple[Any, ...]:
        _check_is_ours(op.opdef)
        # What is too large to be built in is an argument.
        attrs = [
            (k, v.shape if op in self.big and type(v) is np.ndarray else self._value(v, op.opdef, k))
            for k, v in sorted(op._attrs.items())
            if k != "_class"
        ]
        outputs = [self._tensor(t) for t in op.outputs]
        return self._number(op), op.type, op.name, op._device, [self._number(t) for t in op._inputs], attrs, outputs

    def _value(self, value: Any, opdef: OpDef, name: str) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, float, complex, bytes):
            return kind.__name__, value
        if kind is str:
            if name in opdef.attrs and "func" in opdef.attrs[name].kind:
                raise Untold(f"{opdef.name} calls {value} by its name")
            return kind.__name__, value
        if kind in (list, tuple):
            return kind.__name__, [self._value(v, opdef, name) for v in value]
        if kind is DType:
            return "type", value._name
        if isinstance(value, np.ndarray | np.generic):
            return self._array(np.asarray(value))
        if kind is FuncGraph:
            return self._graph(value)
        if kind is Operation:
            return "operation", self._number(value), value.type, value.name
        if kind is Call:
            attrs = [(k, self._value(v, value.opdef, k)) for k, v in sorted(value.attrs.items())]
            return value.name, attrs, self._value(value.operation, opdef, name)
        raise Untold(f"{opdef.name}.{name} is a {kind}")

    def _array(self, value: np.ndarray) -> Any:
        if value.dtype == object:
            return value.shape, [self._string(x) for x in value.flat]
        return (
            str(value.dtype),
            value.shape,
            hashlib.sha256(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data).hexdigest(),
        )

    def _string(self, x: Any) -> Any:
        if isinstance(x, str | bytes):
            return x
        raise Untold(f"an array holds a {type(x)}")

    def _graph(self, graph: FuncGraph) -> Any:
        if graph in self.graphs:
            return "graph", self.graphs[graph]
        self.graphs[graph] = len(self.graphs)
        begins = [(self._tensor(a), self._tensor(b)) for a, b in graph.begins.items()]
        return (
            graph.name,
            graph.is_loop,
            [self._tensor(t) for t in (*graph.inputs, *graph.captures)],
            begins,
            [self._operation(op) for op in graph._ops],
            [self._number(t) for t in graph.outputs],
        )


def _check_is_ours(opdef: OpDef) -> None:
    functions: Iterable[Any] = (opdef.fn, *opdef.platforms.values())
    if not all((f.__module__ or "").startswith(_OURS) for f in functions):
        raise Untold(f"{opdef.name} is declared elsewhere")
