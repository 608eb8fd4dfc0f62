"""A clock that jumps: the site's processes take the time from here, where a C compiler is at hand."""

import random
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
JUMPS = (-7200, -90, 90, 7200)  # seconds: a summer time that was set by hand, a clock that went wrong


class Clock:
    """How far the site's clock is ahead of the real one, in a file that its processes have mapped."""

    def __init__(self, folder: Path) -> None:
        self.jumps = 0
        self._file, library = folder / "clock", folder / "clock.so"
        self._file.write_bytes(struct.pack("q", 0))
        self.environment: dict[str, str] = {}
        if compiler := shutil.which("cc"):
            command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(command, check=True)
            self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._file)}

    def jump(self, chance: random.Random) -> None:
        """Set it forward or back."""
        if self.environment:
            with self._file.open("r+b") as file:
                [ahead] = struct.unpack("q", file.read(8))
                file.seek(0)
                file.write(struct.pack("q", ahead + chance.choice(JUMPS)))
            self.jumps += 1
