"""Which functions of tensors take ragged tensors, and how; the operators of ragged tensors.

An element-wise function is called on the values below the ragged axes. The others have functions of their own for ragged tensors, of the
same signature.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from thalweg._src.core import dispatch
from thalweg._src.core.convert import to_tensor
from thalweg._src.ops import basic
from thalweg._src.ops.arrays import constants, gathering, joining, padding, partitioning, selecting, shaping, stacking
from thalweg._src.ops.io import decoding
from thalweg._src.ops.numeric import (
    arithmetic,
    bitwise,
    casting,
    clip,
    compare,
    complex,
    elementwise,
    reduce,
    segments,
    special,
)
from thalweg._src.ops.ragged_tensors import ragged_arrays, ragged_broadcasting, ragged_reducing, ragged_rows
from thalweg._src.ops.ragged_tensors.ragged import (
    RaggedTensor,
    convert_to_tensor_or_ragged_tensor,
    is_ragged,
    map_flat_values,
)
from thalweg._src.ops.reports import numerics
from thalweg._src.ops.text import string_numbers, strings, unicode_scripts

Function = Callable[..., Any]

_UNARY: tuple[tuple[Any, str], ...] = (
    (basic, "identity"),
    (bitwise, "invert"),
    (casting, "cast saturate_cast"),
    (clip, "clip_by_value"),
    (compare, "logical_not"),
    (complex, "angle conj imag real"),
    (constants, "ones_like zeros_like"),
    (decoding, "decode_compressed"),
    (
        elementwise,
        "abs acos acosh asin asinh atan atanh ceil cos cosh exp expm1 floor is_finite is_inf is_nan log log1p log_sigmoid negative "
        "reciprocal rint round rsqrt sign sin sinh sqrt square tan",
    ),
    (numerics, "check_numerics"),
    (special, "digamma erf erfc lgamma"),
    (
        string_numbers,
        "as_string decode_base64 encode_base64 string_to_hash_bucket string_to_hash_bucket_fast string_to_hash_bucket_strong "
        "string_to_number",
    ),
    (strings, "regex_full_match regex_replace string_length string_strip substr"),
    (unicode_scripts, "unicode_script"),
)
_LISTS: tuple[tuple[Any, str], ...] = ((arithmetic, "add_n"), (strings, "string_join"))
_BINARY: tuple[tuple[Any, str], ...] = (
    (
        arithmetic,
        "add add_v2 atan2 div div_no_nan divide floordiv floormod maximum minimum multiply pow realdiv squared_difference subtract "
        "truediv truncatediv truncatemod",
    ),
    (bitwise, "bitwise_and bitwise_or bitwise_xor left_shift right_shift"),
    (compare, "equal greater greater_equal less less_equal logical_and logical_or logical_xor not_equal"),
    (complex, "complex"),
)
# A function, the one for ragged tensors, and the arguments that may be ragged; in brackets a list of them.
_OWN: tuple[tuple[Any, Function, str], ...] = (
    (gathering.batch_gather, ragged_arrays.batch_gather, "params indices"),
    (gathering.gather, ragged_arrays.gather_rows, "params indices"),
    (gathering.gather_nd, ragged_arrays.gather_nd, "params indices"),
    (joining.concat, ragged_arrays.concat, "[values]"),
    (padding.tile, ragged_arrays.tile, "input"),
    (partitioning.dynamic_partition, ragged_arrays.dynamic_partition, "data partitions"),
    (reduce.reduce_all, ragged_reducing.reduce_all, "input_tensor"),
    (reduce.reduce_any, ragged_reducing.reduce_any, "input_tensor"),
    (reduce.reduce_max, ragged_reducing.reduce_max, "input_tensor"),
    (reduce.reduce_mean, ragged_reducing.reduce_mean, "input_tensor"),
    (reduce.reduce_min, ragged_reducing.reduce_min, "input_tensor"),
    (reduce.reduce_prod, ragged_reducing.reduce_prod, "input_tensor"),
    (reduce.reduce_sum, ragged_reducing.reduce_sum, "input_tensor"),
    (segments.unsorted_segment_max, ragged_reducing.segment_max, "data segment_ids"),
    (segments.unsorted_segment_mean, ragged_reducing.segment_mean, "data segment_ids"),
    (segments.unsorted_segment_min, ragged_reducing.segment_min, "data segment_ids"),
    (segments.unsorted_segment_prod, ragged_reducing.segment_prod, "data segment_ids"),
    (segments.unsorted_segment_sqrt_n, ragged_reducing.segment_sqrt_n, "data segment_ids"),
    (segments.unsorted_segment_sum, ragged_reducing.segment_sum, "data segment_ids"),
    (selecting.boolean_mask, ragged_arrays.boolean_mask, "tensor mask"),
    (selecting.one_hot, ragged_arrays.one_hot, "indices"),
    (selecting.where, ragged_arrays.where, "condition x y"),
    (shaping.expand_dims, ragged_arrays.expand_dims, "input"),
    (shaping.rank, ragged_arrays.rank, "input"),
    (shaping.size, ragged_arrays.size, "input"),
    (shaping.squeeze, ragged_arrays.squeeze, "input"),
    (stacking.stack, ragged_rows.stack, "[values]"),
    (strings.reduce_join, ragged_reducing.reduce_join, "inputs"),
)


def _split(
    function: Function, count: int, args: tuple, kwargs: dict[str, Any]
) -> tuple[list[Any], tuple, dict[str, Any]]:
    """The first `count` arguments of a call (None for those not given), and the others."""
    names = list(inspect.signature(function).parameters)[:count]
    kwargs = dict(kwargs)
    first = [args[i] if i < len(args) else kwargs.pop(n, None) for i, n in enumerate(names)]
    return first, args[count:], kwargs


def _unary(function: Function) -> Function:
    def handler(*args: Any, **kwargs: Any) -> Any:
        (x,), rest, named = _split(function, 1, args, kwargs)
        return map_flat_values(function, x, *rest, **named) if is_ragged(x) else NotImplemented

    return handler


def _of_list(function: Function) -> Function:
    def handler(*args: Any, **kwargs: Any) -> Any:
        (values,), rest, named = _split(function, 1, args, kwargs)
        if not isinstance(values, list | tuple) or not any(map(is_ragged, values)):
            return NotImplemented
        values = ragged_rows.with_same_splits(*map(convert_to_tensor_or_ragged_tensor, values))
        return map_flat_values(function, values, *rest, **named)

    return handler


def _binary(function: Function) -> Function:
    def handler(*args: Any, **kwargs: Any) -> Any:
        (x, y), rest, named = _split(function, 2, args, kwargs)
        if not is_ragged(x) and not is_ragged(y):
            return NotImplemented
        try:
            x = (
                to_tensor(x, None, "x", preferred=y.dtype)
                if not is_ragged(x)
                else convert_to_tensor_or_ragged_tensor(x)
            )
            y = (
                to_tensor(y, None, "y", preferred=x.dtype)
                if not is_ragged(y)
                else convert_to_tensor_or_ragged_tensor(y)
            )
        except (TypeError, ValueError):
            return NotImplemented
        x, y = ragged_broadcasting.aligned(x, y)
        like = x if isinstance(x, RaggedTensor) else y
        flat = [v.flat_values if isinstance(v, RaggedTensor) else v for v in (x, y)]
        return like.with_flat_values(function(*flat, *rest, **named))

    return handler


def _own(function: Function, ragged: Function, arguments: str) -> Function:
    names = arguments.split()
    places = {n: i for i, n in enumerate(inspect.signature(function).parameters)}

    def handler(*args: Any, **kwargs: Any) -> Any:
        for name in names:
            bare = name.strip("[]")
            value = args[places[bare]] if places[bare] < len(args) else kwargs.get(bare)
            values: Iterable[Any] = value if name != bare and isinstance(value, list | tuple) else (value,)
            if any(is_ragged(v) for v in values):
                return ragged(*args, **kwargs)
        return NotImplemented

    return handler


def _fill() -> None:
    for table, kind in ((_UNARY, _unary), (_LISTS, _of_list), (_BINARY, _binary)):
        for module, names in table:
            for name in names.split():
                function = getattr(module, name)
                dispatch.HANDLERS[function] = kind(function)
    for function, ragged, arguments in _OWN:
        dispatch.HANDLERS[function] = _own(function, ragged, arguments)


def _operator(word: str, function: Function, *, reflected: bool = False) -> None:
    setattr(RaggedTensor, f"__{word}__", lambda x, y: function(x, y))
    if reflected:
        setattr(RaggedTensor, f"__r{word}__", lambda y, x: function(x, y))


def _give_operators() -> None:
    for word, function in (
        ("and", compare.logical_and),
        ("or", compare.logical_or),
        ("xor", compare.logical_xor),
        ("add", arithmetic.add),
        ("div", arithmetic.div),
        ("floordiv", arithmetic.floordiv),
        ("mod", arithmetic.floormod),
        ("mul", arithmetic.multiply),
        ("pow", arithmetic.pow),
        ("sub", arithmetic.subtract),
        ("truediv", arithmetic.truediv),
    ):
        _operator(word, function, reflected=True)
    for word, function in (
        ("ge", compare.greater_equal),
        ("gt", compare.greater),
        ("le", compare.less_equal),
        ("lt", compare.less),
    ):
        _operator(word, function)
    for word, single in (("abs", elementwise.abs), ("neg", elementwise.negative), ("invert", compare.logical_not)):
        setattr(RaggedTensor, f"__{word}__", lambda x, single=single: single(x))


_fill()
_give_operators()
