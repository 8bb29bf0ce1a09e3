"""Messages to the program's user: `tf.logging.info("step %d", step)`."""

from thalweg._src.lib.platform.logging import DEBUG as DEBUG
from thalweg._src.lib.platform.logging import ERROR as ERROR
from thalweg._src.lib.platform.logging import FATAL as FATAL
from thalweg._src.lib.platform.logging import INFO as INFO
from thalweg._src.lib.platform.logging import WARN as WARN
from thalweg._src.lib.platform.logging import TaskLevelStatusMessage as TaskLevelStatusMessage
from thalweg._src.lib.platform.logging import debug as debug
from thalweg._src.lib.platform.logging import error as error
from thalweg._src.lib.platform.logging import fatal as fatal
from thalweg._src.lib.platform.logging import flush as flush
from thalweg._src.lib.platform.logging import get_verbosity as get_verbosity
from thalweg._src.lib.platform.logging import info as info
from thalweg._src.lib.platform.logging import log as log
from thalweg._src.lib.platform.logging import log_every_n as log_every_n
from thalweg._src.lib.platform.logging import log_first_n as log_first_n
from thalweg._src.lib.platform.logging import log_if as log_if
from thalweg._src.lib.platform.logging import set_verbosity as set_verbosity
from thalweg._src.lib.platform.logging import vlog as vlog
from thalweg._src.lib.platform.logging import warn as warn
from thalweg._src.lib.platform.logging import warning as warning
