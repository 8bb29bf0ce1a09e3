"""Graphs with control-flow frames, written by TensorFlow 0.12, 1.15 and 2.21, give TensorFlow's values: loops, branches, gradients.

The graphs and values are recorded by tests/oracle/record_frames.py.
"""

import collections
import os
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat.internals import control_flow_ops

GOLDEN = Path(__file__).parent.parent / "golden"
VERSIONS = ("0.12", "1.15", "2.21")


def recorded(version):
    with np.load(GOLDEN / f"frames-{version}.npz") as file:
        found = collections.defaultdict(dict)
        for key in file.files:
            name, _, rest = key.partition("/")
            found[name][rest] = file[key]
    return found


RECORDS = {(v, name): record for v in VERSIONS for name, record in recorded(v).items()}


def steps_of(record):
    count = 1 + max(int(k.split("/")[1]) for k in record if k.startswith("fetch/"))
    for i in range(count):
        yield [
            {k.split("/", 2)[2]: v for k, v in record.items() if k.startswith(f"{what}/{i}/")}
            for what in ("feed", "fetch")
        ]


# What takes seconds to compile each; those of sequence_frames.py and the like.
LONG = frozenset(
    ["deep", "dropped_lstm", "both_directions", "own_steps", "lengths_of_steps", "rows_of_rows", "beams", "of_0"]
)

# Values are right, but as 0.12 wrote these they run op by op.
OF_0 = {("0.12", "own_steps"), ("0.12", "rows_of_rows"), ("0.12", "which")}


@pytest.mark.parametrize(("version", "name"), list(RECORDS))
def test_imported_graph(version, name):
    if name in LONG and not os.environ.get("THALWEG_SLOW"):
        pytest.skip("takes a minute with its like: THALWEG_SLOW=1")
    record = RECORDS[version, name]
    graph_def = tf.GraphDef.FromString(record["graph"].tobytes())
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        tf.import_graph_def(graph_def, name="")
        for key, value in record.items():
            if key.startswith("variable/"):
                variable = key.split("/", 1)[1]
                assign = next(
                    op for op in graph.get_operations() if op.type == "Assign" and op.inputs[0].op.name == variable
                )
                sess.run(assign, {assign.inputs[1]: value})
        for feed, fetch in steps_of(record):
            for t, got in zip(fetch, sess.run(list(fetch), feed), strict=True):
                np.testing.assert_allclose(got, fetch[t], rtol=3e-5, atol=3e-6, err_msg=t)
        on_host = [op for c in sess._last_plan.clusters if c.is_host for op in c.ops if op.type in ("If", "While")]
        # The gradient of a lookup has as many rows as there were lookups, which differs between turns or branches; a picture that is
        # turned has another shape, and so has what grows: op by op they can.
        assert not on_host or name in ("embedded", "pictures", "growing", "of_0") or (version, name) in OF_0, "compiled"


def test_what_can_not_be_made_functional_is_named():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant(1.0)
        a, _ = _switch(x)
        b, _ = _switch(x)
        with pytest.raises(tf.errors.UnimplementedError, match=r"odd \(Merge\)"):
            sess.run(_merge([a, b]))


def _switch(x):
    op = tf.get_default_graph().create_op("Switch", [x, tf.constant(True)], name="switch")
    return op.outputs


def _merge(xs):
    return tf.get_default_graph().create_op("Merge", xs, name="odd").outputs[0]


def test_a_merge_of_several_conditions():
    """One of many ways is chosen by its number, as slim's preprocessing does it: a Switch for each, one Merge."""
    x, chosen = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.int32, [])

    def way(case):
        here = control_flow_ops.switch(x, tf.equal(chosen, case))[1]
        return here * (case + 1.0) if case < 3 else here

    value, place = control_flow_ops.merge([way(case) for case in range(4)])
    with tf.Session() as session:
        for case, factor in enumerate((1, 2, 3, 1)):
            found = session.run([value + 1, place], {x: [1.0, 2.0], chosen: case})
            np.testing.assert_allclose(found[0], np.array([1.0, 2.0]) * factor + 1)
            assert found[1] == case


def test_an_effect_behind_a_choice_inside_of_a_choice():
    """slim's preprocessing: a case drawn among one, then one among several, then a queue."""

    def drawn(x, cases, f):
        number = tf.random_uniform([], maxval=cases, dtype=tf.int32)
        ways = [f(control_flow_ops.switch(x, tf.equal(number, case))[1]) for case in range(cases)]
        return control_flow_ops.merge(ways)[0]

    x = tf.placeholder(tf.float32, [2])
    chosen = drawn(drawn(x, 1, lambda v: v * 2.0), 3, lambda v: v * 3.0)
    queue = tf.FIFOQueue(9, tf.float32)
    put, size = queue.enqueue(chosen), queue.size()
    with tf.Session() as session:
        assert session.run(chosen, {x: [1, 2]}).tolist() == [6, 12]
        for number in range(1, 7):
            session.run(put, {x: [1, 2]})
            assert session.run(size) == number
