"""Recurrent networks."""

from thalweg.examples.models.rnn import ptb as ptb
