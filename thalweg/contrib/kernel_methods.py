"""tf.contrib.kernel_methods: kernels by way of linear models."""

from thalweg._src.contrib.kernel_methods import InvalidShapeError as InvalidShapeError
from thalweg._src.contrib.kernel_methods import KernelLinearClassifier as KernelLinearClassifier
from thalweg._src.contrib.kernel_methods import RandomFourierFeatureMapper as RandomFourierFeatureMapper
from thalweg._src.contrib.kernel_methods import sparse_multiclass_hinge_loss as sparse_multiclass_hinge_loss
