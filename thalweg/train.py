"""tf.train: optimizers, savers, sessions that survive, queues."""
