"""tf.contrib.timeseries.saved_model_utils: exported models of time series."""

from thalweg._src.contrib.timeseries.serving import cold_start_filter as cold_start_filter
from thalweg._src.contrib.timeseries.serving import filter_continuation as filter_continuation
from thalweg._src.contrib.timeseries.serving import predict_continuation as predict_continuation
