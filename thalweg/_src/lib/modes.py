"""Switches of TensorFlow's behaviour: those that say what thalweg does anyway, and those that ask for what it can't do."""

from typing import Any, NoReturn


def executing_eagerly() -> bool:
    """False: operations are added to graphs, and run in sessions."""
    return False


def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> NoReturn:
    """Raises NotImplementedError: there is no eager mode."""
    raise NotImplementedError(
        "thalweg has no eager mode: it builds graphs and runs them in sessions. "
        "Build the model as a graph and run it in a tf.Session."
    )


def enable_v2_behavior() -> NoReturn:
    """Raises NotImplementedError: TensorFlow 2's behaviour is eager."""
    raise NotImplementedError("thalweg has TensorFlow 1's behaviour alone: graphs and sessions.")


def disable_eager_execution() -> None:
    """Nothing changes: there is no eager mode."""


def disable_v2_behavior() -> None:
    """Nothing changes: the behaviour is TensorFlow 1's."""


def control_flow_v2_enabled() -> bool:
    """True: conditionals and loops are operations with bodies."""
    return True


def enable_control_flow_v2() -> None:
    """Nothing changes: conditionals and loops are operations with bodies anyway."""


def disable_control_flow_v2() -> None:
    """Nothing changes: a program can't tell how its loops are represented."""


def enable_v2_tensorshape() -> NoReturn:
    """Raises NotImplementedError: the sizes of a TensorShape are Dimensions."""
    raise NotImplementedError("the sizes of a TensorShape are Dimensions here, as in TensorFlow 1; take their .value")


def disable_v2_tensorshape() -> None:
    """Nothing changes: the sizes of a TensorShape are Dimensions."""


def enable_tensor_equality() -> NoReturn:
    """Raises NotImplementedError: `==` compares tensors as objects."""
    raise NotImplementedError("`==` compares tensors as Python objects here, as in TensorFlow 1; use tf.equal")


def disable_tensor_equality() -> None:
    """Nothing changes: `==` compares tensors as objects."""
