"""tf.contrib.recurrent: recurrent networks by the interface that TPUs asked for."""

from thalweg._src.contrib.functional_rnn import bidirectional_functional_rnn as bidirectional_functional_rnn
from thalweg._src.contrib.functional_rnn import functional_rnn as functional_rnn
