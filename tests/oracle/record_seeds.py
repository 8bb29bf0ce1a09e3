"""Record what TensorFlow 0.12 makes of the seeds' code blocks: oracle 0.12 tests/oracle/record_seeds.py"""

import json
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
import numpy as np
import tensorflow as tf
from seed_blocks import BLOCKS, told

results = {}
for name, block in BLOCKS.items():
    with tf.Graph().as_default():
        results[name] = told(block(tf, np))
with open(os.path.join(here, "..", "golden", "seeds-0.12.json"), "w") as f:
    json.dump(results, f, indent=None, separators=(",", ":"), sort_keys=True)
    f.write("\n")
print(len(results), "blocks")
