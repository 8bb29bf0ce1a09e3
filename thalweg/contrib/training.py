"""tf.contrib.training: hyperparameters, training ops, evaluation of checkpoints."""

from thalweg._src.contrib.training.bucketing import bucket as bucket
from thalweg._src.contrib.training.bucketing import bucket_by_sequence_length as bucket_by_sequence_length
from thalweg._src.contrib.training.evaluation import StopAfterNEvalsHook as StopAfterNEvalsHook
from thalweg._src.contrib.training.evaluation import SummaryAtEndHook as SummaryAtEndHook
from thalweg._src.contrib.training.evaluation import evaluate_once as evaluate_once
from thalweg._src.contrib.training.evaluation import evaluate_repeatedly as evaluate_repeatedly
from thalweg._src.contrib.training.evaluation import get_or_create_eval_step as get_or_create_eval_step
from thalweg._src.contrib.training.hyperparameters import HParams as HParams
from thalweg._src.contrib.training.hyperparameters import parse_values as parse_values
from thalweg._src.contrib.training.placement import GreedyLoadBalancingStrategy as GreedyLoadBalancingStrategy
from thalweg._src.contrib.training.placement import RandomStrategy as RandomStrategy
from thalweg._src.contrib.training.placement import byte_size_load_fn as byte_size_load_fn
from thalweg._src.contrib.training.resampling import resample_at_rate as resample_at_rate
from thalweg._src.contrib.training.resampling import weighted_resample as weighted_resample
from thalweg._src.contrib.training.sampling import rejection_sample as rejection_sample
from thalweg._src.contrib.training.sampling import stratified_sample as stratified_sample
from thalweg._src.contrib.training.training import add_gradients_summaries as add_gradients_summaries
from thalweg._src.contrib.training.training import clip_gradient_norms as clip_gradient_norms
from thalweg._src.contrib.training.training import clip_gradient_norms_fn as clip_gradient_norms_fn
from thalweg._src.contrib.training.training import create_train_op as create_train_op
from thalweg._src.contrib.training.training import multiply_gradients as multiply_gradients
from thalweg._src.contrib.training.training import train as train
from thalweg._src.lib.checkpoints import checkpoints_iterator as checkpoints_iterator
from thalweg._src.lib.checkpoints import wait_for_new_checkpoint as wait_for_new_checkpoint
