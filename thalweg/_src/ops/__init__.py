"""The ops, by family. Importing this package declares all of them; nothing else is imported for its side effect."""

from thalweg._src.ops import activations as activations
from thalweg._src.ops import basic as basic
from thalweg._src.ops import constants as constants
from thalweg._src.ops import state as state
