"""tf.saved_model.signature_constants: the keys of signatures."""

from thalweg._src.lib.saved_model.constants import CLASSIFY_INPUTS as CLASSIFY_INPUTS
from thalweg._src.lib.saved_model.constants import CLASSIFY_METHOD_NAME as CLASSIFY_METHOD_NAME
from thalweg._src.lib.saved_model.constants import CLASSIFY_OUTPUT_CLASSES as CLASSIFY_OUTPUT_CLASSES
from thalweg._src.lib.saved_model.constants import CLASSIFY_OUTPUT_SCORES as CLASSIFY_OUTPUT_SCORES
from thalweg._src.lib.saved_model.constants import (
    DEFAULT_SERVING_SIGNATURE_DEF_KEY as DEFAULT_SERVING_SIGNATURE_DEF_KEY,
)
from thalweg._src.lib.saved_model.constants import PREDICT_INPUTS as PREDICT_INPUTS
from thalweg._src.lib.saved_model.constants import PREDICT_METHOD_NAME as PREDICT_METHOD_NAME
from thalweg._src.lib.saved_model.constants import PREDICT_OUTPUTS as PREDICT_OUTPUTS
from thalweg._src.lib.saved_model.constants import REGRESS_INPUTS as REGRESS_INPUTS
from thalweg._src.lib.saved_model.constants import REGRESS_METHOD_NAME as REGRESS_METHOD_NAME
from thalweg._src.lib.saved_model.constants import REGRESS_OUTPUTS as REGRESS_OUTPUTS
