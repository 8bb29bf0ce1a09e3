"""What tf.io.parse_sequence_example says of examples that do not fit, as TensorFlow 1.15 says it."""

import pytest

import thalweg as tf

C = {"c": [1, 2]}
NO_V = {"v": []}
FIRST = ({"c": [1, 2], "s": [b"a"]}, {"l": [[1.0], [2.0]], "v": [[1, 2], []]})


def feature(values):
    kind = {int: "int64", float: "float", bytes: "bytes"}[type(values[0])] if values else None
    if kind is None:
        return tf.train.Feature()
    held = {"int64": tf.train.Int64List, "float": tf.train.FloatList, "bytes": tf.train.BytesList}[kind](value=values)
    return tf.train.Feature(**{f"{kind}_list": held})


def example(context, lists):
    lists = {k: tf.train.FeatureList(feature=[feature(s) for s in steps]) for k, steps in lists.items()}
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={k: feature(v) for k, v in context.items()}),
        feature_lists=tf.train.FeatureLists(feature_list=lists),
    ).SerializeToString()


def parsed(batch, allow_missing=False):
    context = {"c": tf.FixedLenFeature([2], tf.int64), "s": tf.VarLenFeature(tf.string)}
    lists = {
        "l": tf.FixedLenSequenceFeature([], tf.float32, allow_missing=allow_missing),
        "v": tf.VarLenFeature(tf.int64),
    }
    with tf.Graph().as_default(), tf.Session() as sess:
        found = tf.io.parse_sequence_example(batch, context, lists, example_names=["first", "second"][: len(batch)])
        return sess.run(found)


@pytest.mark.parametrize(
    ("context", "lists", "alone", "second"),
    [
        ({"c": [1, 2, 3]}, {"l": [[1.0]]}, "Inconsistent number of elements for feature c: 3 vs 1", None),
        (
            {"c": [1]},
            {"l": [[1.0]]},
            "Inconsistent number of elements for feature c: 1 vs 1",
            "of elements in example second",
        ),
        (
            {},
            {"l": [[1.0]]},
            "feature c: 0 vs 1",
            r"Feature: c \(data type: int64\) is required but could not be found.",
        ),
        ({"c": [1.0, 2.0]}, {"l": [[1.0]]}, "Error in context feature c in example first", "in example second"),
        ({"c": [1, 2], "s": [3]}, {"l": [[1.0]]}, "Error in context feature s in example first", "in example second"),
        (C, {"l": [[1.0, 2.0]]}, "Unexpected number of elements in feature l, example first", "l, example second"),
        (C, {"l": [[1.0], []]}, "Unexpected number of elements in feature l, example first", "l, example second"),
        (C, NO_V, "Missing feature l in example first", "Missing feature l in example second"),
        (C, {"l": [[1]]}, "Error in sequence feature l in example first", "feature l in example second"),
        (
            C,
            {"l": [[1.0]], "v": [[1.0]]},
            "Error in sequence feature v in example first",
            "feature v in example second",
        ),
    ],
)
def test_messages(context, lists, alone, second):
    with pytest.raises(tf.errors.InvalidArgumentError, match=alone):
        parsed([example(context, lists)])
    with pytest.raises(tf.errors.InvalidArgumentError, match=second or alone):
        parsed([example(*FIRST), example(context, lists)])


def test_what_is_no_example():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid protocol message input, example id: second"):
        parsed([example(*FIRST), b"\xff\xff\x01"])


def test_what_may_miss():
    context, lists, lengths = parsed([example(*FIRST), example(C, NO_V)], allow_missing=True)
    assert context["c"].tolist() == [[1, 2], [1, 2]]
    assert lists["l"].tolist() == [[1, 2], [0, 0]]
    assert lengths["l"].tolist() == [2, 0]
    assert lists["v"].values.tolist() == [1, 2]
