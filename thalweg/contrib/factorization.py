"""tf.contrib.factorization: clusters."""

from thalweg._src.contrib.factorization.kmeans import COSINE_DISTANCE as COSINE_DISTANCE
from thalweg._src.contrib.factorization.kmeans import RANDOM_INIT as RANDOM_INIT
from thalweg._src.contrib.factorization.kmeans import SQUARED_EUCLIDEAN_DISTANCE as SQUARED_EUCLIDEAN_DISTANCE
from thalweg._src.contrib.factorization.kmeans import KMeans as KMeans
