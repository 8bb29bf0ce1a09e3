"""What `import tensorflow` finds first in a process that a program of `thalweg run` starts: it serves thalweg, and gives way to it."""

import os
import sys

from thalweg._src.compat import program

del sys.modules[__name__]
program.prepare(shims=os.environ.get(program.NO_SHIMS) != "1")
__import__(__name__)
