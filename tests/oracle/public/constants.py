"""Constants: their values are TensorFlow's."""

NAMES = {
    "tf": "GRAPH_DEF_VERSION_MIN_CONSUMER GRAPH_DEF_VERSION_MIN_PRODUCER resource qint16 qint32 quint16 uint32 uint64",
    "tf.version": "GRAPH_DEF_VERSION_MIN_CONSUMER GRAPH_DEF_VERSION_MIN_PRODUCER",
    "tf.compat": "bytes_or_text_types complex_types integral_types real_types",
    "tf.data.experimental": "AUTOTUNE INFINITE_CARDINALITY UNKNOWN_CARDINALITY",
    "tf.distributions": "FULLY_REPARAMETERIZED NOT_REPARAMETERIZED",
    "tf.errors": "OK CANCELLED UNKNOWN DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED "
    "FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED",
    "tf.logging": "DEBUG INFO WARN ERROR FATAL",
    "tf.saved_model": "ASSETS_DIRECTORY ASSETS_KEY CLASSIFY_INPUTS CLASSIFY_METHOD_NAME CLASSIFY_OUTPUT_CLASSES "
    "CLASSIFY_OUTPUT_SCORES DEFAULT_SERVING_SIGNATURE_DEF_KEY GPU LEGACY_INIT_OP_KEY MAIN_OP_KEY PREDICT_INPUTS "
    "PREDICT_METHOD_NAME PREDICT_OUTPUTS REGRESS_INPUTS REGRESS_METHOD_NAME REGRESS_OUTPUTS SAVED_MODEL_FILENAME_PB "
    "SAVED_MODEL_FILENAME_PBTXT SAVED_MODEL_SCHEMA_VERSION SERVING TPU TRAINING VARIABLES_DIRECTORY VARIABLES_FILENAME",
    "tf.saved_model.constants": "ASSETS_DIRECTORY ASSETS_KEY LEGACY_INIT_OP_KEY MAIN_OP_KEY SAVED_MODEL_FILENAME_PB "
    "SAVED_MODEL_FILENAME_PBTXT SAVED_MODEL_SCHEMA_VERSION VARIABLES_DIRECTORY VARIABLES_FILENAME",
    "tf.saved_model.signature_constants": "CLASSIFY_INPUTS CLASSIFY_METHOD_NAME CLASSIFY_OUTPUT_CLASSES "
    "CLASSIFY_OUTPUT_SCORES DEFAULT_SERVING_SIGNATURE_DEF_KEY PREDICT_INPUTS PREDICT_METHOD_NAME PREDICT_OUTPUTS "
    "REGRESS_INPUTS REGRESS_METHOD_NAME REGRESS_OUTPUTS",
    "tf.saved_model.tag_constants": "GPU SERVING TPU TRAINING",
    "tf.sysconfig": "MONOLITHIC_BUILD",
}
MEMBERS = {
    "tf.AggregationMethod": "ADD_N DEFAULT EXPERIMENTAL_TREE EXPERIMENTAL_ACCUMULATE_N",
    "tf.UnconnectedGradients": "NONE ZERO",
    "tf.VariableAggregation": "NONE SUM MEAN ONLY_FIRST_REPLICA",
    "tf.VariableSynchronization": "AUTO NONE ON_WRITE ON_READ",
    "tf.image.ResizeMethod": "BILINEAR NEAREST_NEIGHBOR BICUBIC AREA",
    "tf.losses.Reduction": "NONE SUM SUM_OVER_BATCH_SIZE MEAN SUM_OVER_NONZERO_WEIGHTS SUM_BY_NONZERO_WEIGHTS",
    "tf.distribute.ReduceOp": "SUM MEAN",
}


def at(tf, path):
    value = tf
    for part in path.split(".")[1:]:
        value = getattr(value, part)
    return value


def constant(path):
    return lambda tf: shown(at(tf, path))


def shown(value):
    """A value without what its class is called here."""
    if isinstance(value, tuple):
        return [v.__name__ for v in value]
    return (
        value
        if isinstance(value, (int, str, bytes))
        else getattr(value, "name", None) or str(value).split(" object")[0]
    )


def members(path, names):
    return lambda tf: [str(getattr(at(tf, path), name)) for name in names.split()]


TABLES = {
    "constants": {
        face + "." + name: constant(face + "." + name) for face, names in NAMES.items() for name in names.split()
    },
    "enumerations": {path: members(path, names) for path, names in MEMBERS.items()},
}
