"""Arithmetic: element-wise functions, comparisons, reductions, products, segments."""
