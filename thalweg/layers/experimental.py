"""tf.layers.experimental: variables of layers as Keras manages them."""

from thalweg._src.lib.layers.base import keras_style_scope as keras_style_scope
from thalweg._src.lib.layers.base import set_keras_style as set_keras_style
