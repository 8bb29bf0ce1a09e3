"""Switches of TensorFlow's behaviour: those that say what thalweg does anyway, and those that ask for what it can't do."""

from typing import NoReturn

from thalweg._src.lib.eager.context import enable_eager_execution
from thalweg._src.ops.stateful.variable_store import enable_resource_variables


def enable_v2_behavior() -> None:
    """Eager execution, and resource variables. Shapes and `==` of tensors stay those of TensorFlow 1."""
    enable_eager_execution()
    enable_resource_variables()


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
