"""Records the script of every Unicode character, as TensorFlow tells it.

oracle 1.15 tests/oracle/record_scripts.py      # writes thalweg/_src/ops/text/unicode_scripts.tsv
"""

import os

import numpy as np
import tensorflow as tf

PLACE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "thalweg", "_src", "ops", "text", "unicode_scripts.tsv"
)


def main():
    with tf.Session() as sess:
        scripts = sess.run(tf.strings.unicode_script(np.arange(0x110000, dtype=np.int32)))
    edges = [0] + (np.flatnonzero(np.diff(scripts)) + 1).tolist()
    with open(PLACE, "w") as f:
        f.write("first character\tscript (ICU's number)\n")
        for first in edges:
            f.write("%x\t%d\n" % (first, scripts[first]))
    print(len(edges), "runs")


if __name__ == "__main__":
    main()
