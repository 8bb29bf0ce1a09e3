"""Record what datasets give under TensorFlow 1.15: oracle 1.15 tests/oracle/record_data.py"""

import json
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
import tensorflow as tf
from data_walks import walked, walks

results = {name: walked(tf, make) for name, make in walks(tf).items()}
with open(os.path.join(here, "..", "golden", "data-walks.json"), "w") as f:
    json.dump(results, f, separators=(",", ":"), sort_keys=True)
    f.write("\n")
print(len(results), "datasets")
