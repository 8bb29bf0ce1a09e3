"""The paths of a beam search, followed from their ends back to their beginnings."""

from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import int32
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Outputs, op, type_attr

T = type_attr("T", (int32,))


@op("GatherTree")
def gather_tree(step_ids: T, parent_ids: T, max_sequence_lengths: int32, end_token: T) -> Outputs(beams=T):
    """The tokens of each beam: [time, batch, beam], `end_token` after the first one and past the lengths [batch].

    `parent_ids` says which beam each one came from. A parent that is no beam fails with InvalidArgumentError.
    """
    steps, _, width = step_ids.shape
    lengths = jnp.minimum(max_sequence_lengths, steps)[:, None]
    own = jnp.broadcast_to(jnp.arange(width, dtype=step_ids.dtype), step_ids.shape[1:])

    def back(carry, at):
        parent, ok = carry
        time, tokens, parents = at
        within = time < lengths
        beam = jnp.where(time == lengths - 1, own, parent)
        ok = ok & jnp.all(~within | ((beam >= 0) & (beam < width)))
        beam = jnp.clip(beam, 0, width - 1)
        token = jnp.where(within, jnp.take_along_axis(tokens, beam, 1), end_token)
        return (jnp.where(within, jnp.take_along_axis(parents, beam, 1), parent), ok), token

    times = jnp.arange(steps, dtype=step_ids.dtype)
    (_, ok), beams = lax.scan(back, (own, jnp.bool_(True)), (times, step_ids, parent_ids), reverse=True)
    check(ok, "Saw invalid parent id")
    is_end = beams == end_token
    ended_before = jnp.cumsum(is_end, 0) - is_end > 0
    return jnp.where(ended_before, end_token, beams)


@gather_tree.shape_rule
def _(op):
    return [op.inputs[0].dims]


gather_tree.not_differentiable()
