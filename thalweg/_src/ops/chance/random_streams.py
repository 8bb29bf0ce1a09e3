"""How far the random ops of a session have come, as a value that a checkpoint can hold."""

import json

import numpy as np

from thalweg._src.core.dtypes import string
from thalweg._src.core.opdef import op


@op("_SerializeRandomStreams", host=True, effect="host", foldable=False)
def serialize_random_streams(*, ctx) -> string:
    """The states of all random ops that have run, as JSON."""
    streams = {name: state.tolist() for name, state in sorted(ctx.random_streams().items())}
    return np.array(json.dumps(streams).encode(), object)


@op("_DeserializeRandomStreams", host=True, effect="host")
def deserialize_random_streams(serialized: string, *, ctx):
    """Bring all random ops to states that were saved; those that had not run begin anew."""
    streams = json.loads(serialized.item())
    ctx.put_random_streams({name: np.array(state, np.uint32) for name, state in streams.items()})


serialize_random_streams.shape_rule(lambda op: [()])
deserialize_random_streams.shape_rule(lambda op: [])
for _op in (serialize_random_streams, deserialize_random_streams):
    _op.not_differentiable()
