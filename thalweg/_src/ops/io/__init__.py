"""Bytes and files to tensors and back: readers, examples, checkpoints."""
