"""tf.test: test cases over graphs and sessions."""

from thalweg._src.lib.benchmark import Benchmark as Benchmark
from thalweg._src.lib.benchmark import benchmark_config as benchmark_config
from thalweg._src.lib.gradient_check import compute_gradient as compute_gradient
from thalweg._src.lib.gradient_check import compute_gradient_error as compute_gradient_error
from thalweg._src.lib.server import create_local_cluster as create_local_cluster
from thalweg._src.lib.stubbing import StubOutForTesting as StubOutForTesting
from thalweg._src.lib.testing import TestCase as TestCase
from thalweg._src.lib.testing import __getattr__ as __getattr__
from thalweg._src.lib.testing import assert_equal_graph_def as assert_equal_graph_def
from thalweg._src.lib.testing import get_temp_dir as get_temp_dir
from thalweg._src.lib.testing import gpu_device_name as gpu_device_name
from thalweg._src.lib.testing import is_built_with_cuda as is_built_with_cuda
from thalweg._src.lib.testing import is_built_with_gpu_support as is_built_with_gpu_support
from thalweg._src.lib.testing import is_built_with_rocm as is_built_with_rocm
from thalweg._src.lib.testing import is_gpu_available as is_gpu_available
from thalweg._src.lib.testing import main as main
from thalweg._src.lib.testing import test_src_dir_path as test_src_dir_path
