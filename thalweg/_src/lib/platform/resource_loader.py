"""tf.resource_loader: files that lie beside the program's own."""

import os
import sys
from pathlib import Path


def get_data_files_path() -> str:
    """The folder of the file that calls this."""
    return _folder_of_caller()


def get_path_to_datafile(path: str) -> str:
    """`path` in the folder of the file that calls this."""
    return os.path.join(_folder_of_caller(), path)


def get_root_dir_with_all_resources() -> str:
    """The folder below the nearest `.runfiles` folder (Bazel's) above the caller; without one, the caller's own."""
    own = Path(_folder_of_caller())
    below = own
    for folder in own.parents:
        if ".runfiles" in folder.name:
            return str(below)
        below = folder
    return str(own)


def load_resource(path: str) -> bytes:
    """The bytes of the file `path`, which counts from the folder of the file that calls this."""
    return Path(_folder_of_caller(), path).read_bytes()


def readahead_file_path(path: str, readahead: str = "128M") -> str:
    """`path`: reading ahead is the operating system's business."""
    return path


def _folder_of_caller() -> str:
    return os.path.dirname(sys._getframe(2).f_code.co_filename)
