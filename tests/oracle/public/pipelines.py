"""Data sets and tables."""

import os

import numpy as np

from . import raised
from .programs import apart


def rows(tf, session, dataset):
    """All elements of a dataset."""
    element, found = tf.data.make_one_shot_iterator(dataset).get_next(), []
    while True:
        try:
            found.append(session.run(element))
        except tf.errors.OutOfRangeError:
            return found


@apart
def structures(tf, folder, session):
    e = tf.data.experimental
    d = tf.data.Dataset.from_tensor_slices({"a": [1, 2], "b": [[1.0], [2.0]]}).batch(2)
    found = [str(f(d)["a"]) for f in (tf.data.get_output_shapes, tf.data.get_output_types)]
    found.append(tf.data.get_output_classes(d)["a"].__name__)
    structure = e.get_structure(d)
    found.append([structure["b"].shape.as_list(), structure["b"].dtype.name, isinstance(structure["b"], tf.TypeSpec)])
    found.append(e.TensorStructure(tf.int32, [2]).is_compatible_with(tf.TensorSpec([2], tf.int32)))
    found.append(isinstance(e.SparseTensorStructure(tf.int32, [2]), tf.SparseTensorSpec))
    found.append(isinstance(e.RaggedTensorStructure(tf.int32, [2, None], 1), tf.RaggedTensorSpec))
    found.append(isinstance(tf.data.DatasetSpec(tf.TensorSpec([], tf.int64)), tf.TypeSpec))
    found.append(isinstance(tf.OptionalSpec(tf.TensorSpec([], tf.int64)), e.Structure))
    return found


@apart
def pipelines(tf, folder, session):
    e = tf.data.experimental
    d = tf.data.Dataset.range(4)
    found = [rows(tf, session, d.apply(e.enumerate_dataset(start=5)))]
    found.append(rows(tf, session, d.batch(3).apply(e.unbatch())))
    found.append(rows(tf, session, d.apply(e.bytes_produced_stats("b")).apply(e.latency_stats("l"))))
    found.append(rows(tf, session, e.from_variant(e.to_variant(d), tf.TensorSpec([], tf.int64))))
    found.append(session.run([e.cardinality(x) for x in (d, d.repeat(), d.filter(lambda x: x > 1))]))
    return found


@apart
def devices(tf, folder, session):
    e = tf.data.experimental
    d = tf.data.Dataset.range(3)
    iterators = [
        tf.data.make_initializable_iterator(d.apply(f("/cpu:0"))) for f in (e.copy_to_device, e.prefetch_to_device)
    ]
    found = []
    for iterator in iterators:
        element = iterator.get_next()
        session.run(iterator.initializer)
        found.append([session.run(element) for _ in range(3)])
    return found


def options(kind, name, value):
    """An option that is unset, then set, and refuses another type."""

    def run(tf):
        o = getattr(tf.data.experimental, kind)()
        found = [str(getattr(o, name)), raised(setattr, o, name, "text")]
        setattr(o, name, value)
        return found + [getattr(o, name)]

    return run


@apart
def records(tf, folder, session):
    path = folder + ".tfrecord"
    write = tf.data.experimental.TFRecordWriter(path, "GZIP").write(tf.data.Dataset.from_tensor_slices(["a", "bc"]))
    session.run(write)
    return rows(tf, session, tf.data.TFRecordDataset(path, "GZIP"))


def examples(tf, path):
    """A file of three examples; what reads them."""
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(3):
            values = tf.train.Feature(int64_list=tf.train.Int64List(value=[i]))
            writer.write(tf.train.Example(features=tf.train.Features(feature={"i": values})).SerializeToString())
    return {"i": tf.io.FixedLenFeature([1], tf.int64)}


@apart
def parsed(tf, folder, session):
    wanted = examples(tf, folder)
    d = tf.data.TFRecordDataset(folder).batch(2).apply(tf.data.experimental.parse_example_dataset(wanted, 1))
    made = tf.data.experimental.make_batched_features_dataset(folder, 2, wanted, num_epochs=1, shuffle=False)
    return [rows(tf, session, d), [row["i"] for row in rows(tf, session, made)]]


@apart
def resumed(tf, folder, session):
    """The position of an iterator is saved with the model, and the next training goes on from there."""
    found = []
    for _ in range(2):
        with tf.Graph().as_default():
            iterator = tf.data.make_one_shot_iterator(tf.data.Dataset.range(10))
            element, step = iterator.get_next(), tf.train.get_or_create_global_step()
            on = tf.assign_add(step, 1)
            tf.add_to_collection(
                tf.GraphKeys.SAVEABLE_OBJECTS, tf.data.experimental.make_saveable_from_iterator(iterator)
            )

            class Estimator(object):
                model_dir = folder

                class config(object):
                    save_checkpoints_secs, save_checkpoints_steps, model_dir = None, 2, folder
                    task_type, task_id, num_worker_replicas = "worker", 0, 1

                _config = config

            hook = tf.data.experimental.CheckpointInputPipelineHook(Estimator())
            with tf.train.SingularMonitoredSession(hooks=[hook], checkpoint_dir=folder) as made:
                for _ in range(2):
                    found.append(int(made.run([element, on])[0]))
    return found


@apart
def tables(tf, folder, session):
    with open(folder, "w") as f:
        f.write("x\ny\nz\n")
    kind, index = tf.lookup.TextFileInitializer, tf.lookup.TextFileIndex
    table = tf.lookup.StaticHashTable(kind(folder, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER), -1)
    session.run(tf.tables_initializer())
    return session.run([table.lookup(tf.constant(["z", "q"])), table.size()]) + [index.WHOLE_LINE, index.LINE_NUMBER]


DATA = {
    "tf.data.experimental.get_structure": structures,
    "tf.data.experimental.unbatch": pipelines,
    "tf.data.experimental.prefetch_to_device": devices,
    "tf.data.experimental.TFRecordWriter": records,
    "tf.data.experimental.parse_example_dataset": parsed,
    "tf.data.experimental.CheckpointInputPipelineHook": resumed,
    "tf.data.experimental.DistributeOptions": options("DistributeOptions", "num_devices", 3),
    "tf.data.experimental.MapVectorizationOptions": options("MapVectorizationOptions", "enabled", True),
    "tf.data.experimental.OptimizationOptions": options("OptimizationOptions", "map_fusion", True),
    "tf.data.experimental.StatsOptions": options("StatsOptions", "latency_all_edges", True),
    "tf.data.experimental.ThreadingOptions": options("ThreadingOptions", "private_threadpool_size", 2),
    "tf.lookup.StaticHashTable": tables,
}
WIDE = np.linspace(-1, 1, 3 * 4).reshape(3, 4).astype("float32")
NETS = {
    "tf.initializers.he_uniform": lambda tf: spread(tf, tf.initializers.he_uniform(seed=3)),
    "tf.initializers.lecun_normal": lambda tf: spread(tf, tf.initializers.lecun_normal(seed=3)),
    "tf.initializers.identity": lambda tf: [
        tf.initializers.identity(2.0)([2, 3]),
        raised(tf.initializers.identity(), [2]),
    ],
    "tf.linalg.LinearOperatorAdjoint": lambda tf: operator(tf, tf.linalg.LinearOperatorAdjoint),
    "tf.linalg.LinearOperatorInversion": lambda tf: operator(tf, tf.linalg.LinearOperatorInversion),
    "tf.nn.rnn_cell.RNNCell": lambda tf: own_cell(tf),
    "tf.nn.rnn_cell.DeviceWrapper": lambda tf: [
        out.device
        for out in tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.BasicRNNCell(2, name="placed"), "/cpu:0")(
            tf.constant(WIDE), tf.zeros([3, 2])
        )
    ],
    "tf.nn.rnn_cell.LSTMStateTuple": lambda tf: tf.nn.rnn_cell.LSTMStateTuple(h=1, c=2)._asdict(),
    "tf.nn.static_state_saving_rnn": lambda tf: state_saved(tf),
    "tf.image.random_jpeg_quality": lambda tf: tf.image.random_jpeg_quality(np.full([8, 8, 3], 128, np.uint8), 90, 91),
}


def spread(tf, initializer):
    values = initializer([50, 40], dtype=tf.float32)
    return [tf.reduce_max(tf.abs(values)) < 1.0, values.shape.as_list()]


def operator(tf, kind):
    matrix = np.float32([[2.0, 1.0], [0.0, 3.0]])
    o = kind(tf.linalg.LinearOperatorFullMatrix(tf.constant(matrix), is_non_singular=True))
    return [
        o.to_dense(),
        o.matmul(tf.constant(matrix)),
        o.solve(tf.constant(matrix)),
        isinstance(o, tf.linalg.LinearOperator),
    ]


def own_cell(tf):
    class Cell(tf.nn.rnn_cell.RNNCell):
        output_size = state_size = 4

        def call(self, inputs, state):
            return inputs + state, 2.0 * state + inputs

    return list(tf.nn.dynamic_rnn(Cell(), tf.constant(np.stack([WIDE, WIDE])), dtype=tf.float32))


class Saver(object):
    """The state saver that the static network asks for its state and gives it back to."""

    def __init__(self, tf):
        self.tf, self.kept = tf, []

    def state(self, name):
        return self.tf.ones([3, 4])

    def save_state(self, name, value):
        self.kept.append((name, value))
        return self.tf.no_op()


def state_saved(tf):
    saver = Saver(tf)
    cell = tf.nn.rnn_cell.GRUCell(4, kernel_initializer=tf.constant_initializer(0.1), name="saving")
    outputs, state = tf.nn.static_state_saving_rnn(cell, [tf.constant(WIDE)] * 2, saver, "s")
    return [outputs, state, [name for name, _ in saver.kept]]


def sequence(name, *args, **kwargs):
    """A sequence-to-sequence network of 0.12 on constants, with constant weights."""

    def run(tf):
        with tf.variable_scope(name, initializer=tf.constant_initializer(0.1)):
            made = getattr(tf.nn.seq2seq, name)(*[a(tf) if callable(a) else a for a in args], **kwargs)
            return list(made) if isinstance(made, tuple) else made

    return run


def cell(tf):
    return tf.nn.rnn_cell.GRUCell(4)


def inputs(tf):
    return [tf.constant(WIDE), tf.constant(WIDE[::-1].copy())]


def symbols(tf):
    return [tf.constant([1, 2, 0]), tf.constant([0, 1, 1])]


def state(tf):
    return tf.ones([3, 4])


def attended(tf):
    return tf.constant(np.stack([WIDE, WIDE * 2], 1))


def buckets(tf):
    """Two lengths that share their weights."""

    def model(x, y):
        return tf.nn.seq2seq.embedding_rnn_seq2seq(x, y, tf.nn.rnn_cell.GRUCell(4), 3, 3, 2)

    with tf.variable_scope("buckets", initializer=tf.constant_initializer(0.1)):
        weights = [tf.ones([3]), tf.ones([3])]
        outputs, losses = tf.nn.seq2seq.model_with_buckets(
            symbols(tf), symbols(tf), symbols(tf), weights, [(1, 1), (2, 2)], model, softmax_loss_function=None
        )
    return [losses, [len(o) for o in outputs]]


def many(tf):
    with tf.variable_scope("many", initializer=tf.constant_initializer(0.1)):
        outputs, states = tf.nn.seq2seq.one2many_rnn_seq2seq(
            symbols(tf), {"a": symbols(tf), "b": symbols(tf)}, tf.nn.rnn_cell.GRUCell(4), 3, {"a": 3, "b": 4}, 2
        )
    return [outputs, states]


SEQUENCES = {
    "tf.nn.seq2seq.basic_rnn_seq2seq": sequence("basic_rnn_seq2seq", inputs, inputs, cell),
    "tf.nn.seq2seq.tied_rnn_seq2seq": sequence("tied_rnn_seq2seq", inputs, inputs, cell),
    "tf.nn.seq2seq.rnn_decoder": sequence("rnn_decoder", inputs, state, cell),
    "tf.nn.seq2seq.attention_decoder": sequence("attention_decoder", inputs, state, attended, cell, output_size=2),
    "tf.nn.seq2seq.embedding_rnn_decoder": sequence("embedding_rnn_decoder", symbols, state, cell, 3, 2),
    "tf.nn.seq2seq.embedding_attention_decoder": sequence(
        "embedding_attention_decoder", symbols, state, attended, cell, 3, 2, num_heads=2
    ),
    "tf.nn.seq2seq.embedding_rnn_seq2seq": sequence("embedding_rnn_seq2seq", symbols, symbols, cell, 3, 3, 2),
    "tf.nn.seq2seq.embedding_tied_rnn_seq2seq": sequence("embedding_tied_rnn_seq2seq", symbols, symbols, cell, 3, 2),
    "tf.nn.seq2seq.one2many_rnn_seq2seq": many,
    "tf.nn.seq2seq.model_with_buckets": buckets,
    "tf.nn.seq2seq.linear": sequence("linear", inputs, 2, True),
    "tf.nn.rnn_cell.EmbeddingWrapper": lambda tf: embedded(tf),
}


def embedded(tf):
    with tf.variable_scope("embedded", initializer=tf.constant_initializer(0.1)):
        return list(
            tf.nn.rnn_cell.EmbeddingWrapper(tf.nn.rnn_cell.GRUCell(4), 3, 2)(
                tf.constant([[1], [2], [0]]), tf.ones([3, 4])
            )
        )


@apart
def summaries(tf, folder, session):
    x = tf.constant([1.0, 2.0])
    made = [
        tf.scalar_summary("s", 3.0),
        tf.scalar_summary(["a", "b"], [1.0, 2.0]),
        tf.histogram_summary("h", x),
        tf.image_summary("i", tf.zeros([2, 3, 3, 1]), max_images=1),
        tf.audio_summary("o", tf.zeros([1, 8]), 8.0),
    ]
    both = tf.Summary.FromString(session.run(tf.merge_summary(made[:2])))
    every = tf.Summary.FromString(session.run(tf.merge_all_summaries()))
    writer = tf.train.SummaryWriter(folder, session.graph)
    writer.add_summary(every, 7)
    writer.close()
    events = [e for name in os.listdir(folder) for e in tf.train.summary_iterator(os.path.join(folder, name))]
    return [
        [[v.tag, v.simple_value] for v in both.value],
        [[v.tag, v.WhichOneof("value")] for v in every.value],
        [[e.step, e.WhichOneof("what")] for e in events],
    ]


TABLES = {"data": DATA, "networks": NETS}
OLD = {"sequences": SEQUENCES, "old summaries": {"tf.merge_all_summaries": summaries}}
