"""Record what TensorFlow 1.15 gives for the programs in summary_programs.py.

oracle 1.15 tests/oracle/record_summaries.py      -> tests/golden/summaries-1.15.json.gz
"""

import gzip
import json
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from oracle.summary_programs import PROGRAMS

tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
found = {}
for name in sorted(PROGRAMS):
    with tf.Graph().as_default():
        found[name] = PROGRAMS[name](tf, np, tempfile.mkdtemp())
with open(os.path.join(HERE, "..", "golden", "summaries-1.15.json.gz"), "wb") as out:
    with gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as f:
        f.write(json.dumps(found, sort_keys=True, separators=(",", ":")).encode())
