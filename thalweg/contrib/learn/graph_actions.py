"""tf.contrib.learn.graph_actions."""

from thalweg._src.contrib.learn.graph_actions import clear_summary_writers as clear_summary_writers
from thalweg._src.contrib.learn.graph_actions import coordinator as coordinator
from thalweg._src.contrib.learn.graph_actions import evaluate as evaluate
from thalweg._src.contrib.learn.graph_actions import get_summary_writer as get_summary_writer
from thalweg._src.contrib.learn.graph_actions import infer as infer
from thalweg._src.contrib.learn.graph_actions import run_feeds as run_feeds
from thalweg._src.contrib.learn.graph_actions import run_feeds_iter as run_feeds_iter
from thalweg._src.contrib.learn.graph_actions import run_n as run_n
from thalweg._src.contrib.learn.graph_actions import train as train
