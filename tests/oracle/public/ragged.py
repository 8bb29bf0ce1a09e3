"""tf.ragged: ranges, rows of values, masks, stacks and partitions of ragged tensors."""

from . import raised


def rows(tf):
    return tf.ragged.constant([[1, 2], [], [3, 4, 5]])


def deep(tf):
    return tf.ragged.constant([[[1, 2], [3]], [], [[4]]])


def parts(value):
    """A ragged tensor as what is compared: values and splits. Its value has no plain form of its own."""
    if hasattr(value, "nested_row_splits"):
        return [value.flat_values] + list(value.nested_row_splits)
    return [value]


def ranges(tf):
    r = tf.ragged.range
    made = [
        r([3, 5, 2]),
        r([0, 5, 8], [3, 3, 12], [1, -1, 2]),
        r(0.0, [1.0, 0.5], 0.25),
        r([1, 2], 4, row_splits_dtype=tf.int32),
        r(tf.constant([1, 9], tf.int64), 4, dtype=tf.int64),
    ]
    return [parts(m) for m in made]


def ids(tf):
    f = tf.ragged.row_splits_to_segment_ids
    return [
        f([0, 3, 3, 5]),
        f(tf.constant([0, 2, 3]), out_type=tf.int64),
        raised(f, []),
        raised(f, [0.5]),
        raised(f, 3),
    ]


def splits(tf):
    f = tf.ragged.segment_ids_to_row_splits
    known = f(tf.constant([0, 0, 2]), num_segments=5)
    return [f([0, 0, 2, 2, 3]), known, known.shape.as_list(), f([0, 1], out_type=tf.int32), raised(f, [[0]])]


def masks(tf):
    f, c = tf.ragged.boolean_mask, tf.ragged.constant
    square = [[1, 2, 3], [4, 5, 6]]
    made = [
        f(rows(tf), [True, False, True]),
        f(rows(tf), c([[True, False], [], [False, True, True]])),
        f(square, [[True, False, True], [False, False, True]]),
        f(square, c([[True, False, True], [False, False, True]])),
        f(deep(tf), c([[True, False], [], [True]])),
        f([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[[True, False], [False, False]], [[True, True], [False, True]]]),
        f(square, [True, False]),
    ]
    return [[parts(m) for m in made], raised(f, square, True), raised(f, rows(tf), tf.placeholder(tf.bool))]


def stacks(tf):
    f, c = tf.ragged.stack, tf.ragged.constant
    made = [
        f([rows(tf), c([[7], [8, 9]])]),
        f([rows(tf), c([[7], [8, 9], []])], axis=1),
        f([deep(tf), deep(tf)]),
        f([[[1, 2], [3, 4]], rows(tf)]),
        f([1, 2, 3]),
        f([[1, 2], [3, 4]], axis=1),
        f([deep(tf), deep(tf)], axis=-3),
    ]
    return [[parts(m) for m in made], raised(f, []), raised(f, [rows(tf), 3]), raised(f, [[1, 2], [3]])]


def partitions(tf):
    f, c = tf.ragged.stack_dynamic_partitions, tf.ragged.constant
    made = [
        f(["a", "b", "c", "d", "e"], [3, 0, 2, 2, 3], 5),
        f(rows(tf), [1, 0, 1], 2),
        f(rows(tf), c([[0, 1], [], [1, 0, 1]]), 2),
        f([[1, 2], [3, 4]], [[1, 0], [0, 0]], 2),
        f([1, 2], 1, 3),
    ]
    return [[parts(m) for m in made], raised(f, [1], tf.placeholder(tf.int32), 2)]


TABLES = {
    "ragged_rows": {
        "ragged.range": ranges,
        "ragged.row_splits_to_segment_ids": ids,
        "ragged.segment_ids_to_row_splits": splits,
        "ragged.boolean_mask": masks,
        "ragged.stack": stacks,
        "ragged.stack_dynamic_partitions": partitions,
    },
}
