"""tf.contrib: what TensorFlow 1.x kept outside of its core."""

from thalweg.contrib import legacy_seq2seq as legacy_seq2seq
from thalweg.contrib import lookup as lookup
