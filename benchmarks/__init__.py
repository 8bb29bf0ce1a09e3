"""Thalweg beside TensorFlow, PyTorch and plain JAX: `python -m benchmarks --help`."""
