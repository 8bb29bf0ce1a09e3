"""`import thalweg.tensorflow` serves `tensorflow` from thalweg to every later import, as `thalweg.install()` does."""

from thalweg._src.compat.hook import install as install

install()
