"""tf.sysconfig: where headers and libraries would be."""

from thalweg._src.lib.libraries import CXX11_ABI_FLAG as CXX11_ABI_FLAG
from thalweg._src.lib.libraries import MONOLITHIC_BUILD as MONOLITHIC_BUILD
from thalweg._src.lib.libraries import get_compile_flags as get_compile_flags
from thalweg._src.lib.libraries import get_include as get_include
from thalweg._src.lib.libraries import get_lib as get_lib
from thalweg._src.lib.libraries import get_link_flags as get_link_flags
