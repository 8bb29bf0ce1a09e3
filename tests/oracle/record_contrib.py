"""Record what TensorFlow 1.15 gives for the programs in contrib_programs.py.

oracle 1.15 tests/oracle/record_contrib.py [family ...]      -> tests/golden/contrib-1.15.json
"""

import json
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from oracle import contrib_programs, public


def main(names):
    tf.logging.set_verbosity(tf.logging.ERROR)
    path = os.path.join(HERE, "..", "golden", "contrib-1.15.json")
    found = {}
    if os.path.exists(path):
        with open(path) as f:
            found = json.load(f)
    for family in names or sorted(contrib_programs.TABLES):
        table = contrib_programs.TABLES[family]
        found[family] = {}
        for name, program in table.items():
            with tf.Graph().as_default(), tempfile.TemporaryDirectory() as folder:
                try:
                    found[family].update(public.evaluate(tf, {name: program}, folder))
                except Exception as e:
                    print("%s fails: %s: %s" % (name, type(e).__name__, str(e)[:400]), flush=True)
                    continue
            print(name, str(found[family][name])[:150], flush=True)
    with open(path, "w") as out:
        out.write(json.dumps(found, sort_keys=True, separators=(",", ":")).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
