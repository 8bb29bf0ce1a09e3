"""tf.contrib.factorization: clusters, mixtures, and the factors of sparse matrices."""

from thalweg._src.contrib.factorization.gmm import GMM as GMM
from thalweg._src.contrib.factorization.gmm import GmmAlgorithm as GmmAlgorithm
from thalweg._src.contrib.factorization.gmm import gmm as gmm
from thalweg._src.contrib.factorization.kmeans import KMeansClustering as KMeansClustering
from thalweg._src.contrib.factorization.wals import WALSModel as WALSModel
from thalweg._src.contrib.factorization.wals_estimator import WALSMatrixFactorization as WALSMatrixFactorization
from thalweg._src.lib.clustering import COSINE_DISTANCE as COSINE_DISTANCE
from thalweg._src.lib.clustering import KMEANS_PLUS_PLUS_INIT as KMEANS_PLUS_PLUS_INIT
from thalweg._src.lib.clustering import RANDOM_INIT as RANDOM_INIT
from thalweg._src.lib.clustering import SQUARED_EUCLIDEAN_DISTANCE as SQUARED_EUCLIDEAN_DISTANCE
from thalweg._src.lib.clustering import KMeans as KMeans
