"""tf.saved_model.constants: the names of files and collections."""

from thalweg._src.lib.saved_model.constants import ASSETS_DIRECTORY as ASSETS_DIRECTORY
from thalweg._src.lib.saved_model.constants import ASSETS_KEY as ASSETS_KEY
from thalweg._src.lib.saved_model.constants import LEGACY_INIT_OP_KEY as LEGACY_INIT_OP_KEY
from thalweg._src.lib.saved_model.constants import MAIN_OP_KEY as MAIN_OP_KEY
from thalweg._src.lib.saved_model.constants import SAVED_MODEL_FILENAME_PB as SAVED_MODEL_FILENAME_PB
from thalweg._src.lib.saved_model.constants import SAVED_MODEL_FILENAME_PBTXT as SAVED_MODEL_FILENAME_PBTXT
from thalweg._src.lib.saved_model.constants import SAVED_MODEL_SCHEMA_VERSION as SAVED_MODEL_SCHEMA_VERSION
from thalweg._src.lib.saved_model.constants import VARIABLES_DIRECTORY as VARIABLES_DIRECTORY
from thalweg._src.lib.saved_model.constants import VARIABLES_FILENAME as VARIABLES_FILENAME
