"""tf.contrib.periodic_resample: arrays whose axes grow at the expense of one."""

from thalweg._src.contrib.periodic import periodic_resample as periodic_resample
from thalweg._src.contrib.periodic import periodic_resample_op_grad as periodic_resample_op_grad
