"""Lowerings for one platform where the plain one is slow there; never needed for correctness.

Importing this package registers them with their ops. Today there is one platform: the CPU, whose convolutions, large products, pools, batch
normalisations, recurrent loops and updates of variables are machine code made from `source/` by a C++ compiler of the machine
(`library.py`).
"""

from thalweg._src.kernels import convolution as convolution
from thalweg._src.kernels import depthwise as depthwise
from thalweg._src.kernels import normalization as normalization
from thalweg._src.kernels import pictures as pictures
from thalweg._src.kernels import pooling as pooling
from thalweg._src.kernels import products as products
from thalweg._src.kernels import turns as turns
from thalweg._src.kernels import updates as updates
