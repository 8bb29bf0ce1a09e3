"""Which TensorFlow this namespace is."""

from thalweg._src.version import COMPILER_VERSION as COMPILER_VERSION
from thalweg._src.version import GIT_VERSION as GIT_VERSION
from thalweg._src.version import GRAPH_DEF_VERSION as GRAPH_DEF_VERSION
from thalweg._src.version import GRAPH_DEF_VERSION_MIN_CONSUMER as GRAPH_DEF_VERSION_MIN_CONSUMER
from thalweg._src.version import GRAPH_DEF_VERSION_MIN_PRODUCER as GRAPH_DEF_VERSION_MIN_PRODUCER
from thalweg._src.version import TENSORFLOW as VERSION
