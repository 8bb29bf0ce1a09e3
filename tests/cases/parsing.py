"""Protos as strings: Example, SequenceExample, JSON. Tables: from words to numbers and back. Summaries."""

import numpy as np

from cases.base import Fails, Input, OpCase, Steps, given, normal, raw


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(values):
    """A Feature: bytes, floats or ints."""
    if isinstance(values[0], bytes):
        return field(1, b"".join(field(1, v) for v in values))
    if isinstance(values[0], float):
        return field(2, field(1, np.array(values, "<f4").tobytes()))
    return field(3, field(1, b"".join(varint(v) for v in values)))


def features(**parts):
    return b"".join(field(1, field(1, k.encode()) + field(2, feature(v))) for k, v in sorted(parts.items()))


def example(**parts):
    return field(1, features(**parts))


def sequence(context, **lists):
    whole = b""
    for name, rows in sorted(lists.items()):
        entry = field(1, name.encode()) + field(2, b"".join(field(1, feature(r)) for r in rows))
        whole += field(1, entry)
    return field(1, features(**context)) + field(2, whole)


class Bytes(Input):
    """Fixed strings of bytes that are no text."""

    def __init__(self, values):
        self.fixed, self.dtype, self.make = np.array(values, object), "string", None

    def values(self, seed, dtype):
        return self.fixed


TWO = Bytes([example(a=[1, 2], b=[0.5], c=[b"x", b"yy"]), example(a=[3, 4], c=[b"z"])])
ONE = Bytes(example(a=[1, 2], b=[0.5], c=[b"x", b"yy"]))
STEPS = Bytes([sequence({"n": [7]}, w=[[1], [2, 3]], f=[[0.5], [1.5]]), sequence({"n": [8]}, w=[[4]], f=[[2.5]])])
STEP = Bytes(sequence({"n": [7]}, w=[[1], [2, 3]], f=[[0.5], [1.5]]))


def proto(op, call, label="", inputs=(TWO,), **more):
    return OpCase(op, list(inputs), call, label, grad=False, misuse=False, **more)


def spec(tf):
    return {
        "a": tf.FixedLenFeature([2], tf.int64),
        "b": tf.FixedLenFeature([], tf.float32, default_value=9.0),
        "c": tf.VarLenFeature(tf.string),
    }


def step_spec(tf):
    return {"n": tf.FixedLenFeature([], tf.int64)}, {
        "w": tf.VarLenFeature(tf.int64),
        "f": tf.FixedLenSequenceFeature([], tf.float32),
    }


PROTOS = [
    proto("ParseExample", lambda tf, x: tf.parse_example(x, spec(tf))),
    proto(
        "ParseExample",
        lambda tf, x: tf.parse_example(x, {"a": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True)}),
        "any length",
    ),
    proto("ParseSingleExample", lambda tf, x: tf.parse_single_example(x, spec(tf)), inputs=[ONE]),
    proto(
        "ParseSingleSequenceExample", lambda tf, x: tf.parse_single_sequence_example(x, *step_spec(tf)), inputs=[STEP]
    ),
    proto("ParseSequenceExample", lambda tf, x: tf.io.parse_sequence_example(x, *step_spec(tf)), inputs=[STEPS]),
    proto(
        "DecodeJSONExample",
        lambda tf, x: tf.parse_example(tf.decode_json_example(x), {"a": tf.FixedLenFeature([2], tf.int64)}),
        inputs=[given(['{"features": {"feature": {"a": {"int64List": {"value": ["1", "2"]}}}}}'], "string")],
    ),
    Fails(
        "ParseExample", [TWO], lambda tf, x: tf.parse_example(x, {"b": tf.FixedLenFeature([], tf.float32)}), "missing"
    ),
    Fails(
        "ParseExample", [TWO], lambda tf, x: tf.parse_example(x, {"a": tf.FixedLenFeature([], tf.int64)}), "too many"
    ),
    Fails("ParseExample", [given(["no proto"], "string")], lambda tf, x: tf.parse_example(x, spec(tf)), "no proto"),
]


# -- tables

WORDS = given(["b", "zz", "a"], "string")


def old(tf, kind, **more):
    """A table of TensorFlow's first kind of handle, a reference."""
    return raw(tf, kind, key_dtype=tf.string, value_dtype=tf.int64, **more)


def filled(tf, kind, suffix, keys, **more):
    """(table, insert): a mutable table and the operation that fills it."""
    table = raw(tf, kind, key_dtype=tf.string, value_dtype=tf.int64, **more)
    values = tf.constant([[1, 2], [3, 4]] if "Tensors" in kind else [1, 2], tf.int64)
    return table, raw(tf, "LookupTableInsert" + suffix, table_handle=table, keys=tf.constant(["a", "b"]), values=values)


def mutable(kind, suffix):
    def call(tf, keys):
        more = {"value_shape": [2]} if "Tensors" in kind else {}
        table, insert = filled(tf, kind, suffix, keys, **more)
        find = raw(
            tf,
            "LookupTableFind" + suffix,
            table_handle=table,
            keys=keys,
            default_value=tf.constant([-1, -1] if "Tensors" in kind else -1, tf.int64),
        )
        size = raw(tf, "LookupTableSize" + suffix, table_handle=table)
        export = raw(tf, "LookupTableExport" + suffix, table_handle=table, Tkeys=tf.string, Tvalues=tf.int64)
        again = raw(
            tf,
            "LookupTableImport" + suffix,
            table_handle=table,
            keys=tf.constant(["c"]),
            values=tf.constant([[5, 6]] if "Tensors" in kind else [5], tf.int64),
        )
        return Steps([size], [insert], [find, size], [again], [find, size, export[0], export[1]])

    return proto(kind, call, inputs=[WORDS], shapes=False)


def dense(kind, suffix):
    def call(tf, keys):
        table = (
            raw(
                tf,
                kind,
                empty_key=tf.constant("none"),
                deleted_key=tf.constant("gone"),
                value_dtype=tf.int64,
            )
            if suffix
            else raw(tf, kind, empty_key=tf.constant("none"), value_dtype=tf.int64)
        )
        insert = raw(
            tf,
            "LookupTableInsert" + suffix,
            table_handle=table,
            keys=tf.constant(["a", "b"]),
            values=tf.constant([1, 2], tf.int64),
        )
        find = raw(
            tf, "LookupTableFind" + suffix, table_handle=table, keys=keys, default_value=tf.constant(-1, tf.int64)
        )
        return Steps([insert], [find])

    return proto(kind, call, inputs=[WORDS], shapes=False)


def static(tf, keys):
    table = tf.contrib.lookup.HashTable(
        tf.contrib.lookup.KeyValueTensorInitializer(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64)), -1
    )
    return table.lookup(keys), table.size()


def first_kind(tf, keys):
    table = old(tf, "HashTable")
    fill = raw(
        tf, "InitializeTable", table_handle=table, keys=tf.constant(["a", "b"]), values=tf.constant([1, 2], tf.int64)
    )
    find = raw(tf, "LookupTableFind", table_handle=table, keys=keys, default_value=tf.constant(-1, tf.int64))
    return Steps([fill], [find])


def vectors(tf, keys):
    table = tf.contrib.lookup.MutableHashTable(tf.string, tf.int64, tf.constant([-1, -1], tf.int64))
    insert = table.insert(tf.constant(["a", "b"]), tf.constant([[1, 2], [3, 4]], tf.int64))
    return Steps([insert], [table.lookup(keys), table.size()])


def removed(tf, keys):
    table, insert = filled(tf, "MutableHashTableV2", "V2", keys)
    remove = raw(tf, "LookupTableRemoveV2", table_handle=table, keys=tf.constant(["a"]))
    find = raw(tf, "LookupTableFindV2", table_handle=table, keys=keys, default_value=tf.constant(-1, tf.int64))
    return Steps([insert], [remove], [find])


TABLES = [
    proto("HashTableV2", static, inputs=[WORDS], graph=False),
    proto("HashTable", first_kind, inputs=[WORDS], shapes=False),
    *(
        mutable(kind, suffix)
        for kind, suffix in [
            ("MutableHashTable", ""),
            ("MutableHashTableV2", "V2"),
            ("MutableHashTableOfTensors", ""),
        ]
    ),
    dense("MutableDenseHashTableV2", "V2"),
    proto("MutableHashTableOfTensorsV2", vectors, inputs=[WORDS], graph=False, shapes=False),
    proto("LookupTableRemoveV2", removed, inputs=[WORDS]),
]


# -- summaries

SUMMARIES = [
    proto("HistogramSummary", lambda tf, x: raw(tf, "HistogramSummary", tag="h", values=x), inputs=[normal(3, 4)]),
    proto("ScalarSummary", lambda tf, x: raw(tf, "ScalarSummary", tags=["a", "b"], values=x), inputs=[normal(2)]),
    proto(
        "TensorSummaryV2",
        lambda tf, x: raw(tf, "TensorSummaryV2", tag="t", tensor=x, serialized_summary_metadata=""),
        inputs=[normal(2)],
    ),
    proto("TensorSummary", lambda tf, x: raw(tf, "TensorSummary", tensor=x), inputs=[normal(2)]),
    proto("ImageSummary", lambda tf, x: tf.summary.image("i", x), inputs=[normal(1, 2, 2, 3)], value=False),
    proto("AudioSummaryV2", lambda tf, x: tf.summary.audio("s", x, 8000.0), inputs=[normal(1, 5, 1, scale=0.2)]),
    proto(
        "MergeSummary",
        lambda tf, x: tf.summary.merge([tf.summary.scalar("a", x), tf.summary.scalar("b", x)]),
        inputs=[normal()],
    ),
]


# -- fields of any message

NODES = [field(1, b"a") + field(2, b"op") + field(3, b"x") + field(3, b"y"), b""]
HISTOGRAM = b"\x09" + np.float64(1.5).tobytes() + field(7, np.array([1.0, 2.0, 3.0]).tobytes())


def fields_of(data, kind, types, **more):
    """Some fields of messages: `types` are the names of the fields and the types of what holds them."""
    return lambda tf, x: tf.io.decode_proto(
        np.array(data, object), f"tensorflow.{kind}", list(types), [getattr(tf, t) for t in types.values()], **more
    )


def encoded(kind, names, *values):
    return lambda tf, sizes: tf.io.encode_proto(sizes, [np.array(v) for v in values], names, f"tensorflow.{kind}")


LISTS = [[b"\x0a\x02\x01\x02"], [b""]]
PART = field(1, b"n") + field(2, b"")
MESSAGES = [
    proto("DecodeProtoV2", fields_of(NODES, "NodeDef", {"name": "string", "input": "string", "device": "string"})),
    proto("DecodeProtoV2", fields_of(HISTOGRAM, "HistogramProto", {"min": "float64", "bucket": "float64"}), "numbers"),
    proto("DecodeProtoV2", fields_of(LISTS, "Int64List", {"value": "int64"}), "of several lengths"),
    proto(
        "DecodeProtoV2",
        fields_of([b"min: 2.5"], "HistogramProto", {"min": "float64", "num": "float64"}, message_format="text"),
        "text",
    ),
    proto("DecodeProtoV2", fields_of([PART], "SavedSlice", {"name": "string", "slice": "string"}), "messages within"),
    proto(
        "EncodeProto",
        encoded("HistogramProto", ["bucket", "min"], [[1.0, 2.0, 3.0]], [[1.5]]),
        inputs=[given([[3, 1]], "int32")],
    ),
    proto(
        "EncodeProto",
        encoded("NodeDef", ["name", "input"], [[b"a"], [b"b"]], [[b"x", b"y"], [b"z", b"z"]]),
        "strings",
        inputs=[given([[1, 2], [0, 1]], "int32")],
    ),
    proto(
        "EncodeProto",
        encoded("TensorShapeProto.Dim", ["size"], [[-1], [0]]),
        "negative numbers",
        inputs=[given([[1], [1]], "int32")],
    ),
]

CASES = PROTOS + TABLES + SUMMARIES + MESSAGES
