"""Why a file is not taken."""


class RefusedError(Exception):
    """A file is not taken; the message is one sentence for the person who sent it."""


class NoRoomError(RefusedError):
    """There is no room for it on the server, or in what its owner may store."""


class CutOffError(RefusedError):
    """A picture lacks its end: perhaps it is still being written."""
