"""tf.contrib.timeseries.saved_model_utils: an exported model, run from NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg._src.contrib.timeseries.heads import state_to_dictionary
from thalweg._src.contrib.timeseries.keys import STATE_TUPLE, TIMES, SavedModelLabels
from thalweg._src.contrib.timeseries.readers import batched
from thalweg._src.contrib.timeseries.windows import times_to_predict


def _run(label: str, signatures: Any, session: Any, features: Mapping[str, Any], state: Any) -> dict[str, Any]:
    """What a signature gives for `features`, from a state whole or in parts; with the times."""
    signature = signatures.signature_def[label]
    parts = {} if state is None else state
    if STATE_TUPLE in parts:
        parts = state_to_dictionary(parts[STATE_TUPLE])
    known = {key: value for key, value in parts.items() if key in signature.inputs}
    graph = session.graph
    fed = {graph.as_graph_element(signature.inputs[key].name): v for key, v in {**known, **features}.items()}
    fetched = {key: graph.as_graph_element(value.name) for key, value in signature.outputs.items()}
    return {**session.run(fetched, feed_dict=fed), TIMES: features[TIMES]}


def predict_continuation(
    continue_from: Mapping[str, Any],
    signatures: Any,
    session: Any,
    steps: int | None = None,
    times: Any = None,
    exogenous_features: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Predictions after what `continue_from` has seen: the next `steps`, or given `times`. ValueError as for those."""
    features = {TIMES: times_to_predict(times, steps, continue_from), **(exogenous_features or {})}
    return _run(SavedModelLabels.PREDICT, signatures, session, features, continue_from)


def cold_start_filter(signatures: Any, session: Any, features: Mapping[str, Any]) -> dict[str, Any]:
    """The state after `features`, from the model's start state."""
    return _run(SavedModelLabels.COLD_START_FILTER, signatures, session, batched(features, single=False), None)


def filter_continuation(
    continue_from: Mapping[str, Any], signatures: Any, session: Any, features: Mapping[str, Any]
) -> dict[str, Any]:
    """The state after `features`, from an earlier one."""
    return _run(SavedModelLabels.FILTER, signatures, session, batched(features, single=False), continue_from)
