"""tf.contrib.integrate: ordinary differential equations."""

from thalweg._src.contrib.integrating import odeint as odeint
from thalweg._src.contrib.integrating import odeint_fixed as odeint_fixed
