"""tf.io.gfile: files and folders under the names of os and shutil."""

from thalweg._src.lib.io.file_io import GFile as GFile
from thalweg._src.lib.io.gfile import copy as copy
from thalweg._src.lib.io.gfile import exists as exists
from thalweg._src.lib.io.gfile import glob as glob
from thalweg._src.lib.io.gfile import isdir as isdir
from thalweg._src.lib.io.gfile import listdir as listdir
from thalweg._src.lib.io.gfile import makedirs as makedirs
from thalweg._src.lib.io.gfile import mkdir as mkdir
from thalweg._src.lib.io.gfile import remove as remove
from thalweg._src.lib.io.gfile import rename as rename
from thalweg._src.lib.io.gfile import rmtree as rmtree
from thalweg._src.lib.io.gfile import stat as stat
from thalweg._src.lib.io.gfile import walk as walk
