"""Weights behind masks, and masks that let fewer weights through from step to step."""
