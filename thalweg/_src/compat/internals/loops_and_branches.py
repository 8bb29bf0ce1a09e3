"""tensorflow.python.ops.control_flow_util: which loops and branches a graph is made with."""

from typing import Any

ENABLE_CONTROL_FLOW_V2 = True


def EnableControlFlowV2(graph: Any) -> bool:
    """True: loops and branches are operations with bodies (While, If), never frames."""
    return True


def GraphOrParentsInXlaContext(graph: Any) -> bool:
    """False: nothing here is under `tf.xla.experimental`; all of it is compiled by XLA anyhow."""
    return False


def GetContainingXLAContext(ctxt: Any) -> None:
    """None: there is no context of XLA's."""
    return
