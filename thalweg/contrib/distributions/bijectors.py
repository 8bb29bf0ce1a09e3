"""tf.contrib.distributions.bijectors: invertible functions."""

from thalweg._src.contrib.bijectors.affine import Affine as Affine
from thalweg._src.contrib.bijectors.affine import AffineLinearOperator as AffineLinearOperator
from thalweg._src.contrib.bijectors.arrays import CholeskyOuterProduct as CholeskyOuterProduct
from thalweg._src.contrib.bijectors.arrays import FillTriangular as FillTriangular
from thalweg._src.contrib.bijectors.arrays import MatrixInverseTriL as MatrixInverseTriL
from thalweg._src.contrib.bijectors.arrays import Ordered as Ordered
from thalweg._src.contrib.bijectors.arrays import Permute as Permute
from thalweg._src.contrib.bijectors.arrays import Reshape as Reshape
from thalweg._src.contrib.bijectors.arrays import ScaleTriL as ScaleTriL
from thalweg._src.contrib.bijectors.arrays import SoftmaxCentered as SoftmaxCentered
from thalweg._src.contrib.bijectors.arrays import TransformDiagonal as TransformDiagonal
from thalweg._src.contrib.bijectors.base import Bijector as Bijector
from thalweg._src.contrib.bijectors.base import ConditionalBijector as ConditionalBijector
from thalweg._src.contrib.bijectors.combined import Chain as Chain
from thalweg._src.contrib.bijectors.combined import Inline as Inline
from thalweg._src.contrib.bijectors.combined import Invert as Invert
from thalweg._src.contrib.bijectors.flows import BatchNormalization as BatchNormalization
from thalweg._src.contrib.bijectors.flows import MaskedAutoregressiveFlow as MaskedAutoregressiveFlow
from thalweg._src.contrib.bijectors.flows import RealNVP as RealNVP
from thalweg._src.contrib.bijectors.flows import (
    masked_autoregressive_default_template as masked_autoregressive_default_template,
)
from thalweg._src.contrib.bijectors.flows import masked_dense as masked_dense
from thalweg._src.contrib.bijectors.flows import real_nvp_default_template as real_nvp_default_template
from thalweg._src.contrib.bijectors.scalars import AbsoluteValue as AbsoluteValue
from thalweg._src.contrib.bijectors.scalars import AffineScalar as AffineScalar
from thalweg._src.contrib.bijectors.scalars import Exp as Exp
from thalweg._src.contrib.bijectors.scalars import Gumbel as Gumbel
from thalweg._src.contrib.bijectors.scalars import Identity as Identity
from thalweg._src.contrib.bijectors.scalars import Kumaraswamy as Kumaraswamy
from thalweg._src.contrib.bijectors.scalars import PowerTransform as PowerTransform
from thalweg._src.contrib.bijectors.scalars import Sigmoid as Sigmoid
from thalweg._src.contrib.bijectors.scalars import SinhArcsinh as SinhArcsinh
from thalweg._src.contrib.bijectors.scalars import Softplus as Softplus
from thalweg._src.contrib.bijectors.scalars import Softsign as Softsign
from thalweg._src.contrib.bijectors.scalars import Square as Square
from thalweg._src.contrib.bijectors.scalars import Weibull as Weibull
