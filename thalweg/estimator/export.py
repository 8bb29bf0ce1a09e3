"""tf.estimator.export: what a served model reads and gives."""

from thalweg._src.lib.estimators.export_outputs import ClassificationOutput as ClassificationOutput
from thalweg._src.lib.estimators.export_outputs import ExportOutput as ExportOutput
from thalweg._src.lib.estimators.export_outputs import PredictOutput as PredictOutput
from thalweg._src.lib.estimators.export_outputs import RegressionOutput as RegressionOutput
from thalweg._src.lib.estimators.receivers import ServingInputReceiver as ServingInputReceiver
from thalweg._src.lib.estimators.receivers import TensorServingInputReceiver as TensorServingInputReceiver
from thalweg._src.lib.estimators.receivers import (
    build_parsing_serving_input_receiver_fn as build_parsing_serving_input_receiver_fn,
)
from thalweg._src.lib.estimators.receivers import (
    build_raw_serving_input_receiver_fn as build_raw_serving_input_receiver_fn,
)
