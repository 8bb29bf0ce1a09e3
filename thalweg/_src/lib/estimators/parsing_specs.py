"""How to parse examples that hold the features, the label and the weight of a model."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.lib.feature_columns.layers import make_parse_example_spec
from thalweg._src.lib.feature_columns.numeric import NumericColumn, numeric_column
from thalweg._src.ops.io.parsing import FixedLenFeature


def classifier_parse_example_spec(
    feature_columns: Any,
    label_key: str,
    label_dtype: Any = dtypes.int64,
    label_default: Any = None,
    weight_column: Any = None,
) -> dict[str, Any]:
    """{key: how to parse it} for a classifier. Raises ValueError where the label or the weight is a feature too."""
    label = FixedLenFeature((1,), label_dtype, label_default)
    return _with_label(make_parse_example_spec(feature_columns), label_key, label, weight_column)


def regressor_parse_example_spec(
    feature_columns: Any,
    label_key: str,
    label_dtype: Any = dtypes.float32,
    label_default: Any = None,
    label_dimension: int = 1,
    weight_column: Any = None,
) -> dict[str, Any]:
    """{key: how to parse it} for a regressor. Raises ValueError where the label or the weight is a feature too."""
    label = FixedLenFeature((label_dimension,), label_dtype, label_default)
    return _with_label(make_parse_example_spec(feature_columns), label_key, label, weight_column)


def _with_label(spec: dict[str, Any], key: str, label: Any, weight_column: Any) -> dict[str, Any]:
    if key in spec:
        raise ValueError(f"label should not be used as feature. label_key: {key}, features: {spec.keys()}")
    spec[key] = label
    if weight_column is None:
        return spec
    if isinstance(weight_column, str):
        weight_column = numeric_column(weight_column)
    if not isinstance(weight_column, NumericColumn):
        raise ValueError(
            "weight_column should be an instance of tf.feature_column.numeric_column. Given type: "
            f"{type(weight_column)} value: {weight_column}"
        )
    if weight_column.key in spec:
        raise ValueError(
            f"weight_column should not be used as feature. weight_column: {weight_column.key}, features: {spec.keys()}"
        )
    return {**spec, **weight_column.parse_example_spec}
