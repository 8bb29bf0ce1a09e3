"""tf.contrib.factorization: clusters, mixtures, and the factors of sparse matrices."""

from thalweg._src.lib.clustering import COSINE_DISTANCE as COSINE_DISTANCE
from thalweg._src.lib.clustering import KMEANS_PLUS_PLUS_INIT as KMEANS_PLUS_PLUS_INIT
from thalweg._src.lib.clustering import RANDOM_INIT as RANDOM_INIT
from thalweg._src.lib.clustering import SQUARED_EUCLIDEAN_DISTANCE as SQUARED_EUCLIDEAN_DISTANCE
from thalweg._src.lib.clustering import KMeans as KMeans
from thalweg._src.lib.estimators.kmeans import KMeansClustering as KMeansClustering
