"""Files by name: read_file, write_file, matching_files."""

import os
from typing import Any

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import string
from thalweg._src.core.opdef import op
from thalweg._src.core.status import translated
from thalweg._src.core.storage import Content, as_path, matching, open_file, scheme_of
from thalweg._src.ops.text.strings import texts


def _path(x: Any) -> str:
    if x.ndim:
        raise ValueError(f"Input filename tensor must be scalar, but had shape: {shapes.text(x.shape)}")
    return as_path(x.item())


@op("ReadFile", host=True, effect="host", stateful=False)
def read_file(filename: string) -> string:
    """The content of a file. Raises NotFoundError in the run where there is none."""
    with translated():
        return texts([Content.of(_path(filename))], ())


@op("WriteFile", host=True, effect="host")
def write_file(filename: string, contents: string):
    """Writes `contents` to a file, whose directory is made where it is missing."""
    path = _path(filename)
    if contents.ndim:
        raise ValueError(f"Contents tensor must be scalar, but had shape: {shapes.text(contents.shape)}")
    with translated():
        folder = os.path.dirname(path)
        if folder and not scheme_of(path):
            os.makedirs(folder, exist_ok=True)
        with open_file(path, "wb") as f:
            f.write(contents.item())


@op("MatchingFiles", host=True, effect="host", stateful=False)
def matching_files(pattern: string) -> string:
    """The files that match a pattern, or one of a vector of patterns, sorted; only the last part may hold wildcards."""
    if pattern.ndim > 1:
        raise ValueError(f"Input patterns tensor must be scalar or vector, but had shape: {shapes.text(pattern.shape)}")
    found = [name for p in pattern.ravel() for name in matching(p)]
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
