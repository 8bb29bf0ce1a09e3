"""The language model of the Penn Treebank."""

from thalweg.examples.models.rnn.ptb import reader as reader
