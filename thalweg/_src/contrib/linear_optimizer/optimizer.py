"""tf.contrib.linear_optimizer.SDCAOptimizer: dual ascent for the linear estimators of tf.contrib.learn."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.layers.column import Column, tensor_of
from thalweg._src.contrib.layers.numeric_columns import RealValuedColumn
from thalweg._src.core.graph import Operation
from thalweg._src.lib.estimators.linear_sdca import Batch
from thalweg._src.lib.estimators.sdca import SdcaModel
from thalweg._src.lib.feature_columns.base import CategoricalColumn, FeatureColumn


class SDCAOptimizer:
    """An optimizer of `tf.contrib.learn.LinearClassifier`, `LinearRegressor` and `SVM`.

    Features must have a column `example_id_column` of strings that name the examples. `num_loss_partitions` is the number of workers,
    `num_table_shards` that of parameter servers.
    """

    def __init__(
        self,
        example_id_column: str,
        num_loss_partitions: int = 1,
        num_table_shards: int | None = None,
        symmetric_l1_regularization: float = 0.0,
        symmetric_l2_regularization: float = 1.0,
        adaptive: bool = True,
        partitioner: Any = None,
    ):
        self.example_id_column, self.num_loss_partitions = example_id_column, num_loss_partitions
        self.num_table_shards, self.adaptive, self.partitioner = num_table_shards, adaptive, partitioner
        self.symmetric_l1_regularization = symmetric_l1_regularization
        self.symmetric_l2_regularization = symmetric_l2_regularization

    def get_name(self) -> str:
        """SDCAOptimizer"""
        return "SDCAOptimizer"

    def get_train_step(
        self,
        columns_to_variables: dict[Any, list[Any]],
        weight_column_name: str | None,
        loss_type: str,
        features: dict[Any, Any],
        targets: Any,
        global_step: Any,
    ) -> tuple[SdcaModel, Operation]:
        """The model and the operation of a step. Raises ValueError for columns that are embedded."""
        tensors = {k: v for k, v in features.items() if not isinstance(k, FeatureColumn)}
        batch = Batch()
        for column in sorted(columns_to_variables, key=lambda c: c.name):
            variables = columns_to_variables[column]
            weights = variables if len(variables) > 1 else variables[0]
            if not isinstance(column, Column) or not isinstance(column, CategoricalColumn | RealValuedColumn):
                raise ValueError(f"SDCAOptimizer does not support column type {type(column).__name__}.")
            tensor = tensor_of(tensors, column)
            if isinstance(column, CategoricalColumn):
                classes = column._wide_embedding_lookup_arguments(tensor)
                pair = column.IdWeightPair(classes.input_tensor, classes.weight_tensor)
                batch.add_sparse(pair, classes.vocab_size, weights)
            else:
                batch.add_dense(tensor, weights)
        batch.complete(features, targets, weight_column_name, self.example_id_column)
        options = {
            "symmetric_l1_regularization": self.symmetric_l1_regularization,
            "symmetric_l2_regularization": self.symmetric_l2_regularization,
            "adaptive": self.adaptive,
            "num_loss_partitions": self.num_loss_partitions,
            "num_table_shards": self.num_table_shards,
            "loss_type": loss_type,
        }
        model = SdcaModel(batch.examples, batch.variables, options)
        return model, model.minimize(global_step=global_step)
