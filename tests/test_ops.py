"""Every record in tests/cases, held against what real TensorFlow made of it. tests/cases/README.md tells how it works.

A check here reaches every op that has a record. One test is one record (and one dtype) under one check.
"""

import base64
import functools
import gzip
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cases import base
from oracle.golden import Golden

import thalweg as tf
from thalweg._src.core import apply, infer, shapes
from thalweg._src.core.opdef import OPS
from thalweg._src.formats import protos, tensors

FAMILIES = base.families()
REGISTRY = json.loads(gzip.decompress((Path(__file__).parent / "golden" / "opdefs.json.gz").read_bytes()))
TOLERANCE = {  # dtype: (relative, absolute)
    "float16": (4e-3, 4e-3),
    "bfloat16": (3e-2, 3e-2),
    "float32": (2e-5, 2e-6),
    "complex64": (2e-5, 2e-6),
    "float64": (1e-11, 1e-12),
    "complex128": (1e-11, 1e-12),
}


@functools.cache
def golden(family, vintage):
    return Golden(family if vintage == "1.15" else f"{family}-{vintage}")


def fact_of(family, case):
    """What TensorFlow made of the record."""
    index = golden(family, case.vintage).index
    assert index.get(case.id), f"not recorded: oracle {case.vintage} tests/oracle/record_cases.py {family}"
    return index[case.id]


def params(kind=base.OpCase, wanted=lambda case: True):
    return [
        pytest.param(family, case, id=f"{family}-{case.id}" + ("" if case.vintage == "1.15" else "-" + case.vintage))
        for family, cases in FAMILIES.items()
        for case in cases
        if isinstance(case, base.Fails) == (kind is base.Fails) and wanted(case)
    ]


def typed(wanted=lambda case, fact: True):
    """Each record over each dtype that TensorFlow has a kernel for."""
    return [
        pytest.param(*p.values, dtype, id=f"{p.id}-{dtype}")
        for p in params()
        for dtype in p.values[1].types
        if (
            fact := (golden(p.values[0], p.values[1].vintage).index.get(p.values[1].id) or {})
            .get("types", {})
            .get(dtype, {})
        )
        is not None
        and "kernel" not in fact
        and wanted(p.values[1], fact)
    ]


def initialize(session, feed):
    if tf.global_variables():
        session.run(tf.global_variables_initializer(), feed)
    if tf.get_collection("table_initializer"):
        session.run(tf.get_collection("table_initializer"))


@functools.lru_cache(maxsize=4)
def result(family, case, dtype):
    """{"static", "out", "grad", "feed", "fetch"} of a record over one dtype, or {"error": (stage, exception)}."""
    with tf.Graph().as_default():
        try:
            xs = base.placeholders(tf, case, dtype)
            outs = case.call(tf, *xs)
        except Exception as e:
            return {"error": ("build", e)}
        got = {"static": base.static(outs)}
        feed = base.feeds(tf, xs, case, dtype)
        session = tf.Session()
        try:
            initialize(session, feed)
            got["out"] = base.fetch_all(session, outs, feed)
        except Exception as e:
            return {**got, "error": ("run", e)}
        fact = fact_of(family, case)["types"][dtype]
        if "grad" in fact:
            sizes = [np.shape(v) for v in got["out"]]
            try:
                grads = base.gradients(tf, case, dtype, xs, outs, sizes)
                got["slices"] = [isinstance(g, tf.IndexedSlices) for g in grads]
                grads = [None if g is None else tf.convert_to_tensor(g) for g in grads]
                live = [g for g in grads if g is not None]
                values = iter(session.run(live, feed) if live else [])
                got["grad"] = [None if g is None else next(values) for g in grads]
            except Exception as e:
                got["grad_error"] = e
        got["again"] = lambda feed: base.fetch_all(session, outs, feed)
        got["feed"], got["xs"] = feed, xs
        return got


def close(value, expected, tol, what):
    """Hold one result against its recorded digest (dtype, shape, elements, sums)."""
    kind, shape, elements, sums = expected
    if isinstance(value, bytes):  # an array of NumPy's own strings would lose zeros at the end
        value = np.array(value, object)
    got_kind, got_shape, got, got_sums = base.digest(value)
    if kind == "string":
        assert got_shape == shape, what
        assert [e if isinstance(e, bytes) else str(e).encode() for e in got] == list(elements), what
        return
    assert (got_kind, got_shape) == (kind, shape), what
    rtol, atol = TOLERANCE.get(kind, (0, 0))
    rtol, atol = rtol * tol, atol * tol
    if kind == "bfloat16":
        got = got.astype(np.float32)
    np.testing.assert_allclose(got, elements, rtol, atol, err_msg=what)
    if sums:
        np.testing.assert_allclose(got_sums, sums, max(rtol, 1e-9) * 10, atol * np.prod(shape), err_msg=what)


@pytest.mark.parametrize(("family", "case", "dtype"), typed())
def test_value(family, case, dtype):
    fact, got = fact_of(family, case)["types"][dtype], result(family, case, dtype)
    if "error" in fact:
        stage, name = fact["error"]
        assert "error" in got, f"TensorFlow raises {name} ({stage})"
        same_error(got["error"], stage, name)
        return
    if "error" in got:
        raise got["error"][1]
    stored = golden(family, case.vintage)
    if case.shapes:
        assert got["static"] == fact["static"], "static dtypes and shapes"
    if not case.value:
        return
    for i, (value, entry) in enumerate(zip(got["out"], fact["out"], strict=True)):
        if entry[0] == "python":
            assert base.plain(value) == entry[1]
        else:
            close(value, stored.array(entry), case.tol, f"output {i}")


@pytest.mark.parametrize(("family", "case", "dtype"), typed(lambda case, fact: fact.get("grad")))
def test_gradient(family, case, dtype):
    fact, got = fact_of(family, case)["types"][dtype], result(family, case, dtype)
    for problem in ("error", "grad_error"):
        if problem in got:
            raise got[problem][1] if problem == "error" else got[problem]
    stored = golden(family, case.vintage)
    assert [g is None for g in got["grad"]] == [g is None for g in fact["grad"]], "which gradients are None"
    assert got["slices"] == fact["slices"], "which gradients are IndexedSlices"
    for i, (g, entry) in enumerate(zip(got["grad"], fact["grad"], strict=True)):
        if entry is not None and case.value:
            close(g, stored.array(entry), case.tol * 4, f"gradient {i}")


@pytest.mark.parametrize(
    ("family", "case", "dtype"),
    [
        p
        for p in typed(lambda case, fact: fact.get("grad") and case.smooth and case.value)
        if p.values[2] == max(set(p.values[1].types) & {"float32", "float64"}, default=None)
    ],
)
def test_gradient_numerically(family, case, dtype):
    """The gradient against a difference quotient, in a random direction."""
    got = result(family, case, dtype)
    if "grad" not in got or all(g is None for g in got["grad"]):
        pytest.skip("no gradient here; test_gradient tells")
    rng = np.random.RandomState(7)
    which = case.differentiable(dtype)
    directions = {i: rng.uniform(-1, 1, np.shape(got["feed"][got["xs"][i]])) for i in which}
    slope = sum(np.sum(g * directions[i]) for i, g in zip(which, got["grad"], strict=True) if g is not None)
    step = 1e-3 if dtype == "float64" else 2e-2

    def at(steps):
        feed = dict(got["feed"])
        for i, g in zip(which, got["grad"], strict=True):
            x = got["xs"][i]
            if g is not None:
                feed[x] = (feed[x] + steps * step * directions[i]).astype(feed[x].dtype)
        values = enumerate(got["again"](feed))
        return sum(
            np.sum(np.float64(v) * np.float64(base.grad_ys(case, i, v.shape, v.dtype.name)))
            for i, v in values
            if getattr(v, "dtype", None) is not None and v.dtype.kind == "f"
        )

    quotient = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)  # exact up to step^4
    tol = 1e-5 if dtype == "float64" else 3e-2
    np.testing.assert_allclose(slope, quotient, rtol=tol, atol=tol * 3)


def attempted(call):
    """The static facts of what `call` builds, or the class of its error."""
    with tf.Graph().as_default():
        try:
            return base.static(call())
        except Exception as e:
            return {"error": e}


def differs(got, expected):
    """Whether a build went otherwise than TensorFlow's. An error may be of a subclass of its class."""
    if isinstance(got, dict) and isinstance(expected, dict):
        return not is_class(got["error"], expected["error"])
    return got != expected


@pytest.mark.parametrize(("family", "case"), params(wanted=lambda case: case.vintage == "1.15" and case.shapes))
def test_unknown_shapes(family, case):
    """Static shapes where inputs have an unknown first dimension, only unknown ones, or an unknown rank."""
    fact, dtype = fact_of(family, case), case.types[0]
    wrong = []
    for word, shape_of in base.SHAPES.items():
        got = attempted(lambda s=shape_of: case.call(tf, *base.placeholders(tf, case, dtype, s)))
        if differs(got, fact["shapes"][word]):
            wrong.append(f"{word}: {got}, there {fact['shapes'][word]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("family", "case"), params(wanted=lambda case: case.vintage == "1.15" and case.misuse))
def test_misuse(family, case):
    """Wrong dtypes and ranks of the inputs: what raises, and what is accepted, is what raises and passes there."""
    fact, wrong = fact_of(family, case), []
    for label, kinds, dims in base.misuses(case, case.types[0]):
        got = attempted(
            lambda k=kinds, s=dims: case.call(
                tf, *(tf.placeholder(t, d, f"in{i}") for i, (t, d) in enumerate(zip(k, s, strict=True)))
            )
        )
        if differs(got, fact["misuse"][label]):
            wrong.append(f"input {label}: {got}, there {fact['misuse'][label]}")
    assert not wrong, "\n".join(wrong)


def is_class(error, name):
    """Whether an exception is of the class that TensorFlow names, or of one below it.

    Where TensorFlow trips over itself (an assertion, a missing attribute), any error is as good.
    """
    if name in ("AssertionError", "AttributeError", "IndexError", "KeyError", "UnboundLocalError"):
        return True
    return any(c.__name__.lstrip("_") == name.lstrip("_") for c in type(error).__mro__)


def same_error(got, stage, name):
    got_stage, error = got
    assert is_class(error, name), f"{type(error).__name__} ({error}), there {name}"
    assert got_stage == stage, f"raised at {got_stage}, there at {stage}: {error}"


@pytest.mark.parametrize(("family", "case"), params(base.Fails))
def test_error(family, case):
    stage, name = fact_of(family, case)["error"]
    got = result_of_failure(case)
    assert got is not None, f"nothing raised; there {name} at {stage}"
    same_error(got, stage, name)


def result_of_failure(case):
    dtype = case.types[0]
    with tf.Graph().as_default():
        try:
            xs = base.placeholders(tf, case, dtype)
            outs = case.call(tf, *xs)
            base.static(outs)
        except Exception as e:
            return "build", e
        with tf.Session() as session:
            try:
                feed = base.feeds(tf, xs, case, dtype)
                initialize(session, feed)
                base.fetch_all(session, outs, feed)
            except Exception as e:
                return "run", e
    return None


def built(case):
    with tf.Graph().as_default() as graph:
        case.call(tf, *base.placeholders(tf, case, case.types[0]))
        return graph.as_graph_def()


def definition(family, case):
    """TensorFlow's own GraphDef of the record."""
    return protos.GraphDef.FromString(golden(family, case.vintage).graph(case.id))


def attr_text(value):
    """An attr in a form that can be compared: tensors by their elements, however they are encoded."""
    if value.WhichOneof("value") == "tensor":
        array = tensors.from_proto(value.tensor)
        return f"{array.dtype} {array.shape} {array.tolist()}"
    return str(value).strip().replace("\n", " ")


def node_facts(node):
    return {
        "op": node.op,
        "input": list(node.input),
        **{"attr " + k: attr_text(v) for k, v in sorted(node.attr.items()) if k != "_gradient_op_type"},  # counts calls
    }


@pytest.mark.parametrize(("family", "case"), params(wanted=lambda case: case.vintage == "1.15" and case.graph))
def test_nodes(family, case):
    """The nodes: names, types, order, inputs and attrs."""
    ours, theirs = built(case), definition(family, case)
    mine, yours = ([f"{n.name}={n.op}" for n in d.node] for d in (ours, theirs))
    assert mine == yours, f"{' '.join(mine)}\nthere {' '.join(yours)}"
    wrong = []
    for mine, yours in zip(ours.node, theirs.node, strict=True):
        a, b = node_facts(mine), node_facts(yours)
        wrong += [
            f"{mine.name} {k}: {a.get(k)}, there {b.get(k)}"
            for k in sorted(a.keys() | b.keys())
            if a.get(k) != b.get(k)
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("family", "case"), params(wanted=lambda case: case.vintage == "1.15"))
def test_import(family, case):
    """TensorFlow's GraphDef and ours both come back as they went in, in binary and in text."""
    for graph_def in (definition(family, case), built(case)):
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(protos.GraphDef.FromString(graph_def.SerializeToString()), name="")
        again = {n.name: node_facts(n) for n in graph.as_graph_def().node}
        assert again == {n.name: node_facts(n) for n in graph_def.node}


@pytest.mark.parametrize(("family", "case"), params(wanted=lambda case: case.vintage == "1.15"))
def test_hand_rule_is_the_derived_rule(family, case):
    """Where an op has a shape rule by hand, abstract evaluation of its lowering says nothing else."""
    wrong = []
    for word, shape_of in {"known": np.shape, "batch": base.SHAPES["batch"], "dims": base.SHAPES["dims"]}.items():
        with tf.Graph().as_default() as graph:
            try:
                case.call(tf, *base.placeholders(tf, case, case.types[0], shape_of))
            except (ValueError, TypeError):
                continue  # test_unknown_shapes holds this against TensorFlow
            for op in graph.get_operations():
                if op.opdef.infer_shapes is None or op.opdef.effect or not op.inputs:
                    continue
                if (
                    "shape" in op.attrs or op.opdef.wants_run or op.type.startswith("TensorArray")
                ):  # the caller's word; a body's own outputs
                    continue
                try:
                    hand, derived = infer.output_dims(op), infer.derived_dims(op)
                except apply.Replan:  # the run alone can tell
                    continue
                for a, b in zip(hand, derived, strict=True):
                    if not (shapes.compatible(a, b) if word != "known" or a is None or b is None else a == b):
                        wrong.append(f"{word}: {op.type} {op.name}: {a} by hand, {b} derived")
    assert not wrong, "\n".join(wrong)


def names(graph, outs):
    """What to fetch, step by step: the names of tensors and operations."""
    steps = outs.fetches if isinstance(outs, base.Steps) else [outs]
    live = [[leaf for leaf in base.flat(s) if base.is_tensor(leaf) or isinstance(leaf, tf.Operation)] for s in steps]
    return [[graph.as_graph_element(leaf).name for leaf in step] for step in live if step]


def exported(family, case):
    """A record as `tests/oracle/roundtrip.py` takes it."""
    with tf.Graph().as_default() as graph:
        xs = base.placeholders(tf, case, case.types[0])
        steps = names(graph, case.call(tf, *xs))
        first = [tf.global_variables_initializer().name] if tf.global_variables() else []
        first += [op.name for op in tf.get_collection("table_initializer")]
        definition = base64.b64encode(graph.as_graph_def().SerializeToString()).decode()
    told = {"family": family, "id": case.id, "dtype": case.types[0], "feeds": [x.name for x in xs]}
    return {**told, "graph": definition, "steps": steps, "first": first}


# Where TensorFlow 2.21 gives something else than 1.15 for 1.15's own graph.
CHANGED = {
    "1.15": set(),
    "2.21": {
        "math-Sign:hard",  # NaN
        "nn-Softmax:hard",  # NaN
        "nn-Conv2D:empty_batch",  # the depth of the result of no image
        "raw-CumulativeLogsumexp:exclusive_reverse",  # minus infinity, once the least float
        "sampled-AllCandidateSampler",  # true classes out of range are errors now
        "pictures-NonMaxSuppressionV5",  # soft suppression, whose scores 2.x computes in another way
        "data-DeleteMemoryCache",  # a cache that its owner deletes is refused
    },
}
DROPPED = {"1.15": (), "2.21": ("boosted",)}  # families without kernels


@pytest.mark.slow
@pytest.mark.parametrize("version", CHANGED)
def test_exports_run_in_tensorflow(version, oracle, tmp_path):
    """What we export runs in the real TensorFlow, and gives its values."""
    entries = []
    chosen = params(wanted=lambda case: case.vintage == "1.15" and case.portable)
    if "THALWEG_ALL_EXPORTS" not in os.environ:  # all take ten minutes; every fifteenth is of each family
        chosen = chosen[::15]
    for p in chosen:
        if p.values[0] in DROPPED[version]:
            continue
        try:
            entries.append(exported(*p.values))
        except Exception as e:
            print(p.id, "does not build:", e)  # test_value tells of these
    (tmp_path / "exported.json").write_text(json.dumps(entries))
    script = Path(__file__).parent / "oracle" / "roundtrip.py"
    program = f"import runpy, sys; sys.argv[1:] = [{str(tmp_path / 'exported.json')!r}]\n"
    told = oracle(version, program + f"runpy.run_path({str(script)!r}, run_name='__main__')", timeout=600)
    print(told)
    assert {line.split(": ")[0] for line in told.splitlines()[:-1]} <= CHANGED[version], told
    assert f"{len(entries)} graphs" in told, told


# Ops that TensorFlow 1.15 itself can't make or run, so that there is nothing to record.
_FRAMES = "of control-flow frames: tests/compiler/test_frames.py runs graphs that TensorFlow wrote with them"
_IN_FRAMES = (
    *("ControlTrigger", "Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Switch"),
    *("RefEnter", "RefExit", "RefMerge", "RefNextIteration", "RefSwitch"),
    *("Stack", "StackClose", "StackPop", "StackPush", "StackCloseV2", "StackPopV2", "StackPushV2", "StackV2"),
)
_WRITERS = "written files are compared in tests/lib/test_summaries.py"
UNRECORDED = {
    **dict.fromkeys(("SummaryWriter", "CreateSummaryFileWriter", "FlushSummaryWriter", "CloseSummaryWriter"), _WRITERS),
    **dict.fromkeys(("WriteSummary", "WriteRawProtoSummary", "ImportEvent", "WriteGraphSummary"), _WRITERS),
    **dict.fromkeys(("WriteScalarSummary", "WriteHistogramSummary"), _WRITERS),
    **dict.fromkeys(("WriteImageSummary", "WriteAudioSummary"), _WRITERS),
    **dict.fromkeys(_IN_FRAMES, _FRAMES),
    **dict.fromkeys(("StatelessIf", "StatelessWhile"), "of graphs that later versions write; as If and While"),
    "TensorArrayGradWithShape": "no public function makes it",
    "AnonymousMemoryCache": "a graph's session does not find the cache there",
    "CacheDatasetV2": "a graph's session does not find its cache there",
    "ExperimentalAutoShardDataset": "it rewrites readers of files only there",
    "ExperimentalCSVDataset": "a former name of CSVDataset",
    "ExperimentalGroupByWindowDataset": "a former name of GroupByWindowDataset",
    "ExperimentalLMDBDataset": "a former name of LMDBDataset",
    "ExperimentalMapAndBatchDataset": "a former name of MapAndBatchDataset",
    "ExperimentalMapDataset": "a former name of MapDataset",
    "ExperimentalMatchingFilesDataset": "a former name of MatchingFilesDataset",
    "ExperimentalParallelInterleaveDataset": "a former name of ParallelInterleaveDataset",
    "ExperimentalScanDataset": "a former name of ScanDataset",
    "ExperimentalTakeWhileDataset": "a former name of TakeWhileDataset",
    "ExperimentalSqlDataset": "a former name of SqlDataset",
    "CollectiveBcastRecv": "needs a second device: tests/lib/test_collectives.py",
    "CollectiveBcastSend": "as CollectiveBcastRecv",
    "CollectiveGather": "as CollectiveBcastRecv",
    "CollectiveReduce": "as CollectiveBcastRecv",
    "FilterByLastComponentDataset": "no kernel there",
    "GroupByReducerDataset": "a later name of ExperimentalGroupByReducerDataset",
    "If": "tf.cond makes Switch and Merge there: the records of Merge",
    "MutableDenseHashTable": "1.15's own kernel asks for an input that the op does not have",
    "TensorArrayConcatV2": "of imported graphs; as TensorArrayConcatV3",
    "MaxPoolGradGradWithArgmax": "a kernel on GPUs only",
    "SymbolicGradient": "made by tf.gradients here, in the records of second derivatives",
    "TemporaryVariable": "raw_ops refuses its reference",
    "While": "tf.while_loop makes Enter and Exit there: the records of Exit",
}


def test_every_op_has_a_record():
    """No op without a record, but for those that 1.15 has deprecated: it reads them in old graphs and makes none."""
    gone = {name for name, facts in REGISTRY.items() if "gone" in facts}
    seen = {case.op for cases in FAMILIES.values() for case in cases}
    for family, cases in FAMILIES.items():
        for case in cases:
            if (
                case.vintage == "1.15"
                and not isinstance(case, base.Fails)
                and (golden(family, "1.15").index.get(case.id))
            ):
                seen |= {n.op for n in definition(family, case).node}
    missing = sorted(
        n for n in OPS if not n.startswith("_") and n not in seen and n not in gone and n not in UNRECORDED
    )
    assert not missing, f"{len(missing)} ops without a record: {' '.join(missing)}"
