"""tf.contrib.slim.parallel_reader."""

from thalweg._src.contrib.slim.data.parallel_reader import ParallelReader as ParallelReader
from thalweg._src.contrib.slim.data.parallel_reader import get_data_files as get_data_files
from thalweg._src.contrib.slim.data.parallel_reader import parallel_read as parallel_read
from thalweg._src.contrib.slim.data.parallel_reader import single_pass_read as single_pass_read
