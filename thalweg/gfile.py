"""Files and folders under TensorFlow's names: `tf.gfile.Exists(path)`, `tf.gfile.GFile(path).read()`."""

from thalweg._src.lib.io.file_io import GFile as FastGFile
from thalweg._src.lib.io.file_io import GFile as GFile
from thalweg._src.lib.io.file_io import GFile as Open
from thalweg._src.lib.io.file_io import copy as Copy
from thalweg._src.lib.io.file_io import create_dir as MkDir
from thalweg._src.lib.io.file_io import delete_file as Remove
from thalweg._src.lib.io.file_io import delete_recursively as DeleteRecursively
from thalweg._src.lib.io.file_io import file_exists as Exists
from thalweg._src.lib.io.file_io import get_matching_files as Glob
from thalweg._src.lib.io.file_io import is_directory as IsDirectory
from thalweg._src.lib.io.file_io import list_directory as ListDirectory
from thalweg._src.lib.io.file_io import recursive_create_dir as MakeDirs
from thalweg._src.lib.io.file_io import rename as Rename
from thalweg._src.lib.io.file_io import stat as Stat
from thalweg._src.lib.io.file_io import walk as Walk
