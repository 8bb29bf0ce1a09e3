"""Files by name: read_file, write_file, matching_files."""

import glob
import os
from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.dtypes import string
from thalweg._src.core.opdef import op
from thalweg._src.ops.strings import texts


def _path(x: Any) -> str:
    if x.ndim:
        raise ValueError(f"Input filename tensor must be scalar, but had shape: {shapes.text(x.shape)}")
    return os.fsdecode(x.item())


def _failed(error: OSError, path: str) -> errors.OpError:
    kind = {
        FileNotFoundError: errors.NotFoundError,
        PermissionError: errors.PermissionDeniedError,
        IsADirectoryError: errors.FailedPreconditionError,
        NotADirectoryError: errors.FailedPreconditionError,
    }.get(type(error), errors.UnknownError)
    return kind(None, None, f"{path}; {os.strerror(error.errno or 0)}")


@op("ReadFile", host=True, effect="host", stateful=False)
def read_file(filename: string) -> string:
    """The content of a file. Raises NotFoundError in the run where there is none."""
    path = _path(filename)
    try:
        with open(path, "rb") as f:
            return texts([f.read()], ())
    except OSError as error:
        raise _failed(error, path) from None


@op("WriteFile", host=True, effect="host")
def write_file(filename: string, contents: string):
    """Writes `contents` to a file, whose directory is made where it is missing."""
    path = _path(filename)
    if contents.ndim:
        raise ValueError(f"Contents tensor must be scalar, but had shape: {shapes.text(contents.shape)}")
    try:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as f:
            f.write(contents.item())
    except OSError as error:
        raise _failed(error, path) from None


@op("MatchingFiles", host=True, effect="host", stateful=False)
def matching_files(pattern: string) -> string:
    """The files that match a pattern, or one of a vector of patterns, sorted; only the last part may hold wildcards."""
    if pattern.ndim > 1:
        raise ValueError(f"Input patterns tensor must be scalar or vector, but had shape: {shapes.text(pattern.shape)}")
    found: list[str] = []
    for p in pattern.ravel():
        found += glob.glob(os.fsdecode(p), include_hidden=True)
    names = np.sort(np.array([os.fsencode(f) for f in found], object)) if found else []
    return texts(list(names), (len(found),))


@read_file.shape_rule
def _(op):
    return [shapes.of_rank(op.inputs[0].dims, 0)]


@write_file.shape_rule
def _(op):
    for t in op.inputs:
        shapes.of_rank(t.dims, 0)


@matching_files.shape_rule
def _(op):
    shapes.of_rank_at_most(op.inputs[0].dims, 1)
    return [(None,)]


for _op in (read_file, write_file, matching_files):
    _op.not_differentiable()
