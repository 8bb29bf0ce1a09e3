"""tf.summary: what a training run tells about itself, for TensorBoard."""

from thalweg._src.lib.messages import of_summary as __getattr__
from thalweg._src.lib.summary.contrib import all_summary_ops as all_v2_summary_ops
from thalweg._src.lib.summary.contrib import initialize as initialize
from thalweg._src.lib.summary.summary import audio as audio
from thalweg._src.lib.summary.summary import get_summary_description as get_summary_description
from thalweg._src.lib.summary.summary import histogram as histogram
from thalweg._src.lib.summary.summary import image as image
from thalweg._src.lib.summary.summary import merge as merge
from thalweg._src.lib.summary.summary import merge_all as merge_all
from thalweg._src.lib.summary.summary import scalar as scalar
from thalweg._src.lib.summary.summary import tensor_summary as tensor_summary
from thalweg._src.lib.summary.summary import text as text
from thalweg._src.lib.summary.writer import FileWriter as FileWriter
from thalweg._src.lib.summary.writer import FileWriterCache as FileWriterCache
