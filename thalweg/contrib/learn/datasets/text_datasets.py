"""tf.contrib.learn.datasets.text_datasets."""

from thalweg._src.contrib.learn.datasets.named import load_dbpedia as load_dbpedia
from thalweg._src.contrib.learn.datasets.named import maybe_download_dbpedia as maybe_download_dbpedia
