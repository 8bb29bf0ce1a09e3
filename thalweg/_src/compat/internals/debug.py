"""tensorflow.python.debug: tfdbg. Sessions that send tensors to another process are not there."""

from typing import Any

from thalweg._src.lib.debugging.command_line import LocalCLIDebugWrapperSession as LocalCLIDebugWrapperSession
from thalweg._src.lib.debugging.dumps import DebugDumpDir as DebugDumpDir
from thalweg._src.lib.debugging.dumps import DebugTensorDatum as DebugTensorDatum
from thalweg._src.lib.debugging.dumps import has_inf_or_nan as has_inf_or_nan
from thalweg._src.lib.debugging.dumps import load_tensor_from_event as load_tensor_from_event
from thalweg._src.lib.debugging.dumps import load_tensor_from_event_file as load_tensor_from_event_file
from thalweg._src.lib.debugging.hooks import DumpingDebugHook as DumpingDebugHook
from thalweg._src.lib.debugging.hooks import LocalCLIDebugHook as LocalCLIDebugHook
from thalweg._src.lib.debugging.sessions import DumpingDebugWrapperSession as DumpingDebugWrapperSession
from thalweg._src.lib.debugging.sessions import WatchOptions as WatchOptions
from thalweg._src.lib.debugging.watches import add_debug_tensor_watch as add_debug_tensor_watch
from thalweg._src.lib.debugging.watches import watch_graph as watch_graph
from thalweg._src.lib.debugging.watches import watch_graph_with_blacklists as watch_graph_with_blacklists


def _absent(name: str) -> type:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"tfdbg.{name} is not there: TensorBoard's debugger is gone. LocalCLIDebugWrapperSession asks on the terminal, "
            "DumpingDebugWrapperSession writes files."
        )

    return type(name, (), {"__init__": refuse, "__doc__": "Raises NotImplementedError."})


GrpcDebugWrapperSession, GrpcDebugHook = _absent("GrpcDebugWrapperSession"), _absent("GrpcDebugHook")
TensorBoardDebugWrapperSession = _absent("TensorBoardDebugWrapperSession")
TensorBoardDebugHook = _absent("TensorBoardDebugHook")
