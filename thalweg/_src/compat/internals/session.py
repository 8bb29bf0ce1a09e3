"""tensorflow.python.client.session: sessions, and how they take values of other types."""

from thalweg._src.runtime.base_session import BaseSession as BaseSession
from thalweg._src.runtime.fetch import (
    register_session_run_conversion_functions as register_session_run_conversion_functions,
)
from thalweg._src.runtime.session import InteractiveSession as InteractiveSession
from thalweg._src.runtime.session import Session as Session
