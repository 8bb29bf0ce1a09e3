"""Record the random numbers of stream_programs.py under TensorFlow 1.15.

oracle 1.15 tests/oracle/record_streams.py      -> tests/golden/streams-1.15.npz
"""

import os
import sys
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from oracle.stream_programs import RUNS, as_numbers, numbers

tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
tensors = {name: tensor for name, (tensor, _) in numbers(tf).items()}
with tf.Session() as session:
    runs = [session.run(tensors) for _ in range(RUNS)]
kept = {"%s/%d" % (name, i): as_numbers(runs[i][name]) for name in tensors for i in (0, RUNS - 1)}
np.savez_compressed(os.path.join(HERE, "..", "golden", "streams-1.15.npz"), **kept)
print(len(tensors), "tensors")
