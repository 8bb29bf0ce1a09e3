"""tf.contrib.compiler.jit."""

from thalweg._src.contrib.just_in_time import experimental_jit_scope as experimental_jit_scope
