"""Pictures of models and of how they train: each function draws into a matplotlib Axes, new or given, and returns it.

`ax.figure.savefig("picture.png")` writes it, and `summary(ax, tag)` makes an image summary of it for TensorBoard. pyplot is
not used, so nothing is global and no screen is needed.
"""

from thalweg._src.lib.plot.boundaries import capacity as capacity
from thalweg._src.lib.plot.boundaries import decision_surface as decision_surface
from thalweg._src.lib.plot.descent import curves as curves
from thalweg._src.lib.plot.descent import loss_surface as loss_surface
from thalweg._src.lib.plot.neurons import activations as activations
from thalweg._src.lib.plot.neurons import most_exciting as most_exciting
from thalweg._src.lib.plot.parameters import filters as filters
from thalweg._src.lib.plot.parameters import weights as weights
from thalweg._src.lib.plot.predictions import calibration as calibration
from thalweg._src.lib.plot.predictions import confusion_matrix as confusion_matrix
from thalweg._src.lib.plot.predictions import least_certain as least_certain
from thalweg._src.lib.plot.predictions import most_wrong as most_wrong
from thalweg._src.lib.plot.summaries import summary as summary
from thalweg._src.lib.summary.projections import project as project
