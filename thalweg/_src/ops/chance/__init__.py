"""Random numbers, TensorFlow's own."""
