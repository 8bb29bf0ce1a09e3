"""Ensembles of trees and quantiles of features as objects that initializers make and savers save."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.resources import register_resource
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops.learners import boosted_splits, boosted_trees


class _Saved(SaveableObject):
    """A resource as tensors of a checkpoint; `restore_fn(handle, tensors)` puts them back once it was made."""

    def __init__(self, handle: Any, tensors: dict[str, Any], create: Any, restore_fn: Any):
        name = handle.name
        super().__init__(handle, [SaveSpec(t, "", name + suffix) for suffix, t in tensors.items()], name)
        self._create, self._restore_fn = create, restore_fn

    def restore(self, restored_tensors: Any, restored_shapes: Any = None) -> Any:
        """The operation that puts saved tensors back."""
        with get_default_graph().control_dependencies([self._create]):
            return self._restore_fn(self.op, restored_tensors)


def _kept(handle: Any, create: Any, initialized: Any, tensors: dict[str, Any], restore_fn: Any) -> None:
    register_resource(handle, create, initialized)
    saved = _Saved(handle, tensors, create, restore_fn)
    get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, saved)


class TreeEnsemble:
    """Trees that grow layer by layer. `serialized_proto` is what it begins with."""

    def __init__(self, name: str, stamp_token: int = 0, serialized_proto: bytes = b""):
        with scopes.name_scope(name, "TreeEnsemble") as scope:
            handle = boosted_trees.ensemble_handle(container="", shared_name=scope, name=scope)
            self.resource_handle = handle
            self.initializer = boosted_trees.create_ensemble(handle, stamp_token, serialized_proto)
            stamp, serialized = boosted_trees.serialize_ensemble(handle)
            _kept(
                handle,
                self.initializer,
                boosted_trees.ensemble_initialized(handle),
                {"_stamp": stamp, "_serialized": serialized},
                lambda to, tensors: boosted_trees.deserialize_ensemble(to, *tensors),
            )

    def get_states(self) -> Any:
        """Stamp, numbers of trees, of final ones and of tried layers, and the nodes of the last layer, [begin, end)."""
        return boosted_trees.ensemble_states(self.resource_handle)


class QuantileAccumulator:
    """The boundaries of buckets of several float features, found from batches of them."""

    def __init__(self, epsilon: float, num_streams: int, num_quantiles: int, name: str | None = None):
        self._epsilon, self._num_streams, self._num_quantiles = epsilon, num_streams, num_quantiles
        with scopes.name_scope(name, "QuantileAccumulator") as scope:
            handle = boosted_splits.quantile_handle(container="", shared_name=scope, name=scope)
            self.resource_handle = handle
            self.initializer = boosted_splits.create_quantile_stream(handle, epsilon, num_streams)
            bounds = self.get_bucket_boundaries()
            _kept(
                handle,
                self.initializer,
                boosted_splits.quantiles_initialized(handle),
                {f"_bucket_boundaries_{i}": b for i, b in enumerate(bounds)},
                boosted_splits.restore_boundaries,
            )

    def get_bucket_boundaries(self) -> list[Any]:
        """The boundaries of each feature, once they are known."""
        return list(boosted_splits.bucket_boundaries(self.resource_handle, num_features=self._num_streams))

    def add_summaries(self, float_columns: Any, example_weights: Any) -> Any:
        """Add a batch."""
        summaries = boosted_splits.make_quantile_summaries(float_columns, example_weights, self._epsilon)
        return boosted_splits.add_quantile_summaries(self.resource_handle, summaries)

    def flush(self) -> Any:
        """Find the boundaries."""
        return boosted_splits.flush_quantiles(self.resource_handle, self._num_quantiles)
