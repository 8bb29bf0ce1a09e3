"""How this process uses its processor. As in TensorFlow, the first session decides for all of them."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core.lazy import jax

_limited = False


def limit_threads(config: Any) -> None:
    """Obey `intra_op_parallelism_threads`: XLA's pool, which our kernels share, gets so many threads.

    XLA reads the number when its CPU client is made, which is now. A program that used JAX before has its pool already.
    """
    global _limited
    count = config.intra_op_parallelism_threads if config is not None else 0
    if count <= 0 or _limited:
        return
    _limited = True
    old = os.environ.get("NPROC")
    os.environ["NPROC"] = str(count)
    try:
        jax.devices()
    finally:
        if old is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = old
