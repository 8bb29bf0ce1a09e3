"""Generative adversarial networks (TFGAN): models, losses, training, features, evaluation, estimators."""
