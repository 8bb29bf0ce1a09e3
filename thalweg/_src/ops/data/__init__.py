"""Datasets as ops. A dataset is a tensor of type variant: a description (`pipeline.Data`) that iterators walk."""

from thalweg._src.ops.data import caching as caching
from thalweg._src.ops.data import choosing as choosing
from thalweg._src.ops.data import combining as combining
from thalweg._src.ops.data import databases as databases
from thalweg._src.ops.data import devices as devices
from thalweg._src.ops.data import files as files
from thalweg._src.ops.data import grouping as grouping
from thalweg._src.ops.data import iterators as iterators
from thalweg._src.ops.data import mapping as mapping
from thalweg._src.ops.data import optional as optional
from thalweg._src.ops.data import parallel as parallel
from thalweg._src.ops.data import passing as passing
from thalweg._src.ops.data import results as results
from thalweg._src.ops.data import shaping as shaping
from thalweg._src.ops.data import shuffling as shuffling
from thalweg._src.ops.data import sources as sources
from thalweg._src.ops.data import statistics as statistics
