"""The debugger of TensorFlow 1.x: runs whose tensors are written down, read back, and looked at on a command line."""
