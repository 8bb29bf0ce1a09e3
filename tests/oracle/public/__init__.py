"""Small programs, one per public symbol that no other test names, and what is compared of what they give.

A module here has `TABLES = {family: {symbol: program}}`, or `OLD` for names that 1.x dropped (recorded under 0.12). A program is a
function of tf, or of tf and a folder of the family's own. What it gives is fetched, if it has tensors, in one run per family:
programs of one family share a graph. Kept to what Python 3.6 reads.
"""

import importlib
import os
import pkgutil

import numpy as np

LIMIT = 12  # numbers of an array that are compared, besides its shape and sum


class After(object):
    """A value fetched after operations have run."""

    def __init__(self, value, *operations):
        self.value, self.operations = value, operations


def tables():
    """The families by vintage: {"1.15": {family: table}, "0.12": ...}."""
    found = {"1.15": {}, "0.12": {}}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            m = importlib.import_module(__name__ + "." + module.name)
            found["1.15"].update(getattr(m, "TABLES", {}))
            found["0.12"].update(getattr(m, "OLD", {}))
    return found


def raised(f, *args, **kwargs):
    """The name of the class of what a call raises; "nothing" for nothing."""
    try:
        f(*args, **kwargs)
    except Exception as e:
        return type(e).__name__
    return "nothing"


def fetchable(tf, value):
    kinds = (tf.Tensor, tf.Operation, tf.SparseTensor, tf.IndexedSlices, tf.Variable)
    return isinstance(value, kinds + ((tf.RaggedTensor,) if hasattr(tf, "RaggedTensor") else ()))


def structure(tf, value, leaf):
    """`value` with `leaf` applied to what can be fetched in it."""
    if isinstance(value, After):
        return structure(tf, value.value, leaf)
    if fetchable(tf, value):
        return leaf(value)
    if isinstance(value, dict):
        return [[plain(k), structure(tf, value[k], leaf)] for k in sorted(value, key=str)]
    if isinstance(value, (list, tuple)) and not isinstance(value, tf.TensorShape):
        return [structure(tf, v, leaf) for v in value]
    return plain(value)


def plain(value):
    """What is compared of a value: JSON of it."""
    if isinstance(value, (np.ndarray, np.generic)):
        return of_array(np.asarray(value))
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float):
        return float("%.6g" % value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return [[plain(k), plain(value[k])] for k in sorted(value, key=str)]
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, type):
        return value.__name__
    return str(value)


def of_array(a):
    if a.dtype.kind in "OSU":
        return [plain(v) for v in a.ravel().tolist()[:LIMIT]] + [list(a.shape)]
    if a.dtype.kind == "c":
        return [of_array(a.real), of_array(a.imag)]
    kind = a.dtype.name
    a = a.astype("float64")
    return [kind, list(a.shape), float("%.6g" % a.sum())] + [float("%.6g" % v) for v in a.ravel()[:LIMIT]]


def evaluate(tf, table, folder):
    """{symbol: plain value} for the programs of a table, built in the default graph and fetched in one run."""
    os.makedirs(folder, exist_ok=True)
    tf.set_random_seed(1)
    built = {}
    for name, program in table.items():
        built[name] = program(tf, folder) if program.__code__.co_argcount == 2 else program(tf)
    fetches = {}
    before = [value.operations for value in built.values() if isinstance(value, After)]
    for name, value in built.items():
        structure(tf, value, lambda t, name=name: fetches.setdefault((name, id(t)), t))
    got = {}
    if fetches:
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            session.run(tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS))
            for step in range(max([len(operations) for operations in before] or [0])):
                session.run([operations[step] for operations in before if step < len(operations)])
            got = session.run(fetches)
    return {name: structure(tf, value, lambda t, name=name: plain(got[name, id(t)])) for name, value in built.items()}
