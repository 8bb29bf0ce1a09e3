"""tf.contrib.summary: summaries that go to a writer where they are made."""

from thalweg._src.lib.summary.contrib import SummaryWriter as SummaryWriter
from thalweg._src.lib.summary.contrib import all_summary_ops as all_summary_ops
from thalweg._src.lib.summary.contrib import always_record_summaries as always_record_summaries
from thalweg._src.lib.summary.contrib import audio as audio
from thalweg._src.lib.summary.contrib import create_db_writer as create_db_writer
from thalweg._src.lib.summary.contrib import create_file_writer as create_file_writer
from thalweg._src.lib.summary.contrib import create_summary_file_writer as create_summary_file_writer
from thalweg._src.lib.summary.contrib import eval_dir as eval_dir
from thalweg._src.lib.summary.contrib import flush as flush
from thalweg._src.lib.summary.contrib import generic as generic
from thalweg._src.lib.summary.contrib import graph as graph
from thalweg._src.lib.summary.contrib import histogram as histogram
from thalweg._src.lib.summary.contrib import image as image
from thalweg._src.lib.summary.contrib import import_event as import_event
from thalweg._src.lib.summary.contrib import initialize as initialize
from thalweg._src.lib.summary.contrib import never_record_summaries as never_record_summaries
from thalweg._src.lib.summary.contrib import (
    record_summaries_every_n_global_steps as record_summaries_every_n_global_steps,
)
from thalweg._src.lib.summary.contrib import scalar as scalar
from thalweg._src.lib.summary.contrib import should_record_summaries as should_record_summaries
from thalweg._src.lib.summary.contrib import summary_writer_initializer_op as summary_writer_initializer_op
