"""tf.contrib.reduce_slice_ops: reductions over stretches of an axis."""

from thalweg._src.contrib.reduced_slices import reduce_slice_max as reduce_slice_max
from thalweg._src.contrib.reduced_slices import reduce_slice_min as reduce_slice_min
from thalweg._src.contrib.reduced_slices import reduce_slice_prod as reduce_slice_prod
from thalweg._src.contrib.reduced_slices import reduce_slice_sum as reduce_slice_sum
