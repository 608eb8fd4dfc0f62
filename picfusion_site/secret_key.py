"""The key that signs sessions, made on first start."""

import os
import secrets
import tempfile
from pathlib import Path


def secret_key(path: Path) -> str:
    """Read the key kept in `path`, or make it there, readable by its owner alone.

    It appears under its name whole, by a hard link: of processes that start together one makes it and the
    others read it.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-key-")  # mode 600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        os.unlink(temporary)
    return path.read_text().strip()
