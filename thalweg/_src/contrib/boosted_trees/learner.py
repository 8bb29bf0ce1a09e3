"""The messages of tf.contrib.boosted_trees, and what they mean for a forest."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.boosted_trees.grown_trees import Growing
from thalweg._src.formats import protos

_NAMES = frozenset(
    f"{name}Config"
    for name in ("Averaging", "Learner", "LearningRate", "LearningRateDropoutDriven", "LearningRateFixed")
    + ("LearningRateLineSearch", "TreeConstraints", "TreeRegularization")
)


def __getattr__(name: str) -> Any:
    """The messages by name: `LearnerConfig`. They are made when one is asked for."""
    if name in _NAMES:
        return getattr(protos, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def growing(config: Any, logits: int, center_bias: bool, num_quantiles: int) -> Growing:
    """How trees of `logits` outputs grow by a LearnerConfig.

    Raises ValueError for what is not built: oblivious trees, full Hessians, averages of trees, dropout of trees, line search, features
    that are drawn by chance; and for a bias that is centered where there are several logits.
    """
    strategy = config.multi_class_strategy
    refused = {
        "oblivious trees": config.weak_learner_type == config.OBLIVIOUS_DECISION_TREE,
        "full Hessians; DIAGONAL_HESSIAN": strategy == config.FULL_HESSIAN and logits > 1,
        "averages of trees": config.averaging_config.WhichOneof("config") is not None,
        "learning rates other than a fixed one": config.learning_rate_tuner.WhichOneof("tuner") not in (None, "fixed"),
        "features that are drawn by chance": config.WhichOneof("feature_fraction") is not None,
    }
    for what, is_so in refused.items():
        if is_so:
            name, _, way_out = what.partition("; ")
            raise ValueError(f"{name} are not supported by thalweg's trees." + (f" {way_out} is." if way_out else ""))
    per_class = strategy == config.TREE_PER_CLASS and logits > 1
    if center_bias and logits > 1 and not per_class:
        raise ValueError("Center bias should be False for multiclass.")
    return Growing(
        logits=logits,
        max_depth=config.constraints.max_tree_depth or 6,
        learning_rate=config.learning_rate_tuner.fixed.learning_rate or 0.1,
        l1=config.regularization.l1,
        l2=config.regularization.l2,
        tree_complexity=config.regularization.tree_complexity,
        min_node_weight=config.constraints.min_node_weight,
        post_prune=config.pruning_mode != config.PRE_PRUNE,
        by_layer=config.growing_mode != config.WHOLE_TREE,
        per_class=per_class,
        center_bias=center_bias,
        num_quantiles=num_quantiles,
    )
