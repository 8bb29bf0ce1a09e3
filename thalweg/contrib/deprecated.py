"""tf.contrib.deprecated: the summaries of TensorFlow 0.11, whose first argument is a tag."""

from thalweg._src.lib.summary.summary import audio_summary as audio_summary
from thalweg._src.lib.summary.summary import histogram_summary as histogram_summary
from thalweg._src.lib.summary.summary import image_summary as image_summary
from thalweg._src.lib.summary.summary import merge_all_summaries as merge_all_summaries
from thalweg._src.lib.summary.summary import merge_summary as merge_summary
from thalweg._src.lib.summary.summary import scalar_summary as scalar_summary
