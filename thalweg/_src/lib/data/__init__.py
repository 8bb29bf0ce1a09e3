"""tf.data: datasets, iterators and what makes elements of tensors."""
