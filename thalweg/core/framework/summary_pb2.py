"""The messages of summary.proto; all other messages are found here too."""

from thalweg._src.formats.protos import __getattr__ as __getattr__
