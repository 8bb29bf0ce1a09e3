"""tf.contrib.input_pipeline: the strings of a list one after the other."""

from thalweg._src.contrib.input_pipeline import obtain_next as obtain_next
from thalweg._src.contrib.input_pipeline import seek_next as seek_next
