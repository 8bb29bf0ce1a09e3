"""tf.contrib.estimator: what was to become tf.estimator."""

from thalweg._src.lib.estimators.canned import dnn_logit_fn_builder as dnn_logit_fn_builder
from thalweg._src.lib.estimators.canned import linear_logit_fn_builder as linear_logit_fn_builder
from thalweg._src.lib.estimators.canned_estimators import BaselineEstimator as BaselineEstimator
from thalweg._src.lib.estimators.canned_estimators import DNNEstimator as DNNEstimator
from thalweg._src.lib.estimators.canned_estimators import DNNLinearCombinedEstimator as DNNLinearCombinedEstimator
from thalweg._src.lib.estimators.canned_estimators import LinearEstimator as LinearEstimator
from thalweg._src.lib.estimators.exporting import export_all_saved_models as export_all_saved_models
from thalweg._src.lib.estimators.exporting import export_saved_model_for_mode as export_saved_model_for_mode
from thalweg._src.lib.estimators.extending import InMemoryEvaluatorHook as InMemoryEvaluatorHook
from thalweg._src.lib.estimators.extending import add_metrics as add_metrics
from thalweg._src.lib.estimators.extending import clip_gradients_by_norm as clip_gradients_by_norm
from thalweg._src.lib.estimators.extending import make_early_stopping_hook as make_early_stopping_hook
from thalweg._src.lib.estimators.extending import read_eval_metrics as read_eval_metrics
from thalweg._src.lib.estimators.extending import stop_if_higher_hook as stop_if_higher_hook
from thalweg._src.lib.estimators.extending import stop_if_lower_hook as stop_if_lower_hook
from thalweg._src.lib.estimators.extending import stop_if_no_decrease_hook as stop_if_no_decrease_hook
from thalweg._src.lib.estimators.extending import stop_if_no_increase_hook as stop_if_no_increase_hook
from thalweg._src.lib.estimators.forwarding import forward_features as forward_features
from thalweg._src.lib.estimators.more_heads import binary_classification_head as binary_classification_head
from thalweg._src.lib.estimators.more_heads import logistic_regression_head as logistic_regression_head
from thalweg._src.lib.estimators.more_heads import multi_class_head as multi_class_head
from thalweg._src.lib.estimators.more_heads import multi_head as multi_head
from thalweg._src.lib.estimators.more_heads import multi_label_head as multi_label_head
from thalweg._src.lib.estimators.more_heads import poisson_regression_head as poisson_regression_head
from thalweg._src.lib.estimators.more_heads import regression_head as regression_head
from thalweg._src.lib.estimators.receivers import (
    build_raw_supervised_input_receiver_fn as build_raw_supervised_input_receiver_fn,
)
from thalweg._src.lib.estimators.receivers import (
    build_supervised_input_receiver_fn_from_input_fn as build_supervised_input_receiver_fn_from_input_fn,
)
from thalweg._src.lib.estimators.recurrent import RNNClassifier as RNNClassifier
from thalweg._src.lib.estimators.recurrent import RNNEstimator as RNNEstimator
from thalweg._src.lib.estimators.saved_model_estimator import SavedModelEstimator as SavedModelEstimator
from thalweg._src.lib.estimators.spec import call_logit_fn as call_logit_fn
from thalweg._src.lib.estimators.towers import TowerOptimizer as TowerOptimizer
from thalweg._src.lib.estimators.towers import replicate_model_fn as replicate_model_fn
from thalweg._src.lib.estimators.training_in_memory import (
    boosted_trees_classifier_train_in_memory as boosted_trees_classifier_train_in_memory,
)
from thalweg._src.lib.estimators.training_in_memory import (
    boosted_trees_regressor_train_in_memory as boosted_trees_regressor_train_in_memory,
)
