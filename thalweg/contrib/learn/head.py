"""tf.contrib.learn.head: heads of models, by the module that has them."""

from thalweg._src.contrib.learn.head import binary_svm_head as binary_svm_head
from thalweg._src.contrib.learn.head import loss_only_head as loss_only_head
from thalweg._src.contrib.learn.head import multi_class_head as multi_class_head
from thalweg._src.contrib.learn.head import multi_head as multi_head
from thalweg._src.contrib.learn.head import multi_label_head as multi_label_head
from thalweg._src.contrib.learn.head import poisson_regression_head as poisson_regression_head
from thalweg._src.contrib.learn.head import regression_head as regression_head
from thalweg._src.contrib.learn.single_head import Head as Head
from thalweg._src.contrib.learn.single_head import no_op_train_fn as no_op_train_fn
