"""tf.contrib.bayesflow: expectations by samples."""

from thalweg.contrib.bayesflow import monte_carlo as monte_carlo
