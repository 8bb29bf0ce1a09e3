"""tensorflow.python.platform.googletest."""

from thalweg._src.lib.testing import TestCase, get_temp_dir, main

GetTempDir = get_temp_dir
__all__ = ["GetTempDir", "TestCase", "main"]
