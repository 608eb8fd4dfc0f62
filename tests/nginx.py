"""nginx, where it is installed: a whole configuration around a server's block, and whether nginx takes it."""

import shutil
import subprocess
from pathlib import Path

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


def configuration(folder: Path, server: str) -> Path:
    """Write a configuration that keeps everything in `folder`."""
    path = folder / "nginx.conf"
    path.write_text(
        f"pid {folder}/nginx.pid; error_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n"
        f"client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n{server}}}\n"
    )
    return path


def refused(folder: Path, server: str) -> str:
    """What nginx says against the block; '' where it takes it."""
    command = [str(NGINX), "-t", "-c", str(configuration(folder, server))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""
