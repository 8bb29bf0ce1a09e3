"""tensorflow.contrib.seq2seq's attention_wrapper: what mechanisms and wrappers of one's own take from there."""

from thalweg._src.contrib.seq2seq.attention import (
    AttentionMechanism,
    BahdanauAttention,
    BahdanauMonotonicAttention,
    LuongAttention,
    LuongMonotonicAttention,
    Memory,
    _bahdanau_score,
    _luong_score,
    _Monotonic,
    hardmax,
    monotonic_attention,
    safe_cumprod,
)
from thalweg._src.contrib.seq2seq.attention import _masked_score as _maybe_mask_score
from thalweg._src.contrib.seq2seq.attention import _prepared as _prepare_memory
from thalweg._src.contrib.seq2seq.wrapper import AttentionWrapper, AttentionWrapperState
from thalweg._src.contrib.seq2seq.wrapper import _attend as _compute_attention

_BaseAttentionMechanism = Memory
_BaseMonotonicAttentionMechanism = _Monotonic

__all__ = [
    *("AttentionMechanism", "AttentionWrapper", "AttentionWrapperState", "BahdanauAttention"),
    *("BahdanauMonotonicAttention", "LuongAttention", "LuongMonotonicAttention", "_BaseAttentionMechanism"),
    *("_BaseMonotonicAttentionMechanism", "_bahdanau_score", "_compute_attention", "_luong_score"),
    *("_maybe_mask_score", "_prepare_memory", "hardmax", "monotonic_attention", "safe_cumprod"),
]
