"""tensorflow.python.training.monitored_session: the layers of a monitored session, by the names that programs use."""

from thalweg._src.lib import session_layers

_WrappedSession = session_layers._WrappedSession
_RecoverableSession = session_layers.RecoverableSession
_CoordinatedSession = session_layers.CoordinatedSession
_HookedSession = session_layers.HookedSession
