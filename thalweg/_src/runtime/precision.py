"""What new sessions do about half precision where their config leaves it open, and whether there are sessions without it."""

from __future__ import annotations

from typing import Any

from thalweg._src.compiler import mixed

everywhere = [False]  # `tf.train.experimental.enable_mixed_precision_graph_rewrite` sets it
made_without = [False]  # whether a session has been made that computes in float32


def of_new_session(config: Any) -> bool:
    """Whether a session that is being made computes products in half precision."""
    chosen = everywhere[0] or mixed.asked_for(config)
    made_without[0] |= not chosen
    return chosen
