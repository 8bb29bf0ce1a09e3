"""tf.contrib.gan.eval.eval_utils: many images as one."""

from thalweg._src.contrib.gan.pictures import image_grid as image_grid
from thalweg._src.contrib.gan.pictures import image_reshaper as image_reshaper
