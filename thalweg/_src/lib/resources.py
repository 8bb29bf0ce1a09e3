"""Resources that have initializers, in collections (tensorflow.python.ops.resources)."""

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.ops.basic import group
from thalweg._src.ops.late import array

SHARED, LOCAL = "resources", "local_resources"


class _Resource:
    def __init__(self, handle: Any, create: Any, is_initialized: Any):
        self.handle, self.create, self.is_initialized = handle, create, is_initialized


def register_resource(handle: Any, create_op: Any, is_initialized_op: Any, is_shared: bool = True) -> None:
    """Note a resource, the operation that makes it, and the one that tells whether it is there."""
    graph = get_default_graph()
    graph.add_to_collection(SHARED if is_shared else LOCAL, _Resource(handle, create_op, is_initialized_op))


def shared_resources() -> list[Any]:
    """The resources that sessions share."""
    return get_default_graph().get_collection(SHARED)


def local_resources() -> list[Any]:
    """The resources of one session."""
    return get_default_graph().get_collection(LOCAL)


def initialize_resources(resource_list: Any, name: str = "init") -> Any:
    """An operation that makes all of them."""
    return group(*[r.create for r in resource_list], name=name)


def report_uninitialized_resources(resource_list: Any = None, name: str = "report_uninitialized_resources") -> Any:
    """The names of those that are not there, a vector of strings; empty where there are no resources."""
    found = [*shared_resources(), *local_resources()] if resource_list is None else list(resource_list)
    with scopes.name_scope(name):
        if not found:
            return array.constant([], dtype="string")
        missing = ~array.stack([r.is_initialized for r in found])
        return array.boolean_mask(array.constant([r.handle.name for r in found]), missing)
