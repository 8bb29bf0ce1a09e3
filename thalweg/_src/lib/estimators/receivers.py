"""What a model reads when it is served: tf.estimator.export.*Receiver and the functions that make them."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Graph, Tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.estimators.export_outputs import SINGLE_FEATURE, SINGLE_LABEL, SINGLE_RECEIVER
from thalweg._src.ops.arrays.constants import placeholder
from thalweg._src.ops.io.parsing import parse_example

_ALONE = {
    "feature": SINGLE_FEATURE,
    "label": SINGLE_LABEL,
    "receiver_tensor": SINGLE_RECEIVER,
    "receiver_tensors_alternative": SINGLE_RECEIVER,
}


def checked_tensors(tensors: Any, what: str, ints: bool = False) -> dict[Any, Any]:
    """{name: tensor}. Raises ValueError for other things."""
    if tensors is None:
        raise ValueError(f"{what}s must be defined.")
    named = tensors if isinstance(tensors, dict) else {_ALONE[what]: tensors}
    for name, tensor in named.items():
        if not isinstance(name, str | int if ints else str):
            raise ValueError(f"{what} keys must be {'strings or ints' if ints else 'strings'}: {name}.")
        _check_tensor(tensor, name, what)
    return named


def _check_tensor(tensor: Any, name: Any, what: str = "feature") -> None:
    if isinstance(tensor, Tensor | SparseTensor):
        return
    message = f"{what}{f' {name}' if name else ''} must be a Tensor or SparseTensor."
    if not hasattr(tensor, "tensor"):
        raise ValueError(message)
    try:
        to_tensor(tensor)
    except TypeError:
        raise ValueError(message) from None


class ServingInputReceiver(
    collections.namedtuple("ServingInputReceiver", ["features", "receiver_tensors", "receiver_tensors_alternatives"])
):
    """The features for the model, and the tensors that a request feeds; other sets of them by name.

    A tensor alone becomes a dict. Raises ValueError for what is no tensor.
    """

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> ServingInputReceiver:
        features = checked_tensors(features, "feature", ints=True)
        receiver_tensors = checked_tensors(receiver_tensors, "receiver_tensor")
        if receiver_tensors_alternatives is not None:
            if not isinstance(receiver_tensors_alternatives, dict):
                raise ValueError(f"receiver_tensors_alternatives must be a dict: {receiver_tensors_alternatives}.")
            for name, tensors in receiver_tensors_alternatives.items():
                receiver_tensors_alternatives[name] = checked_tensors(tensors, "receiver_tensors_alternative")
        return super().__new__(cls, features, receiver_tensors, receiver_tensors_alternatives)


class TensorServingInputReceiver(
    collections.namedtuple(
        "TensorServingInputReceiver", ["features", "receiver_tensors", "receiver_tensors_alternatives"]
    )
):
    """As ServingInputReceiver, for a model whose features are one tensor."""

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> TensorServingInputReceiver:
        if features is None:
            raise ValueError("features must be defined.")
        _check_tensor(features, None)
        receiver = ServingInputReceiver(features, receiver_tensors, receiver_tensors_alternatives)
        return super().__new__(
            cls, receiver.features[SINGLE_FEATURE], receiver.receiver_tensors, receiver.receiver_tensors_alternatives
        )


class UnsupervisedInputReceiver(ServingInputReceiver):
    """As ServingInputReceiver, without alternatives."""

    def __new__(cls, features: Any, receiver_tensors: Any) -> UnsupervisedInputReceiver:  # type: ignore[misc]
        return super().__new__(cls, features, receiver_tensors, None)  # type: ignore[return-value]


class SupervisedInputReceiver(
    collections.namedtuple("SupervisedInputReceiver", ["features", "labels", "receiver_tensors"])
):
    """Features and labels, for the export of graphs that train or evaluate."""

    def __new__(cls, features: Any, labels: Any, receiver_tensors: Any) -> SupervisedInputReceiver:
        checked_tensors(features, "feature", ints=True)
        checked_tensors(labels, "label", ints=True)
        return super().__new__(cls, features, labels, checked_tensors(receiver_tensors, "receiver_tensor"))


def build_parsing_serving_input_receiver_fn(
    feature_spec: Any, default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A function that makes a placeholder of serialized examples and parses them."""

    def serving_input_receiver_fn() -> ServingInputReceiver:
        examples = placeholder(dtypes.string, shape=[default_batch_size], name="input_example_tensor")
        return ServingInputReceiver(parse_example(examples, feature_spec), {"examples": examples})

    return serving_input_receiver_fn


def _placeholder_like(tensor: Any, batch_size: int | None) -> Tensor:
    shape = TensorShape([batch_size]).concatenate(tensor.get_shape()[1:])
    op = getattr(tensor, "op", None)
    return placeholder(tensor.dtype, shape=shape, name=None if op is None else op.name)


def _placeholders(tensors: dict[str, Any], batch_size: int | None) -> dict[str, Tensor]:
    return {name: _placeholder_like(tensor, batch_size) for name, tensor in tensors.items()}


def build_raw_serving_input_receiver_fn(
    features: dict[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """A function that makes a placeholder like each tensor of `features`; they are fed as they are."""

    def serving_input_receiver_fn() -> ServingInputReceiver:
        tensors = _placeholders(features, default_batch_size)
        return ServingInputReceiver(tensors, tensors)

    return serving_input_receiver_fn


def build_raw_supervised_input_receiver_fn(
    features: Any, labels: Any, default_batch_size: int | None = None
) -> Callable[[], SupervisedInputReceiver]:
    """As `build_raw_serving_input_receiver_fn`, with labels. Raises ValueError for keys that both have."""
    feature_keys = features.keys() if isinstance(features, dict) else [SINGLE_RECEIVER]
    label_keys = labels.keys() if isinstance(labels, dict) else [SINGLE_LABEL]
    overlap = set(feature_keys) & set(label_keys)
    if overlap:
        raise ValueError(f"Features and labels must have distinct keys. Found overlapping keys: {overlap}")

    def made(tensors: Any, alone: str) -> tuple[Any, dict[str, Any]]:
        if isinstance(tensors, dict):
            found = _placeholders(tensors, default_batch_size)
            return found, found
        one = _placeholder_like(tensors, default_batch_size)
        return one, {alone: one}

    def supervised_input_receiver_fn() -> SupervisedInputReceiver:
        own, receivers = made(features, SINGLE_RECEIVER)
        own_labels, label_receivers = made(labels, SINGLE_LABEL)
        return SupervisedInputReceiver(own, own_labels, {**receivers, **label_receivers})

    return supervised_input_receiver_fn


def build_supervised_input_receiver_fn_from_input_fn(input_fn: Callable[..., Any], **input_fn_args: Any) -> Any:
    """As `build_raw_supervised_input_receiver_fn`, with what an input function gives."""
    from thalweg._src.lib.estimators.input_results import parse_input_fn_result

    with Graph().as_default():
        features, labels, _ = parse_input_fn_result(input_fn(**input_fn_args))
    return build_raw_supervised_input_receiver_fn(features, labels)
