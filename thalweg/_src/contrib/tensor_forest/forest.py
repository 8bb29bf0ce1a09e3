"""tf.contrib.tensor_forest: random forests that learn from batches, as graphs."""

from __future__ import annotations

import math as python_math
import random
import sys
from typing import Any

from thalweg._src.contrib.tensor_forest import data as data_ops
from thalweg._src.contrib.tensor_forest import tree_ops
from thalweg._src.core import dtypes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.losses import log_loss
from thalweg._src.lib.resources import register_resource
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops import basic
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.late import array, math
from thalweg._src.ops.stateful.variable_scope import get_variable

_LEAF_MODELS = ("all_dense", "all_sparse", "sparse_then_dense")  # ways to count that give the same trees
_SPLITS = {"less_or_equal": False, "less": True}


class ForestHParams:
    """How a forest grows. `num_classes` and `num_features` must be among the arguments; `fill` checks, and adds what follows.

    A leaf splits after `split_after_samples` examples, by the best of `num_splits_to_consider` candidates (the square root of
    the features, at least ten), as long as a tree has fewer than `max_nodes` nodes.
    """

    def __init__(
        self,
        num_trees: int = 100,
        max_nodes: int = 10000,
        bagging_fraction: float = 1.0,
        num_splits_to_consider: Any = 0,
        feature_bagging_fraction: float = 1.0,
        max_fertile_nodes: int = 0,
        split_after_samples: Any = 250,
        valid_leaf_threshold: int = 1,
        dominate_method: str = "bootstrap",
        dominate_fraction: float = 0.99,
        model_name: str = "all_dense",
        split_finish_name: str = "basic",
        split_pruning_name: str = "none",
        prune_every_samples: int = 0,
        early_finish_check_every_samples: int = 0,
        collate_examples: bool = False,
        checkpoint_stats: bool = False,
        use_running_stats_method: bool = False,
        initialize_average_splits: bool = False,
        inference_tree_paths: bool = False,
        param_file: Any = None,
        split_name: str = "less_or_equal",
        **kwargs: Any,
    ):
        given = {**locals(), **kwargs}
        for name in ("self", "kwargs"):
            del given[name]
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"ForestHParams needs {name!r}.")

    def values(self) -> dict[str, Any]:
        """{name: value}."""
        return self.__dict__

    def fill(self) -> ForestHParams:
        """Itself, with what follows from what was given.

        Raises AttributeError without `num_classes` or `num_features`, KeyError for names of models and splits that do not exist,
        NotImplementedError for leaves that finish early or are pruned, and for parameters from files.
        """
        _ = self.num_classes
        self.bagged_num_features = int(self.feature_bagging_fraction * self.num_features)
        self.bagged_features = None
        if self.feature_bagging_fraction < 1.0:
            every = range(self.num_features)
            self.bagged_features = [random.sample(every, self.bagged_num_features) for _ in range(self.num_trees)]
        self.regression = self.__dict__.get("regression", False)
        self.num_outputs = self.num_classes if self.regression else 1
        self.num_output_columns = self.num_classes + 1
        root = python_math.floor(python_math.sqrt(self.num_features))
        self.num_splits_to_consider = int(self.num_splits_to_consider) or min(max(10, root), 1000)
        self.base_random_seed = self.__dict__.get("base_random_seed", 0)
        if self.model_name not in _LEAF_MODELS:
            raise KeyError(self.model_name)
        self.split_type = _SPLITS[self.split_name]
        if self.split_finish_name != "basic" and not self.regression:
            raise NotImplementedError(f"split_finish_name {self.split_finish_name!r}: leaves finish as 'basic' says.")
        if self.split_pruning_name != "none":
            raise NotImplementedError(f"split_pruning_name {self.split_pruning_name!r}: candidates are not pruned.")
        if self.param_file:
            raise NotImplementedError("param_file: give the parameters as arguments.")
        return self


class _SavedTree(SaveableObject):
    def __init__(self, tree: Any):
        parts = tree_ops.forest_save(tree, name="save_tree")
        super().__init__(tree, [SaveSpec(t, "", f"{tree.op.name}/{n}") for n, t in parts._asdict().items()], tree.name)

    def restore(self, restored_tensors: Any, restored_shapes: Any = None) -> Any:
        """The operation that puts saved nodes back."""
        return tree_ops.forest_restore(self.op, *restored_tensors, name="restore_tree")


class TreeVariables:
    """The tree number `tree_num`. In a graph that trains, `stats` is the same resource: it holds what leaves have seen."""

    def __init__(self, params: Any, tree_num: int, training: bool):
        seed = params.base_random_seed
        name = f"tree-{tree_num}"
        features = params.bagged_num_features if params.bagged_features else params.num_features
        self.tree = tree_ops.forest_tree(
            shared_name=name,
            outputs=params.num_classes,
            features=features,
            max_nodes=params.max_nodes,
            candidates=params.num_splits_to_consider,
            split_after=float(params.split_after_samples),
            regression=params.regression,
            strict=params.split_type,
            seed=seed + tree_num if seed else 0,
            name=name,
        )
        self.stats = self.tree if training else None
        register_resource(self.tree, self.tree.op, tree_ops.forest_ready(self.tree, name="is_initialized"))
        get_default_graph().add_to_collection(GraphKeys.SAVEABLE_OBJECTS, _SavedTree(self.tree))


class ForestVariables:
    """The trees of a forest, each on the device that `device_assigner` gives a variable of its own."""

    def __init__(
        self, params: Any, device_assigner: Any, training: bool = True, tree_variables_class: Any = TreeVariables
    ):
        graph = get_default_graph()
        with graph.device(device_assigner):
            self.device_dummies = [get_variable(f"device_dummy_{i}", shape=[0]) for i in range(params.num_trees)]
        self.variables = []
        for i, dummy in enumerate(self.device_dummies):
            with graph.device(dummy.device):
                self.variables.append(tree_variables_class(params, i, training))

    def __setitem__(self, t: int, val: Any) -> None:
        self.variables[t] = val

    def __getitem__(self, t: int) -> Any:
        return self.variables[t]


class RandomTreeGraphs:
    """The graphs of one tree."""

    def __init__(self, variables: Any, params: Any, tree_num: int):
        self.variables, self.params, self.tree_num = variables, params, tree_num

    def training_graph(self, input_data: Any, input_labels: Any, input_weights: Any = None) -> Any:
        """The operation that shows a batch to the tree."""
        weights = array.constant([], dtypes.float32) if input_weights is None else array.reshape(input_weights, [-1])
        return tree_ops.forest_train(self.variables.tree, input_data, input_labels, weights, name="train_tree")

    def inference_graph(self, input_data: Any) -> Any:
        """(values, leaves) of a batch."""
        return tree_ops.forest_predict(self.variables.tree, input_data, outputs=self.params.num_classes, name="predict")

    def _facts(self) -> Any:
        return tree_ops.forest_facts(self.variables.tree, features=self.params.num_features, name="facts")

    def size(self) -> Any:
        """int32[]: how many nodes there are."""
        return self._facts().size

    def average_impurity(self) -> Any:
        """float32[]: how mixed the leaves are."""
        return self._facts().impurity

    def feature_usage_counts(self) -> Any:
        """int32[features]: how many nodes split by each feature."""
        return self._facts().usage


class RandomForestGraphs:
    """The graphs of a forest: `training_graph` shows it a batch, `inference_graph` asks it. `params` must be filled."""

    def __init__(
        self,
        params: Any,
        device_assigner: Any = None,
        variables: Any = None,
        tree_variables_class: Any = TreeVariables,
        tree_graphs: Any = None,
        training: bool = True,
    ):
        self.params, self.device_assigner = params, device_assigner
        self.variables = variables or ForestVariables(params, device_assigner, training, tree_variables_class)
        made = tree_graphs or RandomTreeGraphs
        self.trees = [made(self.variables[i], params, i) for i in range(params.num_trees)]

    def get_all_resource_handles(self) -> list[Any]:
        """The trees."""
        return [self.variables[i].tree for i in range(len(self.trees))]

    def _of_tree(self, i: int, x: Any) -> Any:
        bagged = self.params.bagged_features
        return array.gather(x, bagged[i], axis=1) if bagged else x

    def training_graph(
        self,
        input_data: Any,
        input_labels: Any,
        num_trainers: int = 1,
        trainer_id: int = 0,
        input_weights: Any = None,
        **tree_kwargs: Any,
    ) -> Any:
        """The operation that shows a batch to the trees of this trainer, to each a part of it with `bagging_fraction`."""
        x, _, _ = data_ops.ParseDataTensorOrDict(input_data)
        y = data_ops.ParseLabelTensorOrDict(input_labels)
        share = self.params.num_trees / num_trainers
        steps = []
        for i in range(int(trainer_id * share), int((trainer_id + 1) * share)):
            rows, labels, weights = self._of_tree(i, x), y, input_weights
            if self.params.bagging_fraction < 1.0:
                seed = self.params.base_random_seed
                chance = random_uniform([array.shape(x)[0]], seed=seed + i if seed else None)
                drawn = array.squeeze(array.where(chance < self.params.bagging_fraction), axis=[1])
                rows, labels = array.gather(rows, drawn), array.gather(y, drawn)
                weights = None if weights is None else array.gather(weights, drawn)
            with get_default_graph().device(self.variables.device_dummies[i].device):
                steps.append(self.trees[i].training_graph(rows, labels, input_weights=weights, **tree_kwargs))
        return basic.group(*steps, name="train")

    def inference_graph(self, input_data: Any, **inference_args: Any) -> tuple[Any, Any, Any]:
        """(the mean of what trees say, [rows, outputs]; the leaf of each row in each tree; the variance of what they say)."""
        x, _, _ = data_ops.ParseDataTensorOrDict(input_data)
        found = [tree.inference_graph(self._of_tree(i, x), **inference_args) for i, tree in enumerate(self.trees)]
        every = array.stack([f.values for f in found], axis=1)
        mean = math.div(math.reduce_sum(every, 1), self.params.num_trees, name="probabilities")
        squares = math.div(math.reduce_sum(every * every, 1), self.params.num_trees)
        variance = math.maximum(0.0, squares - mean * mean)
        return mean, array.stack([f.leaves for f in found], axis=1), variance

    def average_size(self) -> Any:
        """float32[]: the mean number of nodes."""
        return math.reduce_mean(math.cast(array.stack([tree.size() for tree in self.trees]), dtypes.float32))

    def training_loss(self, features: Any, labels: Any, name: str = "training_loss") -> Any:
        """Minus the average size: forests train without a loss, and grow."""
        return math.negative(self.average_size(), name=name)

    def validation_loss(self, features: Any, labels: Any) -> Any:
        """Minus the average size."""
        return math.negative(self.average_size())

    def average_impurity(self) -> Any:
        """float32[]: how mixed leaves are."""
        return math.reduce_mean(array.stack([tree.average_impurity() for tree in self.trees]))

    def feature_importances(self) -> Any:
        """float64[features]: the part of all splits that are by each feature."""
        counts = math.reduce_sum(array.stack([tree.feature_usage_counts() for tree in self.trees]), 0)
        return counts / math.reduce_sum(counts)


class TrainingLossForest(RandomForestGraphs):
    """A forest with a loss: `loss_fn(values, labels)`, by default `tf.losses.log_loss` of classes (1.0 had it)."""

    def __init__(self, params: Any, loss_fn: Any = None, **kwargs: Any):
        self.loss_fn = loss_fn or _log_loss
        super().__init__(params, **kwargs)

    def _get_loss(self, features: Any, labels: Any) -> Any:
        def average() -> Any:
            loss = math.reduce_sum(self.loss_fn(self.inference_graph(features)[0], labels))
            return loss / math.cast(array.shape(labels)[0], dtypes.float32)

        return cond(self.average_size() > 0, average, lambda: array.constant(sys.maxsize, dtypes.float32))

    def training_graph(self, input_data: Any, input_labels: Any, *args: Any, **kwargs: Any) -> Any:
        """As that of the forest, after the loss."""
        loss = self._get_loss(input_data, input_labels)
        with get_default_graph().control_dependencies([loss.op]):
            return super().training_graph(input_data, input_labels, *args, **kwargs)

    def training_loss(self, features: Any, labels: Any, name: str = "training_loss") -> Any:
        """The loss."""
        return basic.identity(self._get_loss(features, labels), name=name)


def _log_loss(values: Any, labels: Any) -> Any:
    wanted = array.one_hot(math.cast(array.reshape(labels, [-1]), dtypes.int32), array.shape(values)[1])
    return log_loss(wanted, values)
