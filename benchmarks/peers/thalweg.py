"""thalweg, by the same program text as TensorFlow's."""

import os

from benchmarks.catalogue import by_name
from benchmarks.ops.graph import programs as op_programs
from benchmarks.peers.graph import programs
from benchmarks.peers.graph_input import programs as input_programs
from benchmarks.peers.networks import programs as network_programs
from benchmarks.protocol import serve, timed_import


def main():
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    tf, seconds = timed_import("thalweg")
    from thalweg._src.version import __version__  # tf.__version__ is that of the API

    facts = {"peer": "thalweg", "version": __version__, "imported": seconds}
    serve(facts, {**programs(tf), **input_programs(tf), **op_programs(tf), **network_programs(tf)}, by_name())


if __name__ == "__main__":
    main()
