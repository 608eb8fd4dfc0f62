"""Copies of everything that cannot be made again: database, originals, secret key. While the site runs.

A backup is a folder. Originals never change, so each is copied once, whatever number of backups the folder
holds; every one is hashed on its way. Of the database there is a copy of each time, consistent by its own
means. What is derived (thumbnails, index, models) is left out.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from filelock import FileLock, Timeout

from gallery import database_copies

CHUNK = 1 << 20
DATABASES, ORIGINALS, KEY = "databases", "originals", "secret_key"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
BackupError = database_copies.CopyError  # it cannot be done; the message says why


@dataclass
class Report:
    """What became of a backup or a restoration."""

    at: str
    database: str
    copied: int = 0
    there: int = 0
    gone: int = 0  # deleted for good since the database was copied
    has_key: bool = False  # a SECRET_KEY of the environment is for the person who set it to keep
    wrong: list[str] = field(default_factory=list)  # originals that are missing or not what was uploaded
    sha256: str = ""  # of the database's copy


def back_up(target: Path, verify_all: bool = False) -> Report:
    """Bring the backup in `target` up to date; BackupError where that cannot be.

    With `verify_all` the originals that are there already are hashed again, too.
    """
    if Path(settings.VAR_DIR).resolve() in [target.resolve(), *target.resolve().parents]:
        raise BackupError(f"{target} is inside the site's own folder: a copy there is lost with it.")
    for folder in (target / DATABASES, target / ORIGINALS):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(target / ".backup.lock")
    try:
        with lock.acquire(timeout=0):
            return _brought_up_to_date(target, verify_all)
    except Timeout as error:
        raise BackupError(f"Another backup to {target} is under way.") from error


def _brought_up_to_date(target: Path, verify_all: bool) -> Report:
    at = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    report = Report(at, f"{DATABASES}/{at}{database_copies.suffix()}")
    copy_of_database(target / report.database)
    report.sha256 = _digest(target / report.database)
    key = Path(settings.VAR_DIR) / KEY
    if key.exists():
        _copy(key.open, target / KEY)
        report.has_key = True
    for name, sha256 in database_copies.originals_in(target / report.database):
        _bring(
            partial(default_storage.open, name), target / ORIGINALS / name, sha256, report, not verify_all,
            partial(_is_deleted, name, sha256),
        )  # fmt: skip
    _write(target / DATABASES / f"{at}.json", json.dumps(asdict(report)).encode())
    _write(Path(settings.VAR_DIR) / "backup.json", json.dumps(asdict(report)).encode())
    return report


def latest() -> Report | None:
    """Return what the last backup did; None before the first one."""
    try:
        return Report(**json.loads((Path(settings.VAR_DIR) / "backup.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def copy_of_database(path: Path) -> None:
    """Copy the database as of now, whole, so that it is there under its name or not at all."""
    temporary = path.with_suffix(".new")
    try:
        database_copies.write(temporary)
        _publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _bring(
    source: Callable[..., IO[bytes]],
    target: Path,
    sha256: str,
    report: Report,
    trust: bool,
    is_gone: Callable[[], bool] | None = None,
) -> None:
    """Copy one original; whatever is wrong with it is noted, and harms no other.

    With `trust` one that is there already is not hashed again. `is_gone` says whether a missing one may be.
    """
    try:
        if target.exists() and (trust or _digest(target) == sha256):
            report.there += 1
        elif _copy(source, target, sha256) == sha256:
            report.copied += 1
        else:
            report.wrong.append(target.name)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise  # the target's: no other one can be copied either
        if isinstance(error, FileNotFoundError) and is_gone and is_gone():
            report.gone += 1
        else:
            report.wrong.append(target.name)


def _is_deleted(name: str, sha256: str) -> bool:
    """Whether it went for good since the database was copied."""
    from gallery.models import Image

    return not Image.objects.filter(sha256=sha256, original=name).exists()


def restore(source: Path, at: str = "") -> Report:
    """Put a backup into this site, which must have no database; the newest, or the one of `at`.

    Originals that are there already stay: an older database beside newer files loses none of them, and
    `manage.py verify` lists those that it does not know.
    """
    database_copies.refuse_to_overwrite()
    copy = _chosen(source, at)
    report = Report(copy.stem, str(copy.relative_to(source)))
    is_dump = copy.suffix == ".dump"
    if is_dump:  # in one transaction, before the originals, which it alone can name
        database_copies.put_back_dump(copy)
    for name, sha256 in database_copies.originals_in(copy):
        _put_back(source / ORIGINALS / name, name, sha256, report)
    if (source / KEY).exists():
        _copy((source / KEY).open, Path(settings.VAR_DIR) / KEY)
        report.has_key = True
    shutil.rmtree(settings.INDEX_DIR, ignore_errors=True)  # of another database: it is made again
    if not is_dump:  # last: a restoration that is interrupted is begun again
        _copy(copy.open, Path(connection.settings_dict["NAME"]))
    return report


def _chosen(source: Path, at: str) -> Path:
    """Return the copy of the database to restore; BackupError where there is none, or it is damaged.

    A backup that was interrupted has no report, and is restored only by its name.
    """
    copies = sorted((source / DATABASES).glob(f"*{database_copies.suffix()}"))
    whole = [path for path in copies if path.with_suffix(".json").exists()]
    chosen = [path for path in copies if path.stem.startswith(at)] if at else whole or copies
    if not chosen:
        raise BackupError(f"There is no backup {at} in {source}.".replace("  ", " "))
    copy = chosen[-1]
    try:
        expected = json.loads(copy.with_suffix(".json").read_text()).get("sha256")
    except (OSError, ValueError, AttributeError):
        expected = None
    try:
        if expected and _digest(copy) != expected:
            raise BackupError("its bytes are not those that were written.")
        database_copies.refuse_damaged(copy)
    except BackupError as error:
        earlier = [path.stem for path in whole if path < copy]
        hint = f" An earlier one: --at {earlier[-1]}" if earlier else ""
        raise BackupError(f"{copy} is damaged: {error}{hint}") from error
    return copy


def _put_back(source: Path, name: str, sha256: str, report: Report) -> None:
    """Store one original again, unless it is there and right; whatever is wrong with it is noted."""
    try:
        try:
            with default_storage.open(name) as there:
                is_there = hashlib.file_digest(there, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            is_there = False
        if is_there:
            report.there += 1
        elif _digest(source) == sha256:
            with source.open("rb") as file:
                default_storage.save(name, File(file))
            report.copied += 1
        else:
            report.wrong.append(source.name)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        report.wrong.append(source.name)


def _copy(source: Callable[..., IO[bytes]], target: Path, sha256: str = "") -> str:
    """Copy a file so that it is whole or not there; its hash. One with another hash than said is not kept."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.new")
    digest = hashlib.sha256()
    try:
        with source("rb") as opened, temporary.open("wb") as written:
            while chunk := opened.read(CHUNK):
                digest.update(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
        if not sha256 or digest.hexdigest() == sha256:
            _publish(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def _publish(temporary: Path, target: Path) -> None:
    with temporary.open("rb") as whole:
        os.fsync(whole.fileno())
    os.replace(temporary, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    _publish(temporary, path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
