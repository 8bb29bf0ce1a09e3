"""tf.contrib.slim.evaluation."""

from thalweg._src.contrib.slim.evaluation import evaluate_once as evaluate_once
from thalweg._src.contrib.slim.evaluation import evaluation_loop as evaluation_loop
from thalweg._src.lib.checkpoints import checkpoints_iterator as checkpoints_iterator
from thalweg._src.lib.checkpoints import wait_for_new_checkpoint as wait_for_new_checkpoint
