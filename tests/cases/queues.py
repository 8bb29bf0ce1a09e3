"""Records of queues, readers, accumulators, barriers, staging areas, and of the graphs of input pipelines."""

import gzip
import importlib
import os
import tempfile

from cases.base import Fails, OpCase, Steps, given, normal, raw

CASES = []
PLAIN = {"grad": False, "misuse": False, "shapes": False}


def step_by_step(op, build, label="", inputs=(), **more):
    CASES.append(OpCase(op, list(inputs), build, label, **dict(PLAIN, **more)))


# -- queues

KINDS = {
    "FIFOQueueV2": lambda tf, types, shapes: tf.FIFOQueue(10, types, shapes),
    "PaddingFIFOQueueV2": lambda tf, types, shapes: tf.PaddingFIFOQueue(10, types, shapes),
    "RandomShuffleQueueV2": lambda tf, types, shapes: tf.RandomShuffleQueue(10, 1, types, shapes, seed=7),
}
for op, make in KINDS.items():

    def one_by_one(tf, make=make):
        q = make(tf, [tf.int32, tf.string], [(), ()])
        put = [q.enqueue((i, str(i))) for i in range(4)]
        return Steps(*(put + [q.size(), q.dequeue(), q.dequeue(), q.size(), q.is_closed(), q.close(), q.is_closed()]))

    def batches(tf, x, make=make):
        q = make(tf, [tf.float32], [(2,)])
        return Steps(q.enqueue_many([x]), q.dequeue_many(2), q.size(), q.enqueue_many([x]), q.close(),
                     q.dequeue_many(3), q.dequeue_up_to(100), q.size())  # fmt: skip

    step_by_step(op, one_by_one)
    step_by_step(op, batches, "batches", [normal(5, 2)])


def by_name(tf):
    q = tf.FIFOQueue(10, [tf.float32, tf.int32], names=["x", "n"], shapes=[(), ()], name="named")
    return Steps(q.enqueue({"x": 1.5, "n": 2}), q.enqueue_many({"x": [2.5, 3.5], "n": [3, 4]}), q.dequeue()["n"],
                 q.dequeue_many(2)["x"])  # fmt: skip


def padded(tf):
    q = tf.PaddingFIFOQueue(10, [tf.int32, tf.string], [(None, 2), (None,)])
    first = q.enqueue(([[1, 2], [3, 4]], ["a"]))
    return Steps(first, q.enqueue(([[5, 6]], ["b", "c"])), q.dequeue_many(2), first, q.dequeue())


def by_priority(tf):
    q = tf.PriorityQueue(10, [tf.string], [()])
    return Steps(q.enqueue_many(([5, 1, 3], ["five", "one", "three"])), q.enqueue((2, "two")), q.dequeue(),
                 q.dequeue_many(2), q.size(), q.close())  # fmt: skip


def one_of_several(tf):
    queues = [tf.FIFOQueue(3, tf.float32, (), name="q%d" % i) for i in range(3)]
    put = [q.enqueue(float(i)) for i, q in enumerate(queues)]
    return Steps(*(put + [tf.QueueBase.from_list(1, queues).dequeue()]))


def shared(tf):
    first, second = (tf.FIFOQueue(3, tf.float32, (), shared_name="together", name=n) for n in "ab")
    return Steps(first.enqueue(4.0), second.size(), second.dequeue(), first.size())


def of_references(tf):
    q = raw(tf, "FIFOQueue", component_types=[tf.int32], shapes=[[]], capacity=5)
    many = raw(tf, "QueueDequeueMany", handle=q, n=2, component_types=[tf.int32])
    up_to = raw(tf, "QueueDequeueUpTo", handle=q, n=9, component_types=[tf.int32])
    return Steps(raw(tf, "QueueEnqueueMany", handle=q, components=[[1, 2, 3, 4]]),
                 raw(tf, "QueueEnqueue", handle=q, components=[5]), raw(tf, "QueueSize", handle=q),
                 raw(tf, "QueueDequeue", handle=q, component_types=[tf.int32]), many, raw(tf, "QueueClose", handle=q),
                 up_to)  # fmt: skip


step_by_step("QueueEnqueueV2", by_name, "names")
step_by_step("PaddingFIFOQueueV2", padded, "padded")
step_by_step("PriorityQueueV2", by_priority)
step_by_step("QueueDequeueV2", one_of_several, "from_list")
step_by_step("FIFOQueueV2", shared, "shared_name")
step_by_step("FIFOQueue", of_references)
for op, more in (("PaddingFIFOQueue", {}), ("RandomShuffleQueue", {"seed": 3}), ("PriorityQueue", {})):

    def of_reference(tf, op=op, more=more):
        types = [tf.float32]
        q = raw(tf, op, component_types=types, shapes=[[]], **more)
        values = [4, 1.5] if op == "PriorityQueue" else [1.5]
        if op == "PriorityQueue":
            values, types = [raw(tf, "Cast", x=4, DstT=tf.int64), 1.5], [tf.int64, tf.float32]
        return Steps(raw(tf, "QueueEnqueue", handle=q, components=values),
                     raw(tf, "QueueDequeue", handle=q, component_types=types))  # fmt: skip

    step_by_step(op, of_reference)

CASES += [
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.float32, (None,)), "unknown shape"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, [tf.float32, tf.int32], [()]), "too few shapes"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, [tf.float32], names=["a", "b"]), "too many names"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.float32).dequeue_many(2), "batch without shapes"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.float32, (2,)).enqueue([1.0, 2.0, 3.0]), "shape"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.float32, (2,)).enqueue_many([[[1.0]]]), "shape of rows"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.float32).enqueue({"x": 1.0}), "a dict without names"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.float32, names=["x"]).enqueue(1.0), "names without a dict"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.int32).enqueue(1.5), "dtype"),
    Fails("FIFOQueueV2", [], lambda tf: tf.FIFOQueue(3, tf.int32, ()).dequeue_many(-1), "less than none"),
    Fails("PaddingFIFOQueueV2", [], lambda tf: tf.PaddingFIFOQueue(3, tf.int32, (2,)), "one shape"),
    Fails("PaddingFIFOQueueV2", [], lambda tf: tf.PaddingFIFOQueue(3, tf.int32, [None]), "no rank"),
    Fails("QueueBase", [], lambda tf: tf.QueueBase.from_list(0, 3), "of no list"),
]  # fmt: skip


def closed(tf, then):
    q = tf.FIFOQueue(3, tf.float32, ())
    with tf.control_dependencies([q.close()]):
        return then(q)


CASES += [
    Fails("FIFOQueueV2", [], lambda tf: closed(tf, lambda q: q.dequeue()), "dequeue closed"),
    Fails("FIFOQueueV2", [], lambda tf: closed(tf, lambda q: q.dequeue_up_to(2)), "dequeue_up_to closed"),
    Fails("FIFOQueueV2", [], lambda tf: closed(tf, lambda q: q.enqueue(1.0)), "enqueue closed"),
    Fails("FIFOQueueV2", [], lambda tf: closed(tf, lambda q: q.close()), "close closed"),
]

# -- readers


def file_of(content, name):
    path = os.path.join(tempfile.gettempdir(), "thalweg_case_" + name)
    with open(path, "wb") as f:
        f.write(content)
    return path


def read_all(tf, reader, names, n):
    """`n` records and their keys without the folder."""
    q = tf.FIFOQueue(10, tf.string, ())
    key, value = reader.read(q)
    with tf.control_dependencies([q.enqueue_many([names])]):
        start = tf.identity(0)
    return Steps(start, *([value] * n + [reader.num_records_produced(), reader.num_work_units_completed()]))


step_by_step("IdentityReaderV2", lambda tf: read_all(tf, tf.IdentityReader(), ["a", "b"], 2), graph=False)
step_by_step(
    "TextLineReaderV2",
    lambda tf: read_all(tf, tf.TextLineReader(skip_header_lines=1), [file_of(b"h\none\r\ntwo\n\nlast", "lines")], 4),
    graph=False,
)
step_by_step(
    "FixedLengthRecordReaderV2",
    lambda tf: read_all(tf, tf.FixedLengthRecordReader(3, 2, 1, hop_bytes=2), [file_of(b"hhabcdefghf", "fixed")], 3),
    graph=False,
)
step_by_step(
    "WholeFileReaderV2",
    lambda tf: read_all(tf, tf.WholeFileReader(), [file_of(b"a", "one"), file_of(b"bc", "two")], 2),
    graph=False,
)


def records(tf):
    path = os.path.join(tempfile.gettempdir(), "thalweg_case_records")
    with tf.python_io.TFRecordWriter(path) as writer:
        for record in (b"one", b"", b"three"):
            writer.write(record)
    return path


step_by_step("TFRecordReaderV2", lambda tf: read_all(tf, tf.TFRecordReader(), [records(tf)], 3), graph=False)


def database():
    golden = os.path.join(os.path.dirname(os.path.dirname(__file__)), "formats", "golden", "database.mdb.gz")
    with gzip.open(golden) as f:
        return file_of(f.read(), "database.mdb")


step_by_step("LMDBReader", lambda tf: read_all(tf, tf.LMDBReader(), [database()], 3), graph=False, portable=False)
step_by_step(
    "RecordInput",
    lambda tf: Steps(*[tf.contrib.framework.RecordInput(records(tf), 3, 1, name="records").get_yield_op()] * 2),
    value=False,  # in an order that threads decide
    graph=False,
)


def up_to(tf):
    q, reader = tf.FIFOQueue(10, tf.string, ()), tf.TextLineReader()
    keys, values = reader.read_up_to(q, 2)
    path = file_of(b"1\n2\n3\n", "three")
    return Steps(q.enqueue(path), values, values, reader.num_work_units_completed(), reader.reset(), q.enqueue(path),
                 values, reader.num_records_produced())  # fmt: skip


def state(tf):
    q, reader = tf.FIFOQueue(10, tf.string, ()), tf.IdentityReader()
    return Steps(q.enqueue_many([["x", "y"]]), reader.read(q), reader.serialize_state(), reader.read(q),
                 reader.restore_state(b"\x08\x01\x10\x01\x18\x01\x22\x01x"), reader.num_records_produced())  # fmt: skip


step_by_step("ReaderReadUpToV2", up_to, graph=False)
step_by_step("ReaderSerializeStateV2", state)
CASES += [
    Fails("ReaderRestoreStateV2", [], lambda tf: tf.IdentityReader().restore_state(b"bad"), "damaged state"),
    Fails("ReaderRestoreStateV2", [], lambda tf: tf.IdentityReader().restore_state([b"a"]), "state of rank 1"),
    Fails("ReaderSerializeStateV2", [], lambda tf: tf.TextLineReader().serialize_state(), "no state"),
]


def old_reader(tf, op, values, **attrs):
    q, reader = raw(tf, "FIFOQueue", component_types=[tf.string], shapes=[[]]), raw(tf, op, **attrs)
    read = raw(tf, "ReaderRead", reader_handle=reader, queue_handle=q)
    many = raw(tf, "ReaderReadUpTo", reader_handle=reader, queue_handle=q, num_records=1)
    return Steps(raw(tf, "QueueEnqueueMany", handle=q, components=[values]), read[1], many[1],
                 raw(tf, "ReaderNumRecordsProduced", reader_handle=reader),
                 raw(tf, "ReaderNumWorkUnitsCompleted", reader_handle=reader),
                 raw(tf, "ReaderReset", reader_handle=reader))  # fmt: skip


def old_state(tf):
    reader = raw(tf, "WholeFileReader")
    state = raw(tf, "ReaderSerializeState", reader_handle=reader)
    return Steps(state, raw(tf, "ReaderRestoreState", reader_handle=reader, state=b"\x18\x05"), state)


def seen_as_reference(tf):
    q = tf.FIFOQueue(3, tf.float32, ())
    fake = raw(tf, "FakeQueue", resource=q.queue_ref)
    return Steps(q.enqueue(2.0), raw(tf, "QueueSize", handle=fake), raw(tf, "QueueIsClosed", handle=fake))


step_by_step("ReaderSerializeState", old_state)
step_by_step("FakeQueue", seen_as_reference)
step_by_step(
    "WholeFileReader",
    lambda tf: old_reader(tf, "WholeFileReader", [file_of(b"a", "one"), file_of(b"bc", "two")]),
    graph=False,
)

# -- accumulators


def dense(tf, x):
    acc = tf.ConditionalAccumulator(tf.float32, shape=[2], name="acc")
    return Steps(acc.apply_grad(x), acc.apply_grad(x * 3.0), acc.num_accumulated(), acc.take_grad(1),
                 acc.apply_grad(x, local_step=0), acc.num_accumulated(), acc.apply_grad(x, local_step=1),
                 acc.set_global_step(1), acc.take_grad(1))  # fmt: skip


def dense_sum(tf, x):
    acc = tf.ConditionalAccumulator(tf.float32, reduction_type="SUM")
    return Steps(acc.apply_grad(x), acc.apply_grad(x), acc.take_grad(2))


def rows(tf):
    acc = tf.SparseConditionalAccumulator(tf.float32, shape=[5, 2])
    return Steps(acc.apply_grad([0, 2], [[1.0, 2.0], [3.0, 4.0]], [5, 2]),
                 acc.apply_indexed_slices_grad(tf.IndexedSlices([[5.0, 6.0], [7.0, 8.0]], [2, 4])),
                 acc.num_accumulated(), acc.take_grad(2), acc.set_global_step(1),
                 acc.apply_grad([3], [[1.0, 1.0]], local_step=1), acc.take_indexed_slices_grad(1).values)  # fmt: skip


def old_accumulator(tf, x):
    acc = raw(tf, "ConditionalAccumulator", dtype=tf.float32, shape=[2])
    step = raw(tf, "Cast", x=0, DstT=tf.int64)
    return Steps(raw(tf, "AccumulatorApplyGradient", handle=acc, local_step=step, gradient=x),
                 raw(tf, "AccumulatorNumAccumulated", handle=acc),
                 raw(tf, "AccumulatorTakeGradient", handle=acc, num_required=1, dtype=tf.float32),
                 raw(tf, "AccumulatorSetGlobalStep", handle=acc, new_global_step=step))  # fmt: skip


step_by_step("ResourceConditionalAccumulator", dense, "", [normal(2)])
step_by_step("ResourceConditionalAccumulator", dense_sum, "sum", [normal(2, 3)])
step_by_step("SparseConditionalAccumulator", rows)
step_by_step("ConditionalAccumulator", old_accumulator, "", [normal(2)])
CASES += [
    Fails("ResourceConditionalAccumulator", [], lambda tf: tf.ConditionalAccumulator(tf.float32).take_grad(0), "none"),
    Fails("ResourceConditionalAccumulator", [],
          lambda tf: tf.ConditionalAccumulator(tf.float32, [2]).apply_grad([1.0, 2.0, 3.0]), "shape"),
    Fails("SparseConditionalAccumulator", [],
          lambda tf: tf.SparseConditionalAccumulator(tf.float32, [3, 1]).apply_grad([7], [[1.0]]), "row outside"),
    Fails("SparseConditionalAccumulator", [],
          lambda tf: tf.SparseConditionalAccumulator(tf.float32).apply_grad([1, 2], [[1.0]]), "fewer values"),
]  # fmt: skip

# -- staging areas, barriers


def staging(tf):
    ours = tf.__name__ == "thalweg"
    return importlib.import_module("thalweg.contrib.staging" if ours else "tensorflow.python.ops.data_flow_ops")


def staged(tf, x):
    area = staging(tf).StagingArea([tf.float32, tf.int32], [[2], []], capacity=3, shared_name="area")
    return Steps(area.put([x, tf.constant(1)]), area.put([x * 2.0, tf.constant(2)]), area.size(), area.peek(1), area.get(), area.size(),
                 area.clear(), area.size())  # fmt: skip


def staged_by_key(tf, ordered):
    area = staging(tf).MapStagingArea(
        [tf.float32, tf.int32], shapes=[[], []], names=["x", "n"], ordered=ordered, shared_name="map"
    )
    x, n = tf.constant(1.5), tf.constant(7)
    key = lambda k: tf.constant(k, tf.int64)
    return Steps(area.put(key(5), {"x": x, "n": n}), area.put(key(3), {"x": x * 2.0, "n": n}), area.size(),
                 area.put(key(9), {"n": n}), area.incomplete_size(), area.peek(key(5), [0])["x"],
                 area.get(key(3))[1]["x"], area.get()[0], area.size(), area.clear(), area.incomplete_size())  # fmt: skip


def gathered(tf):
    types = [tf.float32, tf.string]
    b = raw(tf, "Barrier", component_types=types, shapes=[[2], []])
    put = lambda i, keys, values: raw(tf, "BarrierInsertMany", handle=b, keys=keys, values=values, component_index=i)
    take = raw(tf, "BarrierTakeMany", handle=b, num_elements=1, component_types=types)
    sizes = [raw(tf, "BarrierReadySize", handle=b), raw(tf, "BarrierIncompleteSize", handle=b)]
    return Steps(put(0, ["a", "b"], [[1.0, 2.0], [3.0, 4.0]]), sizes, put(1, ["b"], ["B"]), sizes, take,
                 put(1, ["a"], ["A"]), take, raw(tf, "BarrierClose", handle=b))  # fmt: skip


step_by_step("Stage", staged, "", [normal(2)])
step_by_step("MapStage", lambda tf: staged_by_key(tf, False))
step_by_step("OrderedMapStage", lambda tf: staged_by_key(tf, True))
step_by_step("Barrier", gathered)


def for_all_at_once(tf, x):
    doubled = tf.contrib.batching.batch_function(1, 8, 1000)(lambda x: x * 2.0)
    filled = tf.contrib.batching.batch_function(2, 8, 1000, allowed_batch_sizes=[4, 8])(
        lambda x, y: (tf.reduce_sum(x, axis=1), tf.concat([x, y], 1) + 1.0)
    )
    return Steps(doubled(x), *filled(x, x * 3.0))


# TensorFlow numbers the names of functions through all graphs of a process.
step_by_step("BatchFunction", for_all_at_once, "", [normal(3, 2)], graph=False)
CASES += [
    Fails("Stage", [given([1], "int32")], lambda tf, x: staging(tf).StagingArea([tf.float32]).put(x), "dtype"),
    Fails("Barrier", [], lambda tf: raw(tf, "Barrier", component_types=[tf.float32], shapes=[[]], capacity=3), "room"),
]

# -- pipelines, of which only the nodes are compared


def pipeline(build, op, label, **more):
    def record(tf):
        build(tf)
        return tf.identity(0)  # nothing fills the queues here

    CASES.append(OpCase(op, [], record, label, **dict(PLAIN, **more)))


x2 = lambda tf: tf.constant([[1.0, 2.0], [3.0, 4.0]])
pipeline(lambda tf: tf.train.input_producer(x2(tf), num_epochs=2, seed=3).dequeue(), "FIFOQueueV2", "input_producer")
pipeline(lambda tf: tf.train.string_input_producer(["a", "b"]).dequeue(), "FIFOQueueV2", "string_input_producer")
pipeline(lambda tf: tf.train.range_input_producer(5, shuffle=False).dequeue(), "FIFOQueueV2", "range_input_producer")
pipeline(lambda tf: tf.train.slice_input_producer([x2(tf), [1, 2]], capacity=8), "FIFOQueueV2", "slice_input_producer")
pipeline(lambda tf: tf.train.batch([x2(tf), 3], 4, num_threads=2), "FIFOQueueV2", "batch")
pipeline(lambda tf: tf.train.batch({"x": x2(tf)}, 2, enqueue_many=True, allow_smaller_final_batch=True)["x"],
         "QueueDequeueUpToV2", "batch of rows")  # fmt: skip
pipeline(lambda tf: tf.train.batch([tf.placeholder_with_default(x2(tf), [None, 2])], 4, dynamic_pad=True, name="b"),
         "PaddingFIFOQueueV2", "dynamic_pad")  # fmt: skip
pipeline(lambda tf: tf.train.batch_join([[x2(tf)], [x2(tf)]], 4), "FIFOQueueV2", "batch_join")
pipeline(lambda tf: tf.train.shuffle_batch([x2(tf)], 4, 20, 10, seed=5), "RandomShuffleQueueV2", "shuffle_batch")
pipeline(lambda tf: tf.train.shuffle_batch_join([[x2(tf)], [x2(tf)]], 4, 20, 10), "RandomShuffleQueueV2", "join")
pipeline(lambda tf: tf.train.maybe_batch([x2(tf)], [True, False], 4, enqueue_many=True), "FIFOQueueV2", "maybe rows")
pipeline(lambda tf: tf.train.limit_epochs(x2(tf), 3), "CountUpTo", "limit_epochs")
