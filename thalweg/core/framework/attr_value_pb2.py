"""The messages of attr_value.proto; all other messages are found here too."""

from thalweg._src.formats.protos import __getattr__ as __getattr__
