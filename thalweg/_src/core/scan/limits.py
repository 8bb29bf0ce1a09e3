"""Scans of which only the first turns count, how many is a value: one program serves many lengths.

The turns from `limit` on change nothing that is carried. They still give out rows: on the way there numbers as a turn that counts might
have given them, so that nothing made of them is infinite; on the way back, where what a turn gives out is its share in a sum, zeros.
"""

from __future__ import annotations

from typing import Any

from thalweg._src.core.lazy import jax, jnp, lax


def scan_up_to(limit: Any, step: Any, start: list[Any], rows: list[Any], length: int, reverse: bool) -> Any:
    """`lax.scan` of `step`, of which the turns below `limit` count; all of them where that is None."""
    if limit is None:
        return lax.scan(step, start, rows, length=length, reverse=reverse)
    start = [jnp.asarray(x) for x in start]

    def turn(carry: list[Any], row: Any) -> tuple[list[Any], list[Any]]:
        live, row = row
        new, out = step(_chosen(live, carry, start), row)
        out = [jnp.asarray(x) for x in out]
        return _chosen(live, new, carry), [jnp.where(live, x, jnp.zeros_like(x)) for x in out] if reverse else out

    return lax.scan(turn, start, (live_turns(limit, length), rows), length=length, reverse=reverse)


def live_turns(limit: Any, length: int) -> Any:
    """Flags of the turns that count."""
    return jnp.arange(length, dtype=jnp.int32) < limit


def only_live(stack: Any, live: Any) -> Any:
    """The rows of the turns that count, and zeros."""
    return jnp.where(jnp.reshape(live, (-1,) + (1,) * (stack.ndim - 1)), stack, jnp.zeros_like(stack))


def _chosen(live: Any, yes: Any, no: Any) -> list[Any]:
    return jax.tree.map(lambda a, b: jnp.where(live, a, b), list(yes), list(no))
