"""Runs a program with fixed seeds and writes down its first training steps: scalars that it fetched, and what a step costs.

    FOLLOW_OUT=steps.json FOLLOW_STEPS=40 python follow_program.py script.py [its arguments]      (or: -m package.module)

`python` is TensorFlow 1.15's or `thalweg run`. The program ends after that many training steps: runs of a session that lead to an
optimizer's op. With FOLLOW_SEEDS=numbered a random op takes for its seed which random op of the program it is, and not how many
operations there are before it: loops are other operations here than there. Kept to what Python 3.6 reads.
"""

import itertools
import json
import os
import random
import runpy
import sys
import time

import numpy as np

OUT, STEPS, SEED = os.environ["FOLLOW_OUT"], int(os.environ.get("FOLLOW_STEPS", "40")), 1234
UPDATES = ("Apply", "SparseApply", "ResourceApply", "ResourceSparseApply")


def seeded(tf):
    """Every graph has the same seed, whoever makes it."""
    make = tf.Graph.__init__

    def init(graph, *args, **kwargs):
        make(graph, *args, **kwargs)
        graph.seed = SEED

    tf.Graph.__init__ = init
    tf.get_default_graph().seed = SEED
    if os.environ.get("FOLLOW_SEEDS") != "numbered":
        return
    numbers = itertools.count(1)
    if hasattr(tf.Graph, "op_seed"):
        for kind in (tf.Graph, *tf.Graph.__subclasses__()):  # those of branches and loops too
            kind.op_seed = lambda graph: next(numbers)
        return
    from tensorflow.python.framework import random_seed

    get_seed = random_seed.get_seed
    random_seed.get_seed = lambda seed: get_seed(next(numbers) if seed is None else seed)


def leaves(fetches):
    if isinstance(fetches, dict):
        return [x for k in fetches for x in leaves(fetches[k])]
    return [x for v in fetches for x in leaves(v)] if isinstance(fetches, (list, tuple)) else [fetches]


class Follower(object):
    """What happened in the runs of all sessions."""

    def __init__(self):
        self.known, self.trace, self.steps, self.begun = {}, [], [], None

    def trains(self, graph, fetches):
        """Whether the fetches lead back to an update of an optimizer."""
        names = tuple(str(getattr(f, "name", f)) for f in fetches)
        if (id(graph), names) not in self.known:
            seen, todo = set(), []
            for f in fetches:
                try:
                    f = graph.as_graph_element(f)
                except Exception:
                    continue
                todo.append(getattr(f, "op", f))
            found = False
            while todo and not found:
                op = todo.pop()
                if op not in seen:
                    seen.add(op)
                    found = op.type.startswith(UPDATES)
                    todo += [t.op for t in op.inputs] + list(op.control_inputs)
            self.known[id(graph), names] = found
        return self.known[id(graph), names]

    def note(self, fetched, trained, spent):
        scalars = [
            float(v)
            for v in leaves(fetched)
            if isinstance(v, (float, np.floating, np.ndarray)) and np.size(v) == 1 and np.asarray(v).dtype.kind == "f"
        ]
        if scalars and len(self.steps) < 20 + trained:
            self.trace.append([len(self.steps), scalars])
        if trained:
            self.steps.append(spent)
            if len(self.steps) >= STEPS:
                self.end()

    def end(self):
        with open(OUT, "w") as f:
            json.dump({"trace": self.trace, "steps": self.steps}, f)
        sys.stdout.flush()
        os._exit(0)


def follow(tf):
    """Looks on at every run of a session."""
    follower = Follower()
    owner = next(c for c in tf.Session.__mro__ if "run" in vars(c))
    run = owner.run

    def watched(session, fetches, *args, **kwargs):
        trained = follower.trains(session.graph, leaves(fetches))
        wall, processor = time.time(), time.process_time()
        fetched = run(session, fetches, *args, **kwargs)
        spent = [time.time() - wall, time.process_time() - processor]
        follower.note(fetched, trained, spent)
        return fetched

    owner.run = watched
    return follower


def main(argv):
    import tensorflow as tf

    random.seed(SEED)
    np.random.seed(SEED)
    seeded(tf)
    follower = follow(tf)
    try:
        if argv[0] == "-m":
            sys.argv = argv[1:]
            sys.path[0] = os.getcwd()
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv
            sys.path[0] = os.path.dirname(os.path.abspath(argv[0]))
            runpy.run_path(argv[0], run_name="__main__")
    finally:
        if follower.steps:
            follower.end()


if __name__ == "__main__":
    main([a for a in sys.argv[1:] if a != "-u"])
