"""What `import tensorflow` finds first in a process that a program of `thalweg run` starts: it serves thalweg, and gives way to it.

A process of another environment, and TensorBoard, get what they would have found without it.
"""

import os
import sys

_folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
del sys.modules[__name__]
if os.environ.get("THALWEG_ENVIRONMENT") == sys.prefix and os.path.basename(sys.argv[0]) != "tensorboard":
    from thalweg._src.compat import program

    program.prepare(shims=os.environ.get(program.NO_SHIMS) != "1")
else:
    sys.path[:] = [p for p in sys.path if os.path.abspath(p) != _folder]
__import__(__name__)
