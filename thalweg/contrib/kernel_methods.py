"""tf.contrib.kernel_methods: kernels by way of linear models."""

from thalweg._src.contrib.kernel_maps import InvalidShapeError as InvalidShapeError
from thalweg._src.contrib.kernel_maps import RandomFourierFeatureMapper as RandomFourierFeatureMapper
