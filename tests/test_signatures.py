"""Every public function, class and method takes its arguments by TensorFlow 1.15's names, in its order, with its defaults.

`tests/golden/signatures-1.15.json.gz` is recorded by `tests/oracle/record_signatures.py`. Ours may take more: further arguments, and
calls without an argument that TensorFlow wants.
"""

import enum
import gzip
import inspect
import json
import re
from pathlib import Path

import pytest

import thalweg as tf
from thalweg._src.compat import left_out
from thalweg._src.compat.nearest import MissingSymbol
from thalweg._src.compat.signatures import has_attribute

THEIRS = json.loads(gzip.decompress((Path(__file__).parent / "golden" / "signatures-1.15.json.gz").read_bytes()))
MISSING = object()

# What takes other arguments, and why; what is not there at all tells `compat/left_out.py`. A pattern must be needed by some symbol.
EXCEPTIONS = {
    r"(Tensor|Variable)\.__getitem__": "an operator, called by position",
    r"distribute\..*": "there is one replica",
    r"profiler\.profile": "0 and None both say the default options",
    r"test\.TestCase\.(assertDataclassEqual|assertDictEqual|create_temp.*|enter_context|tempfile_cleanup|fail)": "absl's, not TensorFlow's",
}


def text(value):
    """A default as `tests/oracle/record_signatures.py` writes it."""
    if isinstance(value, tf.DType):
        return "tf." + value.name
    if value is None or (isinstance(value, bool | int | float | str | bytes) and not isinstance(value, enum.Enum)):
        return repr(value)
    if isinstance(value, list | tuple):
        return repr([text(v) for v in value])
    return "<%s>" % (getattr(value, "__name__", None) or type(value).__name__)


def equal(ours, theirs):
    """Whether two defaults, as text, mean the same: 1 and 1.0 do, two objects do, and 1 and [1, 1] for strides."""
    if ours == theirs or theirs.startswith("<object") or (ours.startswith("<") and theirs.startswith("<")):
        return True
    if theirs in (repr([ours] * 2), repr([ours] * 3)):
        return True
    try:
        return float(ours) == float(theirs)
    except ValueError:
        return False


def look(symbol):
    value = tf
    for part in symbol.split("."):
        try:
            value = getattr(value, part)
        except (AttributeError, ImportError):
            return MISSING
    return value


def parameters(owner, name, value):
    """The parameters of a function, or of a member of the class `owner` without the object it is called on; None if unknown."""
    try:
        found = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return None
    plain = inspect.isclass(owner) and not inspect.isclass(value) and not inspect.ismethod(value)
    if plain and not isinstance(inspect.getattr_static(owner, name), staticmethod):
        found = found[1:] if found and found[0].kind is not found[0].VAR_POSITIONAL else found
    return found


def problem(symbol):
    """What a caller of `symbol` would notice, None where all is well."""
    kind, *taken = THEIRS[symbol]
    owner_name, _, name = symbol.rpartition(".")
    owner, value = look(owner_name) if owner_name else tf, look(symbol)
    if value is MISSING:
        in_objects = inspect.isclass(owner) and kind in ("property", "value") and has_attribute(owner, name)
        return None if in_objects else "missing"
    if not taken:
        return None
    names, defaults, *_ = taken
    ours = parameters(owner, name, value)
    if ours is None or (ours and all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in ours)):
        return None
    expected = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    positional = [p.name for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    told = {p.name: p.default for p in ours}
    for i, n in enumerate(names):
        if n not in positional:
            return f"takes no {n!r} as argument {i}"
        if positional.index(n) != i:
            return f"takes {n!r} as argument {positional.index(n)}, not {i}"
        if n in expected and told[n] is inspect.Parameter.empty:
            return f"wants {n!r}, which is {expected[n]} by default"
        if n in expected and not equal(text(told[n]), expected[n]):
            return f"{n!r} is {text(told[n])} by default, not {expected[n]}"
    return None


def reason(symbol):
    return next((why for pattern, why in EXCEPTIONS.items() if re.fullmatch(pattern, symbol)), None)


PARTS = sorted({s.partition(".")[0] if "." in s else "" for s in THEIRS})


@pytest.mark.parametrize("part", PARTS)
def test_signatures(part):
    mine = [s for s in THEIRS if (s.partition(".")[0] if "." in s else "") == part]
    known = {s for s in mine if reason(s) is not None}
    wrong = {
        s: p
        for s in mine
        if s not in known and (p := problem(s)) and not (p == "missing" and left_out.reason("tf." + s))
    }
    assert not wrong, "\n".join(f"{s}: {p}" for s, p in wrong.items())


def test_what_is_left_out_says_why():
    said = str(MissingSymbol("tensorflow", "wrap_function", ["function"]))
    assert said == "thalweg has no tf.wrap_function (an object of TensorFlow 2); the nearest is tf.function"
    assert "a library of its own" in str(MissingSymbol("tensorflow.contrib", "kfac", []))
    assert "cluster's manager" in str(MissingSymbol("tensorflow.contrib.cluster_resolver", "SlurmClusterResolver", []))
    assert "no TPU pods" in str(MissingSymbol("tensorflow.raw_ops", "InfeedDequeue", []))


def test_exceptions_are_needed():
    idle = [p for p in EXCEPTIONS if not any(re.fullmatch(p, s) and problem(s) for s in THEIRS)]
    assert not idle
