"""Candidate samplers: classes to compare the true ones with, and the losses that need them."""

import numpy as np

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import float32, int32, int64
from thalweg._src.core.lazy import jnp, lax
from thalweg._src.core.opdef import Min, Outputs, op
from thalweg._src.core.philox import uniform_double
from thalweg._src.core.seeds import get_seed
from thalweg._src.ops.nets.candidate_host import Learned, Table, draw

SAMPLED = Outputs(sampled_candidates=int64, true_expected_count=float32, sampled_expected_count=float32)
_WORDS = 2048  # of the stream, that are kept for each sample


def _check(true_classes, num_true, num_sampled, unique, range_max):
    if true_classes.ndim != 2:
        raise ValueError("true_classes must be a matrix")
    if true_classes.shape[1] != num_true:
        raise ValueError(f"true_classes must have num_true columns, expected: {true_classes.shape[1]} was: {num_true}")
    if unique and num_sampled > range_max:
        raise ValueError("Sampler's range is too small.")


def _sampler_dims(op):
    dims, n = op.inputs[0].dims, op.attrs["num_true"]
    if dims is not None and len(dims) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(dims)} for '{op.name}' (op: '{op.type}').")
    rows = None if dims is None else dims[0]
    sampled = (op.attrs["num_sampled"],)
    return [sampled, (rows, n), sampled]


# -- in the executable: a try takes two words, so all tries are known at once


def _sampled(rng, true_classes, num_true, num_sampled, unique, range_max, value_of, probability):
    """The outputs of a sampler whose try i has the value `value_of(words 2 i and 2 i + 1)`, negative if it is no try."""
    _check(true_classes, num_true, num_sampled, unique, range_max)
    rng.reserve(num_sampled * _WORDS // 4, 1)
    picks, tries = _picked(rng, num_sampled, unique, range_max, value_of)
    counts = lambda v: _expected(probability(v), num_sampled, tries, unique)
    return picks, counts(true_classes), counts(picks)


def _expected(p, num_sampled, tries, unique):
    p = p.astype(jnp.float32)
    often = p * jnp.float32(num_sampled)
    if not unique:
        return often
    seldom = -jnp.expm1(tries.astype(jnp.float32) * jnp.log1p(-p))
    return jnp.where(tries == num_sampled, often, seldom)


def _picked(rng, count, unique, range_max, value_of):
    """(the values of the samples, how many tries they took)."""

    def values(start, n):
        blocks = rng.blocks(start.astype(jnp.uint32) + jnp.arange(n // 2, dtype=jnp.uint32))
        pairs = jnp.stack([value_of(blocks[0], blocks[1]), value_of(blocks[2], blocks[3])], -1)
        return pairs.reshape(-1)

    chunk = -(-max(count, 2) // 2) * 2 + 2

    def body(carry):
        first, picks, have, tries, block = carry
        v = values(block, chunk)
        real = v >= 0
        number = tries + jnp.cumsum(real) - 1
        fresh = real
        if unique:  # a try is the first one of its value if the table of first tries says so
            at = jnp.where(real, v, range_max)
            first = first.at[at].min(jnp.where(real, number, _NEVER))
            fresh = real & (first[at] == number)
        place = have + jnp.cumsum(fresh) - 1
        wanted = fresh & (place < count)
        picks = picks.at[jnp.where(wanted, place, count)].set(v, mode="drop")
        last = jnp.max(jnp.where(wanted, number + 1, 0))
        have = jnp.minimum(have + jnp.sum(fresh), count)
        return first, picks, have, jnp.where(have == count, last, tries + jnp.sum(real)), block + chunk // 2

    zero = jnp.int64(0)
    first = jnp.full(range_max + 1 if unique else 0, _NEVER, jnp.int64)
    start = (first, jnp.zeros(count, jnp.int64), zero, zero, zero)
    _, picks, _, tries, _ = lax.while_loop(lambda c: c[2] < count, body, start)
    return picks, tries


_NEVER = np.int64(2**62)


@op("UniformCandidateSampler")
def _uniform(
    true_classes: int64,
    *,
    num_true: Min(int, 1),
    num_sampled: Min(int, 1),
    unique: bool,
    range_max: Min(int, 1),
    seed: int = 0,
    seed2: int = 0,
    rng,
) -> SAMPLED:
    """Classes below `range_max`, all equally likely."""

    def value(low, high):
        # A uniform integer of 64 bits, rejected where it would favour the low ones.
        word = low.astype(jnp.uint64) | (high.astype(jnp.uint64) << jnp.uint64(32))
        n = jnp.uint64(range_max)
        if range_max & (range_max - 1) == 0:
            return (word & (n - jnp.uint64(1))).astype(jnp.int64)
        rest = jnp.uint64((2**64 - 1) % range_max + 1)
        return jnp.where(word < rest, -1, (word % n).astype(jnp.int64))

    probability = lambda v: jnp.full(v.shape, 1.0 / range_max)
    return _sampled(rng, true_classes, num_true, num_sampled, unique, range_max, value, probability)


@op("LogUniformCandidateSampler")
def _log_uniform(
    true_classes: int64,
    *,
    num_true: Min(int, 1),
    num_sampled: Min(int, 1),
    unique: bool,
    range_max: Min(int, 1),
    seed: int = 0,
    seed2: int = 0,
    rng,
) -> SAMPLED:
    """Classes below `range_max`, class k with the probability log((k + 2) / (k + 1)) / log(range_max + 1)."""
    log_range = float(np.log1p(range_max))

    def value(low, high):
        drawn = jnp.exp(uniform_double(low, high) * log_range).astype(jnp.int64) - 1
        return drawn % range_max

    probability = lambda v: jnp.log((v + 2.0) / (v + 1.0)) / log_range
    return _sampled(rng, true_classes, num_true, num_sampled, unique, range_max, value, probability)


@op("AllCandidateSampler")
def _all(
    true_classes: int64,
    *,
    num_true: Min(int, 1),
    num_sampled: Min(int, 1),
    unique: bool,
    seed: int = 0,
    seed2: int = 0,
    rng,
) -> SAMPLED:
    """All classes below `num_sampled`."""
    _check(true_classes, num_true, num_sampled, unique, num_sampled)
    rng.reserve(num_sampled * _WORDS // 4, 1)
    counts = jnp.ones(num_sampled, jnp.float32)
    return jnp.arange(num_sampled), jnp.ones(true_classes.shape, jnp.float32), counts


# -- on the host: how many words a try takes depends on them, or the classes seen so far matter


def _on_host(rng, sampler, true_classes, num_true, num_sampled, unique):
    _check(true_classes, num_true, num_sampled, unique, sampler.size)
    rng.state = np.asarray(rng.state)
    rng.reserve(num_sampled * _WORDS // 4, 1)
    return draw(sampler, rng, true_classes, num_sampled, unique)


@op("FixedUnigramCandidateSampler", host=True)
def _fixed_unigram(
    true_classes: int64,
    *,
    num_true: Min(int, 1),
    num_sampled: Min(int, 1),
    unique: bool,
    range_max: Min(int, 1),
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: Min(int, 1) = 1,
    shard: Min(int, 0) = 0,
    unigrams: list[float] = (),
    seed: int = 0,
    seed2: int = 0,
    rng,
    ctx,
) -> SAMPLED:
    """Classes by their frequencies, raised to the power `distortion`: from `unigrams`, or the last column of a file."""

    def make():
        if bool(vocab_file) == bool(unigrams):
            raise ValueError("Must provide either vocab_file or unigrams, and only one of them.")
        counts = list(unigrams)
        if vocab_file:
            with open(vocab_file, encoding="utf-8") as f:
                counts = [float(line.rstrip("\n").split(",")[-1]) for line in f]
        table = Table(counts, distortion, num_reserved_ids, num_shards, shard)
        if table.size != range_max:
            raise ValueError(f"range_max is {range_max}, but there are {table.size} classes")
        return table

    sampler = ctx.resource(("unigrams", ctx.op.name), make)
    return _on_host(rng, sampler, true_classes, num_true, num_sampled, unique)


def _learned(rng, ctx, true_classes, num_true, num_sampled, unique, range_max):
    sampler = ctx.resource(("unigrams", ctx.op.name), lambda: Learned(range_max))
    out = _on_host(rng, sampler, true_classes, num_true, num_sampled, unique)
    sampler.update(true_classes)
    return out


@op("LearnedUnigramCandidateSampler", host=True)
def _learned_unigram(
    true_classes: int64,
    *,
    num_true: Min(int, 1),
    num_sampled: Min(int, 1),
    unique: bool,
    range_max: Min(int, 1),
    seed: int = 0,
    seed2: int = 0,
    rng,
    ctx,
) -> SAMPLED:
    """Classes by how often they were true ones in this session so far, plus one."""
    return _learned(rng, ctx, true_classes, num_true, num_sampled, unique, range_max)


@op("ThreadUnsafeUnigramCandidateSampler", host=True)
def _thread_unsafe_unigram(
    true_classes: int64,
    *,
    num_true: Min(int, 1),
    num_sampled: Min(int, 1),
    unique: bool,
    range_max: Min(int, 1),
    seed: int = 0,
    seed2: int = 0,
    rng,
    ctx,
) -> SAMPLED:
    """As LearnedUnigramCandidateSampler."""
    return _learned(rng, ctx, true_classes, num_true, num_sampled, unique, range_max)


for _sampler in (_uniform, _log_uniform, _all, _fixed_unigram, _learned_unigram, _thread_unsafe_unigram):
    _sampler.shape_rule(_sampler_dims)
    _sampler.not_differentiable()


@op("ComputeAccidentalHits", host=True)
def _accidental_hits(
    true_classes: int64, sampled_candidates: int64, *, num_true: int, seed: int = 0, seed2: int = 0
) -> Outputs(indices=int32, ids=int64, weights=float32):
    """Where a sampled class is a true one: the row, the place among the samples, and the lowest float32."""
    if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
        raise ValueError("true_candidates must be a batch_size * num_true matrix")
    if sampled_candidates.ndim != 1:
        raise ValueError("sampled_candidates must be a vector, which is typically an output from CandidateSampler")
    place = {v: i for i, v in enumerate(sampled_candidates.tolist())}
    found = [(i, place[v]) for i, row in enumerate(true_classes.tolist()) for v in row if v in place]
    rows = np.array([i for i, _ in found], np.int32)
    ids = np.array([j for _, j in found], np.int64)
    return rows, ids, np.full(len(found), np.finfo(np.float32).min, np.float32)


@_accidental_hits.shape_rule
def _(op):
    a, b = (t.dims for t in op.inputs)
    if a is not None and len(a) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(a)} for '{op.name}' (op: '{op.type}').")
    if b is not None and len(b) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(b)} for '{op.name}' (op: '{op.type}').")
    if a is not None and shapes.merge(a[1:], (op.attrs["num_true"],)) is False:
        raise ValueError(f"Dimension must be {op.attrs['num_true']} but is {a[1]} for '{op.name}' (op: '{op.type}').")
    return [(None,)] * 3


_accidental_hits.not_differentiable()


# -- public functions


def _seeded(seed):
    seed1, seed2 = get_seed(seed)
    return {"seed": seed1, "seed2": seed2}


def uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """(samples, expected counts of the true classes, of the samples): classes below `range_max`, all equally likely.

    With `unique` a class is sampled at most once. Raises InvalidArgumentError where there are too few of them.
    """
    how = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _uniform(true_classes, **how, **_seeded(seed), name=name)


def log_uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """As `uniform_candidate_sampler`, class k being as likely as log((k + 2) / (k + 1)): frequent classes come first."""
    how = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _log_uniform(true_classes, **how, **_seeded(seed), name=name)


def learned_unigram_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """As `uniform_candidate_sampler`, classes being as likely as they were true ones so far, plus one."""
    how = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _learned_unigram(true_classes, **how, **_seeded(seed), name=name)


def fixed_unigram_candidate_sampler(
    true_classes,
    num_true,
    num_sampled,
    unique,
    range_max,
    vocab_file="",
    distortion=1.0,
    num_reserved_ids=0,
    num_shards=1,
    shard=0,
    unigrams=(),
    seed=None,
    name=None,
):
    """As `uniform_candidate_sampler`, classes being as likely as the power `distortion` of their frequencies."""
    how = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique, "range_max": range_max}
    return _fixed_unigram(
        true_classes,
        **how,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=list(unigrams),
        **_seeded(seed),
        name=name,
    )


def all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed=None, name=None):
    """As `uniform_candidate_sampler`, with every class below `num_sampled` once; for tests of the losses."""
    how = {"num_true": num_true, "num_sampled": num_sampled, "unique": unique}
    return _all(true_classes, **how, **_seeded(seed), name=name)


def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """(rows, places among the samples, lowest float32) for each sampled class that is a true one of a row."""
    return _accidental_hits(true_classes, sampled_candidates, num_true=num_true, **_seeded(seed), name=name)
