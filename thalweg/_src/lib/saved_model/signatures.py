"""Signatures: which tensors of a graph are inputs and outputs of a method, and under which names callers know them."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import Graph, Tensor, get_default_graph
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.formats import protos
from thalweg._src.lib.saved_model import constants
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor


def build_tensor_info(tensor: Any) -> Any:
    """The TensorInfo of a tensor, SparseTensor or RaggedTensor: its name, type and shape; of a RaggedTensor, its parts."""
    if isinstance(tensor, RaggedTensor):
        return _info_of_ragged(tensor)
    info = protos.TensorInfo(
        dtype=dtypes.as_dtype(tensor.dtype).as_datatype_enum, tensor_shape=tensor.get_shape().as_proto()
    )
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def _info_of_ragged(tensor: RaggedTensor) -> Any:
    info = protos.TensorInfo()
    spec = info.composite_tensor.type_spec
    spec.type_spec_class, spec.type_spec_class_name = protos.TypeSpecProto.RAGGED_TENSOR_SPEC, "RaggedTensorSpec"
    shape, dtype, rank, splits = (spec.type_state.tuple_value.values.add() for _ in range(4))
    shape.tensor_shape_value.CopyFrom(tensor.shape.as_proto())
    dtype.tensor_dtype_value = tensor.dtype.as_datatype_enum
    rank.int64_value = tensor.ragged_rank
    splits.tensor_dtype_value = tensor.row_splits.dtype.as_datatype_enum
    info.composite_tensor.components.extend(
        build_tensor_info(t) for t in (tensor.flat_values, *tensor.nested_row_splits)
    )
    return info


def get_tensor_from_tensor_info(tensor_info: Any, graph: Graph | None = None, import_scope: str | None = None) -> Any:
    """The tensor, SparseTensor or RaggedTensor that a TensorInfo names. Raises KeyError if it is not there, ValueError for
    another kind.
    """
    graph = graph or get_default_graph()

    def named(name: str) -> Tensor:
        return graph.get_tensor_by_name(scopes.prepend_name_scope(name, import_scope))

    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return named(tensor_info.name)
    if encoding == "coo_sparse":
        sparse = tensor_info.coo_sparse
        return SparseTensor(
            named(sparse.indices_tensor_name),
            named(sparse.values_tensor_name),
            named(sparse.dense_shape_tensor_name),
        )
    composite = tensor_info.composite_tensor
    if (
        encoding == "composite_tensor"
        and composite.type_spec.type_spec_class == protos.TypeSpecProto.RAGGED_TENSOR_SPEC
    ):
        values, *splits = (get_tensor_from_tensor_info(c, graph, import_scope) for c in composite.components)
        return RaggedTensor.from_nested_row_splits(values, splits)
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}")


def build_signature_def(inputs: Any = None, outputs: Any = None, method_name: str | None = None) -> Any:
    """A SignatureDef of {name: TensorInfo} of inputs and outputs."""
    signature = protos.SignatureDef(method_name=method_name)
    for given, field in ((inputs, signature.inputs), (outputs, signature.outputs)):
        for key, info in (given or {}).items():
            field[key].MergeFromString(info.SerializeToString())
    return signature


def _string_input(examples: Any, what: str) -> Any:
    if examples is None:
        raise ValueError(f"{what} examples cannot be None.")
    if not isinstance(examples, Tensor) or examples.dtype.base_dtype != dtypes.string:
        raise ValueError(f"{what} examples must be a string Tensor.")
    return build_tensor_info(examples)


def regression_signature_def(examples: Any, predictions: Any) -> Any:
    """Serialized examples (strings) to floats. Raises ValueError for other types."""
    info = _string_input(examples, "Regression")
    if predictions is None:
        raise ValueError("Regression predictions cannot be None.")
    result = build_tensor_info(predictions)
    if result.dtype != protos.DT_FLOAT:
        raise ValueError("Regression output must be a float Tensor.")
    return build_signature_def(
        {constants.REGRESS_INPUTS: info}, {constants.REGRESS_OUTPUTS: result}, constants.REGRESS_METHOD_NAME
    )


def classification_signature_def(examples: Any, classes: Any, scores: Any) -> Any:
    """Serialized examples (strings) to classes (strings), scores (floats), or both. Raises ValueError for other
    types.
    """
    info = _string_input(examples, "Classification")
    if classes is None and scores is None:
        raise ValueError("Classification classes and scores cannot both be None.")
    outputs = {}
    for key, tensor, dtype, message in (
        (constants.CLASSIFY_OUTPUT_CLASSES, classes, protos.DT_STRING, "classes must be a string Tensor."),
        (constants.CLASSIFY_OUTPUT_SCORES, scores, protos.DT_FLOAT, "scores must be a float Tensor."),
    ):
        if tensor is not None:
            outputs[key] = build_tensor_info(tensor)
            if outputs[key].dtype != dtype:
                raise ValueError(f"Classification {message}")
    return build_signature_def({constants.CLASSIFY_INPUTS: info}, outputs, constants.CLASSIFY_METHOD_NAME)


def predict_signature_def(inputs: Any, outputs: Any) -> Any:
    """{name: tensor} of inputs to {name: tensor} of outputs. Raises ValueError where one of them is empty."""
    if not inputs:
        raise ValueError("Prediction inputs cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction outputs cannot be None or empty.")
    return build_signature_def(
        {key: build_tensor_info(t) for key, t in inputs.items()},
        {key: build_tensor_info(t) for key, t in outputs.items()},
        constants.PREDICT_METHOD_NAME,
    )


def is_valid_signature(signature_def: Any) -> bool:
    """Whether a server can serve it: a signature for prediction, classification or regression with what belongs to
    it.
    """
    if signature_def is None:
        return False
    inputs = {key: info.dtype for key, info in signature_def.inputs.items()}
    outputs = {key: info.dtype for key, info in signature_def.outputs.items()}
    if signature_def.method_name == constants.PREDICT_METHOD_NAME:
        return bool(inputs) and bool(outputs)
    if signature_def.method_name == constants.REGRESS_METHOD_NAME:
        return inputs == {constants.REGRESS_INPUTS: protos.DT_STRING} and outputs == {
            constants.REGRESS_OUTPUTS: protos.DT_FLOAT
        }
    if signature_def.method_name == constants.CLASSIFY_METHOD_NAME:
        allowed = {
            constants.CLASSIFY_OUTPUT_CLASSES: protos.DT_STRING,
            constants.CLASSIFY_OUTPUT_SCORES: protos.DT_FLOAT,
        }
        right = inputs == {constants.CLASSIFY_INPUTS: protos.DT_STRING}
        return right and bool(outputs) and all(allowed.get(key) == dtype for key, dtype in outputs.items())
    return False
