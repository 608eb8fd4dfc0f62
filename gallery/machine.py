"""Which machine this is, for what several of them share in one database."""

import contextlib
import os
import platform
import uuid
from functools import cache

from django.conf import settings


@cache
def machine_id() -> str:
    """Name this machine and data folder; made once and kept, so that claims outlive a restart."""
    path = settings.VAR_DIR / "machine-id"
    if not path.exists():
        temporary = path.with_name(f".machine-id-{os.getpid()}")
        temporary.write_text(f"{platform.node()[:40]}-{uuid.uuid4().hex[:8]}")
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return path.read_text()
