"""tf.train.basic_train_loop: run a step until the supervisor says that it is enough."""

from collections.abc import Callable
from typing import Any

from thalweg._src.core import errors


def basic_train_loop(
    supervisor: Any, train_step_fn: Callable[..., Any], args: Any = None, kwargs: Any = None, master: str = ""
) -> None:
    """Calls `train_step_fn(session, *args, **kwargs)` again and again, in a session that the supervisor keeps.

    After an AbortedError the session is made anew, and goes on from the last checkpoint.
    """
    while True:
        try:
            with supervisor.managed_session(master) as session:
                while not supervisor.should_stop():
                    train_step_fn(session, *(args or []), **(kwargs or {}))
            return
        except errors.AbortedError:
            continue
