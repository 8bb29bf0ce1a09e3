"""Statistics of datasets in an aggregator's summary: their names and counts are TensorFlow's."""

import re

import pytest

import thalweg as tf
from thalweg._src.lib.data.experimental.statistics import set_stats_aggregator


def found(sess, aggregator_summary):
    """{tag: histogram or number} of the summary now."""
    summary = tf.Summary.FromString(sess.run(aggregator_summary))
    return {v.tag: v.histo if v.HasField("histo") else v.simple_value for v in summary.value}


def observed(dataset, aggregator, **more):
    options = tf.data.Options()
    options.experimental_stats.aggregator = aggregator
    for name, value in more.items():
        setattr(options.experimental_stats, name, value)
    return dataset.with_options(options)


@pytest.fixture
def started():
    with tf.Graph().as_default(), tf.Session() as sess:
        aggregator = tf.data.experimental.StatsAggregator()
        yield sess, aggregator, aggregator.get_summary()


def walking(sess, dataset):
    iterator = tf.data.make_initializable_iterator(dataset)
    sess.run(iterator.initializer)
    return iterator.get_next()


def test_bytes_and_latency(started):
    sess, aggregator, summary = started
    stats = tf.data.experimental
    dataset = tf.data.Dataset.range(5).map(lambda n: tf.tile([n], [n])).apply(stats.bytes_produced_stats("bytes"))
    following = walking(sess, observed(dataset.apply(stats.latency_stats("time")), aggregator, prefix="train"))
    total = 0
    for n in range(5):
        sess.run(following)
        total += 8 * n
        seen = found(sess, summary)
        assert (seen["train::bytes"].num, seen["train::bytes"].sum) == (n + 1, total)
        assert seen["train::time"].num == n + 1
    assert seen["train::time"].min >= 0
    assert sum(seen["train::bytes"].bucket) == 5
    with pytest.raises(tf.errors.OutOfRangeError):
        sess.run(following)
    assert found(sess, summary)["train::bytes"].num == 5


def test_filters_and_prefetched_elements(started):
    sess, aggregator, summary = started
    dataset = tf.data.Dataset.range(10).prefetch(2).filter(lambda n: tf.equal(n % 2, 0)).prefetch(1)
    following = walking(sess, observed(dataset, aggregator))
    for n in range(5):
        assert sess.run(following) == 2 * n
    with pytest.raises(tf.errors.OutOfRangeError):
        sess.run(following)
    seen = found(sess, summary)
    assert seen["FilterDataset/_6::filtered_elements"] == 5
    assert seen["FilterDataset/_6::dropped_elements"] == 5
    assert seen["PrefetchDataset/_5::buffer_capacity"] == 2
    assert seen["PrefetchDataset/_8::buffer_capacity"] == 1
    assert seen["PrefetchDataset/_8::buffer_utilization"].num == 5
    assert 0 <= seen["PrefetchDataset/_8::buffer_size"] <= 1


def test_all_edges(started):
    sess, aggregator, summary = started
    dataset = tf.data.Dataset.from_tensors(1).map(lambda x: x * x).prefetch(1)
    assert sess.run(walking(sess, observed(dataset, aggregator, latency_all_edges=True))) == 1
    timed = {re.sub(r"/_\d+", "", tag) for tag in found(sess, summary) if tag.startswith("record_latency")}
    assert timed == {f"record_latency::{kind}Dataset" for kind in ("Tensor", "Map", "Prefetch")}


def test_one_aggregator_of_several_iterators_and_none(started):
    sess, aggregator, summary = started
    timed = tf.data.Dataset.range(3).apply(tf.data.experimental.latency_stats("time"))
    assert sess.run(walking(sess, timed)) == 0
    assert found(sess, summary) == {}
    one, other = (walking(sess, timed.apply(set_stats_aggregator(aggregator, prefix))) for prefix in ("", "b"))
    sess.run([one, other])
    assert {tag: h.num for tag, h in found(sess, summary).items()} == {"time": 1, "b::time": 1}
