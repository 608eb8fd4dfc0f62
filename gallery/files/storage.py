"""Files on disk that are either whole or not there."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.db.models.signals import post_delete


class StoreError(OSError):
    """The store of files does not answer, or refuses: no file's fault, and it may come back."""


def is_there(file: FieldFile) -> bool:
    """Whether the place of a file that is missing can be reached: then the file is gone, else away."""
    storage: Any = file.storage
    return bool(storage.is_there())


def is_in_object_store(file: FieldFile) -> bool:
    """Whether it is in a store that gives out addresses of its own."""
    return not isinstance(file.storage, FileSystemStorage)


def signed_address(file: FieldFile, seconds: int) -> str:
    """Return where the store itself gives the file out, for so long."""
    storage: Any = file.storage
    return str(storage.url(file.name, expire=seconds))


def settled_names(storage: Any, seconds: float) -> Iterator[str]:
    """Yield the name of every file that has been in the storage for so long."""
    yield from storage.settled_names(time.time() - seconds)


class DurableStorage(FileSystemStorage):
    """A FileSystemStorage whose files appear under their name only when every byte is on disk."""

    def is_there(self) -> bool:
        """Whether the disk is there: an empty folder is one that is not mounted."""
        root = Path(self.path(""))
        return root.is_dir() and any(root.iterdir())

    def settled_names(self, before: float) -> Iterator[str]:
        """Yield the names of files that nobody wrote to since this moment, in seconds since 1970."""
        for folder, _, names in os.walk(self.location):
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    if path.stat().st_mtime < before:
                        yield str(path.relative_to(self.location))
                except FileNotFoundError:
                    continue

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".part-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return name


def _forget_files(sender: Any, instance: Any, **kwargs) -> None:
    """Remove a deleted image's original and thumbnails, once its deletion is committed.

    One that cannot be removed is logged, and found by `verify`; those of other pictures go.
    """
    from gallery.files.thumbnails import Made

    made, original = Made(instance), instance.original.name

    def remove() -> None:
        try:
            instance.original.storage.delete(original)
        finally:
            made.remove()

    transaction.on_commit(remove, robust=True)


def connect() -> None:
    """Have files follow their rows.

    Whoever deletes an image (a page, the admin, a cascade) need not think of them.
    """
    from gallery.models import Image

    post_delete.connect(_forget_files, sender=Image, dispatch_uid="forget-files")
