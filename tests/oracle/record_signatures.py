"""Record the arguments of every public function, class and method of TensorFlow 1.15 outside of contrib.

    oracle 1.15 tests/oracle/record_signatures.py

Writes tests/golden/signatures-1.15.json.gz: {symbol: [kind, names, defaults of the last names, whether *args, whether **kwargs]},
and {symbol: [kind]} for what takes no arguments. Defaults are text: a dtype as tf.name, an object as <name>.
"""

import enum
import gzip
import inspect
import json
import os
import types

import tensorflow as tf
from tensorflow.python.util import tf_inspect

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "signatures-1.15.json.gz")
# Of other issues, or modules of TensorFlow's own that lie open by accident.
APART = {
    "contrib",
    "keras",
    "lite",
    "python",
    "core",
    "tools",
    "pywrap_tensorflow",
    "compiler",
    "estimator",
    "flags",
    "app",
}
SPECIAL = {"__enter__", "__exit__", "__call__", "__getitem__", "__iter__", "__len__", "__init__"}


def text(value):
    """A default as the test compares it."""
    if isinstance(value, tf.DType):
        return "tf." + value.name
    if value is None or isinstance(value, (bool, int, float, str, bytes)) and not isinstance(value, enum.Enum):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return repr([text(v) for v in value])
    return "<%s>" % (getattr(value, "__name__", None) or type(value).__name__)


def arguments(target, drop_first):
    spec = tf_inspect.getfullargspec(target)
    names = list(spec.args)
    if drop_first and names:
        names = names[1:]
    defaults = [text(d) for d in spec.defaults or ()]
    return [names, defaults, spec.varargs is not None, spec.varkw is not None]


def described(owner, name, value):
    """[kind, …] of a member of a class, None for what is no part of the API."""
    raw = inspect.getattr_static(owner, name)
    if isinstance(raw, property) or inspect.isdatadescriptor(raw):
        return ["property"]
    if isinstance(raw, staticmethod):
        return ["function", *arguments(value, False)]
    if isinstance(raw, classmethod):
        return ["function", *arguments(value, True)]
    if inspect.isclass(value):
        return ["class", *arguments(value.__init__, True)]
    if callable(value):
        return ["function", *arguments(value, True)]
    return ["value"]


found = {}


def note(symbol, make):
    try:
        found[symbol] = make()
    except TypeError:
        found[symbol] = ["value"]


def walk_class(symbol, cls):
    for name in dir(cls):
        if name.startswith("_") and (name not in SPECIAL or name == "__init__"):
            continue
        value = getattr(cls, name, None)
        note(symbol + "." + name, lambda: described(cls, name, value))


def walk(prefix, module, seen):
    for name in sorted(dir(module)):
        if name.startswith("_") or (not prefix and name in APART):
            continue
        try:
            value = getattr(module, name)
        except Exception:
            continue
        symbol = prefix + name
        if isinstance(value, types.ModuleType) or type(value).__name__.endswith("ModuleWrapper"):
            inside = getattr(value, "__name__", "")
            if "tensorflow" in inside and inside not in seen and symbol not in ("compat.v1", "compat.v2", "raw_ops"):
                walk(symbol + ".", value, seen | {inside})
        elif inspect.isclass(value):
            if hasattr(value, "DESCRIPTOR"):
                found[symbol] = ["message"]
                continue
            note(symbol, lambda: ["class"] + arguments(value.__init__, True))
            if not issubclass(value, (tuple, BaseException, enum.Enum)):
                walk_class(symbol, value)
        elif callable(value):
            note(symbol, lambda: ["function"] + arguments(value, False))
        else:
            found[symbol] = ["value"]


walk("", tf, {"tensorflow"})
with gzip.GzipFile(OUT, "wb", mtime=0) as out:
    out.write(json.dumps(found, sort_keys=True, indent=0).encode())
print(len(found), "symbols", os.path.getsize(OUT), "bytes")
