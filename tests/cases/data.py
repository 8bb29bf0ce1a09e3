"""Records of datasets and iterators. Functions of elements have other names in TensorFlow's graphs: `graph=False` where one is in it."""

import gzip
import os
import sqlite3
import tempfile

import numpy as np

from cases.base import OpCase, Steps, given, normal, raw

CASES = []
INT = {"grad": False, "misuse": False, "shapes": False}
FUNCTION = {"graph": False, "portable": False, **INT}


def single(tf, dataset):
    """All elements as one batch."""
    return tf.data.experimental.get_single_element(dataset.batch(100))


def held(tf, variant, dtype=None, shape=()):
    """The elements of a dataset that a raw op made."""
    spec = tf.TensorSpec(shape, dtype or tf.int64)
    return single(tf, tf.data.experimental.from_variant(variant, spec))


def attrs(tf, dtype=None, shape=()):
    return {"output_types": [dtype or tf.int64], "output_shapes": [shape]}


def variant(dataset):
    return dataset._variant_tensor


def case(op, call, inputs=(), label="", **more):
    CASES.append(OpCase(op, list(inputs), call, label, **{**INT, **more}))


def of_function(op, call, inputs=(), label="", **more):
    CASES.append(OpCase(op, list(inputs), call, label, **{**FUNCTION, **more}))


def count(tf, n=6):
    return tf.data.Dataset.range(n)


def path(name, content):
    """A file that holds `content`."""
    where = os.path.join(tempfile.mkdtemp(), name)
    with open(where, "wb") as f:
        f.write(content)
    return where


# Sources.
case("TensorDataset", lambda tf, x: single(tf, tf.data.Dataset.from_tensors(x)), [normal(2, 3)])
case("TensorSliceDataset", lambda tf, x: single(tf, tf.data.Dataset.from_tensor_slices(x)), [normal(4, 3)])
case(
    "TensorSliceDataset",
    lambda tf, x, y: single(tf, tf.data.Dataset.from_tensor_slices((x, {"y": y}))),
    [normal(4, 3), given(["a", "b", "c", "d"], "string")],
    "nested",
)
case(
    "SparseTensorSliceDataset",
    lambda tf: raw(
        tf,
        "DatasetToSingleElement",
        dataset=raw(
            tf, "SparseTensorSliceDataset", indices=[[0, 0], [0, 2]], values=[1.5, 2.5], dense_shape=np.array([1, 4])
        ),
        output_types=[tf.int64, tf.float32, tf.int64],
        output_shapes=[None, None, None],
    ),
)
case("RangeDataset", lambda tf: single(tf, tf.data.Dataset.range(10, 1, -3)))
case(
    "RandomDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "TakeDataset",
            input_dataset=raw(tf, "RandomDataset", seed=3, seed2=4, **attrs(tf)),
            count=9,
            **attrs(tf),
        ),
    ),
)
of_function(
    "GeneratorDataset",
    lambda tf: single(
        tf, tf.data.Dataset.from_generator(lambda: iter([(1, b"a"), (2, b"b")]), (tf.int64, tf.string), ([], []))
    ),
)
case(
    "WrapDatasetVariant",
    lambda tf: held(
        tf, raw(tf, "UnwrapDatasetVariant", input_handle=raw(tf, "WrapDatasetVariant", input_handle=variant(count(tf))))
    ),
)

# Choosing, combining, order.
case("TakeDataset", lambda tf: single(tf, count(tf).take(4)))
case("SkipDataset", lambda tf: single(tf, count(tf).skip(4)))
case("ShardDataset", lambda tf: single(tf, count(tf, 11).shard(3, 1)))
case("RepeatDataset", lambda tf: single(tf, count(tf).repeat(2)))
of_function("FilterDataset", lambda tf: single(tf, count(tf).filter(lambda x: tf.equal(x % 2, 0))))
of_function(
    "TakeWhileDataset", lambda tf: single(tf, count(tf).apply(tf.data.experimental.take_while(lambda x: x < 4)))
)
case(
    "UniqueDataset",
    lambda tf, x: single(tf, tf.data.Dataset.from_tensor_slices(x).apply(tf.data.experimental.unique())),
    [given([3, 1, 3, 2, 1], "int64")],
    graph=False,
)
case(
    "SamplingDataset",
    lambda tf: held(
        tf, raw(tf, "SamplingDataset", input_dataset=variant(count(tf, 20)), rate=0.5, seed=3, seed2=4, **attrs(tf))
    ),
)
case("ZipDataset", lambda tf: single(tf, tf.data.Dataset.zip((count(tf), count(tf, 4)))))
case("ConcatenateDataset", lambda tf: single(tf, count(tf).concatenate(count(tf, 3))))
case(
    "DirectedInterleaveDataset",
    lambda tf: single(
        tf,
        tf.data.experimental.choose_from_datasets(
            [count(tf), count(tf, 3).repeat()], tf.data.Dataset.from_tensor_slices(np.array([1, 0, 1, 1, 1, 0]))
        ),
    ),
    graph=False,
)
case("ShuffleDataset", lambda tf: single(tf, count(tf, 30).shuffle(7, seed=3)))
case("ShuffleDataset", lambda tf: single(tf, count(tf, 9).shuffle(4, seed=3).repeat(3)), label="again")
case(
    "ShuffleDataset",
    lambda tf: single(tf, count(tf, 9).shuffle(4, seed=3, reshuffle_each_iteration=False).repeat(3)),
    label="once",
)
case(
    "ShuffleAndRepeatDataset",
    lambda tf: single(tf, count(tf, 9).apply(tf.data.experimental.shuffle_and_repeat(4, 3, seed=5))),
)
case("CacheDataset", lambda tf: single(tf, count(tf).cache().repeat(2)))
case("DeleteMemoryCache", lambda tf: Steps(raw(tf, "DeleteMemoryCache", **raw(tf, "AnonymousMemoryCache")._asdict())))

# Batches.
case(
    "BatchDataset",
    lambda tf: held(
        tf,
        raw(tf, "BatchDataset", input_dataset=variant(count(tf)), batch_size=3, **attrs(tf, shape=[None])),
        shape=[None],
    ),
)
case(
    "BatchDatasetV2",
    lambda tf, x: single(tf, tf.data.Dataset.from_tensor_slices(x).batch(2, drop_remainder=True)),
    [normal(5, 3)],
)
case(
    "PaddedBatchDataset",
    lambda tf, x: held(
        tf,
        raw(
            tf,
            "PaddedBatchDataset",
            input_dataset=variant(tf.data.Dataset.from_tensor_slices(x)),
            batch_size=2,
            padded_shapes=[np.array([5])],
            padding_values=[tf.cast(7, x.dtype)],
            output_shapes=[[None, 5]],
        ),
        x.dtype,
        [None, 5],
    ),
    [normal(4, 3)],
)
of_function(
    "PaddedBatchDatasetV2",
    lambda tf: single(tf, count(tf).map(lambda n: tf.fill([n], n)).padded_batch(6, [None])),
    label="largest",
)
of_function(
    "PaddedBatchDatasetV2",
    lambda tf: single(
        tf, count(tf, 7).map(lambda n: tf.fill([n], n)).padded_batch(3, [7], np.int64(-1), drop_remainder=True)
    ),
)
of_function("UnbatchDataset", lambda tf, x: single(tf, tf.data.Dataset.from_tensors(x).unbatch()), [normal(4, 3)])
of_function(
    "WindowDataset",
    lambda tf: single(tf, count(tf, 9).window(3, 2, 2, drop_remainder=True).flat_map(lambda w: w.batch(3))),
)
case(
    "SlidingWindowDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "SlidingWindowDataset",
            input_dataset=variant(count(tf, 8)),
            window_size=3,
            window_shift=2,
            window_stride=1,
            **attrs(tf, shape=[None]),
        ),
        shape=[None],
    ),
)
of_function(
    "DenseToSparseBatchDataset",
    lambda tf: tf.data.experimental.get_single_element(
        count(tf, 4).map(lambda n: tf.fill([n], n)).apply(tf.data.experimental.dense_to_sparse_batch(4, [5]))
    ),
)

# Functions.
of_function(
    "MapDataset",
    lambda tf, x: single(
        tf, tf.data.Dataset.from_tensor_slices(x).map(lambda r: {"a": r * 2.0, "b": tf.reduce_sum(r)})
    ),
    [normal(4, 3)],
)
of_function(
    "MapDataset",
    lambda tf, x: single(
        tf, tf.data.Dataset.from_tensor_slices(x).map(lambda r: tf.random_uniform([2], seed=7) + tf.reduce_sum(r))
    ),
    [normal(4, 3)],
    "random",
    types=("float32",),
)
of_function(
    "ParallelMapDataset",
    lambda tf, x: single(tf, tf.data.Dataset.from_tensor_slices(x).map(tf.tanh, 3)),
    [normal(4, 3)],
)
of_function(
    "MapAndBatchDataset",
    lambda tf: single(tf, count(tf).apply(tf.data.experimental.map_and_batch(lambda x: x * x, 3, drop_remainder=True))),
)
of_function(
    "FlatMapDataset", lambda tf: single(tf, count(tf, 4).flat_map(lambda x: tf.data.Dataset.from_tensors(x).repeat(x)))
)
of_function(
    "InterleaveDataset",
    lambda tf: single(
        tf, count(tf, 4).interleave(lambda x: tf.data.Dataset.from_tensors(x).repeat(5), cycle_length=3, block_length=2)
    ),
)
of_function(
    "ParallelInterleaveDataset",
    lambda tf: single(
        tf,
        count(tf, 4).apply(
            tf.data.experimental.parallel_interleave(
                lambda x: tf.data.Dataset.from_tensors(x).repeat(5), cycle_length=2, block_length=2
            )
        ),
    ),
)
of_function(
    "ParallelInterleaveDatasetV2",
    lambda tf: single(
        tf,
        count(tf, 4).interleave(
            lambda x: tf.data.Dataset.from_tensors(x).repeat(5), cycle_length=2, block_length=2, num_parallel_calls=2
        ),
    ),
)
of_function(
    "ScanDataset",
    lambda tf: single(tf, count(tf).apply(tf.data.experimental.scan(np.int64(0), lambda s, x: (s + x, s * x)))),
)
of_function(
    "GroupByWindowDataset",
    lambda tf: single(
        tf,
        count(tf, 9).apply(
            tf.data.experimental.group_by_window(
                lambda x: x % 2, lambda k, w: w.batch(4).map(lambda b: tf.reduce_sum(b) + k), 4
            )
        ),
    ),
)
of_function(
    "ExperimentalGroupByReducerDataset",
    lambda tf: single(
        tf,
        count(tf, 9).apply(
            tf.data.experimental.group_by_reducer(
                lambda x: x % 3, tf.data.experimental.Reducer(lambda k: k * 100, lambda s, x: s + x, lambda s: s)
            )
        ),
    ),
)
of_function("ReduceDataset", lambda tf: count(tf).reduce(np.int64(1), lambda s, x: s * 2 + x))
of_function(
    "IgnoreErrorsDataset",
    lambda tf, x: single(
        tf,
        tf.data.Dataset.from_tensor_slices(x)
        .map(lambda r: tf.check_numerics(1.0 / r, "no"))
        .apply(tf.data.experimental.ignore_errors()),
    ),
    [given([1.0, 0.0, 2.0], "float32")],
)

# Hints.
case("ModelDataset", lambda tf: held(tf, raw(tf, "ModelDataset", input_dataset=variant(count(tf)), **attrs(tf))))
case(
    "OptimizeDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "OptimizeDataset",
            input_dataset=variant(count(tf)),
            optimizations=["noop_elimination"],
            optimization_configs=[],
            **attrs(tf),
        ),
    ),
)
case("PrefetchDataset", lambda tf: single(tf, count(tf).prefetch(2)))
HINTS = {
    "MaxIntraOpParallelismDataset": {"max_intra_op_parallelism": 2},
    "PrivateThreadPoolDataset": {"num_threads": 2},
    "NonSerializableDataset": {},
    "SleepDataset": {"sleep_microseconds": 10},
    "BytesProducedStatsDataset": {"tag": "t"},
    "LatencyStatsDataset": {"tag": "t"},
}
for hint, more in HINTS.items():
    for name in (hint, "Experimental" + hint):
        case(
            name,
            lambda tf, name=name, more=more: held(
                tf, raw(tf, name, input_dataset=variant(count(tf)), **dict(more, **attrs(tf)))
            ),
        )
for prefix in ("", "Experimental"):
    aggregator = lambda tf, prefix=prefix: raw(tf, prefix + "StatsAggregatorHandle", container="", shared_name="")
    case(
        prefix + "SetStatsAggregatorDataset",
        lambda tf, prefix=prefix, aggregator=aggregator: held(
            tf,
            raw(
                tf,
                prefix + "SetStatsAggregatorDataset",
                input_dataset=variant(count(tf)),
                stats_aggregator=aggregator(tf),
                tag="t",
                counter_prefix="",
                **attrs(tf),
            ),
        ),
    )
    for name in ("StatsAggregatorHandle", "StatsAggregatorSummary"):
        case(
            prefix + name,
            lambda tf, prefix=prefix, aggregator=aggregator: raw(
                tf, prefix + "StatsAggregatorSummary", iterator=aggregator(tf)
            ),
        )
for name in ("AutoShardDataset", "ExperimentalAutoShardDataset"):
    case(
        name,
        lambda tf, name=name: Steps(
            raw(tf, name, input_dataset=variant(count(tf)), num_workers=1, index=0, **attrs(tf)).op
        ),
        value=False,
    )
for name in ("AssertNextDataset", "ExperimentalAssertNextDataset"):
    case(
        name,
        lambda tf, name=name: Steps(
            raw(tf, name, input_dataset=variant(count(tf)), transformations=["Range"], **attrs(tf)).op
        ),
        value=False,
    )

# Former names.
for op in ("UniqueDataset", "IgnoreErrorsDataset"):
    case(
        "Experimental" + op,
        lambda tf, op=op: held(tf, raw(tf, "Experimental" + op, input_dataset=variant(count(tf)), **attrs(tf))),
    )
case(
    "ExperimentalUnbatchDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "ExperimentalUnbatchDataset",
            input_dataset=variant(tf.data.Dataset.from_tensors(np.arange(4))),
            **attrs(tf),
        ),
    ),
)
case(
    "ExperimentalSlidingWindowDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "ExperimentalSlidingWindowDataset",
            input_dataset=variant(count(tf, 8)),
            window_size=3,
            window_shift=2,
            window_stride=2,
            **attrs(tf, shape=[None]),
        ),
        shape=[None],
    ),
)
case(
    "ExperimentalRandomDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "TakeDataset",
            input_dataset=raw(tf, "ExperimentalRandomDataset", seed=5, seed2=6, **attrs(tf)),
            count=3,
            **attrs(tf),
        ),
    ),
)
case(
    "ExperimentalDirectedInterleaveDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "ExperimentalDirectedInterleaveDataset",
            selector_input_dataset=variant(tf.data.Dataset.range(2)),
            data_input_datasets=[variant(count(tf)), variant(count(tf, 3))],
            **attrs(tf),
        ),
    ),
)
case(
    "ExperimentalDenseToSparseBatchDataset",
    lambda tf: (
        raw(
            tf,
            "DatasetToSingleElement",
            dataset=raw(
                tf,
                "ExperimentalDenseToSparseBatchDataset",
                input_dataset=variant(tf.data.Dataset.from_tensors(np.arange(3))),
                batch_size=1,
                row_shape=np.array([4]),
                **attrs(tf, tf.variant, None),
            ),
            output_types=[tf.variant],
            output_shapes=[None],
        )[0].op
    ),
    value=False,
)

# Files.
of_function("TextLineDataset", lambda tf: single(tf, tf.data.TextLineDataset(path("lines", b"one\r\ntwo\n\nthree"))))


def records(tf):
    where = path("records", b"")
    with tf.python_io.TFRecordWriter(where) as writer:
        writer.write(b"abc")
        writer.write(b"")
        writer.write(b"d" * 300)
    return where


of_function("TFRecordDataset", lambda tf: single(tf, tf.data.TFRecordDataset(records(tf))))
of_function(
    "FixedLengthRecordDatasetV2",
    lambda tf: single(tf, tf.data.FixedLengthRecordDataset(path("fixed", b"hhaabbccf"), 2, 2, 1)),
)
of_function(
    "FixedLengthRecordDataset",
    lambda tf: held(
        tf,
        raw(
            tf,
            "FixedLengthRecordDataset",
            filenames=path("fixed", b"aabbcc"),
            header_bytes=0,
            record_bytes=2,
            footer_bytes=2,
            buffer_size=0,
        ),
        tf.string,
    ),
)
CSV = b'1,"a ""b"",c",2.5\r\n,x,\n7,,-1\n'
of_function(
    "CSVDataset",
    lambda tf: single(
        tf,
        tf.data.experimental.CsvDataset(
            path("a.csv", CSV), [tf.constant([4], tf.int64), "z", tf.constant([0.5], tf.float32)]
        ),
    ),
)


def database():
    golden = os.path.join(os.path.dirname(os.path.dirname(__file__)), "formats", "golden", "database.mdb.gz")
    with gzip.open(golden) as f:
        return path("data.mdb", f.read())


of_function("LMDBDataset", lambda tf: single(tf, tf.contrib.data.LMDBDataset([database()]).take(3)))


def table():
    where = path("table.sqlite", b"")
    connection = sqlite3.connect(where)
    connection.execute("create table t (a, b, c)")
    rows = [(1, "x", 2.5), (300, None, -1), ("7", b"ab", "no number"), (-2, 3.5, 1e10)]
    connection.executemany("insert into t values (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return where


for types in (("uint8", "string", "float64"), ("int16", "string", "int32"), ("bool", "string", "string")):
    of_function(
        "SqlDataset",
        lambda tf, types=types: single(
            tf,
            tf.data.experimental.SqlDataset("sqlite", table(), "select a, b, c from t", tuple(map(tf.as_dtype, types))),
        ),
        label=" ".join(types),
    )
of_function(
    "MatchingFilesDataset",
    lambda tf: Steps(raw(tf, "MatchingFilesDataset", patterns=path("x", b"")[:-1] + "?").op),
    value=False,
)


# Results, iterators and optional values.
def walk(tf, dataset, steps):
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    return Steps(iterator.initializer, *[following] * steps, iterator.initializer, following)


def iterator(tf, kind):
    it = raw(tf, kind, shared_name="", container="", **attrs(tf))
    start = raw(tf, "MakeIterator", dataset=variant(count(tf)), iterator=it)
    following = raw(tf, "IteratorGetNextSync", iterator=it, **attrs(tf))
    return Steps(start, following, following)


case("DatasetToSingleElement", lambda tf: single(tf, count(tf)))
for op in ("DatasetCardinality", "ExperimentalDatasetCardinality"):
    case(
        op,
        lambda tf, op=op: [
            raw(tf, op, input_dataset=variant(d))
            for d in (
                count(tf),
                count(tf).repeat(),
                count(tf).take(3).batch(2),
                count(tf).skip(2).concatenate(count(tf)),
            )
        ],
    )
for op in ("DatasetToTFRecord", "ExperimentalDatasetToTFRecord"):
    of_function(
        op,
        lambda tf, op=op: Steps(
            raw(
                tf,
                op,
                input_dataset=variant(tf.data.Dataset.from_tensors("abc")),
                filename=path("out", b""),
                compression_type="",
            )
        ),
    )
case("IteratorGetNext", lambda tf: walk(tf, count(tf).batch(4), 2))
case("Iterator", lambda tf: iterator(tf, "Iterator"))
case("IteratorV2", lambda tf: iterator(tf, "IteratorV2"), label="raw")
of_function("OneShotIterator", lambda tf: Steps(*[count(tf).make_one_shot_iterator().get_next()] * 3))


def anonymous(tf):
    it = raw(tf, "AnonymousIterator", **attrs(tf))
    return raw(tf, "IteratorGetDevice", resource=it), raw(tf, "ExperimentalIteratorGetDevice", resource=it)


case("AnonymousIterator", lambda tf: Steps(anonymous(tf)[0].op, anonymous(tf)[1].op), value=False, portable=False)
case(
    "AnonymousIteratorV2",
    lambda tf: Steps(raw(tf, "DeleteIterator", **raw(tf, "AnonymousIteratorV2", **attrs(tf))._asdict())),
)


def by_handle(tf, op):
    it = count(tf).make_initializable_iterator()
    again = raw(tf, op, string_handle=it.string_handle(), **attrs(tf))
    return Steps(it.initializer, raw(tf, "IteratorGetNext", iterator=again, **attrs(tf)), it.get_next())


def saved(tf):
    it = count(tf).make_initializable_iterator()
    resource = it._iterator_resource
    state = raw(tf, "SerializeIterator", resource_handle=resource)
    back = raw(tf, "DeserializeIterator", resource_handle=resource, serialized=state)
    following = it.get_next()
    return Steps(it.initializer, following, back, following)


def maybe(tf):
    it = count(tf, 1).make_initializable_iterator()
    found = tf.data.experimental.get_next_as_optional(it)
    return Steps(it.initializer, [found.has_value(), found.get_value()], found.has_value())


for op in ("IteratorFromStringHandle", "IteratorFromStringHandleV2"):
    case(op, lambda tf, op=op: by_handle(tf, op))
case("SerializeIterator", saved, portable=False)
case("IteratorGetNextAsOptional", maybe)
case("OptionalFromValue", lambda tf, x: tf.data.experimental.Optional.from_value((x, 2)).get_value(), [normal(2)])
case("OptionalNone", lambda tf: raw(tf, "OptionalHasValue", optional=raw(tf, "OptionalNone")))

case(
    "RaggedRange",
    lambda tf, x: raw(
        tf, "RaggedRange", starts=x, limits=x[::-1] + 3, deltas=tf.cast([1, 2, -2], x.dtype), Tsplits=tf.int64
    ),
    [given([1, 2, 9])],
    types=("int32", "float32"),
    grad=False,
    misuse=False,
)

# Ragged tensors as variants.
case(
    "RaggedTensorToVariant",
    lambda tf, x: raw(
        tf,
        "RaggedTensorFromVariant",
        encoded_ragged=raw(
            tf,
            "RaggedTensorToVariant",
            rt_nested_splits=[np.array([0, 2, 2, 5])],
            rt_dense_values=x,
            batched_input=True,
        ),
        input_ragged_rank=0,
        output_ragged_rank=1,
        Tvalues=x.dtype,
        Tsplits=tf.int64,
    ),
    [normal(5)],
)
case(
    "RaggedTensorToVariant",
    lambda tf, x: raw(
        tf,
        "RaggedTensorFromVariant",
        encoded_ragged=raw(
            tf,
            "RaggedTensorToVariant",
            rt_nested_splits=[np.array([0, 2, 2, 5])],
            rt_dense_values=x,
            batched_input=False,
        ),
        input_ragged_rank=1,
        output_ragged_rank=1,
        Tvalues=x.dtype,
        Tsplits=tf.int64,
    ),
    [normal(5, 2)],
    "whole",
)
