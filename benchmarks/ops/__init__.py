"""Single ops beside TensorFlow and PyTorch: `python -m benchmarks ops`."""
