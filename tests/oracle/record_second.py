"""The functions of `tf.compat.v2` and what they take: thalweg/_src/compat/second.tsv. Run under TensorFlow 1.15.

    oracle 1.15 tests/oracle/record_second.py > thalweg/_src/compat/second.tsv

A line per function: its path, its arguments, as JSON, and its defaults. A type is written {"dtype": "float32"}; what JSON can't say,
enumerations above all, is {"omitted": true}, and then the default is our own.
"""

import inspect
import json
import sys
import types

import tensorflow as tf
from tensorflow.python.util import tf_inspect

MODULES = (
    "bitwise debugging dtypes graph_util image io linalg math nest nn quantization random sets signal sparse strings"
).split()


def plain(value):
    if isinstance(value, tf.DType):
        return {"dtype": value.name}
    if isinstance(value, tuple):
        value = list(value)
    try:
        json.dumps(value)
    except TypeError:
        return {"omitted": True}
    return value


def walk(module, prefix):
    for name in sorted(n for n in dir(module) if not n.startswith("_")):
        value = getattr(module, name)
        if isinstance(value, types.ModuleType) or inspect.isclass(value) or not callable(value):
            continue
        spec = tf_inspect.getfullargspec(value)
        if spec.varargs or spec.varkw or spec.kwonlyargs:
            continue
        defaults = [plain(v) for v in spec.defaults or ()]
        sys.stdout.write(f"{prefix}{name}\t{json.dumps(spec.args)}\t{json.dumps(defaults)}\n")


walk(tf.compat.v2, "")
for m in MODULES:
    walk(getattr(tf.compat.v2, m), m + ".")
