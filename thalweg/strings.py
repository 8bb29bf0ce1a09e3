"""tf.strings: strings."""

from thalweg._src.ops.segments import unsorted_segment_join as unsorted_segment_join
