"""Variables to safetensors files and back, for PyTorch and JAX users."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.default_sessions import default_sessions
from thalweg._src.core.status import translated
from thalweg._src.formats.files import LOCAL, named, temporary_name
from thalweg._src.formats.safetensors import SafetensorsReader, write_safetensors
from thalweg._src.ops.stateful.resource_variables import ResourceVariable
from thalweg._src.ops.stateful.variable_lists import global_variables
from thalweg._src.ops.stateful.variables import Variable
from thalweg._src.runtime import direct


def save(path: Any, var_list: Any = None, session: Any = None, metadata: Mapping[str, str] | None = None) -> None:
    """Write variables to the safetensors file `path`, as they are between two steps.

    `var_list` is a list of variables or {name in the file: variable}; all global variables unless given. The file is there as a
    whole or not at all. Raises UnimplementedError for types that the format does not have (strings), ResourceExhaustedError for a
    full disk.

    >>> import thalweg.safetensors
    >>> w = tf.Variable([1.0, 2.0], name="w")
    >>> with tf.Session() as sess:
    ...     sess.run(w.initializer)
    ...     thalweg.safetensors.save(folder + "/model.safetensors", session=sess)
    >>> thalweg.safetensors.load(folder + "/model.safetensors")["w"]
    array([1., 2.], dtype=float32)
    """
    variables, session = _named(var_list), _session(session)
    target = os.fspath(path)
    temporary = temporary_name(target)
    with translated(), direct.held(session):
        values = {name: direct.kept(session, _source(v)) for name, v in variables.items()}
        try:
            with named(target), LOCAL.open(temporary, "wb") as stream:
                write_safetensors(stream, values, metadata)
            LOCAL.rename(temporary, target)
        except BaseException:
            if LOCAL.exists(temporary):
                LOCAL.remove(temporary)
            raise


def load(path: Any) -> dict[str, np.ndarray]:
    """All arrays of a safetensors file, by name. Raises NotFoundError, DataLossError."""
    source = os.fspath(path)
    with translated(), LOCAL.open(source, "rb") as stream:
        reader = SafetensorsReader(stream, source=source)
        return {name: reader.read(name) for name in reader.names()}


def restore(path: Any, var_list: Any = None, session: Any = None, *, cast: bool = False) -> None:
    """Put the arrays of a safetensors file into variables; `var_list` as in `save`. With `cast`, types may differ.

    Raises NotFoundError for names that the file lacks, InvalidArgumentError for other shapes or types, DataLossError for a damaged
    file. Then no variable changes.
    """
    variables, session = _named(var_list), _session(session)
    source = os.fspath(path)
    with translated(), LOCAL.open(source, "rb") as stream:
        reader = SafetensorsReader(stream, source=source)
        for name, variable in variables.items():
            _check(reader, name, variable, cast, source)
        for name, variable in variables.items():
            value = reader.read(name).astype(variable.dtype.base_dtype.as_numpy_dtype, copy=False)
            direct.put(session, _source(variable), value)


def _check(reader: SafetensorsReader, name: str, variable: Any, cast: bool, source: str) -> None:
    if name not in reader.names():
        raise errors.NotFoundError(
            None, None, f"{source} has no tensor {name!r}; it has {', '.join(sorted(reader.names()))}."
        )
    dtype, shape = reader.kind(name)
    if shapes.merge(variable.get_shape()._dims, shape) is False:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"{name!r} has shape {list(shape)} in {source}, the variable {variable.name!r} {variable.get_shape()}.",
        )
    if not cast and dtype != np.dtype(variable.dtype.base_dtype.as_numpy_dtype):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"{name!r} is of {dtype} in {source}, the variable {variable.name!r} of {variable.dtype.base_dtype.name}: "
            "restore(..., cast=True) converts it.",
        )


def _named(var_list: Any) -> dict[str, Any]:
    if isinstance(var_list, Mapping):
        return dict(var_list)
    variables = global_variables() if var_list is None else list(var_list)
    for v in variables:
        if not isinstance(v, Variable):
            raise TypeError(f"{v!r} is no variable: a safetensors file holds variables, each as a whole.")
    return {v.op.name: v for v in variables}


def _session(session: Any) -> Any:
    session = session or (default_sessions.stack[-1] if default_sessions.stack else None)
    if not direct.is_local(session):
        raise ValueError("Give the session whose variables are meant, an open tf.Session of this process.")
    return session


def _source(variable: Any) -> Any:
    return variable.handle.op if isinstance(variable, ResourceVariable) else variable.op
