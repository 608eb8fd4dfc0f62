"""What goes wrong, and the exit codes that scripts can use."""

SOME_FAILED, USAGE, REFUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 4, 130


class FailedError(Exception):
    """A command cannot go on: a sentence for the person, and the code that the program ends with."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code
