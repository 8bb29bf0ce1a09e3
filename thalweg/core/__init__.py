"""tensorflow.core: the protocol-buffer messages by the modules that TensorFlow generated for them."""
