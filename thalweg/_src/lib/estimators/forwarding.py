"""`tf.contrib.estimator.forward_features`: features go through an estimator into its predictions."""

from __future__ import annotations

from typing import Any

from thalweg._src.core.sparse_tensor import SparseTensor, convert_to_tensor_or_sparse_tensor
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.export_outputs import PredictOutput
from thalweg._src.ops.sparse_tensors.sparse_dense import sparse_tensor_to_dense


def _listed(keys: Any) -> list[str] | None:
    if keys is None or isinstance(keys, str):
        return keys if keys is None else [keys]
    if not isinstance(keys, list | tuple):
        raise TypeError(f"keys should be either a string or a list of strings. Given: {type(keys)}")
    for key in keys:
        if not isinstance(key, str):
            raise TypeError(
                f"All items in the given keys list should be a string. There exist an item with type: {type(key)}"
            )
    return list(keys)


def forward_features(
    estimator: Any, keys: Any = None, sparse_default_values: dict[str, Any] | None = None
) -> Estimator:
    """An estimator that predicts what `estimator` does, and the features `keys` (all, if None) as they came.

    `sparse_default_values` says for which sparse features there is a value that fills them up. Raises TypeError for keys that are no
    strings, and, when it is run, ValueError for unknown features, for those that are predictions too, and for sparse ones.
    """
    wanted = _listed(keys)
    fills = sparse_default_values or {}

    def forwarded(features: dict[str, Any], predictions: Any) -> dict[str, Any]:
        if not isinstance(predictions, dict):
            raise ValueError(f"Predictions should be a dict to be able to forward features. Given: {type(predictions)}")
        found = {}
        for key in features if wanted is None else wanted:
            if key not in features:
                raise ValueError(
                    f'keys should be exist in features. Key "{key}" is not in features dict. features dict has following keys: '
                    f"{features.keys()}. Please check arguments of forward_features."
                )
            if key in predictions:
                raise ValueError(
                    f"Cannot forward feature key ({key}). Since it does exist in predictions. Existing prediction keys: "
                    f"{predictions.keys()}. Please check arguments of forward_features."
                )
            found[key] = _dense(key, convert_to_tensor_or_sparse_tensor(features[key]), fills)
        return found

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        spec = estimator.model_fn(features, labels, mode, config)
        if spec.predictions is None:
            return spec
        more = forwarded(features, spec.predictions)
        for key in ("predict", "serving_default"):
            output = (spec.export_outputs or {}).get(key)
            if isinstance(output, PredictOutput):
                output.outputs.update(more)
        return spec._replace(predictions={**spec.predictions, **more})

    return Estimator(model_fn, model_dir=estimator.model_dir, config=estimator.config)


def _dense(key: str, feature: Any, fills: dict[str, Any]) -> Any:
    sparse = isinstance(feature, SparseTensor)
    if key in fills:
        if not sparse:
            raise ValueError(f"Feature ({key}) is expected to be a `SparseTensor`.")
        return sparse_tensor_to_dense(feature, default_value=fills[key])
    if sparse:
        raise ValueError(
            f"Feature ({key}) should be a Tensor. Please use `keys` argument of forward_features to filter unwanted features, or"
            f"add key to argument `sparse_default_values`.Type of features[{key}] is {type(feature)}."
        )
    return feature
