"""tfe.metrics: statistics gathered batch by batch."""

from thalweg._src.lib.eager.metrics import Accuracy as Accuracy
from thalweg._src.lib.eager.metrics import BinaryAccuracy as BinaryAccuracy
from thalweg._src.lib.eager.metrics import CategoricalAccuracy as CategoricalAccuracy
from thalweg._src.lib.eager.metrics import Mean as Mean
from thalweg._src.lib.eager.metrics import Metric as Metric
from thalweg._src.lib.eager.metrics import SparseAccuracy as SparseAccuracy
