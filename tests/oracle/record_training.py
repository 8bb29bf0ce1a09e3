"""Record what TensorFlow 1.15 gives for the programs in training_programs.py.

oracle 1.15 tests/oracle/record_training.py [program ...]      -> tests/golden/training-1.15.json.gz
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from oracle import record_layers
from oracle.training_programs import PROGRAMS

record_layers.PROGRAMS = PROGRAMS
record_layers.PATH = os.path.join(os.path.dirname(record_layers.PATH), "training-1.15.json.gz")

if __name__ == "__main__":
    record_layers.main(sys.argv[1:])
