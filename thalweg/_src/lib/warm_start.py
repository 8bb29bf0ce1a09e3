"""A new model begins with the values of an old one: `tf.train.warm_start`."""

from __future__ import annotations

from typing import Any, NamedTuple

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.checkpoints import checkpoint_filename
from thalweg._src.lib.first_values import init_from_checkpoint, is_variable
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.remapping import load_and_remap_matrix_initializer
from thalweg._src.lib.saving.object_names import keys_of_names
from thalweg._src.lib.saving.saveables import op_list_to_dict
from thalweg._src.ops.stateful.partitioned import PartitionedVariable, PartitionInfo


class _Vocabularies(NamedTuple):
    new_vocab: Any
    new_vocab_size: int
    num_oov_buckets: int
    old_vocab: Any
    old_vocab_size: int
    backup_initializer: Any
    axis: int


class VocabInfo(_Vocabularies):
    """The files with the words of a variable's rows (axis 0) or columns (axis 1), in the new model and in the old one.

    `old_vocab_size` -1 is all of the old file; new words and those of `num_oov_buckets` get their values from
    `backup_initializer`, else 0.
    """

    __slots__ = ()

    def __new__(
        cls,
        new_vocab: Any,
        new_vocab_size: int,
        num_oov_buckets: int,
        old_vocab: Any,
        old_vocab_size: int = -1,
        backup_initializer: Any = None,
        axis: int = 0,
    ) -> VocabInfo:
        if axis not in (0, 1):
            raise ValueError(f"The only supported values for the axis argument are 0 and 1.  Provided axis: {axis}")
        return super().__new__(
            cls, new_vocab, new_vocab_size, num_oov_buckets, old_vocab, old_vocab_size, backup_initializer, axis
        )


def warm_start(
    ckpt_to_initialize_from: Any,
    vars_to_warm_start: Any = ".*",
    var_name_to_vocab_info: dict[str, VocabInfo] | None = None,
    var_name_to_prev_var_name: dict[str, str] | None = None,
) -> None:
    """Make the initializers of variables read a checkpoint.

    `vars_to_warm_start`: a regular expression for names of trainable variables, a list of such for all global ones, or
    of variables; None for only those that `var_name_to_vocab_info` has, whose words may have moved. Raises ValueError
    where one of the dicts names a variable that is not among them.
    """
    log.info("Warm-starting from: %s", ckpt_to_initialize_from)
    grouped = _grouped(vars_to_warm_start)
    vocabularies = var_name_to_vocab_info or {}
    old_names = var_name_to_prev_var_name or _names_of_objects(ckpt_to_initialize_from, list(grouped))
    plain = {}
    for name, parts in grouped.items():
        old_name = old_names.get(name) or name
        if name in vocabularies:
            _with_vocabulary(parts, vocabularies[name], ckpt_to_initialize_from, old_name)
        elif vars_to_warm_start:
            plain[old_name] = parts[0] if len(parts) == 1 else parts
    init_from_checkpoint(ckpt_to_initialize_from, plain)
    log.info("Warm-started %d variables.", len(plain) + len(vocabularies.keys() & grouped.keys()))
    for given, what in ((old_names, "var_name_to_prev_var_name"), (vocabularies, "var_name_to_vocab_info")):
        unused = given.keys() - grouped.keys()
        if unused:
            raise ValueError(
                f"You provided the following variables in {what} that were not used: {unused}.  Perhaps you misspelled "
                f"them?  Here is the list of viable variable names: {list(grouped)}"
            )


def _name_of(parts: list[Any]) -> str:
    names = list(op_list_to_dict(parts))
    if len(names) != 1:
        raise TypeError(f"{parts} are parts of several variables: {names}")
    return names[0]


def _grouped(wanted: Any) -> dict[str, list[Any]]:
    """{name: parts} of the variables to start; one that is not partitioned is its only part."""
    if wanted is None or isinstance(wanted, str):
        found = scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES, wanted)
    elif not isinstance(wanted, list):
        raise ValueError(f"`vars_to_warm_start must be a `list` or `str`.  Given type is {type(wanted)}")
    elif all(isinstance(v, str) for v in wanted):
        found = [v for pattern in wanted for v in scopes.get_collection(GraphKeys.GLOBAL_VARIABLES, pattern)]
    elif all(is_variable(v) or isinstance(v, PartitionedVariable) for v in wanted):
        found = [part for v in wanted for part in (v if isinstance(v, PartitionedVariable) else [v])]
    else:
        raise ValueError(
            "If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  Given types are "
            f"{[type(v) for v in wanted]}"
        )
    groups: dict[str, list[Any]] = {}
    for variable in found:
        groups.setdefault(_name_of([variable]), []).append(variable)
    return groups


def _names_of_objects(checkpoint: Any, names: list[str]) -> dict[str, str]:
    """The keys of variables in a checkpoint of objects; {} for one of names. Raises ValueError where some are not
    there.
    """
    keys = keys_of_names(checkpoint_filename(checkpoint) or "")
    if not keys:
        return {}
    missing = set(names) - keys.keys()
    if missing:
        raise ValueError(
            "Attempting to warm-start from an object-based checkpoint, but found that the checkpoint did not contain "
            f"values for all variables. The following variables were missing: {missing}"
        )
    return {name: keys[name] for name in names}


def _with_vocabulary(parts: list[Any], info: VocabInfo, checkpoint: Any, old_name: str) -> None:
    if not (info.new_vocab and info.new_vocab_size and checkpoint and info.old_vocab):
        raise ValueError(
            "Invalid args: Must provide all of [current_vocab_path, current_vocab_size, prev_ckpt, prev_vocab_path}."
        )
    rows = sum(v.get_shape().as_list()[0] for v in parts)
    for variable in parts:
        shape = variable.get_shape().as_list()
        part = variable._get_save_slice_info()
        if info.axis == 0:
            initializer = load_and_remap_matrix_initializer(
                checkpoint_filename(checkpoint),
                old_name,
                info.new_vocab_size,
                shape[1],
                info.old_vocab_size,
                old_row_vocab_file=info.old_vocab,
                new_row_vocab_file=info.new_vocab,
                num_row_oov_buckets=info.num_oov_buckets,
                initializer=info.backup_initializer,
            )
        else:
            initializer = load_and_remap_matrix_initializer(
                checkpoint_filename(checkpoint),
                old_name,
                rows,
                info.new_vocab_size,
                old_col_vocab_file=info.old_vocab,
                new_col_vocab_file=info.new_vocab,
                num_col_oov_buckets=info.num_oov_buckets,
                initializer=info.backup_initializer,
            )
        place = None if part is None else PartitionInfo(part.full_shape, part.var_offset)
        value = to_tensor(initializer(shape=shape, partition_info=place))
        variable._initializer_op = variable.assign(value, read_value=False)
