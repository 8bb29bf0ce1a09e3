"""tf.bitwise: logic on the bits of integers."""

from thalweg._src.ops.numeric.bitwise import bitwise_and as bitwise_and
from thalweg._src.ops.numeric.bitwise import bitwise_or as bitwise_or
from thalweg._src.ops.numeric.bitwise import bitwise_xor as bitwise_xor
from thalweg._src.ops.numeric.bitwise import invert as invert
from thalweg._src.ops.numeric.bitwise import left_shift as left_shift
from thalweg._src.ops.numeric.bitwise import right_shift as right_shift
