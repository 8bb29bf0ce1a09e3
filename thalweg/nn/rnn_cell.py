"""tf.nn.rnn_cell: the cells of recurrent networks."""

from thalweg._src.lib.rnn.basic import BasicLSTMCell as BasicLSTMCell
from thalweg._src.lib.rnn.basic import BasicRNNCell as BasicRNNCell
from thalweg._src.lib.rnn.basic import GRUCell as GRUCell
from thalweg._src.lib.rnn.basic import LSTMCell as LSTMCell
from thalweg._src.lib.rnn.basic import LSTMStateTuple as LSTMStateTuple
from thalweg._src.lib.rnn.cell import RNNCell as RNNCell
from thalweg._src.lib.rnn.linear import EmbeddingWrapper as EmbeddingWrapper
from thalweg._src.lib.rnn.linear import InputProjectionWrapper as InputProjectionWrapper
from thalweg._src.lib.rnn.linear import OutputProjectionWrapper as OutputProjectionWrapper
from thalweg._src.lib.rnn.wrappers import DeviceWrapper as DeviceWrapper
from thalweg._src.lib.rnn.wrappers import DropoutWrapper as DropoutWrapper
from thalweg._src.lib.rnn.wrappers import MultiRNNCell as MultiRNNCell
from thalweg._src.lib.rnn.wrappers import ResidualWrapper as ResidualWrapper
