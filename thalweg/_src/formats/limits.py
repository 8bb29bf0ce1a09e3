"""How large what is read may be: a damaged length, or a picture made to do harm, must not take all the memory."""

import os

from thalweg._src.formats.errors import FormatError


class TooLarge(FormatError):
    """Larger than the limit that is set."""

    code = "RESOURCE_EXHAUSTED"


class Limits:
    """`record_bytes`: of one record of a TFRecord file. `picture_pixels`: of one picture, all its frames together.

    Set them here, or by THALWEG_RECORD_BYTES and THALWEG_PICTURE_PIXELS before the program starts. What is larger raises
    ResourceExhaustedError, before memory is taken for it.
    """

    def __init__(self) -> None:
        self.record_bytes = int(os.environ.get("THALWEG_RECORD_BYTES", 1 << 31))
        self.picture_pixels = int(os.environ.get("THALWEG_PICTURE_PIXELS", 1 << 27))

    def check_record(self, size: int, offset: int, source: str) -> None:
        """Raises TooLarge for a record at `offset` of more bytes than are allowed."""
        if size > self.record_bytes:
            where = f"{source}: " if source else ""
            raise TooLarge(
                f"{where}the record at {offset} has {size} bytes, more than the limit of {self.record_bytes}; tf.limits.record_bytes "
                "or THALWEG_RECORD_BYTES sets it"
            )

    def check_picture(self, *dims: int) -> None:
        """Raises TooLarge for a picture of these dimensions that has more pixels than are allowed."""
        pixels = 1
        for d in dims:
            pixels *= d
        if pixels > self.picture_pixels:
            raise TooLarge(
                f"a picture of {' x '.join(map(str, dims))} pixels, more than the limit of {self.picture_pixels}; "
                "tf.limits.picture_pixels or THALWEG_PICTURE_PIXELS sets it"
            )


limits = Limits()
