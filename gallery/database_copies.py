"""Copies of the database as files: by SQLite's own backup, or by PostgreSQL's pg_dump and pg_restore."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection

LEFT_BESIDE = ("-wal", "-shm", "-journal")  # SQLite would play them into whatever database lies there


class CopyError(Exception):
    """The database cannot be copied or put back; the message says why."""


def suffix() -> str:
    """Return how the names of copies end."""
    return ".dump" if connection.vendor == "postgresql" else ".sqlite3"


def write(path: Path) -> None:
    """Copy the database as of now to a new file, whole, while others read and write."""
    path.unlink(missing_ok=True)
    if connection.vendor == "postgresql":
        _run("pg_dump", "--format=custom", "--no-owner", "--file", str(path))
        return
    database = Path(connection.settings_dict["NAME"])
    if not database.exists():
        raise CopyError(
            f"There is no database at {database}: is the right disk there, and is it this site's?"
        )
    # In one step: a copy in several begins anew whenever somebody writes between two of them. With a log of
    # changes everybody goes on meanwhile. The copy has no such log, so that it opens on a read-only disk.
    try:
        with (
            closing(sqlite3.connect(database)) as source,
            closing(sqlite3.connect(path)) as copy,
        ):
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        raise CopyError(f"The database cannot be copied: {error}") from error
    refuse_damaged(path)


def refuse_damaged(copy: Path) -> None:
    """Raise CopyError unless a copy of a SQLite database is whole, and one of Picfusion."""
    if copy.suffix == ".dump":
        return  # pg_restore looks at it, and puts back all or nothing
    try:
        with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            verdicts = [row[0] for row in opened.execute("PRAGMA integrity_check(10)")]
            opened.execute("SELECT original, sha256 FROM gallery_image LIMIT 1")
    except sqlite3.DatabaseError as error:
        raise CopyError(f"The copy of the database cannot be read: {error}") from error
    if verdicts != ["ok"]:
        raise CopyError("The copy of the database is damaged: " + "; ".join(verdicts))


def refuse_to_overwrite() -> None:
    """Raise CopyError unless there is no database yet, or an empty one."""
    if connection.vendor == "postgresql":
        if tables := connection.introspection.table_names():
            raise CopyError(f"The database has tables ({tables[0]}, …): restore into an empty one.")
        return
    database = Path(connection.settings_dict["NAME"])
    for path in (database, *(database.with_name(database.name + end) for end in LEFT_BESIDE)):
        if path.exists():
            raise CopyError(f"{path} exists. Move it away first: nothing is overwritten.")


def originals_in(copy: Path) -> list[tuple[str, str]]:
    """Return name and SHA-256 of every original that the copy's database knows.

    Of a PostgreSQL dump they come from the database itself: ask after it was written, or put back.
    """
    if copy.suffix != ".sqlite3":
        from gallery.models import Image

        return list(Image.objects.order_by("pk").values_list("original", "sha256"))
    address = f"{copy.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as opened:
        return opened.execute("SELECT original, sha256 FROM gallery_image ORDER BY id").fetchall()


def put_back_dump(copy: Path) -> None:
    """Fill the empty PostgreSQL database from a dump."""
    connection.close()
    name = str(connection.settings_dict["NAME"])
    _run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname", name, str(copy))


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on this site's database."""
    if not shutil.which(program):
        raise CopyError(f"{program} is not installed here: it comes with PostgreSQL's client programs.")
    said = connection.settings_dict
    options = said["OPTIONS"]
    environment = {
        "PGDATABASE": str(said["NAME"]),
        "PGUSER": said["USER"],
        "PGPASSWORD": said["PASSWORD"],
        "PGHOST": said["HOST"] or str(options.get("host", "")),
        "PGPORT": str(said["PORT"] or ""),
        "PGSSLMODE": str(options.get("sslmode", "")),
    }
    done = subprocess.run(
        [program, *arguments],
        env=os.environ | {name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CopyError(f"{program} failed: {done.stderr.strip()[-500:]}")
