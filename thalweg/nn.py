"""tf.nn: the ops of neural networks."""
