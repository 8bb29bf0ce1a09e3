"""The few parts of protobuf's wire format that are read and written here without building messages."""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def put_varint(n: int) -> bytes:
    """`n` >= 0 in groups of seven bits, the lowest first."""
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def get_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends. Raises ValueError if it doesn't within ten bytes."""
    n = shift = 0
    for i in range(at, min(at + 10, len(data))):
        byte = data[i]
        n |= (byte & 0x7F) << shift
        if byte < 0x80:
            return n, i + 1
        shift += 7
    raise ValueError(f"A varint at {at} does not end.")


def put_bytes(number: int, size: int) -> bytes:
    """What stands before the `size` bytes of field `number`."""
    return put_varint(number << 3 | BYTES) + put_varint(size)


def fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """The fields of a message: number, wire type, bytes of the value. Raises ValueError for what is no message."""
    at = 0
    while at < len(message):
        key, at = get_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            end = get_varint(message, at)[1]
        elif kind == BYTES:
            size, at = get_varint(message, at)
            end = at + size
        elif kind in (FIXED64, FIXED32):
            end = at + (8 if kind == FIXED64 else 4)
        else:
            raise ValueError(f"A field at {at} has wire type {kind}.")
        if end > len(message):
            raise ValueError(f"Field {number} ends {end - len(message)} bytes behind its message.")
        yield number, kind, message[at:end]
        at = end
