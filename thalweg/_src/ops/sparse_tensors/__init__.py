"""Tensors of which a few entries are kept: SparseTensor, IndexedSlices, sets."""
