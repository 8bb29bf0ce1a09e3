"""Tensors as arrays: their shapes, parts, joins, orders and places."""
