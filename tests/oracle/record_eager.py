"""Record what eager programs give under TensorFlow 1.15: `oracle 1.15 tests/oracle/record_eager.py FILE.json.gz [NAME...]`."""

import gzip
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np
import tensorflow as tf
from eager_programs import PROGRAMS

tf.enable_eager_execution()
found = {name: PROGRAMS[name](tf, np) for name in sys.argv[2:] or sorted(PROGRAMS)}
with gzip.GzipFile(sys.argv[1], "w", mtime=0) as f:
    f.write(json.dumps(found, sort_keys=True).encode())
