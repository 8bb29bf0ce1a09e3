"""tf.contrib.testing."""

from thalweg._src.contrib.testing import FakeSummaryWriter as FakeSummaryWriter
from thalweg._src.contrib.testing import latest_event_file as latest_event_file
from thalweg._src.contrib.testing import latest_events as latest_events
from thalweg._src.contrib.testing import latest_summaries as latest_summaries
from thalweg._src.contrib.testing import simple_values_from_events as simple_values_from_events
