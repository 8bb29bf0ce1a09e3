"""How TFRecord files are compressed: TFRecordOptions and TFRecordCompressionType."""

from __future__ import annotations

import zlib
from typing import Any, ClassVar


class TFRecordCompressionType:
    """Kinds of compression of a TFRecord file."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


class TFRecordOptions:
    """The compression of a TFRecord file: `compression_type` is "", "GZIP", "ZLIB" or a TFRecordCompressionType; the
    rest is zlib's.

    With a `flush_mode` the compressor is flushed at every `input_buffer_size` bytes; `output_buffer_size` changes
    nothing. Raises ValueError for another compression.
    """

    compression_type_map: ClassVar[dict[int, str]] = {
        TFRecordCompressionType.ZLIB: "ZLIB",
        TFRecordCompressionType.GZIP: "GZIP",
        TFRecordCompressionType.NONE: "",
    }

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: int | None = None,
        input_buffer_size: int | None = None,
        output_buffer_size: int | None = None,
        window_bits: int | None = None,
        compression_level: int | None = None,
        compression_method: int | None = None,
        mem_level: int | None = None,
        compression_strategy: int | None = None,
    ):
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode, self.input_buffer_size, self.output_buffer_size = (
            flush_mode,
            input_buffer_size,
            output_buffer_size,
        )
        self.window_bits, self.compression_level, self.compression_method = (
            window_bits,
            compression_level,
            compression_method,
        )
        self.mem_level, self.compression_strategy = mem_level, compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """ "", "GZIP" or "ZLIB", from TFRecordOptions, a TFRecordCompressionType or a string."""
        while isinstance(options, TFRecordOptions):
            options = options.compression_type
        if not options:
            return ""
        if options in cls.compression_type_map:
            return cls.compression_type_map[options]
        if options in cls.compression_type_map.values():
            return options
        raise ValueError(f'Not a valid compression_type: "{options}"')

    def writer_facts(self) -> dict[str, Any]:
        """The keyword arguments of a RecordWriter with these options."""
        facts: dict[str, Any] = {"compression": self.get_compression_type_string(self.compression_type)}
        if self.flush_mode is not None:
            facts["flush_mode"] = self.flush_mode
        if self.input_buffer_size is not None:
            facts["input_size"] = self.input_buffer_size
        if self.window_bits is not None:
            facts["window_bits"] = self.window_bits
        if self.compression_level is not None:
            facts["level"] = self.compression_level
        if self.mem_level is not None:
            facts["memory_level"] = self.mem_level
        if self.compression_strategy is not None:
            facts["strategy"] = self.compression_strategy
        if self.compression_method not in (None, zlib.DEFLATED):
            raise ValueError(f"zlib knows one compression method, {zlib.DEFLATED}, not {self.compression_method}")
        return facts
