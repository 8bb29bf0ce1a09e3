"""tf.contrib.tensorrt: imports as TensorFlow's does on a machine without TensorRT, and says so when it is used."""

from thalweg._src.contrib.without_tensorrt import create_inference_graph as create_inference_graph
