"""Control flow: branches, loops, TensorArrays, functions."""
