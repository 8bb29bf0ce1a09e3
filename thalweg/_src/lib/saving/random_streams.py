"""Random ops in checkpoints: a training that is restored goes on with the numbers that would have come next."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.graph import Operation
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops.chance.random_streams import deserialize_random_streams, serialize_random_streams


class RandomStreamsSaveable(SaveableObject):
    """The random streams of the session that saves, as a Saver takes them."""

    def __init__(self, name: str):
        states = serialize_random_streams(name="RandomStreams")
        super().__init__(states, [SaveSpec(states, "", name)], name)

    def restore(self, restored_tensors: list[Any], restored_shapes: Any) -> Operation:
        return deserialize_random_streams(restored_tensors[0], name="RestoreRandomStreams")


def make_saveable(name: str = "random_streams") -> RandomStreamsSaveable:
    """The state of all random ops for a Saver: put it into the SAVEABLE_OBJECTS collection, or into its var_list.

    A restored session then draws the numbers that the session that saved would have drawn next.

    >>> noise = tf.random_normal([2])
    >>> saver = tf.train.Saver([tf.random.make_saveable()])
    >>> with tf.Session() as sess:
    ...     path = saver.save(sess, folder + "/model")
    ...     first = sess.run(noise)
    ...     saver.restore(sess, path)
    """
    return RandomStreamsSaveable(name)
