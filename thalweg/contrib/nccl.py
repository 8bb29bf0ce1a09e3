"""tf.contrib.nccl: sums and the like over the devices of one machine."""

from thalweg._src.lib.nccl import all_max as all_max
from thalweg._src.lib.nccl import all_min as all_min
from thalweg._src.lib.nccl import all_prod as all_prod
from thalweg._src.lib.nccl import all_sum as all_sum
from thalweg._src.lib.nccl import broadcast as broadcast
from thalweg._src.lib.nccl import reduce_sum as reduce_sum
