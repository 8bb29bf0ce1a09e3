"""tf.contrib.compiler.xla."""

from thalweg._src.contrib.just_in_time import compile as compile
