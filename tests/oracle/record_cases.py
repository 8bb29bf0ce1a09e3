"""Record what real TensorFlow makes of the records in tests/cases.

oracle 1.15 tests/oracle/record_cases.py [family ...]       -> tests/golden/<family>.npz
oracle 0.12 tests/oracle/record_cases.py [family ...]       -> tests/golden/<family>-0.12.npz (records of that vintage)
"""

import os
import sys
import warnings

warnings.filterwarnings("ignore")
import tensorflow as tf

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases import base
from oracle.golden import Writer

OLD = tf.__version__.startswith("0.")
VERSION = ".".join(tf.__version__.split(".")[:2])
if not OLD:
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
CONFIG = tf.ConfigProto(inter_op_parallelism_threads=1, intra_op_parallelism_threads=1)
NO_KERNEL = ("No OpKernel was registered", "no supported kernel", "Could not find valid device", "not yet supported")


def built(case, dtype, shape_of=None, xs=None):
    """(placeholders, outputs) in the current default graph."""
    xs = base.placeholders(tf, case, dtype, shape_of or (lambda a: a.shape)) if xs is None else xs
    return xs, case.call(tf, *xs)


def class_of(error):
    """The first class of an error that is Python's or public in tf.errors."""
    return next(c for c in type(error).__mro__ if c.__module__ == "builtins" or hasattr(tf.errors, c.__name__)).__name__


def said(call):
    """What `call` gives, or the class of its error."""
    with tf.Graph().as_default():
        try:
            return call()
        except Exception as e:
            return {"error": class_of(e)}


def run_type(writer, case, dtype):
    """Value and gradient of a record over one dtype."""
    with tf.Graph().as_default():
        try:
            xs, outs = built(case, dtype)
        except Exception as e:
            return {"error": ["build", class_of(e)]}
        # Read-only attributes differ between versions; what matters is in `static`.
        told = base.static(outs)
        feed = base.feeds(tf, xs, case, dtype)
        with tf.Session(config=CONFIG) as session:
            try:
                if tf.get_collection("variables"):
                    session.run(tf.initialize_all_variables(), feed)
                if tf.get_collection("table_initializer"):
                    session.run(tf.get_collection("table_initializer"))
                values = base.fetch_all(session, outs, feed)
            except Exception as e:
                if any(w in str(e) for w in NO_KERNEL):
                    return {"kernel": False}
                return {"error": ["run", class_of(e)], "message": str(e)[:150]}
            kept = {"static": told, "out": [keep(writer, case, leaf, v) for leaf, v in zip(base.flat(outs), values)]}
            shapes = [getattr(v, "shape", ()) for v in values]
            if case.differentiable(dtype) and dtype not in ("float16", "bfloat16"):
                try:
                    grads = base.gradients(tf, case, dtype, xs, outs, shapes)
                    kept["slices"] = [hasattr(g, "indices") for g in grads]
                    grads = [None if g is None else tf.convert_to_tensor(g) for g in grads]
                    got = iter(
                        session.run([g for g in grads if g is not None], feed)
                        if any(g is not None for g in grads)
                        else []
                    )
                    kept["grad"] = [None if g is None else writer.array(base.digest(next(got))) for g in grads]
                except Exception as e:
                    kept["grad_error"] = class_of(e)
                    kept["message"] = str(e)[:150]
            return kept


def keep(writer, case, leaf, value):
    """The entry of one result."""
    if not base.is_tensor(leaf):
        return ["python", None if value is None else base.plain(value)]
    if not hasattr(value, "dtype"):  # a scalar string
        import numpy as np

        value = np.array(value, object)
    kind, shape, elements, sums = base.digest(value)
    return writer.array((kind, shape, elements, sums)) if case.value else [kind, shape, None]


def record(writer, case):
    """Everything about one record."""
    first = case.types[0]
    if isinstance(case, base.Fails):
        got = run_type(writer, case, first)
        if "error" not in got:
            raise SystemExit("%s: should fail but does not: %s" % (case.id, got))
        return got
    fact = {"types": {t: run_type(writer, case, t) for t in case.types}}
    if "error" in fact["types"][first] or "kernel" in fact["types"][first]:
        raise SystemExit("%s: the record itself fails: %s" % (case.id, fact["types"][first]))
    if case.vintage != "1.15":
        return fact
    with tf.Graph().as_default() as graph:
        _, outs = built(case, first)
        definition = graph.as_graph_def()
        if case.op not in {n.op for n in definition.node} | {
            n.op for f in definition.library.function for n in f.node_def
        }:
            raise SystemExit("%s: no such op in its graph: %s" % (case.id, sorted({n.op for n in definition.node})))
        fact["graph"] = writer.graph(definition.SerializeToString(deterministic=True))
    fact["shapes"] = {
        word: said(lambda s=shape_of: base.static(built(case, first, s)[1])) for word, shape_of in base.SHAPES.items()
    }
    if case.misuse:
        fact["misuse"] = {
            label: said(lambda: misused(case, kinds, shapes)) for label, kinds, shapes in base.misuses(case, first)
        }
    return fact


def misused(case, kinds, shapes):
    xs = [tf.placeholder(tf.as_dtype(t), s, name="in%d" % i) for i, (t, s) in enumerate(zip(kinds, shapes))]
    return base.static(case.call(tf, *xs))


def main(wanted):
    for name, cases in base.families().items():
        cases = [c for c in cases if c.vintage == VERSION]
        if not cases or (wanted and name not in wanted):
            continue
        writer = Writer()
        for case in cases:
            try:
                writer.index[case.id] = record(writer, case)
            except (Exception, SystemExit) as e:
                print("FAILED", case.id, str(e)[:200])
                writer.index[case.id] = None
        bad = [i for i, fact in writer.index.items() if fact is None]
        told = list(report(writer))
        size = writer.save(name if VERSION == "1.15" else name + "-" + VERSION)
        print("%s: %d records, %d bytes, %d failed" % (name, len(cases), size, len(bad)), *told, sep="\n   ")


def report(writer):
    """What a person should look at: dtypes without a kernel or with an error, gradients that fail."""
    for case_id, fact in writer.index.items():
        for dtype, got in (fact or {}).get("types", {}).items():
            message = got.pop("message", "").split("\n")[0]
            if "kernel" in got:
                yield "no kernel: %s %s" % (case_id, dtype)
            elif "error" in got or "grad_error" in got:
                yield "%s %s %s %s" % (case_id, dtype, got.get("error", got.get("grad_error")), message)
        if fact:
            fact.pop("message", None)


if __name__ == "__main__":
    main(sys.argv[1:])
