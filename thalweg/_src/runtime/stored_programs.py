"""Compiled steps on disk: a second start of a program neither traces, lowers nor compiles what it ran before.

JAX's own cache is asked with what a step was lowered to, so tracing and lowering come first: for a training graph of 5,000 nodes most of
the time to the first step. Here the question is asked with the graph (`program_keys`). A file holds XLA's serialized executable and, as
JSON, which of the cluster's tensors and variables its results are; nothing of it is Python that is unpickled or run. What does not fit
that form (values of several arrays, callbacks into Python, more devices than one) is left to JAX's cache, and so is everything where
JAX has no such executables as are known here.

The files are in `programs` of the cache folder, those used last, `_MOST` bytes of them. THALWEG_STORED_PROGRAMS=off does without.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import logging
import math
import os
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg._src.compiler.lower import Executable
from thalweg._src.core import foreign
from thalweg._src.core.collecting import paused
from thalweg._src.core.folders import cache_folder
from thalweg._src.core.lazy import jax
from thalweg._src.formats import frames
from thalweg._src.formats.errors import DataLoss
from thalweg._src.runtime.program_keys import key_of

FEWEST = 100  # operations: smaller clusters are traced in no time
_MOST = 1 << 28  # bytes of files
_FORM = 1  # of the files
_DIGEST = hashlib.sha256().digest_size  # bytes at their beginning
_OBJECTS = (b"\x7fELF", b"\xcf\xfa\xed\xfe")  # how files of machine code begin, on Linux and macOS
log = logging.getLogger("thalweg")


def shelf_of(exe: Executable, given: Sequence[Any]) -> Shelf | None:
    """Where the programs of `exe` for the arguments `given` are kept; None for what is not kept."""
    if len(exe.cluster.ops) < FEWEST or exe.device.platform != "cpu" or exe.transfer:
        return None
    folder = cache_folder("programs")
    config = jax.config
    if folder is None or os.environ.get("THALWEG_STORED_PROGRAMS") == "off":
        return None
    if config.jax_disable_jit or config.jax_debug_nans or config.jax_debug_infs:
        return None
    with paused():
        key = key_of(exe, given)
    return None if key is None else Shelf(folder, key, exe)


def why_not() -> str | None:
    """Why no steps are kept on this machine; None where they are. One that adds 1 is compiled, taken apart and put together again."""
    if os.environ.get("THALWEG_STORED_PROGRAMS") == "off":
        return "THALWEG_STORED_PROGRAMS is off"
    if cache_folder("programs") is None:
        return "THALWEG_CACHE is off"
    if len(jax.devices()) > 1 or jax.default_backend() != "cpu":
        return "they run on other devices than one CPU"
    given: Any = ([], [], [], [np.zeros(2, np.float32)])
    try:
        with _kept_once():
            compiled = jax.jit(lambda donated, kept, constants, args: ([args[0] + 1], [], ())).lower(*given).compile()
        facts, packed = _unloaded(compiled)
        _loaded(packed, facts, given, jax.devices()[0])(*given)
    except (_Unfit, ValueError, KeyError, TypeError, *_not_as_known()) as error:
        return f"executables of JAX {jax.__version__} are of another kind ({type(error).__name__}: {error})"
    return None


class Shelf:
    """The programs of one executable: compiled in full, and hastily."""

    def __init__(self, folder: Path, key: str, exe: Executable):
        self.folder, self.key, self.exe = folder, key, exe

    def _path(self, hasty: bool) -> Path:
        return self.folder / f"{self.key}{'-hasty' if hasty else ''}"

    def load(self, given: Sequence[Any], *, hasty: bool) -> Any:
        """The program, as a function of `given`, and what is to be known of its results in `exe`; None where there is none."""
        path = self._path(hasty)
        try:
            facts, (packed, *known) = frames.unpack(_read(path))
            if facts["form"] != _FORM or (facts["library"] is not None and foreign.ready() != facts["library"]):
                return None
            if not hasty and self.exe.hasty_runs and not facts["at once"]:
                return None  # hasty runs came before it, and come again
            program = _loaded(zlib.decompress(packed), facts, given, self.exe.device)
        except FileNotFoundError:
            return None
        except (OSError, DataLoss, ValueError, KeyError, TypeError, zlib.error, *_not_as_known()) as error:
            log.debug("The stored program %s is of no use here: %s", path, error)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        exe, cluster = self.exe, self.exe.cluster
        keys = [*exe.donated, *exe.kept]
        exe.outputs = [cluster.outputs[i] for i in facts["outputs"]]
        exe.known = {cluster.outputs[i]: v for i, v in zip(facts["known"], known, strict=True)}
        exe.written = [keys[i] for i in facts["written"]]
        exe.has_checks = facts["checks"]
        exe.hasty_runs = facts["runs"] if hasty else 0
        return program

    def made(self, program: Any, given: Sequence[Any], *, hasty: bool) -> Any:
        """The jitted `program` of `exe`, compiled for what is `given` and written down, if it is of the kind that can be kept."""
        with paused():
            lowered = program.lower(*given)
        with _kept_once():
            compiled = lowered.compile()
        self._keep(compiled, hasty=hasty)
        return compiled

    def _keep(self, compiled: Any, *, hasty: bool) -> None:
        exe = self.exe
        try:
            facts, packed = _unloaded(compiled)
        except (_Unfit, *_not_as_known()) as error:
            log.debug("A program of %d operations is not kept: %s", len(exe.cluster.ops), error)
            return
        keys = [*exe.donated, *exe.kept]
        known = [np.asarray(v) for v in exe.known.values() if isinstance(v, np.ndarray | np.generic)]
        if len(known) < len(exe.known) or any(v.dtype == object for v in known) or not set(exe.written) <= set(keys):
            return
        numbers = {t: i for i, t in enumerate(exe.cluster.outputs)}
        facts |= {
            "form": _FORM,
            "library": foreign.asked(),
            "outputs": [numbers[t] for t in exe.outputs],
            "known": [numbers[t] for t in exe.known],
            "written": [keys.index(k) for k in exe.written],
            "checks": exe.has_checks,
            "runs": exe.hasty_runs,
            "at once": not exe.compiled,
        }
        with contextlib.suppress(OSError):  # a full disk, a folder that is not ours: the next start takes longer
            _write(self._path(hasty), frames.pack(facts, [zlib.compress(packed, 1), *known]))


def _read(path: Path) -> bytes:
    """What `_write` wrote. Raises DataLoss where it is not whole."""
    data = path.read_bytes()
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        raise DataLoss(f"{path} is damaged")
    return data[_DIGEST:]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(hashlib.sha256(data).digest() + data)
            file.close()
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise
    held = 0
    for _, size, name in sorted(((s := e.stat()).st_mtime, s.st_size, e.path) for e in os.scandir(path.parent))[::-1]:
        held += size
        if held > _MOST:
            os.unlink(name)


def _kept_once() -> contextlib.AbstractContextManager[Any]:
    """In the block, JAX writes nothing into its own cache."""
    from jax._src import config

    least = getattr(config, "persistent_cache_min_compile_time_secs", None)
    return contextlib.nullcontext() if least is None else least(math.inf)


class _Unfit(Exception):
    """A program has what can't be written down."""


def _not_as_known() -> tuple[type[Exception], ...]:
    """What is raised where JAX is not as this module knows it, or where XLA refuses what it is given."""
    return ImportError, AttributeError, jax.errors.JaxRuntimeError


def _unloaded(compiled: Any) -> tuple[dict[str, Any], bytes]:
    """What is to be known of a `jax.stages.Compiled` to make it again, and XLA's part of it."""
    unloaded = compiled._executable._unloaded_executable
    if unloaded.ordered_effects or unloaded.unordered_effects or unloaded.host_callbacks or unloaded.keepalive:
        raise _Unfit("it calls Python")
    if unloaded.mut is not None or compiled._params.const_args or any(unloaded.dispatch_in_layouts):
        raise _Unfit("it has arguments of its own")
    places = {*unloaded.input_shardings, *unloaded.output_shardings}
    if not all(isinstance(s, jax.sharding.SingleDeviceSharding) for s in places) or len(places) != 1:
        raise _Unfit("it runs in several places")
    tree = compiled.out_tree
    values, new, flags = jax.tree.unflatten(tree, range(tree.num_leaves))
    if not all(type(v) is int for v in (*values, *new)):
        raise _Unfit("it gives values of several arrays")
    executable = compiled.runtime_executable()
    packed = executable.client.serialize_executable(executable)
    if not any(magic in packed for magic in _OBJECTS):
        raise _Unfit("its machine code is not there: XLA writes none for what it has read itself, out of JAX's cache")
    facts = {
        "name": unloaded.name,
        "memory": places.pop().memory_kind,
        "committed": unloaded.committed,
        "takes": sorted(unloaded.kept_var_idx),
        "gives": [[a.dtype.name, list(a.shape), a.weak_type] for a in unloaded.output_avals],
        "counts": [len(values), len(new)],
        "needs": sorted(flags[1]) if flags else None,
    }
    return facts, packed


def _loaded(packed: bytes, facts: dict[str, Any], given: Sequence[Any], device: Any) -> Any:
    """The function that `_unloaded` took apart."""
    from jax._src.interpreters import pxla
    from jax._src.lib import xla_client
    from jax.core import ShapedArray

    devices = xla_client.DeviceList((device,))
    here = jax.sharding.SingleDeviceSharding(device, memory_kind=facts["memory"])
    taken = set(facts["takes"])
    flat = [v for i, v in enumerate(jax.tree.leaves(given)) if i in taken]
    gives = [ShapedArray(tuple(shape), np.dtype(kind), weak_type=weak) for kind, shape, weak in facts["gives"]]
    known = {
        "xla_executable": device.client.deserialize_executable(packed, devices),
        "device_list": devices,
        "backend": device.client,
        "input_avals": [ShapedArray(v.shape, v.dtype, weak_type=getattr(v, "weak_type", False)) for v in flat],
        "input_shardings": [here] * len(flat),
        "output_avals": gives,
        "output_shardings": [here] * len(gives),
        "committed": facts["committed"],
        "name": facts["name"],
        "unordered_effects": [],
        "ordered_effects": [],
        "keepalive": [],
        "host_callbacks": [],
        "kept_var_idx": taken,
        "mut": None,
        "xla_in_layouts": [None] * len(flat),
        "dispatch_in_layouts": [None] * len(flat),
        "xla_out_layouts": [None] * len(gives),
        "all_args_info": None,
        "pgle_profiler": None,
    }
    form = pxla.UnloadedMeshExecutable
    unloaded = form(**{f.name: known[f.name] for f in dataclasses.fields(form)})
    values, new = facts["counts"]
    flags = () if facts["needs"] is None else (0, dict.fromkeys(facts["needs"], 0))
    results = jax.tree.structure(([0] * values, [0] * new, flags))
    arguments: Any = (tuple(jax.tree.map(lambda _: 0, group) for group in given), {})
    return jax.stages.Compiled(unloaded.load(), [], arguments, results, no_kwargs=True)
