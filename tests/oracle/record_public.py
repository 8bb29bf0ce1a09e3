"""Record what TensorFlow gives for the programs in tests/oracle/public.

oracle 1.15 tests/oracle/record_public.py [family ...]      -> tests/golden/public-1.15.json.gz
oracle 0.12 tests/oracle/record_public.py [family ...]      -> tests/golden/public-0.12.json.gz
"""

import gzip
import json
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from oracle import public


def made(table):
    with tf.Graph().as_default(), tempfile.TemporaryDirectory() as folder:
        return public.evaluate(tf, table, folder)


def tell_failure(name, program):
    try:
        made({name: program})
    except Exception as e:
        print("%s fails alone: %s: %s" % (name, type(e).__name__, str(e)[:300]), flush=True)


def main(names):
    tf.logging.set_verbosity(tf.logging.ERROR)
    vintage = "0.12" if tf.__version__.startswith("0.") else "1.15"
    path = os.path.join(HERE, "..", "golden", "public-%s.json.gz" % vintage)
    found = {}
    if os.path.exists(path):
        with gzip.open(path, "rt") as f:
            found = json.load(f)
    families = public.tables()[vintage]
    found = {family: values for family, values in found.items() if family in families}
    for family in names or sorted(families):
        try:
            found[family] = made(families[family])
        except Exception:
            for name, program in families[family].items():
                tell_failure(name, program)
            raise
        for name, value in found[family].items():
            print(name, str(value)[:110], flush=True)
        with open(path, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as f:
            f.write(json.dumps(found, sort_keys=True, separators=(",", ":")).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
