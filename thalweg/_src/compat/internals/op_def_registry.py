"""tensorflow.python.framework.op_def_registry: the schemas of the ops."""

from typing import Any

from thalweg._src.core import graphdef
from thalweg._src.core.opdef import OPS
from thalweg._src.core.signatures import find_op


def get_registered_ops() -> dict[str, Any]:
    """The OpDef proto of every op that can be run, by its name."""
    return {name: graphdef.op_def(opdef) for name, opdef in OPS.items()}


def get(name: str) -> Any:
    """The OpDef proto of one op, None if there is no op of this name."""
    found = find_op(name)
    return None if found is None else graphdef.op_def(found)


def sync() -> None:
    """Nothing needs to be done: there is one registry."""
