"""MNIST, as the tutorials read it and model it."""

from thalweg.examples.tutorials.mnist import input_data as input_data
from thalweg.examples.tutorials.mnist import mnist as mnist
