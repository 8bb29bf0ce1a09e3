"""Invertible functions, and the distributions that they make of others."""
