"""The modules of `tensorflow.examples` that programs import."""
