"""Run graphs that thalweg exported in real TensorFlow, and hold the values against the golden ones.

    oracle 1.15 tests/oracle/roundtrip.py exported.json      (test_ops.py writes it; or 2.21)

It holds [{"family", "id", "dtype", "graph" (base64), "feeds" (names), "steps" (lists of
names), "first" (names)}].
Prints a line per graph that does not import, does not run or gives other values; then a summary. Python 3.7 and newer.
"""

import base64
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import tensorflow.compat.v1 as tf

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases import base
from oracle.golden import Golden

tf.logging.set_verbosity(tf.logging.ERROR)
TOLERANCE = {"float16": 1e-2, "bfloat16": 6e-2, "float32": 2e-4, "complex64": 2e-4}


def run(entry, case, stored):
    """None where the graph runs to the golden values, else what is wrong."""
    with tf.Graph().as_default() as graph:
        definition = tf.GraphDef.FromString(base64.b64decode(entry["graph"]))
        tf.import_graph_def(definition, name="")
        feed = dict(
            zip(
                entry["feeds"],
                base.feeds(tf, map(graph.get_tensor_by_name, entry["feeds"]), case, entry["dtype"]).values(),
            )
        )
        got = []
        with tf.Session(config=tf.ConfigProto(inter_op_parallelism_threads=1)) as session:
            for name in entry["first"]:
                session.run(name, feed)
            for names in entry["steps"]:
                got += session.run(names, feed)
    entries = [e for e in stored.index[case.id]["types"][entry["dtype"]]["out"] if e[0] != "python"]
    got = [g for g in got if g is not None]
    for i, (value, told) in enumerate(zip(got, entries)):
        if told[2] is None:  # a value that nothing fixes
            continue
        kind, shape, elements, _ = stored.array(told)
        value = np.asarray(value, object) if isinstance(value, bytes) else value
        mine = base.digest(value)
        if kind == "string":
            if [bytes(e) for e in mine[2]] != list(elements):
                return "output %d: other strings" % i
        elif mine[:2] != (kind, shape):
            return "output %d: %s, there %s" % (i, mine[:2], (kind, shape))
        else:
            tol = TOLERANCE.get(kind, 1e-9) * case.tol
            a, b = (v.astype(np.float32) if kind == "bfloat16" else v for v in (mine[2], elements))
            if not np.allclose(a, b, tol, tol, equal_nan=True):
                return "output %d: %s, there %s" % (i, a[:4], b[:4])
    return None


def main(path):
    with open(path) as f:
        entries = json.load(f)
    families, golden, bad = base.families(), {}, 0
    for entry in entries:
        case = next(c for c in families[entry["family"]] if c.id == entry["id"] and c.vintage == "1.15")
        stored = golden.setdefault(entry["family"], Golden(entry["family"]))
        try:
            wrong = run(entry, case, stored)
        except Exception as e:
            wrong = "%s: %s" % (type(e).__name__, str(e).split("\n")[0][:200])
        if wrong:
            bad += 1
            print("%s-%s: %s" % (entry["family"], entry["id"], wrong))
    print("%d graphs, %d wrong, in TensorFlow %s" % (len(entries), bad, tf.__version__))


if __name__ == "__main__":
    main(sys.argv[1])
