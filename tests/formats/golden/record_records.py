"""Write small TFRecord and event files with TensorFlow 1.15 into this folder.

Run under the oracle: `oracle 1.15 tests/formats/golden/record_records.py`.
"""

import os
import socket

import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDS = [b"", b"a", b"two\x00\xff", b"x" * 300]


def main():
    options = tf.python_io.TFRecordCompressionType
    for name, kind in (("plain", options.NONE), ("gzip", options.GZIP), ("zlib", options.ZLIB)):
        path = os.path.join(HERE, "records-" + name + ".tfrecord")
        with tf.python_io.TFRecordWriter(path, tf.python_io.TFRecordOptions(kind)) as writer:
            for record in RECORDS:
                writer.write(record)
    for name in os.listdir(HERE):
        if "tfevents" in name:
            os.remove(os.path.join(HERE, name))
    writer = tf.summary.FileWriter(HERE, graph=None, filename_suffix=".golden")
    summary = tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)])
    writer.add_event(tf.Event(wall_time=1500000000.5, step=7, summary=summary))
    writer.close()
    (made,) = [name for name in os.listdir(HERE) if "tfevents" in name]
    os.rename(os.path.join(HERE, made), os.path.join(HERE, "events-1.15.tfevents"))
    with open(os.path.join(HERE, "events-1.15.name"), "w") as file:
        file.write(made.replace(socket.gethostname(), "host") + "\n")


if __name__ == "__main__":
    main()
