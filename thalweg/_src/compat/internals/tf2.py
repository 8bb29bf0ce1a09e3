"""tensorflow.python.tf2: whether TensorFlow 2's behaviour is on."""


def enabled() -> bool:
    """False."""
    return False
