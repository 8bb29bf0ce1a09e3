"""tf.contrib.learn.head: heads of models, by the module that has them; once their names began with an underscore."""

from thalweg._src.contrib.learn.head import BinaryLogisticHead as _BinaryLogisticHead
from thalweg._src.contrib.learn.head import BinarySvmHead as _BinarySvmHead
from thalweg._src.contrib.learn.head import MultiClassHead as _MultiClassHead
from thalweg._src.contrib.learn.head import MultiLabelHead as _MultiLabelHead
from thalweg._src.contrib.learn.head import RegressionHead as _RegressionHead
from thalweg._src.contrib.learn.head import binary_svm_head as _binary_svm_head
from thalweg._src.contrib.learn.head import binary_svm_head as binary_svm_head
from thalweg._src.contrib.learn.head import loss_only_head as loss_only_head
from thalweg._src.contrib.learn.head import multi_class_head as _multi_class_head
from thalweg._src.contrib.learn.head import multi_class_head as multi_class_head
from thalweg._src.contrib.learn.head import multi_head as _multi_head
from thalweg._src.contrib.learn.head import multi_head as multi_head
from thalweg._src.contrib.learn.head import multi_label_head as _multi_label_head
from thalweg._src.contrib.learn.head import multi_label_head as multi_label_head
from thalweg._src.contrib.learn.head import poisson_regression_head as _poisson_regression_head
from thalweg._src.contrib.learn.head import poisson_regression_head as poisson_regression_head
from thalweg._src.contrib.learn.head import regression_head as _regression_head
from thalweg._src.contrib.learn.head import regression_head as regression_head
from thalweg._src.contrib.learn.single_head import Head as Head
from thalweg._src.contrib.learn.single_head import Head as _Head
from thalweg._src.contrib.learn.single_head import SingleHead as _SingleHead
from thalweg._src.contrib.learn.single_head import no_op_train_fn as no_op_train_fn
