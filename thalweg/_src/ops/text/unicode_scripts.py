"""The scripts that characters belong to, by the table that tests/oracle/record_scripts.py recorded."""

import functools
from importlib import resources

import numpy as np

from thalweg._src.core.dtypes import int32
from thalweg._src.core.opdef import op


@functools.cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """The first characters of runs of one script, and the scripts."""
    text = resources.files("thalweg._src.ops.text").joinpath("unicode_scripts.tsv").read_text("ascii")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return np.array([int(first, 16) for first, _ in rows]), np.array([int(script) for _, script in rows], np.int32)


@op("UnicodeScript", host=True, numpy_only=True)
def unicode_script(input: int32) -> int32:
    """The number of the script of each character, as ICU counts them; -1 for what is no character.

    >>> run(tf.strings.unicode_script([65, 0x410]))
    array([25,  8], dtype=int32)
    """
    firsts, scripts = _table()
    points = np.asarray(input)
    known = (points >= 0) & (points < 0x110000)
    found = scripts[np.searchsorted(firsts, np.where(known, points, 0), side="right") - 1]
    return np.where(known, found, np.int32(-1)).astype(np.int32)


unicode_script.shape_rule(lambda op: [op.inputs[0].dims])
unicode_script.not_differentiable()
