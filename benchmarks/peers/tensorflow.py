"""TensorFlow 1.15, or 2.21 by its compat.v1 face in graph mode, under the interpreter of an oracle."""

import os

from benchmarks.catalogue import by_name
from benchmarks.ops.graph import programs as op_programs
from benchmarks.peers.graph import programs
from benchmarks.peers.graph_input import programs as input_programs
from benchmarks.peers.networks import programs as network_programs
from benchmarks.protocol import serve, timed_import


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # 2.21: brings tf.nn.rnn_cell back
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    tensorflow, seconds = timed_import("tensorflow")
    tf = tensorflow.compat.v1
    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.disable_eager_execution()
    facts = {"peer": "TensorFlow", "version": tensorflow.__version__, "imported": seconds}
    serve(facts, {**programs(tf), **input_programs(tf), **op_programs(tf), **network_programs(tf)}, by_name())


if __name__ == "__main__":
    main()
