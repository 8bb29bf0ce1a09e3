"""What the parts of a graph cost: parameters, float operations, time and memory (tf.profiler)."""
