"""Record tests/golden/estimators.json: oracle 1.15 tests/oracle/record_estimators.py"""

import json
import os
import sys

import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from estimator_programs import PROGRAMS  # noqa: E402

tf.logging.set_verbosity(tf.logging.ERROR)
found = {}
for name, program in PROGRAMS.items():
    with tf.Graph().as_default():
        found[name] = program(tf)
with open(os.path.join(HERE, "..", "golden", "estimators.json"), "w") as file:
    json.dump(found, file, indent=1, sort_keys=True)
    file.write("\n")
