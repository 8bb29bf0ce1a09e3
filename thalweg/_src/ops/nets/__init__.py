"""Neural networks: convolutions, pools, normalisation, activations, losses over classes, quantized networks."""
