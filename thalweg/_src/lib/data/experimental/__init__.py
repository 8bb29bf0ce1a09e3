"""tf.data.experimental: transformations for `dataset.apply`, readers of whole formats, checkpoints of iterators."""
