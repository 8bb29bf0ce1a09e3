"""Learners that are no networks: boosted trees, dual ascent, clusters."""
