"""tf.contrib.input_pipeline: the strings of a list one after the other, counted by variables."""

import random
from collections.abc import Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.ops.arrays import constants, gathering
from thalweg._src.ops.late import array
from thalweg._src.ops.stateful import state
from thalweg._src.ops.stateful.variable_scope import get_variable, variable_scope


def obtain_next(string_list_tensor: Any, counter: Any) -> Tensor:
    """The string behind the one that the int64 variable `counter` stands at; `counter` goes on, in a circle."""
    size = array.size(string_list_tensor, out_type=dtypes.int64)
    return gathering.gather(string_list_tensor, state.assign(counter, (counter + 1) % size))


def seek_next(
    string_list: Sequence[str], shuffle: bool = False, seed: int | None = None, num_epochs: int | None = None
) -> Tensor:
    """The next string of a list each time; with `shuffle` in another order each epoch.

    Raises OutOfRangeError in the run after `num_epochs` rounds, where they are given. Its variables begin with obtain_next.
    """
    generator = random.Random(seed) if seed else random.Random()
    rounds = []
    for _ in range(num_epochs or 1):
        strings = list(string_list)
        if shuffle:
            generator.shuffle(strings)
        rounds += strings
    with variable_scope("obtain_next"):
        counter = get_variable(
            "obtain_next_counter", initializer=constants.constant(-1, dtype=dtypes.int64), trainable=False
        )
        held = get_variable("obtain_next_expanded_list", initializer=constants.constant(rounds), trainable=False)
        if not num_epochs:
            return obtain_next(held, counter)
        count = get_variable(
            "obtain_next_filename_counter", initializer=constants.constant(0, dtype=dtypes.int64), trainable=False
        )
        with get_default_graph().control_dependencies([count.count_up_to(len(rounds))]):
            return obtain_next(held, counter)
