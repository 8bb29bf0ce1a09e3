"""CSV as RFC 4180 describes it, record by record: quoted fields may hold delimiters, line ends and doubled quotes."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from thalweg._src.core.dtypes import float32, float64, int32, int64, string
from thalweg._src.ops.data.pipeline import invalid
from thalweg._src.ops.text.string_numbers import number

FIELD_TYPES = (float32, float64, int32, int64, string)
_NAMES = {float32: "float", float64: "double"}


class Column:
    """The type of a column, and what stands for an empty field: None where a field is required."""

    def __init__(self, dtype: Any, default: Any):
        self.dtype, self.default = dtype, default
        self.scalar = None if dtype == string else dtype._as_numpy.type

    def value(self, text: bytes, na: bytes, index: int) -> Any:
        """The value of a field. Raises InvalidArgumentError for text that is none."""
        if not text or text == na:
            if self.default is None:
                raise invalid(f"Field {index} is required but missing in record!")
            return self.default
        if self.scalar is None:
            return text
        try:
            return self.scalar(number(text, self.dtype, "CSVDataset"))
        except ValueError:
            name = _NAMES.get(self.dtype, self.dtype.name)
            raise invalid(f"Field {index} in record is not a valid {name}: {text.decode('utf-8', 'replace')}") from None


class rows:
    """The records of `stream`, which it closes at the end. A record that raises an error is passed over by the next call."""

    def __init__(
        self,
        stream: BinaryIO,
        columns: Sequence[Column],
        delimiter: bytes,
        quotes: bool,
        na: bytes,
        chosen: Sequence[int],
        header: bool,
    ):
        self.stream, self.columns, self.delimiter, self.quotes = stream, columns, delimiter, quotes
        self.na, self.chosen, self.header = na, chosen, header
        self.rest = b""

    def __iter__(self) -> Iterator[tuple]:
        return self

    def __next__(self) -> tuple:
        if self.header:
            self.header = False
            if self._fields() is None:
                raise invalid("Can't read header of file")
        fields = self._fields()
        if fields is None:
            self.stream.close()
            raise StopIteration
        columns = self.columns
        if self.chosen:
            fields = [fields[c] for c in self.chosen if c < len(fields)]
        elif len(fields) > len(columns):
            raise invalid(f"Expect {len(columns)} fields but have more in record")
        na = self.na
        out = tuple([c.value(text, na, i) for i, (c, text) in enumerate(zip(columns, fields, strict=False))])
        if len(out) != len(columns):
            raise invalid(f"Expect {len(columns)} fields but have {len(out)} in record")
        return out

    def _line(self) -> bytes:
        if self.rest:
            line, self.rest = self.rest, b""
            return line
        return b"" if self.stream.closed else self.stream.readline()

    def _fields(self) -> list[bytes] | None:
        line = self._line()
        if not line:
            return None
        if self.quotes and b'"' in line:
            return self._with_quotes(line)
        at = line.find(b"\r")
        if at < 0:
            line = line.removesuffix(b"\n")
        else:
            self.rest = line[at + 1 :].removeprefix(b"\n")
            line = line[:at]
        return line.split(self.delimiter)

    def _with_quotes(self, line: bytes) -> list[bytes]:
        fields: list[bytes] = []
        error: Any = None
        at = 0
        delimiter = self.delimiter[0]
        while True:
            if line[at : at + 1] == b'"':
                text, line, at, wrong = self._quoted(line, at + 1)
                error = error or wrong
            else:
                end = at
                while end < len(line) and line[end] != delimiter and line[end] not in b"\r\n":
                    end += 1
                text, at = line[at:end], end
                if b'"' in text:
                    error = error or invalid("Unquoted fields cannot have quotes inside")
            fields.append(text)
            if at < len(line) and line[at] == delimiter:
                at += 1
                continue
            if line[at : at + 1] == b"\r":
                self.rest = line[at + 1 :].removeprefix(b"\n")
            if error is not None:
                raise error
            return fields

    def _quoted(self, line: bytes, at: int) -> tuple[bytes, bytes, int, Any]:
        """The field that begins at `at`, behind its quote; the line (lines may have been added) and where the field ends."""
        parts: list[bytes] = []
        error = None
        while True:
            end = line.find(b'"', at)
            if end < 0:
                more = self._line()
                if not more:
                    raise invalid("Reached end of file without closing quoted field in record")
                line += more
                continue
            parts.append(line[at:end])
            after = line[end + 1 : end + 2]
            if after in (b"", self.delimiter, b"\n", b"\r"):
                return b"".join(parts), line, end + 1, error
            if after == b'"':
                parts.append(b'"')
            else:
                error = error or invalid("Quote inside a string has to be escaped by another quote")
            at = end + 2
