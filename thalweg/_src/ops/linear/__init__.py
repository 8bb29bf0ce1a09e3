"""Linear algebra: decompositions, linear systems, functions of matrices."""
