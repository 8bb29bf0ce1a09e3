"""thalweg beside PyTorch on a machine with a GPU: `python -m benchmarks.gpu --help`. Needs jax[cuda] and PyTorch, and nothing else."""
