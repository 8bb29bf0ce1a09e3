"""Record what TensorFlow 1.15 gives for the programs of a family.

oracle 1.15 tests/oracle/record_programs.py layers|recurrent|training [program ...]      -> tests/golden/FAMILY-1.15.json.gz
"""

import gzip
import importlib
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

FAMILIES = {"layers": "layer_programs", "recurrent": "sequence_programs", "training": "training_programs"}


def short(value):
    if isinstance(value, (list, tuple)):
        return [short(v) for v in value]
    return float("%.7g" % value) if isinstance(value, float) else value


def main(family, names):
    programs = importlib.import_module("oracle." + FAMILIES[family]).PROGRAMS
    path = os.path.join(HERE, "..", "golden", family + "-1.15.json.gz")
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    found = {}
    if names and os.path.exists(path):
        with gzip.open(path, "rt") as f:
            found = json.load(f)
    for name in names or sorted(programs):
        with tf.Graph().as_default():
            found[name] = short(programs[name](tf, np))
        print(name, str(found[name])[:100], flush=True)
    with open(path, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as f:
        f.write(json.dumps(found, sort_keys=True, separators=(",", ":")).encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
