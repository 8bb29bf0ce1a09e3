"""tf.contrib.learn.monitors."""

from thalweg._src.contrib.learn.model_monitors import CheckpointSaver as CheckpointSaver
from thalweg._src.contrib.learn.model_monitors import ExportMonitor as ExportMonitor
from thalweg._src.contrib.learn.model_monitors import ValidationMonitor as ValidationMonitor
from thalweg._src.contrib.learn.monitor_hooks import RunHookAdapterForMonitors as RunHookAdapterForMonitors
from thalweg._src.contrib.learn.monitor_hooks import replace_monitors_with_hooks as replace_monitors_with_hooks
from thalweg._src.contrib.learn.monitors import BaseMonitor as BaseMonitor
from thalweg._src.contrib.learn.monitors import CaptureVariable as CaptureVariable
from thalweg._src.contrib.learn.monitors import EveryN as EveryN
from thalweg._src.contrib.learn.monitors import GraphDump as GraphDump
from thalweg._src.contrib.learn.monitors import LoggingTrainable as LoggingTrainable
from thalweg._src.contrib.learn.monitors import NanLoss as NanLoss
from thalweg._src.contrib.learn.monitors import PrintTensor as PrintTensor
from thalweg._src.contrib.learn.monitors import StepCounter as StepCounter
from thalweg._src.contrib.learn.monitors import StopAtStep as StopAtStep
from thalweg._src.contrib.learn.monitors import SummarySaver as SummarySaver
from thalweg._src.contrib.learn.monitors import get_default_monitors as get_default_monitors
from thalweg._src.lib.hooks.basic import NanLossDuringTrainingError as NanLossDuringTrainingError
