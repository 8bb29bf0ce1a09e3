"""Record the facts of every op that TensorFlow 1.15 registers, contrib's included.

    oracle 1.15 tests/oracle/record_opdefs.py [READABLE.txt]

Writes tests/golden/opdefs.json.gz; with an argument, also a text with one op per line for people.
The form of a record is told by `tests/oracle/opdef_facts.py`, which reads both protos and this file.
"""

import gzip
import json
import os
import sys

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python import pywrap_tensorflow as c_api

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
from opdef_facts import facts, readable

CONTRIB_MODULES = """bigtable boosted_trees coder cudnn_rnn data factorization ffmpeg framework fused_conv hadoop
image input_pipeline kafka layers libsvm memory_stats nccl nearest_neighbor periodic_resample quantization
reduce_slice_ops resampler rnn rpc seq2seq session_bundle sparsemax specs tensor_forest text tpu batching""".split()


def registered():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(c_api.TF_GetBuffer(c_api.TF_GetAllOpList()))
    return {o.name: o for o in ops.op}


core = registered()
import importlib

for name in CONTRIB_MODULES:
    for tail in ("", ".python.ops", ".ops"):
        try:
            module = importlib.import_module("tensorflow.contrib." + name + tail)
        except Exception:
            continue
        folder = os.path.dirname(module.__file__)
        for root, _, files in os.walk(folder):
            for f in files:
                if f.endswith(".so"):
                    try:
                        tf.load_op_library(os.path.join(root, f))
                    except Exception as e:
                        print("not loaded:", f, str(e)[:80])
everything = registered()
table = {name: facts(o) for name, o in sorted(everything.items())}
for name in table:
    if name not in core:
        table[name]["contrib"] = 1
text = json.dumps(table, sort_keys=True, separators=(",", ":"))
path = os.path.join(here, "..", "golden", "opdefs.json.gz")
with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as f:
    f.write(text.encode())
print(len(core), "ops of the library,", len(table) - len(core), "of contrib;", os.path.getsize(path), "bytes")
if len(sys.argv) > 1:
    with open(sys.argv[1], "w") as f:
        for name, fact in table.items():
            f.write(readable(name, fact) + "\n")
