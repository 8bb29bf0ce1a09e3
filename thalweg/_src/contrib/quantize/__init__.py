"""Training that knows of quantization: graphs are rewritten so that weights and activations are rounded as 8 bits would be."""
