"""tf.contrib.grid_rnn: recurrent cells over grids of several dimensions."""

from thalweg._src.contrib.rnn.dimensions import Grid1BasicLSTMCell as Grid1BasicLSTMCell
from thalweg._src.contrib.rnn.dimensions import Grid1BasicRNNCell as Grid1BasicRNNCell
from thalweg._src.contrib.rnn.dimensions import Grid1LSTMCell as Grid1LSTMCell
from thalweg._src.contrib.rnn.dimensions import Grid2BasicLSTMCell as Grid2BasicLSTMCell
from thalweg._src.contrib.rnn.dimensions import Grid2BasicRNNCell as Grid2BasicRNNCell
from thalweg._src.contrib.rnn.dimensions import Grid2GRUCell as Grid2GRUCell
from thalweg._src.contrib.rnn.dimensions import Grid2LSTMCell as Grid2LSTMCell
from thalweg._src.contrib.rnn.dimensions import Grid3LSTMCell as Grid3LSTMCell
from thalweg._src.contrib.rnn.dimensions import GridRNNCell as GridRNNCell
