"""pandas: methods that are gone, and arguments that may no longer come by position."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from thalweg._src.compat.mended.calls import positional, supply

BY_POSITION = {
    "": ("read_csv", "read_table", "concat", "get_dummies"),
    "DataFrame": ("drop", "dropna", "sort_values", "set_index", "reset_index", "to_csv", "sample", "apply", "replace"),
    "Series": ("drop", "dropna", "sort_values", "reset_index", "to_csv", "replace"),
}
ROLLING = ("mean", "sum", "std", "var", "min", "max", "median", "count")


class _Ix:
    """`frame.ix`: by label where the index has it, by position otherwise."""

    def __init__(self, frame: Any):
        self.frame = frame

    def __getitem__(self, key: Any) -> Any:
        try:
            return self.frame.loc[key]
        except (KeyError, TypeError):
            return self.frame.iloc[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            self.frame.loc[key] = value
        except (KeyError, TypeError):
            self.frame.iloc[key] = value


def _reading(own: Callable) -> Callable:
    """`read_csv` with the arguments that others have replaced."""

    @functools.wraps(own)
    def read(*args: Any, **kwargs: Any) -> Any:
        if kwargs.pop("delim_whitespace", False):
            kwargs["sep"] = r"\s+"
        if kwargs.pop("error_bad_lines", True) is False:
            kwargs["on_bad_lines"] = "skip"
        kwargs.pop("warn_bad_lines", None)
        squeeze = kwargs.pop("squeeze", False)
        out = own(*args, **kwargs)
        return out.squeeze("columns") if squeeze else out

    return read


def pandas(pandas: ModuleType) -> None:
    def as_matrix(self: Any, columns: Any = None) -> Any:
        return (self if columns is None else self[columns]).values

    def append(self: Any, other: Any, ignore_index: bool = False, **_: Any) -> Any:
        if isinstance(other, dict):
            other = pandas.DataFrame([other])
        more = other if isinstance(other, list) else [other]
        return pandas.concat([self, *more], ignore_index=ignore_index)

    def rolling(statistic: str) -> Callable:
        return lambda arg, window, min_periods=None, center=False: getattr(
            arg.rolling(window, min_periods=min_periods, center=center), statistic
        )()

    both = {
        "as_matrix": as_matrix,
        "append": append,
        "ix": property(_Ix),
        "iteritems": lambda self: self.items(),
        "get_value": lambda self, *key: self.at[key if len(key) > 1 else key[0]],
        "mad": lambda self, axis=0: (self - self.mean(axis=axis)).abs().mean(axis=axis),
        "convert_objects": lambda self, *_, **__: self.infer_objects(),
    }
    supply(pandas.DataFrame, both)
    supply(pandas.Series, both)
    supply(pandas.Series, {"order": pandas.Series.sort_values, "nonzero": lambda self: self.to_numpy().nonzero()})
    supply(
        pandas.DataFrame,
        {
            "sort": lambda self, columns=None, **kwargs: (
                self.sort_index(**kwargs) if columns is None else self.sort_values(columns, **kwargs)
            ),
            "applymap": lambda self, func: self.map(func),
            "set_value": lambda self, index, column, value: self.at.__setitem__((index, column), value) or self,
        },
    )
    supply(pandas, {"datetime": datetime.datetime, "np": np, **{f"rolling_{s}": rolling(s) for s in ROLLING}})
    for owner, names in BY_POSITION.items():
        kind = getattr(pandas, owner) if owner else pandas
        for name in names:
            setattr(kind, name, positional(getattr(kind, name)))
    pandas.read_csv, pandas.read_table = _reading(pandas.read_csv), _reading(pandas.read_table)  # type: ignore[attr-defined]
    _fill(pandas.DataFrame)
    _fill(pandas.Series)
    own = pandas.get_dummies

    @functools.wraps(own)
    def get_dummies(*args: Any, **kwargs: Any) -> Any:
        return own(
            *args, **({"dtype": np.uint8} | kwargs if len(args) < 8 else kwargs)
        )  # they were numbers, not booleans

    pandas.get_dummies = get_dummies  # type: ignore[attr-defined]


def _fill(kind: Any) -> None:
    """`fillna(method="ffill")`, which is `ffill()`."""
    own = kind.fillna
    ways = {"ffill": "ffill", "pad": "ffill", "bfill": "bfill", "backfill": "bfill"}

    @functools.wraps(own)
    def fillna(self: Any, value: Any = None, method: str | None = None, **kwargs: Any) -> Any:
        return own(self, value, **kwargs) if method is None else getattr(self, ways[method])(**kwargs)

    kind.fillna = fillna


CHANGES: dict[str, Callable[[ModuleType], None]] = {"pandas": pandas}
