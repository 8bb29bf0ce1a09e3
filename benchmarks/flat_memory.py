"""`python -m benchmarks.flat_memory [RECORDS]`: input pipelines over a million records take no more memory at the end than at the start.

Prints the resident megabytes of the process at every tenth of the way, for tf.data and for readers and queues, and fails where the
last fifth lies more than GROWTH megabytes above the second.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.protocol import resident

BATCH = 100
GROWTH = 24.0


def example(i: int) -> bytes:
    """A record: a number and 40 bytes."""
    import thalweg as tf

    number = tf.train.Feature(int64_list=tf.train.Int64List(value=[i]))
    text = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"%040d" % i]))
    return tf.train.Example(features=tf.train.Features(feature={"i": number, "s": text})).SerializeToString()


def write(path: str, count: int, distinct: int = 1000) -> None:
    """`count` records, of which `distinct` follow each other again and again."""
    import thalweg as tf

    few = [example(i) for i in range(distinct)]
    with tf.python_io.TFRecordWriter(path) as writer:
        for i in range(count):
            writer.write(few[i % distinct])


def by_dataset(path: str) -> Iterator[int]:
    """The sizes of shuffled batches that tf.data gives."""
    import thalweg as tf

    features = {"i": tf.FixedLenFeature([], tf.int64), "s": tf.FixedLenFeature([], tf.string)}
    with tf.Graph().as_default(), tf.Session() as session:
        dataset = tf.data.TFRecordDataset(path).map(lambda r: tf.parse_single_example(r, features))
        batch = dataset.shuffle(1000).batch(BATCH).prefetch(2).make_one_shot_iterator().get_next()
        yield from _sizes(session, tf.size(batch["i"]))


def by_queues(path: str) -> Iterator[int]:
    """The sizes of shuffled batches that a reader, its thread and a queue give."""
    import thalweg as tf

    features = {"i": tf.FixedLenFeature([], tf.int64), "s": tf.FixedLenFeature([], tf.string)}
    with tf.Graph().as_default(), tf.Session() as session:
        names = tf.train.string_input_producer([path], num_epochs=1)
        records = tf.TFRecordReader().read_up_to(names, BATCH)[1]
        parsed = tf.parse_example(records, features)
        batch = tf.train.shuffle_batch(
            [parsed["i"], parsed["s"]], BATCH, 5000, 1000, enqueue_many=True, allow_smaller_final_batch=True
        )
        session.run(tf.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        yield from _sizes(session, tf.size(batch[0]))
        coordinator.request_stop()
        coordinator.join(threads)


def _sizes(session, size) -> Iterator[int]:
    import thalweg as tf

    step = session.make_callable(size)
    while True:
        try:
            yield int(step())
        except tf.errors.OutOfRangeError:
            return


def course(sizes: Iterator[int], count: int, tenths: int = 10) -> list[float]:
    """Resident megabytes at each tenth of `count` records. Raises ValueError where other than `count` come."""
    seen, found = 0, []
    for size in sizes:
        seen += size
        if seen * tenths >= (len(found) + 1) * count:
            found.append(resident("VmRSS"))
    if seen != count:
        raise ValueError(f"{seen} of {count} records came")
    return found


def growth(found: list[float]) -> float:
    """Megabytes that the last fifth lies above the second, when all buffers have filled."""
    return max(found[-2:]) - max(found[2:4])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    grown = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "records")
        write(path, count)
        for name, pipeline in (("tf.data", by_dataset), ("queues", by_queues)):
            found = course(pipeline(path), count)
            grown.append(growth(found))
            print(f"{name:8}", " ".join(f"{mb:6.1f}" for mb in found), f"MB; growth {grown[-1]:.1f} MB", flush=True)
    if max(grown) > GROWTH:
        sys.exit(f"memory grows: {max(grown):.1f} MB")


if __name__ == "__main__":
    main()
