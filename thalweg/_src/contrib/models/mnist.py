"""The fully connected network of the tutorial on TensorFlow's mechanics: tensorflow.examples.tutorials.mnist.mnist."""

import math
from typing import Any

from thalweg._src.core.dtypes import int32
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.losses import sparse_softmax_cross_entropy
from thalweg._src.lib.optimizers.gradient_descent import GradientDescentOptimizer
from thalweg._src.lib.summary.summary import scalar
from thalweg._src.ops.arrays.topk import in_top_k
from thalweg._src.ops.chance.random import truncated_normal
from thalweg._src.ops.late import array
from thalweg._src.ops.late import math as tf_math
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful.variables import Variable

NUM_CLASSES = 10
IMAGE_SIZE = 28
IMAGE_PIXELS = IMAGE_SIZE * IMAGE_SIZE


def _layer(x: Any, inputs: int, units: int) -> Tensor:
    start = truncated_normal([inputs, units], stddev=1.0 / math.sqrt(float(inputs)))
    weights = Variable(start, name="weights")
    biases = Variable(array.zeros([units]), name="biases")
    return tf_math.matmul(x, weights) + biases


def inference(images: Any, hidden1_units: int, hidden2_units: int) -> Tensor:
    """Logits [batch, 10] of images [batch, 784], by two hidden layers."""
    with name_scope("hidden1"):
        x = relu(_layer(images, IMAGE_PIXELS, hidden1_units))
    with name_scope("hidden2"):
        x = relu(_layer(x, hidden1_units, hidden2_units))
    with name_scope("softmax_linear"):
        return _layer(x, hidden2_units, NUM_CLASSES)


def loss(logits: Any, labels: Any) -> Tensor:
    """The mean cross-entropy of labels [batch]."""
    return sparse_softmax_cross_entropy(labels=tf_math.to_int64(labels), logits=logits)


def training(loss: Any, learning_rate: float) -> Operation:
    """A step of gradient descent, that counts; the loss is summarized."""
    scalar("loss", loss)
    step = Variable(0, name="global_step", trainable=False)
    return GradientDescentOptimizer(learning_rate).minimize(loss, global_step=step)


def evaluation(logits: Any, labels: Any) -> Tensor:
    """How many of a batch are right: an int32."""
    return tf_math.reduce_sum(tf_math.cast(in_top_k(logits, labels, 1), int32))
