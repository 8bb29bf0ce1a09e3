"""tf.contrib.learn.models."""

from thalweg._src.contrib.learn.models import bidirectional_rnn as bidirectional_rnn
from thalweg._src.contrib.learn.models import get_dnn_model as get_dnn_model
from thalweg._src.contrib.learn.models import get_rnn_model as get_rnn_model
from thalweg._src.contrib.learn.models import linear_regression as linear_regression
from thalweg._src.contrib.learn.models import linear_regression_zero_init as linear_regression_zero_init
from thalweg._src.contrib.learn.models import logistic_regression as logistic_regression
from thalweg._src.contrib.learn.models import logistic_regression_zero_init as logistic_regression_zero_init
