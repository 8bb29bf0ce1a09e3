"""What goes wrong with bytes. The layers above turn these into the errors of tf.errors."""


class DataLoss(ValueError):
    """The bytes are not what their format says: cut short, or changed. Becomes tf.errors.DataLossError above.

    `offset` is where in the stream the bad part begins, where that is known; `source` names the file, where there is one.
    """

    def __init__(self, message: str, *, offset: int | None = None, source: str = ""):
        super().__init__(f"{source}: {message}" if source else message)
        self.offset = offset
        self.source = source
