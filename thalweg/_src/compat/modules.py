"""What stands behind each module of TensorFlow's tree: which names it has, and where ours are.

`modules.tsv` was recorded by tests/oracle/record_modules.py: it knows the internal modules whose names are public under
another path. The two tables below are for what no public path leads to. Paths are written without `tensorflow.`.
"""

from functools import cache
from pathlib import Path

# The same module under another name. Longest prefix first: what follows the prefix stays.
RENAMED: tuple[tuple[str, str], ...] = (
    ("compat.v1", ""),
    ("_api.v1", ""),
    ("_api.v2", "compat.v2"),
    ("models.rnn.ptb", "examples.models.rnn.ptb"),
    ("contrib.ctc.ctc_ops", "nn"),
    ("contrib.ctc", "nn"),
    ("python.ops.constant_op", "python.framework.constant_op"),
    ("models.rnn", "python.ops"),
    ("contrib.learn.python.learn.monitored_session", "python.training.monitored_session"),
    ("contrib.rnn.python.ops.core_rnn", "contrib.rnn"),
    ("python.keras._impl.keras", "keras"),
    ("python.keras", "keras"),
    ("contrib.learn.datasets", "contrib.learn.python.learn.datasets"),
    ("contrib.keras.python.keras", "keras"),
    ("contrib.keras.api.keras", "keras"),
    ("contrib.keras", "keras"),
    ("contrib.gan.python.estimator.python.gan_estimator", "contrib.gan.estimator"),
    ("contrib.gan.python.estimator.python.head", "contrib.gan.estimator"),
    ("contrib.gan.python.estimator.python", "contrib.gan.estimator"),
    ("contrib.gan.python.eval.python.sliced_wasserstein", "contrib.gan.eval"),
    ("contrib.gan.python.eval.python", "contrib.gan.eval"),
    ("contrib.gan.python.features.python", "contrib.gan.features"),
    ("contrib.gan.python.losses.python.losses_wargs", "contrib.gan.losses.wargs"),
    ("contrib.gan.python.losses.python.losses_impl", "contrib.gan.losses.wargs"),
    ("contrib.gan.python.losses.python.tuple_losses", "contrib.gan.losses"),
    ("contrib.gan.python.losses.python", "contrib.gan.losses"),
    ("contrib.gan.python.namedtuples", "contrib.gan"),
    ("contrib.gan.python.train", "contrib.gan"),
    ("contrib.gan.python", "contrib.gan"),
    ("contrib.losses.python.metric_learning", "contrib.losses.metric_learning"),
    ("contrib.quantize.python.quantize_graph", "contrib.quantize"),
    ("contrib.slim.python.slim.learning", "contrib.slim.learning"),
    ("contrib.slim.python.slim.nets", "contrib.slim.nets"),
    ("contrib.timeseries.python.timeseries.ar_model", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries.estimators", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries.feature_keys", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries.head", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries.input_pipeline", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries.model", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries.state_management", "contrib.timeseries"),
    ("contrib.timeseries.python.timeseries", "contrib.timeseries"),
)

# Internal modules that have no public counterpart, by the module of ours that implements them.
OURS: dict[str, str] = {
    "contrib.opt.python.training.matrix_functions": "thalweg._src.contrib.opt.matrix_roots",
    "contrib.nn.python.ops.fwd_gradients": "thalweg._src.contrib.sampling_losses",
    "contrib.framework.python.framework.graph_util": "thalweg._src.contrib.framework.graphs",
    "contrib.framework.python.ops.prettyprint_ops": "thalweg._src.contrib.framework.printing",
    "contrib.image.python.ops.distort_image_ops": "thalweg._src.contrib.image.colors",
    "contrib.image.python.ops.dense_image_warp": "thalweg._src.contrib.image.warps",
    "contrib.boosted_trees.estimator_batch.estimator": "thalweg._src.contrib.boosted_trees.estimators",
    "contrib.kernel_methods.python.kernel_estimators": "thalweg._src.contrib.kernel_methods",
    "contrib.kernel_methods.python.losses": "thalweg._src.contrib.kernel_methods",
    "contrib.kernel_methods.python.mappers.dense_kernel_mapper": "thalweg._src.contrib.kernel_methods",
    "contrib.kernel_methods.python.mappers.random_fourier_features": "thalweg._src.contrib.kernel_methods",
    "contrib.boosted_trees.proto.learner_pb2": "thalweg._src.contrib.boosted_trees.learner",
    "contrib.factorization.python.ops.clustering_ops": "thalweg._src.lib.clustering",
    "contrib.factorization.python.ops.kmeans": "thalweg._src.contrib.factorization.kmeans",
    "contrib.factorization.python.ops.factorization_ops": "thalweg._src.contrib.factorization.wals",
    "contrib.factorization.python.ops.wals": "thalweg._src.contrib.factorization.wals_estimator",
    "contrib.factorization.python.ops.gmm": "thalweg._src.contrib.factorization.gmm",
    "contrib.factorization.python.ops.gmm_ops": "thalweg._src.contrib.factorization.gmm",
    "contrib.learn.python.learn.estimators.dynamic_rnn_estimator": "thalweg._src.contrib.learn.dynamic_rnn",
    "contrib.learn.python.learn.estimators.logistic_regressor": "thalweg._src.contrib.learn.logistic",
    "contrib.learn.python.learn.estimators.rnn_common": "thalweg._src.contrib.learn.recurrence",
    "contrib.learn.python.learn.estimators.kmeans": "thalweg._src.contrib.learn.kmeans",
    "contrib.linear_optimizer.python.ops.sdca_ops": "thalweg._src.lib.estimators.sdca",
    "contrib.linear_optimizer.python.ops.sharded_mutable_dense_hashtable": "thalweg._src.lib.estimators.sdca",
    "contrib.linear_optimizer.python.ops.sparse_feature_column": "thalweg._src.lib.estimators.sdca",
    "contrib.linear_optimizer.python.sdca_optimizer": "thalweg._src.contrib.linear_optimizer.optimizer",
    "contrib.cudnn_rnn.python.ops.cudnn_rnn_ops": "thalweg._src.compat.internals.cudnn_names",
    "nn.rnn_cell": "thalweg._src.compat.internals.rnn_cells",
    "python.framework.device": "thalweg._src.core.devices",
    "python.framework.graph_util_impl": "thalweg._src.compat.internals.graph_summaries",
    "python.framework.meta_graph": "thalweg._src.lib.meta_graph",
    "python.platform.flags": "thalweg.flags",
    "python.tools.optimize_for_inference_lib": "thalweg._src.lib.inference_graphs",
    "python.tools.strip_unused_lib": "thalweg._src.lib.inference_graphs",
    "python.training.slot_creator": "thalweg._src.lib.optimizers.slot_creator",
    "python.ops.collective_ops": "thalweg._src.lib.collective_ops",
    "python.data.ops.multi_device_iterator_ops": "thalweg._src.lib.data.several_devices",
    "python.data.experimental.ops.threadpool": "thalweg._src.lib.data.several_devices",
    "contrib.data.python.ops.threadpool": "thalweg._src.lib.data.several_devices",
    "python.distribute.all_reduce": "thalweg._src.lib.all_reduce",
    "contrib.all_reduce.python.all_reduce": "thalweg._src.lib.all_reduce",
    "python.ops.clustering_ops": "thalweg._src.lib.clustering",
    "contrib.tensor_forest.python.tensor_forest": "thalweg._src.contrib.tensor_forest.forest",
    "contrib.tensor_forest.python.ops.data_ops": "thalweg._src.contrib.tensor_forest.data",
    "contrib.learn.python.learn.estimators.random_forest": "thalweg._src.contrib.tensor_forest.estimators",
    "contrib.learn.python.learn.learn_io": "thalweg._src.contrib.learn.learn_io",
    "contrib.learn.python.learn.learn_io.generator_io": "thalweg._src.contrib.learn.learn_io",
    "contrib.learn.python.learn.learn_io.numpy_io": "thalweg._src.contrib.learn.learn_io",
    "contrib.learn.python.learn.learn_io.pandas_io": "thalweg._src.contrib.learn.learn_io",
    "contrib.framework.python.ops.audio_ops": "thalweg._src.compat.internals.audio_ops",
    "python.data.util.nest": "thalweg._src.lib.data.nest",
    "python.framework.common_shapes": "thalweg._src.compat.internals.common_shapes",
    "python.framework.composite_tensor": "thalweg._src.compat.internals.composite_tensor",
    "python.ops.control_flow_util": "thalweg._src.compat.internals.loops_and_branches",
    "python.ops.gen_audio_ops": "thalweg._src.compat.internals.audio_ops",
    "contrib.layers.python.layers.feature_column": "thalweg.contrib.layers.feature_column",
    "contrib.layers.python.layers.feature_column_ops": "thalweg._src.contrib.layers.column_ops",
    "contrib.learn.python.learn.datasets": "thalweg.contrib.learn.datasets",
    "contrib.learn.python.learn.datasets.synthetic": "thalweg._src.contrib.learn.datasets.synthetic",
    "contrib.learn.python.learn.datasets.text_datasets": "thalweg._src.contrib.learn.datasets.named",
    "contrib.learn.python.learn.estimators": "thalweg.contrib.learn.estimators",
    "contrib.learn.python.learn.estimators.constants": "thalweg._src.contrib.learn.modes",
    "contrib.learn.python.learn.estimators.estimator": "thalweg._src.contrib.learn.estimator",
    "contrib.learn.python.learn.estimators.head": "thalweg.contrib.learn.head",
    "contrib.learn.python.learn.estimators.metric_key": "thalweg._src.contrib.learn.modes",
    "contrib.learn.python.learn.estimators.model_fn": "thalweg._src.contrib.learn.modes",
    "contrib.learn.python.learn.estimators.prediction_key": "thalweg._src.contrib.learn.modes",
    "contrib.learn.python.learn.estimators.run_config": "thalweg._src.contrib.learn.run_config",
    "contrib.learn.python.learn.experiment": "thalweg._src.contrib.learn.experiment",
    "contrib.input_pipeline.python.ops.input_pipeline_ops": "thalweg._src.contrib.input_pipeline",
    "contrib.learn.python.learn.dataframe.queues.feeding_functions": "thalweg._src.compat.internals.feeding_functions",
    "contrib.learn.python.learn.learn_io.data_feeder": "thalweg._src.contrib.learn.feeding",
    "contrib.learn.python.learn.learn_runner": "thalweg._src.contrib.learn.learn_runner",
    "contrib.learn.python.learn.metric_spec": "thalweg._src.contrib.learn.metric_spec",
    "contrib.learn.python.learn.models": "thalweg._src.contrib.learn.models",
    "contrib.learn.python.learn.monitors": "thalweg.contrib.learn.monitors",
    "contrib.learn.python.learn.ops": "thalweg._src.contrib.learn.ops",
    "contrib.learn.python.learn.preprocessing": "thalweg._src.contrib.learn.preprocessing",
    "contrib.learn.python.learn.preprocessing.categorical": "thalweg._src.contrib.learn.preprocessing",
    "contrib.learn.python.learn.preprocessing.categorical_vocabulary": "thalweg._src.contrib.learn.preprocessing",
    "contrib.learn.python.learn.preprocessing.text": "thalweg._src.contrib.learn.preprocessing",
    "contrib.learn.python.learn.utils.input_fn_utils": "thalweg._src.contrib.learn.exporting",
    "contrib.learn.python.learn.utils.saved_model_export_utils": "thalweg.contrib.learn.utils.saved_model_export_utils",
    "contrib.layers.python.layers.utils": "thalweg._src.contrib.layers.arguments",
    "contrib.learn.python.learn.datasets.base": "thalweg._src.contrib.learn.datasets.base",
    "contrib.learn.python.learn.datasets.mnist": "thalweg._src.contrib.learn.datasets.mnist",
    "contrib.rnn.python.ops.core_rnn_cell": "thalweg._src.compat.internals.rnn_cells",
    "contrib.rnn.python.ops.core_rnn_cell_impl": "thalweg._src.compat.internals.rnn_cells",
    "contrib.seq2seq.python.ops.attention_decoder_fn": "thalweg._src.contrib.seq2seq.decoder_functions",
    "contrib.seq2seq.python.ops.decoder_fn": "thalweg._src.contrib.seq2seq.decoder_functions",
    "contrib.seq2seq.python.ops.seq2seq": "thalweg._src.contrib.seq2seq.decoder_functions",
    "contrib.seq2seq.python.ops.attention_wrapper": "thalweg._src.compat.internals.attention",
    "keras.utils.tf_utils": "thalweg._src.compat.internals.keras_tensors",
    "python.autograph.converters.break_statements": "thalweg._src.compat.internals.autograph",
    "python.autograph.converters.continue_statements": "thalweg._src.compat.internals.autograph",
    "python.autograph.converters.return_statements": "thalweg._src.compat.internals.autograph",
    "python.autograph.core.converter": "thalweg._src.compat.internals.autograph",
    "python.autograph.core.naming": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.anno": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.common_transformers.anf": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.compiler": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.inspect_utils": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.parser": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.qual_names": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.templates": "thalweg._src.compat.internals.autograph",
    "python.autograph.pyct.transformer": "thalweg._src.compat.internals.autograph",
    "python.client.device_lib": "thalweg._src.compat.internals.device_lib",
    "python.client.session": "thalweg._src.compat.internals.session",
    "python.training.monitored_session": "thalweg._src.compat.internals.monitored_session",
    "python.client.timeline": "thalweg._src.lib.timeline",
    "python.debug": "thalweg._src.compat.internals.debug",
    "python.debug.lib.debug_data": "thalweg._src.lib.debugging.dumps",
    "python.debug.lib.debug_utils": "thalweg._src.lib.debugging.watches",
    "python.debug.wrappers.dumping_wrapper": "thalweg._src.lib.debugging.sessions",
    "python.debug.wrappers.framework": "thalweg._src.lib.debugging.sessions",
    "python.debug.wrappers.hooks": "thalweg._src.lib.debugging.hooks",
    "python.debug.wrappers.local_cli_wrapper": "thalweg._src.lib.debugging.command_line",
    "python.eager.context": "thalweg._src.lib.eager.context",
    "python.eager.function": "thalweg._src.lib.eager.functions",
    "python.estimator.canned.baseline": "thalweg._src.lib.estimators.canned_estimators",
    "python.estimator.canned.dnn": "thalweg._src.lib.estimators.canned_estimators",
    "python.estimator.canned.dnn_linear_combined": "thalweg._src.lib.estimators.canned_estimators",
    "python.estimator.canned.linear": "thalweg._src.lib.estimators.canned_estimators",
    "python.estimator.canned.metric_keys": "thalweg._src.lib.estimators.keys",
    "python.estimator.canned.optimizers": "thalweg._src.lib.estimators.canned",
    "python.estimator.canned.parsing_utils": "thalweg._src.lib.estimators.parsing_specs",
    "python.estimator.canned.prediction_keys": "thalweg._src.lib.estimators.keys",
    "python.estimator.estimator": "thalweg._src.lib.estimators.estimator",
    "python.estimator.export.export": "thalweg._src.lib.estimators.receivers",
    "python.estimator.export.export_output": "thalweg._src.lib.estimators.export_outputs",
    "python.estimator.canned.head": "thalweg._src.lib.estimators.heads",
    "python.estimator.early_stopping": "thalweg._src.lib.estimators.extending",
    "python.estimator.mode_keys": "thalweg._src.lib.estimators.modes",
    "python.estimator.util": "thalweg._src.lib.estimators.modes",
    "python.estimator.tpu.tpu_estimator": "thalweg.contrib.tpu",
    "contrib.estimator.python.estimator.boosted_trees": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.early_stopping": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.export": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.extenders": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.hooks": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.logit_fns": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.multi_head": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.replicate_model_fn": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.rnn": "thalweg.contrib.estimator",
    "contrib.estimator.python.estimator.saved_model_estimator": "thalweg.contrib.estimator",
    "python.estimator.head.base_head": "thalweg._src.lib.estimators.more_heads",
    "python.estimator.head.binary_class_head": "thalweg._src.lib.estimators.more_heads",
    "python.estimator.head.multi_class_head": "thalweg._src.lib.estimators.more_heads",
    "python.estimator.head.multi_head": "thalweg._src.lib.estimators.more_heads",
    "python.estimator.head.multi_label_head": "thalweg._src.lib.estimators.more_heads",
    "python.estimator.head.regression_head": "thalweg._src.lib.estimators.more_heads",
    "python.estimator.inputs.queues.feeding_functions": "thalweg._src.compat.internals.feeding_functions",
    "python.estimator.inputs.queues.feeding_queue_runner": "thalweg._src.compat.internals.feeding_functions",
    "python.ops.nccl_ops": "thalweg._src.lib.nccl",
    "python.ops.summary_op_util": "thalweg._src.lib.summary.summary",
    "python.ops.summary_ops_v2": "thalweg._src.lib.summary.contrib",
    "python.summary.writer.event_file_writer": "thalweg._src.lib.summary.event_file",
    "python.tpu.tpu_function": "thalweg._src.lib.tpu.computation",
    "contrib.tpu.python.tpu.tpu_function": "thalweg._src.lib.tpu.computation",
    "python.estimator.exporter": "thalweg._src.lib.estimators.exporters",
    "python.estimator.inputs.inputs": "thalweg._src.lib.estimators.inputs",
    "python.estimator.inputs.numpy_io": "thalweg._src.lib.estimators.inputs",
    "python.estimator.inputs.pandas_io": "thalweg._src.lib.estimators.inputs",
    "python.estimator.model_fn": "thalweg._src.lib.estimators.spec",
    "python.estimator.run_config": "thalweg._src.lib.estimators.run_config",
    "python.estimator.training": "thalweg._src.lib.estimators.training",
    "python.estimator.estimator_lib": "thalweg.estimator",
    "python.feature_column.dense_features": "thalweg._src.lib.feature_columns.layers",
    "python.framework.function": "thalweg._src.compat.internals.function",
    "python.autograph": "thalweg._src.compat.internals.autograph_names",
    "python.framework.ops": "thalweg._src.compat.internals.framework_ops",
    "python.framework.tensor_shape": "thalweg._src.compat.internals.tensor_shape",
    "python.framework.tensor_util": "thalweg._src.compat.internals.tensor_values",
    "python.framework.test_util": "thalweg._src.compat.internals.test_decorators",
    "python.layers.convolutional": "thalweg._src.compat.internals.convolutional",
    "python.layers.utils": "thalweg._src.compat.internals.layer_sizes",
    "python.ops.nn_ops": "thalweg._src.compat.internals.nn_ops",
    "python.lib.io.file_io": "thalweg._src.lib.io.file_io",
    "python.ops.control_flow_ops": "thalweg._src.compat.internals.control_flow_ops",
    "python.ops.data_flow_ops": "thalweg._src.compat.internals.data_flow_ops",
    "python.ops.linalg.linear_operator_addition": "thalweg._src.compat.internals.linear_operator_addition",
    "python.ops.linalg.linear_operator_util": "thalweg._src.compat.internals.operator_arguments",
    "python.ops.variables": "thalweg._src.compat.internals.variables",
    "keras.engine.input_spec": "thalweg._src.lib.layers.input_spec",
    "python.ops.weights_broadcast_ops": "thalweg._src.lib.weights",
    "python.ops.variable_scope": "thalweg._src.compat.internals.variable_scope",
    "python.ops.inplace_ops": "thalweg._src.ops.arrays.in_place",
    "python.ops.init_ops": "thalweg._src.ops.stateful.initializers",
    "python.framework.op_def_registry": "thalweg._src.compat.internals.op_def_registry",
    "python.ops.init_ops_v2": "thalweg._src.compat.internals.seeded_initializers",
    "python.ops.lookup_ops": "thalweg.contrib.lookup",
    "python.ops.metrics_impl": "thalweg._src.lib.metrics.means",
    "python.ops.op_selector": "thalweg._src.contrib.graph_editor.select",
    "python.ops.rnn_cell": "thalweg._src.compat.internals.rnn_cells",
    "python.training.optimizer": "thalweg._src.lib.optimizers.optimizer",
    "python.pywrap_tensorflow": "thalweg._src.compat.internals.pywrap_tensorflow",
    "python.training.training_ops": "thalweg._src.ops.updates.training",
    "python.framework.type_spec": "thalweg._src.compat.internals.type_spec",
    "python.training.device_setter": "thalweg._src.lib.device_setter",
    "python.ops.array_ops": "thalweg._src.compat.internals.array_ops",
    "python.ops.resource_variable_ops": "thalweg._src.compat.internals.resource_variable_ops",
    "python.ops.gen_resource_variable_ops": "thalweg._src.compat.internals.resource_variable_ops",
    "python.tools.freeze_graph": "thalweg._src.compat.internals.freeze_graph",
    "python.tools.inspect_checkpoint": "thalweg._src.compat.internals.inspect_checkpoint",
    "python.ops.resources": "thalweg._src.lib.resources",
    "python.ops.rnn_cell_impl": "thalweg._src.compat.internals.rnn_cells",
    "python.platform.test": "thalweg._src.lib.testing",
    "python.platform.googletest": "thalweg._src.compat.internals.googletest",
    "python.platform.tf_logging": "thalweg._src.lib.platform.logging",
    "python.tf2": "thalweg._src.compat.internals.tf2",
    "python.training.moving_averages": "thalweg._src.lib.moving_averages",
    "python.util.all_util": "thalweg._src.compat.internals.hidden_names",
    "python.util.deprecation": "thalweg._src.lib.deprecation",
    "python.util.function_utils": "thalweg._src.compat.internals.callables",
    "python.util.lazy_loader": "thalweg._src.compat.internals.lazy_loader",
    "python.util.nest": "thalweg._src.lib.nesting",
    "python.util.tf_contextlib": "thalweg._src.compat.internals.tf_contextlib",
    "python.util.tf_decorator": "thalweg._src.compat.internals.tf_decorator",
    "python.util.tf_inspect": "thalweg._src.compat.internals.tf_inspect",
}


# Modules that hold every op of the generated module of their name, as io_ops.restore_v2, beside their own functions.
OF_GENERATED = frozenset(
    f"python.ops.{field}_ops"
    for field in (
        *("array", "bitwise", "control_flow", "data_flow", "io", "linalg", "logging", "lookup", "math", "nn"),
        *("parsing", "random", "sparse", "state", "string"),
    )
)


@cache
def table() -> dict[str, dict[str, str]]:
    """Internal module -> its names -> the public path of each, as `nn.rnn_cell.LSTMCell`.

    Beside a class that is called `DatasetV1` there, `DatasetV2` or plain `Dataset` is what 2.x calls the same.
    """
    rows: dict[str, dict[str, str]] = {}
    for line in Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines():
        module, *columns = line.split("\t")
        names = rows[module] = {}
        for column in columns:
            namespace, _, words = column.partition("=")
            for word in words.split(" "):
                name, _, public = word.partition(":")
                names[name] = f"{namespace}.{public or name}".lstrip(".")
        for name in [n for n in names if n.endswith("V1")]:
            names.setdefault(f"{name[:-1]}2", names[name])
            names.setdefault(name[:-2], names[name])
    return rows


@cache
def packages() -> frozenset[str]:
    """Every path that holds a known internal module below it: `python`, `python.ops`, `contrib.rnn.python` …"""
    parents: set[str] = set()
    for module in [*table(), *OURS, *(old for old, _ in RENAMED)]:
        parts = module.split(".")
        parents.update(".".join(parts[:n]) for n in range(1, len(parts)))
    return frozenset(parents)


def is_proto(path: str) -> bool:
    """Whether `path` is a module of protobuf messages, core.framework.graph_pb2: all of them are in formats.protos."""
    return path.startswith("core.") and path.endswith("_pb2")


def current(path: str) -> str:
    """`path` under the name that we serve it by: compat.v1.nn -> nn."""
    for old, new in RENAMED:
        if path == old or path.startswith(old + "."):
            return (new + path[len(old) :]).lstrip(".")
    return path
