"""tensorflow.python.debug: the debugger's sessions and hooks, which need TensorFlow's own runtime."""

from typing import Any

import numpy as np


def has_inf_or_nan(datum: Any, tensor: Any) -> bool:
    """Whether an array holds an infinity or no number."""
    values = np.asarray(tensor)
    return values.dtype.kind in "fc" and not bool(np.isfinite(values).all())


def _absent(name: str) -> type:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"tfdbg.{name} is not there. A failed run names the operation and its line; tf.add_check_numerics_ops and "
            "tf.Print show values, session.partial_run stops between."
        )

    return type(name, (), {"__init__": refuse, "__doc__": "Raises NotImplementedError: there is no tfdbg."})


LocalCLIDebugWrapperSession = _absent("LocalCLIDebugWrapperSession")
LocalCLIDebugHook = _absent("LocalCLIDebugHook")
DumpingDebugWrapperSession = _absent("DumpingDebugWrapperSession")
DumpingDebugHook = _absent("DumpingDebugHook")
TensorBoardDebugWrapperSession = _absent("TensorBoardDebugWrapperSession")
TensorBoardDebugHook = _absent("TensorBoardDebugHook")
