"""The two seeds of a random op: from the graph's seed and the op's own, as TensorFlow combines them."""

from thalweg._src.core.graph import get_default_graph

DEFAULT_GRAPH_SEED = 87654321  # TensorFlow's: the key when only the op has a seed
MAX_INT32 = 2**31 - 1


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """(graph seed, op seed) of an op made now with `op_seed`; (None, None) asks for a fresh stream in each session.

    Under a graph seed an op without one takes the number of ops made before it, so equal programs get equal numbers.
    """
    graph = get_default_graph()
    if op_seed is None and graph.seed is not None:
        graph._scratch["seed used"] = True
    if graph.seed is None:
        if op_seed is None:
            return None, None
        seeds = DEFAULT_GRAPH_SEED, op_seed % MAX_INT32
    else:
        seeds = graph.seed % MAX_INT32, (graph.op_seed() if op_seed is None else op_seed) % MAX_INT32
    return (0, MAX_INT32) if seeds == (0, 0) else seeds  # (0, 0) would mean "no seed" to the random ops


def set_random_seed(seed: int | None) -> None:
    """Set the graph-level seed of the default graph: random ops made from now on have a reproducible stream each.

    The stream of an op follows from this seed and its own; an op without one takes the number of ops made before it.
    """
    get_default_graph().seed = seed
