"""How long a request may hold its thread without anything coming or going: for gunicorn's hooks."""

import contextlib
import socket
import threading
from typing import Any

LARGE = 65_536  # bytes of a body that may take its time
SILENT = 60.0  # seconds that a client may leave a connection alone while it is being read or written
SLOWEST = 8_000  # bytes a second on average, below which a body is given up


def watch(request: Any) -> None:
    """Bound how long gunicorn's request holds its thread without anything coming or going."""
    connection = request.unreader.sock
    connection.settimeout(SILENT)
    length = next((int(value) for name, value in request.headers if name == "CONTENT-LENGTH"), 0)
    if length < LARGE:
        return

    def give_up() -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RD)

    request.deadline = threading.Timer(SILENT + length / SLOWEST, give_up)
    request.deadline.daemon = True
    request.deadline.start()


def unwatch(request: Any) -> None:
    """The request was answered."""
    deadline = getattr(request, "deadline", None)
    if deadline:
        deadline.cancel()
