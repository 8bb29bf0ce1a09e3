"""tf.contrib.tensorboard.plugins.projector: embeddings to look at."""

from thalweg._src.contrib.tensorboard.projector import visualize_embeddings as visualize_embeddings
from thalweg._src.formats.protos import EmbeddingInfo as EmbeddingInfo
from thalweg._src.formats.protos import ProjectorConfig as ProjectorConfig
from thalweg._src.formats.protos import SpriteMetadata as SpriteMetadata
