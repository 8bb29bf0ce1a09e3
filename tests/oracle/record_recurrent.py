"""Record what TensorFlow 1.15 gives for the programs in recurrent_programs.py and sequence_programs.py.

oracle 1.15 tests/oracle/record_recurrent.py [program ...]      -> tests/golden/recurrent-1.15.json.gz
"""

import gzip
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from oracle.sequence_programs import PROGRAMS

PATH = os.path.join(HERE, "..", "golden", "recurrent-1.15.json.gz")


def short(value):
    if isinstance(value, (list, tuple)):
        return [short(v) for v in value]
    return float("%.7g" % value) if isinstance(value, float) else value


def main(names):
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    found = {}
    if names and os.path.exists(PATH):
        with gzip.open(PATH, "rt") as f:
            found = json.load(f)
    for name in names or sorted(PROGRAMS):
        with tf.Graph().as_default():
            found[name] = short(PROGRAMS[name](tf, np))
        print(name, str(found[name])[:100], flush=True)
    with open(PATH, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as f:
        f.write(json.dumps(found, sort_keys=True, separators=(",", ":")).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
