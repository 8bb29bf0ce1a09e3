"""tf.random: random tensors."""

from thalweg._src.core.seeds import get_seed as get_seed
from thalweg._src.core.seeds import set_random_seed as set_random_seed
from thalweg._src.lib.saving.random_streams import make_saveable as make_saveable
from thalweg._src.ops.chance.random import categorical as categorical
from thalweg._src.ops.chance.random import multinomial as multinomial
from thalweg._src.ops.chance.random import random_normal as normal
from thalweg._src.ops.chance.random import random_shuffle as shuffle
from thalweg._src.ops.chance.random import random_uniform as uniform
from thalweg._src.ops.chance.random import truncated_normal as truncated_normal
from thalweg._src.ops.chance.random_draws import random_gamma as gamma
from thalweg._src.ops.chance.random_draws import random_poisson as poisson
from thalweg._src.ops.chance.random_draws import stateless_categorical as stateless_categorical
from thalweg._src.ops.chance.random_draws import stateless_multinomial as stateless_multinomial
from thalweg._src.ops.chance.random_draws import stateless_normal as stateless_normal
from thalweg._src.ops.chance.random_draws import stateless_truncated_normal as stateless_truncated_normal
from thalweg._src.ops.chance.random_draws import stateless_uniform as stateless_uniform
from thalweg._src.ops.nets.candidate import all_candidate_sampler as all_candidate_sampler
from thalweg._src.ops.nets.candidate import fixed_unigram_candidate_sampler as fixed_unigram_candidate_sampler
from thalweg._src.ops.nets.candidate import learned_unigram_candidate_sampler as learned_unigram_candidate_sampler
from thalweg._src.ops.nets.candidate import log_uniform_candidate_sampler as log_uniform_candidate_sampler
from thalweg._src.ops.nets.candidate import uniform_candidate_sampler as uniform_candidate_sampler
