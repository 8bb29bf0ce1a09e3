"""tf.estimator.experimental."""

from thalweg._src.lib.estimators.canned import dnn_logit_fn_builder as dnn_logit_fn_builder
from thalweg._src.lib.estimators.canned import linear_logit_fn_builder as linear_logit_fn_builder
from thalweg._src.lib.estimators.extending import InMemoryEvaluatorHook as InMemoryEvaluatorHook
from thalweg._src.lib.estimators.extending import make_early_stopping_hook as make_early_stopping_hook
from thalweg._src.lib.estimators.extending import stop_if_higher_hook as stop_if_higher_hook
from thalweg._src.lib.estimators.extending import stop_if_lower_hook as stop_if_lower_hook
from thalweg._src.lib.estimators.extending import stop_if_no_decrease_hook as stop_if_no_decrease_hook
from thalweg._src.lib.estimators.extending import stop_if_no_increase_hook as stop_if_no_increase_hook
from thalweg._src.lib.estimators.kmeans import KMeansClustering as KMeans
from thalweg._src.lib.estimators.linear_sdca import LinearSDCA as LinearSDCA
from thalweg._src.lib.estimators.receivers import (
    build_raw_supervised_input_receiver_fn as build_raw_supervised_input_receiver_fn,
)
from thalweg._src.lib.estimators.spec import call_logit_fn as call_logit_fn
