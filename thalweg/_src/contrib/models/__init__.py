"""Modules that TensorFlow's tutorials import: the MNIST network in steps, the reader of the Penn Treebank."""
