"""Pictures of models and of how they train: each function draws into a matplotlib Axes, new or given, and returns it.

`ax.figure.savefig("picture.png")` writes it. pyplot is not used, so nothing is global and no screen is needed.
"""

from thalweg._src.lib.plot.descent import curves as curves
from thalweg._src.lib.plot.descent import loss_surface as loss_surface
from thalweg._src.lib.plot.parameters import filters as filters
from thalweg._src.lib.plot.parameters import weights as weights
from thalweg._src.lib.plot.predictions import calibration as calibration
from thalweg._src.lib.plot.predictions import confusion_matrix as confusion_matrix
from thalweg._src.lib.plot.predictions import least_certain as least_certain
from thalweg._src.lib.plot.predictions import most_wrong as most_wrong
from thalweg._src.lib.summary.projections import project as project
