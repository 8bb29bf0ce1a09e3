"""Minimization under constraints, as a game between the model and who weighs the constraints."""
