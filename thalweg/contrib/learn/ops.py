"""tf.contrib.learn.ops."""

from thalweg._src.contrib.learn.ops import categorical_variable as categorical_variable
from thalweg._src.contrib.learn.ops import conv2d as conv2d
from thalweg._src.contrib.learn.ops import dnn as dnn
from thalweg._src.contrib.learn.ops import dropout as dropout
from thalweg._src.contrib.learn.ops import embedding_lookup as embedding_lookup
from thalweg._src.contrib.learn.ops import mean_squared_error_regressor as mean_squared_error_regressor
from thalweg._src.contrib.learn.ops import one_hot_matrix as one_hot_matrix
from thalweg._src.contrib.learn.ops import rnn_decoder as rnn_decoder
from thalweg._src.contrib.learn.ops import rnn_seq2seq as rnn_seq2seq
from thalweg._src.contrib.learn.ops import seq2seq_inputs as seq2seq_inputs
from thalweg._src.contrib.learn.ops import sequence_classifier as sequence_classifier
from thalweg._src.contrib.learn.ops import softmax_classifier as softmax_classifier
